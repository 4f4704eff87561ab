import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Bytes, concat, fromBase64url, toBase64url, toHex, utf8 } from '../../peer/bytes.ts';
import { encodeCbor } from '../../peer/cbor.ts';
import type { Crypto, SigningKey } from '../../peer/crypto/crypto.ts';
import { deriveRoomKeys, roomIdOf } from '../../peer/crypto/keys.ts';
import { memberIdOf, signSignal } from '../../peer/crypto/member-key.ts';
import type { SimplePeerLike } from '../../peer/transport/simple-peer-channel.ts';
import type { WebSocketLike } from '../../signaling/client.ts';
import type { FromClient, FromServer } from '../../signaling/messages.ts';
import { Member } from '../../web/src/member/member.ts';
import { Session } from '../../web/src/room/session.ts';
import { texts } from '../../web/src/room/texts.ts';
import { seededRandom } from '../sim/seeded-random.ts';
import { VirtualClock } from '../sim/virtual-clock.ts';
import { VirtualCrypto } from '../sim/virtual-crypto.ts';
import { FakePeers } from '../tools/fake-peers.ts';

/** What members say to each other, and nobody else is to know. */
const NAMES = ['Ada Lovelace', 'Grace Hopper'] as const;
const TEXT = 'we meet at the old lighthouse';

interface Signal {
  from: string;
  to: string;
  data: string;
}

/** The operator of a signaling server: keeps every byte, and passes on what it likes. */
class Operator {
  /** All that clients sent, word for word. */
  readonly heard: string[] = [];
  readonly signals: Signal[] = [];
  /** What becomes of a signal: by default it arrives. */
  alter: (signal: Signal) => readonly Signal[] = (signal) => [signal];
  readonly #clock: VirtualClock;
  readonly #crypto: Crypto;
  readonly #desks = new Map<string, OperatorSocket>();

  constructor(clock: VirtualClock, crypto: Crypto) {
    this.#clock = clock;
    this.#crypto = crypto;
  }

  open(): WebSocketLike {
    const socket: OperatorSocket = new OperatorSocket(this.#clock, (text) => void this.#hear(socket, text));
    return socket;
  }

  /** Hands a signal to its receiver, whoever it is said to come from. */
  pass({ from, to, data }: Signal): void {
    this.#desks.get(to)?.tell({ type: 'signal', from, data });
  }

  async #hear(socket: OperatorSocket, text: string): Promise<void> {
    this.heard.push(text);
    const message = JSON.parse(text) as FromClient;
    if (message.type === 'join') await this.#join(socket, message.publicKey);
    else if (message.type === 'signal') this.#signal(socket.id, message.to, message.data);
    else if (message.type === 'more') socket.tell({ type: 'members', members: this.#others(socket.id) });
  }

  async #join(socket: OperatorSocket, publicKey: string): Promise<void> {
    socket.id = await memberIdOf(this.#crypto, fromBase64url(publicKey) ?? new Uint8Array());
    const members = this.#others(socket.id);
    this.#desks.set(socket.id, socket);
    socket.tell({ type: 'welcome', id: socket.id, members, isOriginHere: false, iceServers: [] });
  }

  #others(id: string): string[] {
    return [...this.#desks.keys()].filter((other) => other !== id);
  }

  #signal(from: string, to: string, data: string): void {
    this.signals.push({ from, to, data });
    for (const signal of this.alter({ from, to, data })) this.pass(signal);
  }
}

class OperatorSocket implements WebSocketLike {
  readyState = 0;
  id = '';
  readonly #clock: VirtualClock;
  readonly #onSent: (text: string) => void;
  readonly #listeners = new Map<string, ((event: { data: unknown }) => void)[]>();

  constructor(clock: VirtualClock, onSent: (text: string) => void) {
    this.#clock = clock;
    this.#onSent = onSent;
    clock.after(10, () => {
      this.readyState = 1;
      this.#emit('open', null);
      this.tell({ type: 'hello', nonce: 'A'.repeat(43) });
    });
  }

