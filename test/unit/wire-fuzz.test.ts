import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Bytes } from '../../peer/bytes.ts';
import { MatineeError } from '../../peer/errors.ts';
import { pieceBytes, pieceCount, pieceStart } from '../../peer/manifest/geometry.ts';
import type { OriginRoom } from '../../peer/room/origin-room.ts';
import type { Viewer } from '../../peer/room/viewer.ts';
import type { Channel, ChannelEvents } from '../../peer/transport/channel.ts';
import { allocatePieceFrame, decodeFrame, encodeFrame, PIECE_HEADER_BYTES } from '../../peer/wire/frame.ts';
import { MESSAGES, type MessageName, WIRE_VERSION } from '../../peer/wire/messages.ts';
import { seededRandom } from '../sim/seeded-random.ts';
import { VirtualRoom } from '../sim/virtual-room.ts';
import { madeUpId } from '../tools/bare-peer.ts';
import { usedBytes } from '../tools/heap.ts';
import { MadeFrames } from '../tools/made-frames.ts';
import { tell } from '../tools/tell.ts';

/** How many frames: MATINEE_FUZZ=1000000 for the full run. */
const FRAMES = Number(process.env.MATINEE_FUZZ ?? 20_000);
const SEED = Number(process.env.MATINEE_FUZZ_SEED ?? 1);

/** A link gets so many frames, if it lasts; a viewer, so many links' worth. */
const FRAMES_PER_LINK = 200;
const FRAMES_PER_VIEWER = 5_000;

/** Time goes on after so many frames. */
const FRAMES_PER_STEP = 16;
const STEP_MS = 40;

/** What memory may grow by between a fifth of the way and the end. */
const MAX_GROWTH_BYTES = 16 * 1024 * 1024;

/** Every reason there is for closing a link that misbehaves, or that is replaced. */
const REASONS = [
  'FRAME_MALFORMED',
  'FRAME_UNEXPECTED',
  'PEER_FLOODING',
  'PEER_SILENT',
  'PIECE_WRONG',
  'SEAL_BROKEN',
  'SIGNATURE_WRONG',
  'MANIFEST_MALFORMED',
  'VERSION_OTHER',
  'REPLACED',
];

/** A channel whose other end is the fuzzer. */
class FuzzedChannel implements Channel {
  readonly waitingBytes = 0;
  isClosed = false;
  #events: ChannelEvents | null = null;
  readonly #onSent: (frame: Bytes) => void;

  constructor(onSent: (frame: Bytes) => void) {
    this.#onSent = onSent;
  }

  listen(events: ChannelEvents): void {
    this.#events = events;
  }

  send(frame: Bytes): void {
    if (!this.isClosed) this.#onSent(frame);
  }

  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.#events?.onClose();
  }

  strike(frame: Bytes): void {
    if (!this.isClosed) this.#events?.onFrame(frame);
  }
}

/** The room under fire: fresh viewers one after the other, and an origin that stays. */
class Range {
  readonly room: VirtualRoom;
  readonly frames: MadeFrames;
  /** How links were closed, and how often. */
  readonly codes = new Map<string, number>();
  readonly #random: () => number;
  readonly #own = new Set<string>();
  viewer: Viewer;
  #channel: FuzzedChannel;
  #linkCount = 0;
  #isOrigin = false;

  constructor(room: VirtualRoom) {
    this.room = room;
    this.#random = seededRandom(SEED);
    this.frames = new MadeFrames(seededRandom(SEED + 1));
    this.#learnRoom();
    this.viewer = this.#newViewer();
    this.#channel = this.#connect();
  }

