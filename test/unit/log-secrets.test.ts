import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { WebSocket } from 'ws';
import { chooseCrypto } from '../../peer/crypto/choose.ts';
import { ask } from '../tools/http-server.ts';
import { MadeRoom } from '../tools/made-room.ts';
import { startServer } from '../tools/running-server.ts';
import { joinOf, memberKey, RawClient } from '../tools/signaling-fixture.ts';

const HOST_PASSWORD = 'correct horse battery staple';

const logs = suite('the whole server’s log');

logs('should hold no token, no room, no password and no address, at its most talkative', async () => {
  const server = await startServer({
    env: { LOG_LEVEL: 'trace', HOST_PASSWORD, ROOM_DAYS: '1', MAX_ROOM_GB: '1' },
  });
  const made = await MadeRoom.create(await chooseCrypto());
  const room = `${server.url}/api/rooms/${made.room}`;
  const member = memberKey(1);
  try {
    const put = (url: string, body: Parameters<typeof ask>[1]) => ask(url, { method: 'PUT', ...body });
    const password = { 'x-host-password': encodeURIComponent(HOST_PASSWORD) };
    const record = await made.record();
    assert.is((await put(room, { body: record, headers: { 'x-host-password': 'wrong guess' } })).status, 403);
    assert.is((await put(room, { body: record, headers: password })).status, 201);
    const video = `${room}/videos/${made.video}`;
    assert.is((await put(`${video}/manifest`, { body: await made.grow(1000, 2000) })).status, 204);
    assert.is((await put(`${video}/segments/0`, { body: made.segments[0] ?? null })).status, 204);
    assert.is((await put(`${video}/segments/1`, { body: made.segments[0] ?? null })).status, 409);
    const authorization = `Bearer ${made.token}`;
    assert.is((await ask(`${video}/segments/0`, { headers: { authorization } })).status, 200);
    assert.is((await ask(`${room}?token=${made.token}`, { headers: { authorization } })).status, 200);
    assert.is((await ask(`${room}/${made.token}`, { headers: { authorization } })).status, 404);
    assert.is((await ask(`${server.url}/r/${made.room}?s=${made.token}`)).status < 600, true);
    await talkToSignaling(server.url, made);
    assert.is((await ask(room, { method: 'DELETE', body: await made.takeDown() })).status, 204);
  } finally {
    await server.stop();
  }
  const log = server.log();
  assert.match(log, /"route":"\/api\/rooms\/:room"/);
  const secrets = [
    made.token,
    made.room,
    made.video,
    HOST_PASSWORD,
    encodeURIComponent(HOST_PASSWORD),
    'wrong guess',
  ];
  const keys = [member.publicKey, member.privateKey, made.key.privateKey].map((key) => Buffer.from(key));
  for (const key of keys) secrets.push(key.toString('base64url'), key.toString('hex'));
  for (const secret of secrets) assert.not(log.includes(secret), `the log has ${secret}`);
  assert.not.match(log, /"remoteAddress"|"authorization"/);
});

/** Joins, signals, sends nonsense and a wrong token. */
async function talkToSignaling(url: string, made: MadeRoom): Promise<void> {
  const address = `${url.replace('http', 'ws')}/signal`;
  const member = await RawClient.openWith(address, joinOf(memberKey(1), made.room, made.token));
  await member.next('welcome');
  member.socket.send(JSON.stringify({ type: 'nonsense', token: made.token }));
  await member.closed;
  const wrong = await RawClient.openWith(address, joinOf(memberKey(2), made.room, 'x'.repeat(43)));
  await wrong.closed;
  const elsewhere = new WebSocket(`${url.replace('http', 'ws')}/elsewhere?token=${made.token}`);
  elsewhere.on('error', () => {});
  await new Promise((resolve) => elsewhere.once('close', resolve));
}

logs.run();