  addEventListener(type: string, listener: (event: { data: unknown }) => void): void {
    this.#listeners.set(type, [...(this.#listeners.get(type) ?? []), listener]);
  }

  send(text: string): void {
    this.#clock.after(10, () => this.#onSent(text));
  }

  close(): void {
    this.readyState = 3;
  }

  tell(message: FromServer): void {
    this.#clock.after(10, () => {
      if (this.readyState === 1) this.#emit('message', JSON.stringify(message));
    });
  }

  #emit(type: string, data: string | null): void {
    for (const listener of this.#listeners.get(type) ?? []) listener({ data });
  }
}

/** Two members of a room whose signaling server is hostile. */
class Scene {
  readonly clock = new VirtualClock();
  readonly crypto: Crypto = new VirtualCrypto(seededRandom(5)).crypto;
  readonly operator = new Operator(this.clock, this.crypto);
  readonly peers = new FakePeers(this.clock, 40);
  readonly members: Member[] = [];
  readonly memberKeys: SigningKey[] = [];
  readonly secret = new Uint8Array(32).map((_, i) => 200 - i);
  roomId: Bytes = new Uint8Array(16);
  readonly #random = seededRandom(6);

  static async open(): Promise<Scene> {
    const scene = new Scene();
    const host = await scene.crypto.generateSigningKey();
    scene.roomId = await roomIdOf(scene.crypto, host.publicKey);
    return scene;
  }

  async join(name: string): Promise<Member> {
    const memberKey = await this.crypto.generateSigningKey();
    const member = await Member.join({
      link: { roomId: this.roomId, roomSecret: this.secret },
      name,
      memberKey,
      crypto: this.crypto,
      clock: this.clock,
      random: this.#random,
      signalingUrl: 'ws://hostile',
      openSocket: () => this.operator.open(),
      createPeer: (isInitiator) => this.peers.create(isInitiator),
      onChange: () => undefined,
      onPiece: () => undefined,
    });
    member.setPeersAllowed(true);
    this.members.push(member);
    this.memberKeys.push(memberKey);
    return member;
  }

  /** Both members, once they had time to connect. */
  async joinBoth(): Promise<[Member, Member]> {
    const one = await this.join(NAMES[0]);
    await this.clock.run(500);
    const other = await this.join(NAMES[1]);
    await this.clock.run(3_000);
    return [one, other];
  }

  close(): void {
    for (const member of this.members) member.close();
  }
}

async function onScene(body: (scene: Scene) => Promise<void>): Promise<void> {
  const scene = await Scene.open();
  try {
    await body(scene);
  } finally {
    scene.close();
    await scene.clock.run(1_000);
  }
}

function linked(member: Member): string[] {
  return [...member.viewer.links].map(({ remote }) => remote.id);
}

/** Every way in which these bytes may show in a text: as they are, in hexadecimal, and in base64 wherever they begin. */
function formsOf(secret: Uint8Array): string[] {
  const base64 = [0, 1, 2].map((skip) => {
    const text = Buffer.concat([Buffer.alloc(skip), secret]).toString('base64');
    // What the neighbours have a share in is left out.
    return text.slice(skip === 0 ? 0 : 4, Math.floor((skip + secret.byteLength) / 3) * 4);
  });
  const url = base64.map((text) => text.replaceAll('+', '-').replaceAll('/', '_'));
  return [Buffer.from(secret).toString('latin1'), toHex(secret), ...base64, ...url];
}

/** All that was heard, and all of it that may be base64 once more as the bytes behind it. */
function unpacked(heard: readonly string[]): string {
  const words = heard.flatMap((text) => text.match(/[A-Za-z0-9_-]{16,}/g) ?? []);
  const behind = words.map((word) => Buffer.from(word, 'base64url').toString('latin1'));
  return [...heard, ...behind].join('\n');
}

const recording = suite('a signaling server that keeps every byte');

