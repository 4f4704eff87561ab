import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import * as assert from 'uvu/assert';
import { type ClientOptions, WebSocket } from 'ws';
import type { SigningKey } from '../../peer/crypto/crypto.ts';
import type { FromClient, FromServer } from '../../signaling/messages.ts';
import { attachSignaling, type Signaling, type SignalingOptions } from '../../signaling/server.ts';
import { signedJoin } from './member-keys.ts';

export { memberKey } from './member-keys.ts';

export const ROOM = 'a'.repeat(22);
export const OTHER_ROOM = 'b'.repeat(22);
export const TOKEN = 'T'.repeat(43);
export const ORIGIN_KEY = 'the secret of the origin';

type Join = Extract<FromClient, { type: 'join' }>;

/** Makes the join of the member with this key, for the nonce of a connection. */
export function joinOf(key: SigningKey, room = ROOM, token = TOKEN): (nonce: string) => Join {
  return (nonce) => signedJoin(key, room, token, nonce);
}

export interface OpenServer {
  url: string;
  http: Server;
  signaling: Signaling;
  close(): Promise<void>;
}

/** A signaling server with two rooms that one token opens, on a free port of 127.0.0.1 (or on `port`). */
export async function openSignaling(options: Partial<SignalingOptions> = {}, port = 0): Promise<OpenServer> {
  const http = createServer();
  const signaling = attachSignaling({
    server: http,
    path: '/signal',
    door: {
      async admit(room, token) {
        if (room !== ROOM && room !== OTHER_ROOM) return 'no-room';
        return token === TOKEN ? 'ok' : 'bad-token';
      },
      async mayMeet() {
        return true;
      },
    },
    originKey: ORIGIN_KEY,
    iceServers: [{ urls: 'stun:stun.example.org' }],
    random: Math.random,
    log: { warn: () => {} },
    ...options,
  });
  http.listen(port, '127.0.0.1');
  await once(http, 'listening');
  const { port: openPort } = http.address() as AddressInfo;
  return {
    url: `ws://127.0.0.1:${openPort}/signal`,
    http,
    signaling,
    async close() {
      await signaling.close();
      http.closeAllConnections();
      await new Promise((resolve) => http.close(resolve));
    },
  };
}

/** A test's body with a server of its own, which is closed after it. */
export function withServer(
  body: (server: OpenServer) => Promise<void>,
  options: Partial<SignalingOptions> = {},
): () => Promise<void> {
  return async () => {
    const server = await openSignaling(options);
    try {
      await body(server);
    } finally {
      await server.close();
    }
  };
}

/** Asserts that the server answers with this error and then ends the connection. */
export async function refusedWith(client: RawClient, code: string): Promise<void> {
  const error = await client.next('error');
  assert.is(error.code, code);
  assert.ok(error.message.endsWith('.'));
  assert.is(await client.closed, 1008);
}

/** Resolves once it is so; looks at every turn of the event loop, for what the server tells nobody. */
export async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise(setImmediate);
}

type Welcome = Extract<FromServer, { type: 'welcome' }>;

/** A bare client: what it sends is what goes out, what came in is read one by one. */
export class RawClient {
  readonly socket: WebSocket;
  /** The close code, once the connection has ended. */
  readonly closed: Promise<number>;
  /** What the server's hello said. */
  nonce = '';
  readonly #arrived: FromServer[] = [];
  #onArrival: () => void = () => {};

  private constructor(socket: WebSocket) {
    this.socket = socket;
    this.closed = new Promise((resolve) => socket.once('close', (code) => resolve(code)));
    socket.on('message', (data) => {
      this.#arrived.push(JSON.parse(String(data)) as FromServer);
      this.#onArrival();
    });
    void this.closed.then(() => this.#onArrival());
  }

  static async open(url: string, options: ClientOptions = {}): Promise<RawClient> {
    return await RawClient.over(new WebSocket(url, options));
  }

  /** Over a socket that is being opened. */
  static async over(socket: WebSocket): Promise<RawClient> {
    const client = new RawClient(socket);
    client.nonce = (await client.next('hello')).nonce;
    return client;
  }

  /** Opens a connection and says this first. */
  static async openWith(
    url: string,
    message: FromClient | ((nonce: string) => FromClient),
    options: ClientOptions = {},
  ): Promise<RawClient> {
    const client = await RawClient.open(url, options);
    client.send(message);
    return client;
  }

  /** Opens a connection and joins; resolves with its id once the welcome has come. */
  static async join(
    url: string,
    key: SigningKey,
    room = ROOM,
  ): Promise<{ client: RawClient; id: string; welcome: Welcome }> {
    const client = await RawClient.openWith(url, joinOf(key, room));
    const welcome = await client.next('welcome');
    return { client, id: welcome.id, welcome };
  }

  /** Opens a connection as the origin. */
  static async serve(url: string): Promise<RawClient> {
    const client = await RawClient.openWith(url, { type: 'serve', key: ORIGIN_KEY });
    await client.next('serving');
    return client;
  }

  send(message: FromClient | ((nonce: string) => FromClient)): void {
    this.socket.send(JSON.stringify(typeof message === 'function' ? message(this.nonce) : message));
  }

  /** The next message, which must be of this type; rejects where the connection ends before. */
  async next<T extends FromServer['type']>(type: T): Promise<Extract<FromServer, { type: T }>> {
    while (this.#arrived.length === 0) {
      if (this.socket.readyState === WebSocket.CLOSED) throw new Error(`closed before ${type} came`);
      await new Promise<void>((resolve) => {
        this.#onArrival = resolve;
      });
    }
    const message = this.#arrived.shift();
    if (message?.type !== type) throw new Error(`expected ${type}, got ${JSON.stringify(message)}`);
    return message as Extract<FromServer, { type: T }>;
  }

  /** Resolves once the server has handled all that was sent so far: answers come in order. */
  async settled(): Promise<void> {
    const nobody = 'z'.repeat(22);
    this.send({ type: 'signal', to: nobody, data: '?' });
    await this.next('absent');
  }

  async close(): Promise<void> {
    this.socket.terminate();
    await this.closed;
  }
}
