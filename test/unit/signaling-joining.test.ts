import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { toBase64url } from '../../peer/bytes.ts';
import { chooseCrypto } from '../../peer/crypto/choose.ts';
import { memberIdOf, signJoin } from '../../peer/crypto/member-key.ts';
import type { Admission, Door } from '../../signaling/door.ts';
import { ORIGIN } from '../../signaling/messages.ts';
import { signingKeyOf } from '../tools/member-keys.ts';
import {
  joinOf,
  memberKey,
  type OpenServer,
  OTHER_ROOM,
  RawClient,
  ROOM,
  refusedWith,
  TOKEN,
  until,
  withServer,
} from '../tools/signaling-fixture.ts';

/** The room ids of these tests are no canonical base64url, so that they are easy to read. */
function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.from(text, 'base64url'));
}

const joining = suite('joining');

joining(
  'should welcome a member with its id, its neighbours and the ICE servers',
  withServer(async ({ url }) => {
    const first = await RawClient.join(url, memberKey(1));
    const { id, welcome } = await RawClient.join(url, memberKey(2));
    assert.equal(welcome.members, [first.id]);
    assert.not.equal(id, first.id);
    assert.equal(welcome.iceServers, [{ urls: 'stun:stun.example.org' }]);
    assert.is(welcome.isOriginHere, false);
  }),
);

joining(
  'should make the id from the first 16 bytes of SHA-256("matinee/1 member" || public key)',
  withServer(async ({ url }) => {
    // RFC 8032 section 7.1, test 1. The hash is sha256sum's: 92ffa168e0c8c13a514b2fba259da879 a97f8b4695178663c947ca99aa3ade80.
    const seed = '9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60';
    const { id } = await RawClient.join(url, signingKeyOf(new Uint8Array(Buffer.from(seed, 'hex'))));
    assert.is(Buffer.from(id, 'base64url').toString('hex'), '92ffa168e0c8c13a514b2fba259da879');
  }),
);

joining(
  'should take the join that a peer signs, and know it by the same id',
  withServer(async ({ url }) => {
    const crypto = await chooseCrypto();
    const key = await crypto.generateSigningKey();
    const client = await RawClient.open(url);
    const signature = await signJoin(crypto, key, bytesOf(client.nonce), bytesOf(ROOM));
    const publicKey = toBase64url(key.publicKey);
    client.send({ type: 'join', room: ROOM, token: TOKEN, publicKey, signature: toBase64url(signature) });
    assert.is((await client.next('welcome')).id, await memberIdOf(crypto, key.publicKey));
  }),
);

joining(
  'should say another nonce on every connection, before it is asked anything',
  withServer(async ({ url }) => {
    const [one, other] = [await RawClient.open(url), await RawClient.open(url)];
    assert.is(bytesOf(one.nonce).byteLength, 32);
    assert.is.not(one.nonce, other.nonce);
  }),
);

joining(
  'should not give away an id for a join that was overheard on another connection',
  withServer(async ({ url, signaling }) => {
    const victim = await RawClient.open(url);
    const overheard = joinOf(memberKey(1))(victim.nonce);
    victim.send(overheard);
    await victim.next('welcome');
    await refusedWith(await RawClient.openWith(url, overheard), 'SIGNATURE_WRONG');
    await victim.settled();
    assert.is(signaling.counts().members, 1);
  }),
);

for (const [what, change] of [
  ['for another room', { room: OTHER_ROOM }],
  ['by another key', { publicKey: Buffer.from(memberKey(2).publicKey).toString('base64url') }],
  ['by nobody', { signature: 'A'.repeat(86) }],
] as const) {
  joining(
    `should refuse a join that was signed ${what}, whatever the token`,
    withServer(async ({ url, signaling }) => {
      const client = await RawClient.openWith(url, (nonce) => ({
        ...joinOf(memberKey(1))(nonce),
        ...change,
      }));
      await refusedWith(client, 'SIGNATURE_WRONG');
      assert.is(signaling.counts().members, 0);
    }),
  );
}

joining('should tell the door who wants to come in', async () => {
  const asked: (string | null)[] = [];
  const door: Door = {
    async admit(_room, _token, member) {
      asked.push(member);
      return 'ok';
    },
    mayMeet: async () => true,
  };
  await withServer(
    async ({ url }) => {
      const { id } = await RawClient.join(url, memberKey(1));
      assert.equal(asked, [id]);
    },
    { door },
  )();
});

joining(
  'should tell nobody else, and a newcomer of eight at most, however many are there',
  withServer(async ({ url }) => {
    const members = [];
    for (let i = 0; i < 12; i++) members.push(await RawClient.join(url, memberKey(i)));
    const { welcome } = await RawClient.join(url, memberKey(99));
    assert.is(new Set(welcome.members).size, 8);
    const ids = members.map(({ id }) => id);
    assert.ok(welcome.members.every((id) => ids.includes(id)));
    // The next thing each of them hears is the answer to its own question.
    for (const { client } of members) await client.settled();
  }),
);

joining(
  'should keep rooms apart',
  withServer(async ({ url }) => {
    const here = await RawClient.join(url, memberKey(1), ROOM);
    const there = await RawClient.join(url, memberKey(2), OTHER_ROOM);
    assert.equal(there.welcome.members, []);
    there.client.send({ type: 'signal', to: here.id, data: 'hello' });
    assert.equal(await there.client.next('absent'), { type: 'absent', id: here.id });
    await here.client.settled();
  }),
);

joining(
  'should refuse an unknown room',
  withServer(async ({ url }) => {
    const client = await RawClient.openWith(url, joinOf(memberKey(1), 'c'.repeat(22)));
    await refusedWith(client, 'ROOM_UNKNOWN');
  }),
);