recording('should learn no name, text, key or address', () =>
  onScene(async (scene) => {
    const [one, other] = await scene.joinBoth();
    assert.equal([linked(one), linked(other)], [[other.selfId], [one.selfId]]);
    await one.viewer.say(TEXT);
    await scene.clock.run(1_000);
    assert.equal(
      other.viewer.lines.map(({ text }) => text),
      [TEXT],
    );
    assert.ok(scene.operator.signals.length >= 2, 'it has heard the offer and the answer');
    assert.equal([one.rejectedSignals, other.rejectedSignals], [0, 0]);
    const all = unpacked(scene.operator.heard);
    const keys = await deriveRoomKeys(scene.crypto, scene.secret, scene.roomId);
    const secrets = [
      // Fake peers tell each other this for their addresses and fingerprints.
      ...['sdp 1', 'sdp 2', '"offer"', '"answer"', 'candidate', ...NAMES, TEXT].map(utf8),
      scene.secret,
      keys.chatKey,
      keys.signalingKey,
      ...scene.memberKeys.map(({ privateKey }) => privateKey),
    ];
    for (const secret of secrets)
      for (const form of formsOf(secret)) assert.not(all.includes(form), `${secret} as ${form}`);
    // Else the search would prove nothing: what it does learn is found.
    assert.ok(formsOf(keys.joinToken).some((form) => all.includes(form)));
  }),
);

recording.run();

const altering = suite('a signaling server that alters what it passes on');

/** The other character that is nearest to it. */
function bent(data: string, at: number): string {
  const index = at % data.length;
  return `${data.slice(0, index)}${data.charAt(index) === 'A' ? 'B' : 'A'}${data.slice(index + 1)}`;
}

for (const [what, alter] of [
  [
    'a character in the middle',
    ({ data, ...rest }: Signal) => [{ ...rest, data: bent(data, data.length >> 1) }],
  ],
  ['the first character', ({ data, ...rest }: Signal) => [{ ...rest, data: bent(data, 0) }]],
  ['the end, cut off', ({ data, ...rest }: Signal) => [{ ...rest, data: data.slice(0, -4) }]],
  ['the receiver, so that it comes back', ({ from, to, data }: Signal) => [{ from: to, to: from, data }]],
  ['all of it, for a text in clear', ({ from, to }: Signal) => [{ from, to, data: IN_CLEAR }]],
] as const) {
  altering(`should find its change noticed: ${what}`, () =>
    onScene(async (scene) => {
      scene.operator.alter = alter;
      const [one, other] = await scene.joinBoth();
      await scene.clock.run(10_000);
      assert.equal([linked(one), linked(other)], [[], []]);
      assert.ok(scene.operator.signals.length > 0);
      assert.ok(one.rejectedSignals + other.rejectedSignals >= scene.operator.signals.length);
      // As soon as it behaves they meet.
      scene.operator.alter = (signal) => [signal];
      await scene.clock.run(90_000);
      assert.equal([linked(one), linked(other)], [[other.selfId], [one.selfId]]);
    }),
  );
}

const IN_CLEAR = JSON.stringify({ call: 'x', data: { type: 'offer', sdp: 'sdp 1' } });

altering('should not make one member of another, though it says so of every signal', () =>
  onScene(async (scene) => {
    const third = await scene.join('the third');
    await scene.clock.run(500);
    scene.operator.alter = ({ from, to, data }) => [
      { from: third.selfId === from ? from : third.selfId, to, data },
    ];
    const [one, other] = await scene.joinBoth();
    await scene.clock.run(5_000);
    // What the third itself sent is its own; what the others sent is nobody's.
    assert.not(linked(one).includes(other.selfId));
    assert.not(linked(other).includes(one.selfId));
  }),
);

