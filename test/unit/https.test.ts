import { once } from 'node:events';
import { copyFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { WebSocket } from 'ws';
import { chooseCrypto } from '../../peer/crypto/choose.ts';
import { followCertificate, readCertificate } from '../../seed-server/certificate.ts';
import { makeCertificate } from '../tools/certificates.ts';
import { ask } from '../tools/http-server.ts';
import { MadeRoom } from '../tools/made-room.ts';
import { startServer } from '../tools/running-server.ts';
import { joinOf, memberKey, RawClient } from '../tools/signaling-fixture.ts';
import { temporaryFolder } from '../tools/temporary-folder.ts';

async function inFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const { path, remove } = await temporaryFolder();
  try {
    await body(path);
  } finally {
    await remove();
  }
}

/** The name in the certificate that a new connection is shown. */
async function shownName(port: number): Promise<string | string[]> {
  const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false });
  await once(socket, 'secureConnect');
  const { subject } = socket.getPeerCertificate();
  socket.destroy();
  return subject.CN ?? '';
}

const https = suite('a server with a certificate');

https('should serve pages, rooms and signaling over TLS, and bring its origin', () =>
  inFolder(async (folder) => {
    const { certFile, keyFile } = await makeCertificate(folder, 'matinee test');
    const server = await startServer({ env: { TLS_CERT: certFile, TLS_KEY: keyFile } });
    try {
      assert.match(server.url, /^https:\/\/127\.0\.0\.1:\d+$/);
      const port = Number(new URL(server.url).port);
      assert.is(await shownName(port), 'matinee test');
      const made = await MadeRoom.create(await chooseCrypto());
      const put = { method: 'PUT', body: await made.record(), isInsecure: true };
      assert.is((await ask(`${server.url}/api/rooms/${made.room}`, put)).status, 201);
      const url = `${server.url.replace('https', 'wss')}/signal`;
      const member = await RawClient.over(new WebSocket(url, { rejectUnauthorized: false }));
      member.send(joinOf(memberKey(1), made.room, made.token));
      const welcome = await member.next('welcome');
      if (!welcome.isOriginHere) await member.next('originHere');
      member.socket.close();
    } finally {
      await server.stop();
    }
  }),
);

https('should say what is wrong with its files, and not start', () =>
  inFolder(async (folder) => {
    const { certFile } = await makeCertificate(folder, 'one');
    const other = await makeCertificate(join(folder, 'other'), 'two');
    const sentenceFor = async (TLS_CERT: string, TLS_KEY: string) => {
      const started = startServer({ env: { TLS_CERT, TLS_KEY } });
      return await started.then(
        () => 'it started',
        (error: Error) => error.message,
      );
    };
    assert.match(await sentenceFor(certFile, other.keyFile), /TLS_CERT and TLS_KEY must be .* mismatch/);
    assert.match(
      await sentenceFor(join(folder, 'none'), other.keyFile),
      /TLS_CERT and TLS_KEY must be .*ENOENT/,
    );
  }),
);

https.run();

const renewal = suite('a certificate that is renewed');

renewal('should be shown to new connections, and a broken one not', () =>
  inFolder(async (folder) => {
    const files = await makeCertificate(folder, 'old');
    const server = createServer(await readCertificate(files)).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const heard: string[] = [];
    let onNews: () => void = () => {};
    const hear = (message: string) => {
      heard.push(message);
      onNews();
    };
    const news = () =>
      new Promise<void>((resolve) => {
        onNews = resolve;
      });
    const end = followCertificate(files, server, { info: hear, warn: (_, message) => hear(message) }, 20);
    try {
      assert.is(await shownName(port), 'old');
      const broken = news();
      await writeFile(files.certFile, 'half a certific');
      await broken;
      assert.equal(heard, ['the new certificate cannot be used']);
      assert.is(await shownName(port), 'old');
      const renewed = await makeCertificate(join(folder, 'new'), 'new');
      await copyFile(renewed.keyFile, files.keyFile);
      await copyFile(renewed.certFile, files.certFile);
      while (heard.at(-1) !== 'the certificate was read again') await news();
      assert.is(await shownName(port), 'new');
    } finally {
      end();
      server.close();
    }
  }),
);

renewal.run();
