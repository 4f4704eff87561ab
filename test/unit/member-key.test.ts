import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as v from 'valibot';
import { type Bytes, fromBase64url, toBase64url, utf8 } from '../../peer/bytes.ts';
import { decodeCbor, encodeCbor } from '../../peer/cbor.ts';
import { chooseCrypto } from '../../peer/crypto/choose.ts';
import { deriveRoomKeys } from '../../peer/crypto/keys.ts';
import { isJoinSigned, memberIdOf, openSignal, signJoin, signSignal } from '../../peer/crypto/member-key.ts';
import { MatineeError } from '../../peer/errors.ts';
import type { WebSocketLike } from '../../signaling/client.ts';
import { type FromServer, ORIGIN } from '../../signaling/messages.ts';
import type { Member } from '../../web/src/member/member.ts';
import { type House, withHouse } from '../tools/house.ts';
import type { MadeRoom } from '../tools/made-room.ts';
import { memberIdOfKey, memberKey } from '../tools/member-keys.ts';

const crypto = await chooseCrypto();
const [ALICE, BOB, MALLORY] = [memberKey(1), memberKey(2), memberKey(3)];
const [alice, bob, mallory] = [ALICE, BOB, MALLORY].map(memberIdOfKey) as [string, string, string];

async function refusedWith(code: string, promise: Promise<unknown>): Promise<void> {
  const outcome = await promise.then(
    () => 'no error',
    (error: unknown) => (error instanceof MatineeError ? error.code : String(error)),
  );
  assert.is(outcome, code);
}

const joins = suite('the signature of a join');

joins('should be good for its key, its nonce and its room alone', async () => {
  const [nonce, room] = [crypto.randomBytes(32), crypto.randomBytes(16)];
  const signature = await signJoin(crypto, ALICE, nonce, room);
  const isGood = (key = ALICE, ofNonce = nonce, ofRoom = room): Promise<boolean> =>
    isJoinSigned(crypto, key.publicKey, signature, ofNonce, ofRoom);
  assert.is(await isGood(), true);
  assert.is(await isGood(BOB), false);
  assert.is(await isGood(ALICE, crypto.randomBytes(32)), false);
  assert.is(await isGood(ALICE, nonce, crypto.randomBytes(16)), false);
});

joins('should be of the member whose id is the hash of the key', async () => {
  assert.is(await memberIdOf(crypto, ALICE.publicKey), alice);
});

joins.run();

const signals = suite('a signed signal');

signals('should be read by whom it is for', async () => {
  const signed = await signSignal(crypto, ALICE, bob, 'offer');
  assert.is(await openSignal(crypto, alice, bob, signed), 'offer');
});

signals('should not be taken for another member’s', async () => {
  const signed = await signSignal(crypto, MALLORY, bob, 'offer');
  await refusedWith('SIGNATURE_WRONG', openSignal(crypto, alice, bob, signed));
  assert.is(await openSignal(crypto, mallory, bob, signed), 'offer');
});

signals('should not be taken for another member’s who is only named in it', async () => {
  const covered = utf8(`matinee/1 signal\0${alice} ${bob}\0offer`);
  const signature = await crypto.sign(MALLORY.privateKey, covered);
  const forged = encodeCbor([MALLORY.publicKey, signature, 'offer']);
  await refusedWith('SIGNATURE_WRONG', openSignal(crypto, alice, bob, forged));
  const right = encodeCbor([ALICE.publicKey, await crypto.sign(ALICE.privateKey, covered), 'offer']);
  assert.is(await openSignal(crypto, alice, bob, right), 'offer');
});

signals('should not be passed on to a third member', async () => {
  const signed = await signSignal(crypto, ALICE, mallory, 'offer');
  await refusedWith('SIGNATURE_WRONG', openSignal(crypto, alice, bob, signed));
});

signals('should not be changed, nor be anything else', async () => {
  const signed = await signSignal(crypto, ALICE, bob, 'offer');
  const changed = signed.slice();
  changed[changed.length - 1] = 0x73;
  await refusedWith('SIGNATURE_WRONG', openSignal(crypto, alice, bob, changed));
  await refusedWith('FRAME_MALFORMED', openSignal(crypto, alice, bob, signed.slice(0, -1)));
  await refusedWith('FRAME_MALFORMED', openSignal(crypto, alice, bob, utf8('offer')));
});

