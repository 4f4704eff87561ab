import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { FastifyInstance } from 'fastify';
import * as assert from 'uvu/assert';
import type { Bytes } from '../../peer/bytes.ts';
import { chooseCrypto } from '../../peer/crypto/choose.ts';
import { buildHttp, type HttpOptions } from '../../seed-server/http.ts';
import { createLog } from '../../seed-server/log.ts';
import { FileStore } from '../../seed-server/store/file-store.ts';
import { MadeRoom } from './made-room.ts';
import { temporaryFolder } from './temporary-folder.ts';

/** A real server on a free port of 127.0.0.1, over a store in a temporary folder, without the web app. */
export interface HttpServer {
  url: string;
  port: number;
  app: FastifyInstance;
  folder: string;
  store: FileStore;
  made: MadeRoom;
}

export interface HttpServerOptions extends Partial<HttpOptions> {
  maxBytes?: number;
  maxRoomBytes?: number;
}

/** A test's body with a server of its own, which is closed after it. */
export function withHttp(
  options: HttpServerOptions,
  body: (server: HttpServer) => Promise<void>,
): () => Promise<void> {
  return async () => {
    const { path: folder, remove } = await temporaryFolder();
    const crypto = await chooseCrypto();
    const { maxBytes, maxRoomBytes } = options;
    const store = await FileStore.open(crypto, join(folder, 'data'), maxBytes, maxRoomBytes);
    const webFolder = join(folder, 'web');
    const log = createLog('silent');
    const app = await buildHttp({ store, crypto, webFolder, log, onChange: () => {}, ...options });
    try {
      const url = await app.listen({ host: '127.0.0.1', port: 0 });
      const made = await MadeRoom.create(crypto);
      await body({ url, port: Number(new URL(url).port), app, folder, store, made });
    } finally {
      app.server.closeAllConnections();
      await app.close();
      await remove();
    }
  };
}

export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  text: string;
}

export interface Asked {
  method?: string;
  headers?: Record<string, string>;
  body?: Bytes | null;
  /** The address of this machine to connect from; 127.0.0.2 is another one than 127.0.0.1. */
  from?: string;
  /** Over https, takes any certificate. */
  isInsecure?: boolean;
}

/** Asks on a connection of its own; resolves with the whole answer. */
export function ask(
  url: string,
  { method = 'GET', headers = {}, body = null, from, isInsecure = false }: Asked = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const type = body
      ? { 'content-type': 'application/octet-stream', 'content-length': body.byteLength }
      : {};
    const request = (url.startsWith('https:') ? httpsRequest : httpRequest)(url, {
      method,
      rejectUnauthorized: !isInsecure,
      headers: { ...type, ...headers },
      agent: false,
      ...(from ? { localAddress: from } : {}),
    });
    request.once('error', reject);
    request.once('response', (response) => {
      const { statusCode: status = 0, headers } = response;
      text(response).then((text) => resolve({ status, headers, text }), reject);
    });
    request.end(body ?? undefined);
  });
}

/** Asserts that an answer is a failure in the house's form. */
export function failedWith(answer: Answer, status: number, code: string): void {
  assert.is(answer.status, status, answer.text);
  const told = JSON.parse(answer.text) as { code: string; message: string };
  assert.equal(Object.keys(told).sort(), ['code', 'message']);
  assert.is(told.code, code);
  assert.match(told.message, /^[A-Z].{10,}\.$/);
}