  /** One frame, at a link that is fresh where the last was closed. */
  strike(number: number): void {
    if (number % FRAMES_PER_VIEWER === 0) this.#renewViewer();
    if (this.#channel.isClosed || number % FRAMES_PER_LINK === 0) this.#reconnect();
    const frame = this.frames.next();
    this.#noteGoodbye(frame);
    this.#channel.strike(frame);
  }

  close(): void {
    this.#channel.close();
  }

  noteClosed(code: string): void {
    const shown = this.#own.has(code) && !REASONS.includes(code) ? 'what the fuzzer said' : code;
    this.codes.set(shown, (this.codes.get(shown) ?? 0) + 1);
  }

  /** The reason in a goodbye is passed on as the peer gave it. */
  #noteGoodbye(frame: Bytes): void {
    if (frame[0] !== MESSAGES.goodbye.type) return;
    try {
      const { name, body } = decodeFrame(frame);
      if (name === 'goodbye') this.#own.add(body.code);
    } catch {
      // Then nobody will take it for a goodbye.
    }
  }

  #renewViewer(): void {
    this.#channel.close();
    this.viewer.close();
    this.#own.clear();
    this.viewer = this.#newViewer();
  }

  #newViewer(): Viewer {
    const viewer = this.room.viewer({
      memoryBytes: 1_000_000,
      onLinkClosed: (_, code) => this.noteClosed(code),
    });
    void viewer.say(`line ${this.#linkCount}`);
    return viewer;
  }

  #reconnect(): void {
    this.#channel.close();
    this.#channel = this.#connect();
  }

  #connect(): FuzzedChannel {
    this.#linkCount += 1;
    this.#isOrigin = this.#random() < 0.3;
    const channel = new FuzzedChannel((frame) => this.#learn(frame));
    const target: Viewer | OriginRoom = this.#isOrigin ? this.room.origin : this.viewer;
    const kind = !this.#isOrigin && this.#random() < 0.2 ? 'origin' : 'member';
    target.connect(channel, { id: madeUpId(this.#linkCount), kind });
    channel.strike(encodeFrame('hello', { v: WIRE_VERSION, role: kind, card: null }));
    if (this.#random() < 0.7) for (const frame of this.#opening()) channel.strike(frame);
    return channel;
  }

  /** What makes the target ask for pieces, so that answers find somebody who waits. */
  #opening(): Bytes[] {
    const { manifest } = this.room.origin;
    const pages = manifest.head?.pages.map(({ hash }) => manifest.pageBytes(hash)) ?? [];
    return [
      encodeFrame('have', { whole: [[0, this.room.segments.length]], parts: [] }),
      ...(manifest.envelope ? [encodeFrame('head', { envelope: manifest.envelope })] : []),
      ...pages.flatMap((bytes) => (bytes ? [encodeFrame('page', { bytes })] : [])),
    ];
  }

  /** What the target says may be said to it, word for word or bent. */
  #learn(frame: Bytes): void {
    const { corpus, words } = this.frames;
    const { name, body } = decodeFrame(frame);
    if (name === 'goodbye' || this.#random() > 0.05) return;
    remember(corpus, frame, 60 + Math.floor(this.#random() * 60));
    if (name === 'chat') remember(words, body.sealed, 40 + Math.floor(this.#random() * 20));
    if (name === 'hello' && body.card) remember(words, body.card, 40 + Math.floor(this.#random() * 20));
  }

  #learnRoom(): void {
    const { corpus, words } = this.frames;
    const { manifest } = this.room.origin;
    if (manifest.envelope) words.push(manifest.envelope);
    for (const { hash } of manifest.head?.pages ?? []) {
      words.push(hash);
      const page = manifest.pageBytes(hash);
      if (page) words.push(page);
    }
    for (const [segment, data] of this.room.segments.entries())
      for (let piece = 0; piece < pieceCount(data.byteLength); piece++)
        corpus.push(pieceFrame(segment, piece, data));
  }
}

/** The first ones stay; above them each place is taken again and again. */
function remember(list: Bytes[], bytes: Bytes, place: number): void {
  if (list.length < place) list.push(bytes);
  else list[place] = bytes;
}

function pieceFrame(segment: number, piece: number, whole: Bytes): Bytes {
  const start = pieceStart(whole.byteLength, piece);
  const data = whole.subarray(start, start + pieceBytes(whole.byteLength, piece));
  const frame = allocatePieceFrame(segment, piece, data.byteLength);
  frame.set(data, PIECE_HEADER_BYTES);
  return frame;
}

const FILM = { segmentCount: 3, segmentMs: 2_000, segmentBytes: 50_000 };

const frames = suite('frames made from the table of messages');

frames('should decode where they are valid, whatever their row', () => {
  const made = new MadeFrames(seededRandom(SEED));
  for (const name of Object.keys(MESSAGES) as MessageName[])
    for (let i = 0; i < 200; i++) assert.is(decodeFrame(made.valid(name)).name, name);
});

frames('should be refused, or be the only way to say what they say', () => {
  const made = new MadeFrames(seededRandom(SEED));
  let acceptedCount = 0;
  const count = Math.min(FRAMES, 50_000);
  for (let i = 0; i < count; i++) {
    const frame = made.next();
    try {
      const { name, body } = decodeFrame(frame);
      acceptedCount += 1;
      if (name === 'piece') continue;
      assert.is(Buffer.compare(encodeFrame(name, body as never), frame), 0, name);
    } catch (error) {
      if (!(error instanceof MatineeError) || error.code !== 'FRAME_MALFORMED') throw error;
    }
  }
  assert.ok(acceptedCount > count * 0.4 && acceptedCount < count * 0.8, `${acceptedCount} were accepted`);
});

frames('should leave a viewer and an origin unharmed, however many come', async () => {
  const room = await VirtualRoom.open(FILM);
  const range = new Range(room);
  const unhandled: unknown[] = [];
  const onUnhandled = (reason: unknown): void => void unhandled.push(reason);
  process.on('unhandledRejection', onUnhandled);
  const startedMs = performance.now();
  let earlyBytes = 0;
  for (let number = 1; number <= FRAMES; number++) {
    range.strike(number);
    if (number % FRAMES_PER_STEP === 0) await room.clock.run(STEP_MS);
    if (number === Math.floor(FRAMES / 5)) earlyBytes = await usedBytes();
  }
  range.close();
  const grownBytes = (await usedBytes()) - earlyBytes;
  const tookS = (performance.now() - startedMs) / 1000;
  process.off('unhandledRejection', onUnhandled);
  const codes = JSON.stringify(Object.fromEntries(range.codes));
  tell(
    `${FRAMES} frames in ${tookS.toFixed(0)} s, ${(grownBytes / 1e6).toFixed(1)} MB more in use; ${codes}`,
  );
  assert.equal(unhandled, []);
  assert.equal(
    [...range.codes.keys()].filter(
      (code) => ![...REASONS, 'CLOSED', 'LEFT', 'what the fuzzer said'].includes(code),
    ),
    [],
    'each link is closed for a reason',
  );
  assert.ok(grownBytes < MAX_GROWTH_BYTES, `${grownBytes} bytes more are in use`);
  await stillServes(range);
});

/** Somebody new gets the film from the origin and the viewer that were under fire, and is heard. */
async function stillServes({ room, viewer }: Range): Promise<void> {
  const healthy = room.viewer();
  const [atHealthy, atViewer] = room.line();
  healthy.connect(atHealthy, { id: madeUpId(0xfffffffe), kind: 'member' });
  viewer.connect(atViewer, { id: madeUpId(0xffffffff), kind: 'member' });
  for (const target of [healthy, viewer]) room.connectOrigin(target, target === healthy ? 1 : 2);
  const isAllThere = (): boolean => [healthy, viewer].every((each) => room.holds(each, 0, FILM.segmentCount));
  assert.ok(await room.clock.runUntil(isAllThere, 30_000), 'the film comes');
  viewer.close();
  healthy.close();
}

frames.run();
