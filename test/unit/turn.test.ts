import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { chooseCrypto } from '../../peer/crypto/choose.ts';
import type { IceServer } from '../../signaling/messages.ts';
import { turnServer } from '../../signaling/turn.ts';
import { hasCoturn, relayThrough, startCoturn } from '../tools/coturn.ts';
import { ask } from '../tools/http-server.ts';
import { MadeRoom } from '../tools/made-room.ts';
import { startServer } from '../tools/running-server.ts';
import { joinOf, memberKey, RawClient, withServer } from '../tools/signaling-fixture.ts';

const LOOPBACK = '127.0.0.1';
const SECRET = 'the secret of both';

const passwords = suite('passwords for TURN');

if (await hasCoturn()) {
  passwords('should let a member through a real coturn, and nobody once they have ended', async () => {
    const coturn = await startCoturn({ secret: SECRET, address: LOOPBACK });
    const urls = `turn:${LOOPBACK}:${coturn.port}`;
    const server = await startServer({ env: { TURN_URLS: urls, TURN_SECRET: SECRET, TURN_TTL_S: '600' } });
    try {
      const made = await MadeRoom.create(await chooseCrypto());
      await ask(`${server.url}/api/rooms/${made.room}`, { method: 'PUT', body: await made.record() });
      const member = await RawClient.open(`${server.url.replace('http', 'ws')}/signal`);
      member.send(joinOf(memberKey(1), made.room, made.token));
      const { iceServers } = await member.next('welcome');
      member.socket.close();
      const [turn] = iceServers as IceServer[];
      assert.equal(turn?.urls, [urls]);
      const { username = '', credential = '' } = turn ?? {};
      await relayThrough(LOOPBACK, coturn.port, username, credential);
      const settings = { urls: [urls], secret: SECRET, ttlS: 600 };
      const old = turnServer(settings, Date.now() - 601_000);
      await failsToRelay(coturn.port, old);
      await failsToRelay(coturn.port, turnServer({ ...settings, secret: 'another secret' }, Date.now()));
    } finally {
      await server.stop();
      await coturn.stop();
    }
  });
}

async function failsToRelay(port: number, { username = '', credential = '' }: IceServer): Promise<void> {
  await relayThrough(LOOPBACK, port, username, credential).then(
    () => assert.unreachable('it was let in'),
    (error: Error) => assert.match(error.message, /turnutils_uclient|nothing came through/),
  );
}

passwords('should be those of the published scheme', () => {
  // echo -n 1000000600 | openssl dgst -sha1 -hmac 'the secret of both' -binary | base64
  const settings = { urls: ['turn:a'], secret: SECRET, ttlS: 600 };
  assert.equal(turnServer(settings, 1_000_000_000_999), {
    urls: ['turn:a'],
    username: '1000000600',
    credential: 'yx+q0nfTS/11WM5bjL+LEcetuC0=',
  });
});

const settings = { urls: ['turn:turn.example.org'], secret: SECRET };

passwords(
  'should be given anew with every join',
  withServer(
    async ({ url }) => {
      const first = await RawClient.openWith(url, joinOf(memberKey(1)));
      const [stun, turn] = (await first.next('welcome')).iceServers;
      assert.equal(stun, { urls: 'stun:stun.example.org' });
      assert.equal(turn?.urls, settings.urls);
      const lastsMs = Number(turn?.username) * 1000 - Date.now();
      assert.ok(lastsMs > 590_000 && lastsMs <= 600_000, String(lastsMs));
    },
    { turn: { ...settings, ttlS: 600 } },
  ),
);

passwords(
  'should be renewed for who stays longer than half their life, before it makes another connection',
  withServer(
    async ({ url }) => {
      const member = await RawClient.openWith(url, joinOf(memberKey(1)));
      await member.next('welcome');
      member.send({ type: 'signal', to: 'b'.repeat(22), data: 'x' });
      assert.is((await member.next('iceServers')).iceServers.length, 2);
      await member.next('absent');
    },
    { turn: { ...settings, ttlS: 0 } },
  ),
);

passwords(
  'should not be renewed sooner',
  withServer(
    async ({ url }) => {
      const member = await RawClient.openWith(url, joinOf(memberKey(1)));
      await member.next('welcome');
      member.send({ type: 'signal', to: 'b'.repeat(22), data: 'x' });
      await member.next('absent');
    },
    { turn: { ...settings, ttlS: 600 } },
  ),
);

passwords.run();
