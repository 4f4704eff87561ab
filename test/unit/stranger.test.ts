import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Bytes, toBase64url, toHex } from '../../peer/bytes.ts';
import { chooseCrypto } from '../../peer/crypto/choose.ts';
import { decodeManifestUpdate } from '../../peer/manifest/manifest-writer.ts';
import { decodePage, pieceHash } from '../../peer/manifest/page.ts';
import { buildHttp } from '../../seed-server/http.ts';
import { createLog } from '../../seed-server/log.ts';
import { roomDoor } from '../../seed-server/room-door.ts';
import { FileStore } from '../../seed-server/store/file-store.ts';
import { type FromClient, ORIGIN } from '../../signaling/messages.ts';
import { attachSignaling } from '../../signaling/server.ts';
import { MadeRoom } from '../tools/made-room.ts';
import { joinOf, memberKey, ORIGIN_KEY, RawClient } from '../tools/signaling-fixture.ts';
import { temporaryFolder } from '../tools/temporary-folder.ts';

const crypto = await chooseCrypto();

interface Town {
  url: string;
  signalUrl: string;
  /** With a film of three segments. */
  room: MadeRoom;
  pageHash: Bytes;
  /** Another room, which the stranger may well be a member of. */
  own: MadeRoom;
  /** Everything that only members may see, as it would look in an answer. */
  secrets: Buffer[];
}

/** HTTP, signaling and store as the seed server has them, on a free port. */
async function inTown(body: (town: Town) => Promise<void>): Promise<void> {
  const { path, remove } = await temporaryFolder();
  const store = await FileStore.open(crypto, join(path, 'data'));
  const log = createLog('silent');
  const app = await buildHttp({
    store,
    crypto,
    webFolder: join(path, 'web'),
    log,
    onChange: () => undefined,
  });
  const signaling = attachSignaling({
    server: app.server,
    path: '/signal',
    door: roomDoor(store, crypto),
    originKey: ORIGIN_KEY,
    iceServers: [{ urls: 'stun:members-only.example.org' }],
    random: Math.random,
    log: { warn: () => undefined },
  });
  try {
    const url = await app.listen({ host: '127.0.0.1', port: 0 });
    const [room, own] = [await MadeRoom.create(crypto), await MadeRoom.create(crypto)];
    for (const made of [room, own]) await put(`${url}/api/rooms/${made.room}`, await made.record());
    const update = await room.grow(1_000, 70_000, 70_000);
    const base = `${url}/api/rooms/${room.room}/videos/${room.video}`;
    await put(`${base}/manifest`, update);
    for (const [segment, data] of room.segments.entries()) await put(`${base}/segments/${segment}`, data);
    const { head, pages } = decodeManifestUpdate(update);
    const page = pages[0] ?? new Uint8Array();
    const hashes = decodePage(page).map((entry) => pieceHash(entry, 0));
    const secrets = [head, page, ...room.segments, ...hashes].map((bytes) =>
      Buffer.from(bytes.subarray(0, 32)),
    );
    const pageHash = await crypto.sha256(page);
    await body({ url, signalUrl: `${url.replace('http', 'ws')}/signal`, room, own, pageHash, secrets });
  } finally {
    await signaling.close();
    app.server.closeAllConnections();
    await app.close();
    await remove();
  }
}

async function put(url: string, body: Bytes): Promise<void> {
  const response = await fetch(url, {
    method: 'PUT',
    body,
    headers: { 'content-type': 'application/octet-stream' },
  });
  assert.ok(response.ok, `${url}: ${response.status}`);
}

function tells(answer: Buffer, { secrets, room }: Town): boolean {
  const forms = secrets.flatMap((secret) => [
    secret,
    toHex(secret),
    toBase64url(secret),
    secret.toString('base64'),
  ]);
  return [...forms, room.token, room.video].some((form) => answer.includes(form));
}

const stranger = suite('a stranger who knows a room’s id, and even its video’s');

