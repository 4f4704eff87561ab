import { setTimeout as wait } from 'node:timers/promises';
import * as assert from 'uvu/assert';
import { areEqual, type Bytes, toBase64url } from '../../peer/bytes.ts';
import type { Crypto } from '../../peer/crypto/crypto.ts';
import { piecesOf } from '../../peer/manifest/geometry.ts';
import { Manifest } from '../../peer/manifest/manifest.ts';
import { describeSegment } from '../../peer/manifest/page.ts';
import { MadeRoom } from './made-room.ts';

/** Requests on their way at once, a room. */
const IN_FLIGHT = 4;
const BATCH_SEGMENTS = 6;
const MIN_BYTES = 20_000;
const MAX_BYTES = 200_000;

/** A server that asks for patience gets it; waits of this many milliseconds, so many times. */
const PATIENCE_MS = 100;
const PATIENCE_COUNT = 100;

/** No answer came: the server was killed, most likely. What was on its way may or may not have been done. */
export class NoAnswer extends Error {
  override readonly name = 'NoAnswer';
}

/** What a server refused, by its status and code. */
export class Refused extends Error {
  override readonly name = 'Refused';
  readonly status: number;
  readonly code: string;

  constructor(status: number, body: { code: string; message: string }) {
    super(body.message);
    this.status = status;
    this.code = body.code;
  }
}

/** What `check` found to be there. */
export interface Found {
  acknowledgedSegments: number;
  /** Whole, though the server was killed before it could say so. */
  unacknowledgedSegments: number;
}

/**
 * One room's upload over HTTP as a host does it, the manifest growing beside the segments, and an account of what the
 * server has acknowledged. May be cut off at any moment and taken up again, at another address too.
 */
export class LedgerUpload {
  readonly made: MadeRoom;
  readonly acknowledged = new Set<number>();
  isDone = false;
  isTakenDown = false;
  readonly #segmentCount: number;
  readonly #random: () => number;
  #url = '';
  #hasRecord = false;
  #acknowledgedCount = 0;
  #mayBeTakenDown = false;
  /** Made, and not acknowledged yet: each update must follow the one before. */
  #unpublished: { update: Bytes; count: number; isLast: boolean } | null = null;

  private constructor(made: MadeRoom, segmentCount: number, random: () => number) {
    this.made = made;
    this.#segmentCount = segmentCount;
    this.#random = random;
  }

  static async create(crypto: Crypto, segmentCount: number, random: () => number): Promise<LedgerUpload> {
    return new LedgerUpload(await MadeRoom.create(crypto), segmentCount, random);
  }

