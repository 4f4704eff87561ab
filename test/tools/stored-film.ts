import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { areEqual, type Bytes, concat, fromBase64url, toBase64url } from '../../peer/bytes.ts';
import { chooseCrypto } from '../../peer/crypto/choose.ts';
import { decryptRange, encryptSegment } from '../../peer/crypto/content.ts';
import { deriveVideoKeys } from '../../peer/crypto/keys.ts';
import type { Extra } from '../../peer/extras/extra.ts';
import { openVideo } from '../../peer/host/package.ts';
import { parseRoomLink } from '../../peer/room-link.ts';
import { openFile } from '../../seed-server/host-file.ts';
import { ReadStore } from '../../seed-server/store/read-store.ts';
import { plainExtra } from './plain-extra.ts';

/**
 * Asserts that the segments which the server stores of a link's only video are those that an upload of this file without any trouble
 * makes with its keys. Extras may lie between them: which, and where, depends on when they were made. Resolves with their kinds.
 */
export async function extrasOfStored(dataDir: string, link: string, path: string): Promise<Extra['kind'][]> {
  const crypto = await chooseCrypto();
  const { roomId, roomSecret } = parseRoomLink(link);
  const [store, room] = [new ReadStore(dataDir), toBase64url(roomId)];
  const [video = '', ...others] = await store.listVideos(room);
  assert.equal(others, []);
  const { contentKey } = await deriveVideoKeys(crypto, roomSecret, fromBase64url(video) ?? new Uint8Array());
  const stored = await store.storedSegments(room, video);
  const folder = store.segmentsFolder(room, video);
  const readStored = async (segment: number): Promise<Bytes> =>
    new Uint8Array(await readFile(join(folder, String(segment))));
  const kinds: Extra['kind'][] = [];
  let number = 0;
  const passExtras = async (): Promise<void> => {
    for (; number < stored.length; number++) {
      const ciphertext = await readStored(number);
      const extra = plainExtra(await decryptRange(crypto, contentKey, number, 0, ciphertext));
      if (!extra) return;
      kinds.push(extra.kind);
    }
  };
  const file = await openFile(path);
  const opened = await openVideo(file.source);
  try {
    for await (const { parts } of opened.segments(new AbortController().signal)) {
      await passExtras();
      const made = concat(...(await encryptSegment(crypto, contentKey, number, parts)));
      assert.ok(areEqual(made, await readStored(number)), `segment ${number}`);
      number += 1;
    }
    await passExtras();
  } finally {
    opened.close();
    await file.close();
  }
  assert.equal(stored, [...stored.keys()]);
  assert.is(number, stored.length, 'nothing else is there');
  return kinds;
}