stranger('should get nothing over HTTP, whatever they show for a token', () =>
  inTown(async (town) => {
    const { url, room, own, pageHash } = town;
    const base = `${url}/api/rooms/${room.room}`;
    const video = `${base}/videos/${room.video}`;
    const places = [
      base,
      `${base}?member=${'a'.repeat(22)}`,
      `${base}/rules`,
      `${video}/manifest`,
      `${video}/pages/${toBase64url(pageHash)}`,
      `${video}/segments`,
      `${video}/segments/0`,
      `${video}/segments/1`,
      // By another room's door: what is there is not here.
      `${url}/api/rooms/${own.room}/../${room.room}/videos/${room.video}/segments/1`,
      `${url}/api/rooms/${own.room}%2F..%2F${room.room}/videos/${room.video}/segments/1`,
    ];
    const bent = `${room.token.startsWith('A') ? 'B' : 'A'}${room.token.slice(1)}`;
    const tokens = [null, room.room, own.token, bent, toBase64url(room.key.publicKey)];
    for (const place of places) {
      for (const token of tokens) {
        const headers: Record<string, string> = { range: 'bytes=0-99', 'if-none-match': '*' };
        if (token !== null) headers.authorization = `Bearer ${token}`;
        const response = await fetch(place, { headers, method: token === bent ? 'HEAD' : 'GET' });
        const answer = Buffer.concat([
          Buffer.from(JSON.stringify([...response.headers])),
          Buffer.from(await response.arrayBuffer()),
        ]);
        assert.ok([401, 403, 404, 400].includes(response.status), `${place}: ${response.status}`);
        assert.not(tells(answer, town), `${place} with ${token}`);
      }
    }
  }),
);

stranger('should find the same place open to a member', () =>
  inTown(async (town) => {
    const { url, room } = town;
    const place = `${url}/api/rooms/${room.room}/videos/${room.video}/segments/1`;
    const response = await fetch(place, { headers: { authorization: `Bearer ${room.token}` } });
    assert.is(response.status, 200);
    assert.ok(
      tells(Buffer.from(await response.arrayBuffer()), town),
      'else the other test would prove nothing',
    );
  }),
);

stranger('should not be let into signaling, nor told who is there', () =>
  inTown(async ({ signalUrl, room, own }) => {
    const member = await RawClient.openWith(signalUrl, joinOf(memberKey(1), room.room, room.token));
    const { id } = await member.next('welcome');
    for (const token of [own.token, room.room.padEnd(43, 'A'), toBase64url(room.key.publicKey)]) {
      const client = await RawClient.openWith(signalUrl, joinOf(memberKey(2), room.room, token));
      const { code, message } = await client.next('error');
      assert.is(code, 'TOKEN_WRONG');
      assert.not(message.includes(id));
      assert.is(await client.closed, 1008);
    }
    await member.settled();
    await member.close();
  }),
);

stranger(
  'should reach nobody there without joining, from another room, or by calling themselves the origin',
  () =>
    inTown(async ({ signalUrl, room, own }) => {
      const member = await RawClient.openWith(signalUrl, joinOf(memberKey(1), room.room, room.token));
      const { id } = await member.next('welcome');
      // Without joining.
      const unjoined: FromClient[] = [
        { type: 'more', known: [] },
        { type: 'signal', to: id, data: 'hello' },
        { type: 'signal', to: ORIGIN, data: 'hello', room: room.room },
        { type: 'serve', key: 'not the secret of the origin' },
      ];
      for (const message of unjoined) {
        const client = await RawClient.openWith(signalUrl, message);
        await client.next('error');
        assert.is(await client.closed, 1008);
      }
      // From a room of their own.
      const guest = await RawClient.openWith(signalUrl, joinOf(memberKey(3), own.room, own.token));
      assert.equal((await guest.next('welcome')).members, []);
      guest.send({ type: 'signal', to: id, data: 'hello' });
      assert.is((await guest.next('absent')).id, id);
      guest.send({ type: 'more', known: [] });
      assert.equal((await guest.next('members')).members, []);
      await guest.close();
      // With the member's own join, heard on its way: it was signed for another connection.
      const heard = joinOf(memberKey(1), room.room, room.token)(member.nonce);
      const replay = await RawClient.openWith(signalUrl, heard);
      await replay.next('error');
      assert.is(await replay.closed, 1008);
      // The member has heard of none of this: the next it hears is the answer to its own question.
      await member.settled();
      await member.close();
    }),
);

stranger.run();