signals.run();

/** What a server that has a member's keys does with a signal it is to pass on. */
type Tamper = (from: string, to: string, data: string) => Promise<string>;

/** A member's socket, with all signals from other members run through `tamper` on their way in. */
function tampered(socket: WebSocketLike, to: () => string, tamper: Tamper): WebSocketLike {
  let last: Promise<void> = Promise.resolve();
  const change = async (text: string): Promise<string> => {
    const message = JSON.parse(text) as FromServer;
    if (message.type !== 'signal' || message.from === ORIGIN) return text;
    return JSON.stringify({ ...message, data: await tamper(message.from, to(), message.data) });
  };
  return {
    get readyState() {
      return socket.readyState;
    },
    send: (text) => socket.send(text),
    close: () => socket.close(),
    addEventListener(type: string, listener: (event: { data: unknown }) => void): void {
      if (type !== 'message') socket.addEventListener(type as 'open', listener as () => void);
      else {
        socket.addEventListener('message', ({ data }) => {
          last = last.then(async () => listener({ data: await change(String(data)) }));
        });
      }
    },
  };
}

/** Alice and Bob in one room; what Alice is sent by Bob is tampered with. */
async function meet(house: House, made: MadeRoom, tamper: Tamper): Promise<[Member, Member]> {
  const aliceKey = memberKey(1);
  const a = await house.join(made, {
    memberKey: aliceKey,
    openSocket: () =>
      tampered(
        house.broker.open(() => false),
        () => memberIdOfKey(aliceKey),
        tamper,
      ),
  });
  const b = await house.join(made, { memberKey: memberKey(2) });
  await house.clock.run(10_000);
  return [a, b];
}

function membersOf({ viewer }: Member): string[] {
  return [...viewer.links].map(({ remote }) => remote.id).filter((id) => id !== ORIGIN);
}

const hostile = suite('a signaling server together with a member');

hostile('should be of no harm as long as it passes on what it is given', () =>
  withHouse(2, async (house) => {
    const [a, b] = await meet(house, await house.makeRoom(), async (_from, _to, data) => data);
    assert.equal([membersOf(a), membersOf(b)], [[b.selfId], [a.selfId]]);
    assert.equal([a.selfId, b.selfId], [alice, bob]);
  }),
);

/** What would do as well if nobody looked at signatures: a space more at the end of the JSON. */
const FORGERIES: [string, (house: House, signed: Bytes, text: string, to: string) => Promise<Bytes>][] = [
  [
    'another text under a member’s own signature',
    async (_house, signed, text) => {
      const [publicKey, signature] = decodeCbor(v.array(v.unknown()), signed, 'FRAME_MALFORMED', 'signal');
      return encodeCbor([publicKey, signature, `${text} `]);
    },
  ],
  [
    'another text, signed by the member on its side',
    (house, _signed, text, to) => signSignal(house.crypto, MALLORY, to, `${text} `),
  ],
];

for (const [what, forge] of FORGERIES) {
  hostile(`should not get in ${what}`, () =>
    withHouse(2, async (house) => {
      const made = await house.makeRoom();
      const { signalingKey } = await deriveRoomKeys(house.crypto, made.tokenBytes, made.roomBytes);
      let count = 0;
      const [a, b] = await meet(house, made, async (from, to, data) => {
        const context = utf8(`signal ${from} ${to}`);
        const sealed = fromBase64url(data) ?? new Uint8Array();
        const signed = await house.crypto.open(signalingKey, sealed, context);
        const text = await openSignal(house.crypto, from, to, signed);
        count += 1;
        const forged = await forge(house, signed, text, to);
        return toBase64url(await house.crypto.seal(signalingKey, forged, context));
      });
      assert.ok(count > 0, 'there was something to tamper with');
      assert.equal([membersOf(a), membersOf(b)], [[], []]);
    }),
  );
}

hostile.run();
