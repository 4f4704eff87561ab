import { EventEmitter, once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { setTimeout as after } from 'node:timers/promises';

/** How much goes through at once, in time: small enough to be smooth. */
const STEP_MS = 20;

/** A way to a server on which little goes up, all connections together. */
export interface SlowLine {
  /** Address in place of the server's. */
  url: string;
  /** Bytes a second upwards; may be changed at any time. Infinity: no limit. */
  bytesPerSec: number;
  /** Resolves once it has carried so many bytes more upwards. */
  carried(bytes: number): Promise<void>;
  close(): Promise<void>;
}

/** Opens one in front of the server at this address. */
export async function slowLine(serverUrl: string, bytesPerSec: number): Promise<SlowLine> {
  const { hostname, port } = new URL(serverUrl);
  const sockets = new Set<Socket>();
  const state = { bytesPerSec };
  const counter = new EventEmitter();
  const closing = new AbortController();
  let carriedBytes = 0;
  /** When the line will have carried what is on its way. */
  let freeAtMs = 0;
  const carry = async (bytes: number): Promise<void> => {
    const nowMs = performance.now();
    freeAtMs = Math.max(nowMs, freeAtMs) + (bytes * 1000) / state.bytesPerSec;
    if (freeAtMs - nowMs > STEP_MS) await after(freeAtMs - nowMs, undefined, { signal: closing.signal });
    carriedBytes += bytes;
    counter.emit('carried');
  };
  const server = createServer((client) => {
    const upstream = connect(Number(port), hostname);
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.once('close', () => {
        sockets.delete(socket);
        client.destroy();
        upstream.destroy();
      });
    }
    upstream.pipe(client);
    void passOn(client, upstream, carry);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return Object.assign(state, {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async carried(bytes: number) {
      const wantedBytes = carriedBytes + bytes;
      while (carriedBytes < wantedBytes) await once(counter, 'carried');
    },
    async close() {
      closing.abort();
      server.close();
      for (const socket of sockets) socket.destroy();
      await once(server, 'close');
    },
  });
}

async function passOn(from: Socket, to: Socket, carry: (bytes: number) => Promise<void>): Promise<void> {
  try {
    for await (const chunk of from) {
      await carry((chunk as Buffer).byteLength);
      if (!to.write(chunk)) await Promise.race([once(to, 'drain'), once(to, 'close')]);
    }
    to.end();
  } catch {
    // The other end cut it, or the line is closed: so are both ends.
  }
}