  /**
   * Asks what is there, sends the rest and now and then something a second time; resolves when all of it is stored.
   * Nothing is on its way any more when it ends. Rejects with NoAnswer or Refused.
   */
  async run(url: string): Promise<void> {
    this.#url = url;
    await this.#put('', await this.made.record());
    this.#hasRecord = true;
    const stored = new Set(this.#acknowledgedCount > 0 ? await this.#storedSegments() : []);
    while (this.acknowledged.size < this.#segmentCount || this.#unpublished) {
      const listed = Array.from({ length: this.#acknowledgedCount }, (_, segment) => segment);
      const missing = listed.filter((segment) => !this.acknowledged.has(segment));
      // What the server has, it need not be sent: that is its word for it.
      for (const segment of missing) if (stored.has(segment)) this.acknowledged.add(segment);
      await settle([
        this.#publishMore(),
        ...this.#uploads(missing.filter((segment) => !stored.has(segment))),
      ]);
    }
    if (this.isDone) return;
    this.#unpublished = { update: await this.made.finish(), count: this.#segmentCount, isLast: true };
    await this.#publishMore();
  }

  /** Has the room taken down. */
  async takeDown(url: string): Promise<void> {
    this.#url = url;
    this.#mayBeTakenDown = true;
    const response = await this.#send('DELETE', this.#roomUrl(), await this.made.takeDown());
    // 404: it was done before, and only the answer was lost.
    if (response.status !== 404) mustBeDone(response);
    this.isTakenDown = true;
  }

  /** Checks that everything acknowledged is there and right, that nothing is there in part, and that nobody sees more. */
  async check(url: string): Promise<Found> {
    this.#url = url;
    const found = { acknowledgedSegments: 0, unacknowledgedSegments: 0 };
    if (!this.#hasRecord) return found;
    const room = await this.#get(this.#roomUrl());
    if (this.#mayBeTakenDown && room.status === 404) this.isTakenDown = true;
    if (this.isTakenDown) {
      assert.is(room.status, 404, 'a room that was taken down is back');
      return found;
    }
    const { videos } = json<{ videos: string[] }>(room);
    if (this.#acknowledgedCount === 0 && videos.length === 0) return found;
    assert.equal(videos, [this.made.video]);
    const manifest = await this.#checkedManifest();
    const stored = new Set(await this.#storedSegments());
    for (const segment of this.acknowledged) assert.ok(stored.has(segment), `segment ${segment} is lost`);
    for (const segment of stored) await this.#checkSegment(manifest, segment);
    await this.#checkAbsent(stored);
    found.acknowledgedSegments = this.acknowledged.size;
    found.unacknowledgedSegments = stored.size - this.acknowledged.size;
    return found;
  }

  async #checkedManifest(): Promise<Manifest> {
    const manifest = new Manifest(this.made.crypto, this.made.roomBytes);
    await manifest.adoptHead(await this.#getBytes('manifest'));
    const { segmentCount, isDone, pages } = manifest.head ?? { segmentCount: 0, isDone: false, pages: [] };
    assert.ok(segmentCount >= this.#acknowledgedCount, 'the manifest went back');
    assert.ok(isDone || !this.isDone, 'the manifest is not done any more');
    for (const { hash } of pages)
      await manifest.adoptPage(await this.#getBytes(`pages/${toBase64url(hash)}`));
    assert.ok(pages.every((page) => manifest.hasPage(page)));
    return manifest;
  }

  async #checkSegment(manifest: Manifest, segment: number): Promise<void> {
    const bytes = await this.#getBytes(`segments/${segment}`);
    const original = this.made.segments[segment] ?? new Uint8Array();
    assert.ok(areEqual(bytes, original), `segment ${segment} is not what was sent`);
    const { pieceHashes } = await describeSegment(this.made.crypto, 0, 0, piecesOf([bytes]));
    const entry = manifest.entry(segment);
    assert.ok(entry && areEqual(entry.pieceHashes, pieceHashes), `segment ${segment} is not what is signed`);
  }

  async #checkAbsent(stored: ReadonlySet<number>): Promise<void> {
    for (const segment of this.made.segments.keys()) {
      if (stored.has(segment)) continue;
      assert.is((await this.#get(`${this.#videoUrl()}/segments/${segment}`)).status, 404);
    }
  }

  /** Publishes what is not acknowledged, or else some more segments as long as there are to be more. */
  async #publishMore(): Promise<void> {
    const more = Math.min(BATCH_SEGMENTS, this.#segmentCount - this.made.segments.length);
    if (!this.#unpublished && more > 0) {
      const sizesBytes = Array.from({ length: more }, () => this.#sizeBytes());
      const update = await this.made.grow(...sizesBytes);
      this.#unpublished = { update, count: this.made.segments.length, isLast: false };
    }
    if (!this.#unpublished) return;
    const { update, count, isLast } = this.#unpublished;
    await this.#put(`/videos/${this.made.video}/manifest`, update);
    this.#acknowledgedCount = count;
    this.isDone = isLast;
    this.#unpublished = null;
  }

  /** So many uploaders that share the segments. */
  #uploads(segments: number[]): Promise<void>[] {
    return Array.from({ length: IN_FLIGHT }, async () => {
      for (let segment = segments.shift(); segment !== undefined; segment = segments.shift()) {
        await this.#uploadSegment(segment);
      }
    });
  }

  /** Sends a segment, sometimes twice at once, sometimes another one again that is there already. */
  async #uploadSegment(segment: number): Promise<void> {
    const draw = this.#random();
    const known = [...this.acknowledged];
    const again =
      draw < 0.1 ? segment : draw < 0.3 ? known[Math.floor(this.#random() * known.length)] : undefined;
    const numbers = again === undefined ? [segment] : [segment, again];
    await settle(numbers.map((number) => this.#putSegment(number)));
  }

  async #putSegment(segment: number): Promise<void> {
    const body = this.made.segments[segment] ?? new Uint8Array();
    await this.#put(`/videos/${this.made.video}/segments/${segment}`, body);
    this.acknowledged.add(segment);
  }

  #sizeBytes(): number {
    return MIN_BYTES + Math.floor(this.#random() * (MAX_BYTES - MIN_BYTES));
  }

  async #storedSegments(): Promise<number[]> {
    const response = await this.#get(`${this.#videoUrl()}/segments`);
    assert.is(response.status, 200);
    const { stored } = json<{ stored: [number, number][] }>(response);
    return stored.flatMap(([first, count]) => Array.from({ length: count }, (_, i) => first + i));
  }

  async #put(path: string, body: Bytes): Promise<void> {
    mustBeDone(await this.#send('PUT', this.#roomUrl() + path, body));
  }

  async #send(method: string, url: string, body: Bytes): Promise<Answer> {
    const headers = { 'content-type': 'application/octet-stream' };
    return await answer(() => fetch(url, { method, body, headers }));
  }

  async #get(url: string): Promise<Answer> {
    return await answer(() => fetch(url, { headers: { authorization: `Bearer ${this.made.token}` } }));
  }

  async #getBytes(path: string): Promise<Bytes> {
    const response = await this.#get(`${this.#videoUrl()}/${path}`);
    assert.is(response.status, 200, path);
    return response.bytes;
  }

  #roomUrl(): string {
    return `${this.#url}/api/rooms/${this.made.room}`;
  }

  #videoUrl(): string {
    return `${this.#roomUrl()}/videos/${this.made.video}`;
  }
}

interface Answer {
  status: number;
  bytes: Bytes;
}

function json<T>({ bytes }: Answer): T {
  return JSON.parse(new TextDecoder().decode(bytes)) as T;
}

function mustBeDone(answer: Answer): void {
  if (answer.status >= 300) throw new Refused(answer.status, json(answer));
}

/** A whole answer, other than "too many requests", which is what makes an honest host wait. */
async function answer(request: () => Promise<Response>): Promise<Answer> {
  for (let tries = 1; ; tries++) {
    const whole = await wholeAnswer(request);
    if (whole.status !== 429 || tries >= PATIENCE_COUNT) return whole;
    await wait(PATIENCE_MS);
  }
}

async function wholeAnswer(request: () => Promise<Response>): Promise<Answer> {
  try {
    const response = await request();
    return { status: response.status, bytes: new Uint8Array(await response.arrayBuffer()) };
  } catch (cause) {
    throw new NoAnswer('The server did not answer.', { cause });
  }
}

/** Waits until all have ended; rejects then with what failed first, a missing answer counting last. */
async function settle(tasks: Promise<void>[]): Promise<void> {
  const outcomes = await Promise.allSettled(tasks);
  const reasons = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason] : []));
  if (reasons.length > 0) throw reasons.find((reason) => !(reason instanceof NoAnswer)) ?? reasons[0];
}