altering('should end no connection by replaying what made it, nor make another one', () =>
  onScene(async (scene) => {
    const [one, other] = await scene.joinBoth();
    const made = [...scene.operator.signals];
    const { madeCount, aliveCount } = scene.peers;
    assert.ok(made.length >= 2);
    for (let i = 0; i < 3; i++) {
      for (const signal of made) scene.operator.pass(signal);
      await scene.clock.run(2_000);
    }
    assert.equal([scene.peers.madeCount, scene.peers.aliveCount], [madeCount, aliveCount]);
    assert.is(one.rejectedSignals + other.rejectedSignals, 3, 'the offer, each time it came again');
    assert.equal([linked(one), linked(other)], [[other.selfId], [one.selfId]]);
    await one.viewer.say(TEXT);
    await scene.clock.run(1_000);
    assert.equal(
      other.viewer.lines.map(({ text }) => text),
      [TEXT],
    );
  }),
);

altering('should not get an offer in even with the help of a member, who has the room’s keys', () =>
  onScene(async (scene) => {
    const [one, other] = await scene.joinBoth();
    const traitor = await scene.crypto.generateSigningKey();
    const { signalingKey } = await deriveRoomKeys(scene.crypto, scene.secret, scene.roomId);
    const attacker: SimplePeerLike = scene.peers.create(true);
    let isConnected = false;
    attacker.on('connect', () => {
      isConnected = true;
    });
    const offers: string[] = [];
    attacker.on('signal', (data) => offers.push(JSON.stringify({ call: 'theirs', data })));
    await scene.clock.run(100);
    const { madeCount } = scene.peers;
    // Sealed as one member to the other, as well as anybody in the room can; only the signature is another's.
    for (const text of offers) {
      const context = utf8(`signal ${one.selfId} ${other.selfId}`);
      const about = concat(utf8(`matinee/1 signal\0${one.selfId} ${other.selfId}\0`), utf8(text));
      const signature = await scene.crypto.sign(traitor.privateKey, about);
      const truth = scene.memberKeys[0]?.publicKey;
      const attempts = [
        await signSignal(scene.crypto, traitor, other.selfId, text),
        encodeCbor([traitor.publicKey, signature, text]),
        encodeCbor([truth, signature, text]),
      ];
      for (const signed of attempts) {
        const data = toBase64url(await scene.crypto.seal(signalingKey, signed, context));
        scene.operator.pass({ from: one.selfId, to: other.selfId, data });
      }
    }
    await scene.clock.run(5_000);
    assert.is(scene.peers.madeCount, madeCount, 'nobody has answered');
    assert.not(isConnected);
    assert.equal([linked(one), linked(other)], [[other.selfId], [one.selfId]], 'and the others go on');
    // The same in its own name is let in: so it was the signature that mattered.
    const ownId = await memberIdOf(scene.crypto, traitor.publicKey);
    for (const text of offers) {
      const signed = await signSignal(scene.crypto, traitor, other.selfId, text);
      const context = utf8(`signal ${ownId} ${other.selfId}`);
      const data = toBase64url(await scene.crypto.seal(signalingKey, signed, context));
      scene.operator.pass({ from: ownId, to: other.selfId, data });
    }
    await scene.clock.run(1_000);
    assert.is(scene.peers.madeCount, madeCount + 1);
    attacker.destroy();
  }),
);

altering(
  'should be told of in the room while it does so, not of a single signal, and not for ever after',
  () =>
    onScene(async (scene) => {
      const one = await scene.join(NAMES[0]);
      const session = new Session(
        one,
        scene.clock,
        () => undefined,
        () => true,
      );
      const told = () => session.snapshot().problem?.message === texts.signalsTampered;
      const spoil = async (): Promise<void> => {
        scene.operator.pass({ from: 'a'.repeat(22), to: one.selfId, data: 'nobody sealed this' });
        await scene.clock.run(100);
      };
      await scene.clock.run(500);
      for (let i = 0; i < 4; i++) await spoil();
      assert.equal([told(), session.snapshot().stats.rejectedSignals], [false, 4]);
      await spoil();
      assert.equal([told(), session.snapshot().stats.rejectedSignals], [true, 5]);
      await scene.clock.run(61_000);
      assert.equal([told(), session.snapshot().stats.rejectedSignals], [false, 5]);
      session.close();
    }),
);

altering.run();
