import type { WebSocketLike } from '../../../signaling/client.ts';

/**
 * The room page's socket, opened by a script of its own while the page's others are still on their way: when they are here the
 * server's hello is, too. That is three of the dozen round trips between a click on a link and the first picture.
 */
let early = open();

interface Early {
  socket: WebSocket;
  /** What came while nobody listened: the server's hello. */
  heard: MessageEvent[];
  hear(event: MessageEvent): void;
}

/** The early socket where it goes to this address (as signalingUrl gives it) and is good still, but once; else a new one. */
export function takeSocket(url: string): WebSocketLike {
  const taken = early;
  early = null;
  if (!taken) return new WebSocket(url);
  if (taken.socket.url === url && taken.socket.readyState <= WebSocket.OPEN) return handOver(taken);
  taken.socket.close();
  return new WebSocket(url);
}

function open(): Early | null {
  try {
    const socket = new WebSocket('/signal');
    const heard: MessageEvent[] = [];
    const hear = (event: MessageEvent): void => void heard.push(event);
    socket.addEventListener('message', hear);
    return { socket, heard, hear };
  } catch {
    // Browsers before 2024 want the whole address: they lose nothing but the time.
    return null;
  }
}

/** Whoever listens for messages hears first what came before, as soon as it has set itself up. */
function handOver({ socket, heard, hear }: Early): WebSocketLike {
  socket.removeEventListener('message', hear);
  return {
    get readyState() {
      return socket.readyState;
    },
    send: (text) => socket.send(text),
    close: () => socket.close(),
    addEventListener(type: string, listener: (event: MessageEvent) => void) {
      socket.addEventListener(type, listener as (event: Event) => void);
      if (type === 'message') for (const event of heard.splice(0)) queueMicrotask(() => listener(event));
    },
  };
}