joining(
  'should refuse a wrong token',
  withServer(async ({ url, signaling }) => {
    const client = await RawClient.openWith(url, joinOf(memberKey(1), ROOM, 'W'.repeat(43)));
    await refusedWith(client, 'TOKEN_WRONG');
    assert.is(signaling.counts().members, 0);
  }),
);

joining(
  'should let the same key take its id over and end the older connection',
  withServer(async ({ url, signaling }) => {
    const older = await RawClient.join(url, memberKey(1));
    const newer = await RawClient.join(url, memberKey(1));
    assert.is(newer.id, older.id);
    await refusedWith(older.client, 'TAKEN_OVER');
    const other = await RawClient.join(url, memberKey(2));
    other.client.send({ type: 'signal', to: newer.id, data: 'hello' });
    assert.is((await newer.client.next('signal')).data, 'hello');
    assert.is(signaling.counts().members, 2);
  }),
);

joining(
  'should not name a member to itself when it comes back',
  withServer(async ({ url }) => {
    await RawClient.join(url, memberKey(1));
    assert.equal((await RawClient.join(url, memberKey(1))).welcome.members, []);
  }),
);

joining(
  'should forget who left',
  withServer(async ({ url, signaling }) => {
    const { client, id } = await RawClient.join(url, memberKey(1));
    const stays = await RawClient.join(url, memberKey(2), OTHER_ROOM);
    await client.close();
    const other = await RawClient.join(url, memberKey(3));
    other.client.send({ type: 'signal', to: id, data: 'hello' });
    await other.client.next('absent');
    await stays.client.close();
    await other.client.close();
    await RawClient.join(url, memberKey(4));
    const { members, rooms } = signaling.counts();
    assert.equal([members, rooms], [1, 1]);
  }),
);

joining(
  'should end a connection on which no join comes',
  withServer(
    async ({ url }) => {
      const client = await RawClient.open(url);
      await refusedWith(client, 'PEER_SILENT');
    },
    { joinWithinMs: 20 },
  ),
);

joining(
  'should say so where the door cannot tell, so that the client tries again',
  withServer(
    async ({ url }) => {
      const client = await RawClient.openWith(url, joinOf(memberKey(1)));
      await refusedWith(client, 'INTERNAL');
    },
    {
      door: {
        admit: () => Promise.reject(new Error('the seed server is away')),
        mayMeet: async () => true,
      },
    },
  ),
);

joining.run();

const order = suite('the order of messages');

/** A door that takes its time with the first who asks, and lets everybody else in at once. */
class SlowDoor {
  readonly asked: Promise<void>;
  /** Lets the first one know. */
  answer: (value: Admission) => void = () => {};
  #tellAsked: () => void = () => {};
  #isAsked = false;

  constructor() {
    this.asked = new Promise((resolve) => {
      this.#tellAsked = resolve;
    });
  }

  async mayMeet(): Promise<boolean> {
    return true;
  }

  async admit(): Promise<Admission> {
    if (this.#isAsked) return 'ok';
    this.#isAsked = true;
    const answer = new Promise<Admission>((resolve) => {
      this.answer = resolve;
    });
    this.#tellAsked();
    return await answer;
  }
}

function withSlowDoor(body: (server: OpenServer, door: SlowDoor) => Promise<void>): () => Promise<void> {
  return async () => {
    const door = new SlowDoor();
    await withServer((server) => body(server, door), { door })();
  };
}

order(
  'should hold what follows a join until it is admitted',
  withSlowDoor(async ({ url, signaling }, door) => {
    const origin = await RawClient.serve(url);
    const client = await RawClient.openWith(url, joinOf(memberKey(1)));
    for (const data of ['one', 'two', 'three']) client.send({ type: 'signal', to: ORIGIN, data });
    await door.asked;
    assert.is(signaling.counts().members, 0);
    door.answer('ok');
    const { id } = await client.next('welcome');
    for (const data of ['one', 'two', 'three']) {
      assert.equal(await origin.next('signal'), { type: 'signal', from: id, data, room: ROOM });
    }
  }),
);

order(
  'should pass nothing on for one who is not admitted',
  withSlowDoor(async ({ url }, door) => {
    const origin = await RawClient.serve(url);
    const client = await RawClient.openWith(url, joinOf(memberKey(1)));
    client.send({ type: 'signal', to: ORIGIN, data: 'let me in' });
    await door.asked;
    door.answer('bad-token');
    await refusedWith(client, 'TOKEN_WRONG');
    origin.send({ type: 'signal', to: 'z'.repeat(22), data: '?', room: ROOM });
    await origin.next('absent');
  }),
);

order(
  'should not put in the room who left while the door was thinking',
  withSlowDoor(async ({ url, signaling }, door) => {
    const client = await RawClient.openWith(url, joinOf(memberKey(1)));
    await door.asked;
    await client.close();
    await until(() => signaling.counts().connections === 0);
    door.answer('ok');
    const { id } = await RawClient.join(url, memberKey(2));
    assert.ok(id);
    assert.is(signaling.counts().members, 1);
  }),
);

order(
  'should not let a connection that is gone take an id over from the one that replaced it',
  withSlowDoor(async ({ url, signaling }, door) => {
    const gone = await RawClient.openWith(url, joinOf(memberKey(1)));
    await door.asked;
    await gone.close();
    await until(() => signaling.counts().connections === 0);
    const { client } = await RawClient.join(url, memberKey(1));
    door.answer('ok');
    await client.settled();
    assert.is(signaling.counts().members, 1);
  }),
);

order.run();
