import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Bytes, fromBase64url, toBase64url } from '../../peer/bytes.ts';
import { chooseCrypto } from '../../peer/crypto/choose.ts';
import type { SigningKey } from '../../peer/crypto/crypto.ts';
import { memberIdBytes, proveMember } from '../../peer/crypto/member-key.ts';
import { decodeManifestUpdate } from '../../peer/manifest/manifest-writer.ts';
import { ask, failedWith, type HttpServer, withHttp } from '../tools/http-server.ts';
import { memberKey } from '../tools/member-keys.ts';

const crypto = await chooseCrypto();

/** Two members; the host keeps the second one out. */
const [ADA, BOB] = [memberKey(1), memberKey(2)];

/** Every address that gives a part of the film. */
async function films({ url, made, store }: HttpServer): Promise<string[]> {
  await store.putRecord(made.room, await made.record());
  const update = await made.grow(1000, 2000);
  await store.putManifest(made.room, made.video, update);
  await ask(`${url}/api/rooms/${made.room}/videos/${made.video}/segments/1`, {
    method: 'PUT',
    body: made.segments[1] ?? null,
  });
  const page = await crypto.sha256(decodeManifestUpdate(update).pages[0] ?? new Uint8Array());
  const video = `${url}/api/rooms/${made.room}/videos/${made.video}`;
  return ['manifest', `pages/${toBase64url(page)}`, 'segments', 'segments/1'].map(
    (part) => `${video}/${part}`,
  );
}

function as(server: HttpServer, proof: string | null): Record<string, string> {
  return { authorization: `Bearer ${server.made.token}`, ...(proof === null ? {} : { 'x-member': proof }) };
}

const proofOf = ({ made }: HttpServer, key: SigningKey, room: Bytes = made.roomBytes): Promise<string> =>
  proveMember(crypto, key, room);

const idOf = ({ publicKey }: SigningKey): Promise<Bytes> => memberIdBytes(crypto, publicKey);

const members = suite('the film over HTTP');

members(
  'should be given to whoever has the link while the host keeps nobody out',
  withHttp({}, async (server) => {
    const parts = await films(server);
    await server.store.putRules(server.made.room, await server.made.rules(1, { muted: [await idOf(BOB)] }));
    for (const part of parts) assert.is((await ask(part, { headers: as(server, null) })).status, 200);
  }),
);

for (const [rule, code] of [
  ['removed', 'REMOVED'],
  ['lockedTo', 'ROOM_LOCKED'],
] as const) {
  members(
    `should be kept from those whom the host keeps out, from one request to the next: ${code}`,
    withHttp({}, async (server) => {
      const parts = await films(server);
      const [ada, bob] = [as(server, await proofOf(server, ADA)), as(server, await proofOf(server, BOB))];
      for (const part of parts) assert.is((await ask(part, { headers: bob })).status, 200);
      const named = await idOf(rule === 'removed' ? BOB : ADA);
      await server.store.putRules(server.made.room, await server.made.rules(1, { [rule]: [named] }));
      for (const part of parts) {
        failedWith(await ask(part, { headers: bob }), 403, code);
        failedWith(await ask(part, { headers: as(server, null) }), 403, 'SIGNATURE_WRONG');
        assert.is((await ask(part, { headers: ada })).status, 200);
      }
      await server.store.putRules(server.made.room, await server.made.rules(2));
      for (const part of parts) assert.is((await ask(part, { headers: bob })).status, 200);
    }),
  );
}

members(
  'should be given for no proof that is another’s, another room’s, changed or none',
  withHttp({}, async (server) => {
    const [part = ''] = await films(server);
    await server.store.putRules(server.made.room, await server.made.rules(1, { removed: [await idOf(BOB)] }));
    const ada = await proofOf(server, ADA);
    const bob = await proofOf(server, BOB);
    const [adaKey = '', adaSignature = ''] = ada.split('.');
    const [, bobSignature = ''] = bob.split('.');
    const signature = fromBase64url(adaSignature) ?? new Uint8Array();
    signature[0] = (signature[0] ?? 0) ^ 1;
    const proofs = [
      `${adaKey}.${bobSignature}`,
      `${adaKey}.${toBase64url(signature)}`,
      await proofOf(server, ADA, server.made.videoBytes),
      adaKey,
      `${ada}, ${ada}`,
      `${'A'.repeat(43)}.${'A'.repeat(86)}`,
      '__proto__',
      '',
    ];
    for (const proof of proofs) {
      failedWith(await ask(part, { headers: as(server, proof) }), 403, 'SIGNATURE_WRONG');
    }
    assert.is((await ask(part, { headers: as(server, ada) })).status, 200);
    failedWith(await ask(part, { headers: { 'x-member': ada } }), 403, 'TOKEN_WRONG');
  }),
);

members.run();
