import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { toBase64url } from '../../peer/bytes.ts';
import { type ErrorCode, MatineeError } from '../../peer/errors.ts';
import { formatRoomLink, parseRoomLink, type RoomLink } from '../../peer/room-link.ts';

const ROOM_ID = new Uint8Array(16).map((_, i) => i * 15);
const SECRET = new Uint8Array(32).map((_, i) => 255 - i);
const ROOM: RoomLink = { roomId: ROOM_ID, roomSecret: SECRET, hasPassword: false };
const ID_TEXT = toBase64url(ROOM_ID);
const SECRET_TEXT = toBase64url(SECRET);
const LINK = `https://matinee.example/r/${ID_TEXT}#${SECRET_TEXT}`;

function refusalOf(href: string): MatineeError {
  try {
    parseRoomLink(href);
  } catch (error) {
    if (error instanceof MatineeError) return error;
    throw error;
  }
  throw new Error(`was accepted: ${href}`);
}

function assertRefused(href: string, code: ErrorCode, words: RegExp): void {
  const error = refusalOf(href);
  assert.is(error.code, code, href);
  assert.match(error.message, words);
}

const formatting = suite('a room link');

formatting('should be the origin, the room id and, behind #, the secret', () => {
  assert.is(formatRoomLink('https://matinee.example', ROOM), LINK);
});

formatting('should say at its end that there is a password', () => {
  assert.is(formatRoomLink('https://matinee.example', { ...ROOM, hasPassword: true }), `${LINK}.p`);
});

formatting('should drop whatever follows the origin', () => {
  assert.is(
    formatRoomLink('http://10.0.0.2:8080/r/old?x=1#old', ROOM),
    `http://10.0.0.2:8080/r/${ID_TEXT}#${SECRET_TEXT}`,
  );
});

formatting('should read back as it was written', () => {
  const ids = fc.uint8Array({ minLength: 16, maxLength: 16 }).map((id) => new Uint8Array(id));
  const secrets = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((secret) => new Uint8Array(secret));
  const property = fc.property(ids, secrets, fc.boolean(), (roomId, roomSecret, hasPassword) => {
    const link = { roomId, roomSecret, hasPassword };
    assert.equal(parseRoomLink(formatRoomLink('http://localhost:1', link)), link);
  });
  fc.assert(property);
});

formatting('should be read in spite of spaces around it, a closing slash and an added query', () => {
  assert.equal(parseRoomLink(`  ${LINK}\n`), ROOM);
  assert.equal(parseRoomLink(`https://m.example/r/${ID_TEXT}/#${SECRET_TEXT}`), ROOM);
  assert.equal(parseRoomLink(`https://m.example/r/${ID_TEXT}?utm_source=chat#${SECRET_TEXT}`), ROOM);
  assert.equal(parseRoomLink(`  ${LINK}.p\n`), { ...ROOM, hasPassword: true });
});

formatting.run();

const refusing = suite('reading a room link');

refusing('should call a link without the part after # cut off', () => {
  const [beforeHash = ''] = LINK.split('#');
  for (const href of [beforeHash, `${beforeHash}#`, beforeHash.slice(0, -5)]) {
    assertRefused(href, 'LINK_INCOMPLETE', /cut off: the part after # is missing\. Ask the host/);
  }
});

refusing('should call a link cut off anywhere behind # incomplete', () => {
  const hashAt = LINK.indexOf('#');
  for (let end = hashAt + 2; end < LINK.length; end++) {
    assertRefused(
      LINK.slice(0, end),
      'LINK_INCOMPLETE',
      /cut off: the part after # is too short\. Ask the host/,
    );
  }
});

refusing('should call a link with something behind its end damaged', () => {
  for (const tail of ['.', ')', '>', 'A', 'AAAA', '%20', '…', '.P', '.q', '.p.p', 'A.p', '.p.']) {
    assertRefused(LINK + tail, 'LINK_MALFORMED', /the part after # is not 43 letters/);
  }
});

refusing('should call foreign characters and stray bits in the secret damage', () => {
  const lastChar = SECRET_TEXT.slice(-1);
  assert.is(lastChar, 'A');
  assertRefused(`${LINK.slice(0, -1)}B`, 'LINK_MALFORMED', /the part after #/);
  assertRefused(`${LINK.slice(0, -1)}+`, 'LINK_MALFORMED', /the part after #/);
});

refusing('should call a room id of a wrong size or with foreign characters damage', () => {
  for (const id of [
    '',
    ID_TEXT.slice(0, -1),
    `${ID_TEXT}A`,
    `${ID_TEXT}AAAA`,
    `${ID_TEXT.slice(0, -1)}%41`,
  ]) {
    assertRefused(`https://m.example/r/${id}#${SECRET_TEXT}`, 'LINK_MALFORMED', /between \/r\/ and #/);
  }
});

refusing('should say of anything else that it is no room link', () => {
  const elsewhere = [`https://m.example/#${SECRET_TEXT}`, `https://m.example/r/${ID_TEXT}/x#${SECRET_TEXT}`];
  for (const href of ['', 'hello', '//', 'https://', `/r/${ID_TEXT}#${SECRET_TEXT}`, ...elsewhere]) {
    assertRefused(href, 'LINK_MALFORMED', /not the link of a room/);
  }
});

refusing('should never repeat the secret in an error', () => {
  for (const href of [`r/${ID_TEXT}#${SECRET_TEXT}`, `${LINK}.`, `https://m.example/r/x#${SECRET_TEXT}`]) {
    const error = refusalOf(href);
    assert.not.match(error.message, SECRET_TEXT);
    assert.is(error.cause, undefined);
  }
});

refusing('should refuse any text with a MatineeError alone', () => {
  const tails = fc.oneof(fc.string(), fc.webUrl({ withFragments: true }));
  fc.assert(
    fc.property(tails, (text) => {
      assert.instance(refusalOf(text), MatineeError);
      assert.instance(refusalOf(`https://m.example/r/${text}`), MatineeError);
    }),
  );
});

refusing.run();
