import { areEqual, type Bytes } from '../bytes.ts';
import type { Clock } from '../clock.ts';
import type { Crypto } from '../crypto/crypto.ts';
import { MAX_PIPELINE_PIECES, PIECE_BYTES } from '../limits.ts';
import { pieceBytes } from '../manifest/geometry.ts';
import type { Manifest } from '../manifest/manifest.ts';
import { pieceHash } from '../manifest/page.ts';
import type { Handlers, Link } from '../wire/link.ts';
import type { Bodies } from '../wire/messages.ts';
import { Availability } from './availability.ts';
import { type Ask, type Candidate, pick } from './picker.ts';
import { Throughput } from './throughput.ts';
import { type Wanted, wantedPieces } from './wanted.ts';

/** The scheduler runs on events, at most this often, and on a timer where nothing happens. */
const MIN_RUN_GAP_MS = 8;
const TICK_MS = 250;

/** A request unanswered for this long, or several times what it was expected to take, is asked elsewhere. */
const MIN_TIMEOUT_MS = 5_000;
const TIMEOUT_FACTOR = 4;

/** After so many unanswered requests in a row a peer is taken for dead. */
const MAX_TIMEOUTS = 8;

/** After so many pieces with a wrong hash a peer is dropped, and not let in again. */
const MAX_WRONG_PIECES = 3;

/** The playhead moved this much at once: that was a seek. */
const JUMP_MS = 2_000;

/**
 * A playhead that stands still wants what comes next all the more: deadlines draw nearer as if it moved, but no
 * further than this, which is what a player likes to have at hand before it starts.
 */
const MAX_IMPATIENCE_MS = 3_000;

/** Until a round trip was measured. */
const FIRST_ROUND_TRIP_MS = 100;

/** What a pipeline covers beyond one round trip, so that a burst of other work does not drain it. */
const PIPELINE_SLACK_MS = 300;

interface Asked {
  segment: number;
  piece: number;
  expiresMs: number;
}

interface Source {
  link: Link;
  availability: Availability;
  throughput: Throughput;
  isChoking: boolean;
  asked: Map<string, Asked>;
  timeouts: number;
  wrongPieces: number;
}

export interface DownloadParts {
  clock: Clock;
  crypto: Crypto;
  manifest: Manifest;
  selfId: string;
  random(): number;
  isHeld(segment: number, piece: number): boolean;
  /** A verified piece nobody had given us before. */
  onPiece(segment: number, piece: number, data: Bytes): void;
  /** This peer sent MAX_WRONG_PIECES wrong pieces. Its link is closed already. */
  onLiar(link: Link): void;
}

const keyOf = (segment: number, piece: number): string => `${segment}/${piece}`;

/**
 * Fetches what the playhead will need. Owns: what each peer has (Availability), what each owes us (asked), what
 * is being verified. When anything changes it lists what is wanted (wanted.ts), lets picker.ts choose whom to
 * ask, and sends the requests. Nothing leaves here that was not checked against the host's manifest.
 */
export class Downloads {
  readonly handlers: Handlers = {
    have: (link, body) => this.#have(link, body),
    drop: (link, body) => this.#update(link, (source) => source.availability.drop(body.runs)),
    choke: (link) => this.#update(link, (source) => this.#choked(source)),
    unchoke: (link) => this.#update(link, (source) => this.#unchoked(source)),
    noPiece: (link, body) => this.#refused(link, body),
    piece: (link, body) => void this.#piece(link, body),
  };
  rejectedPieces = 0;
  readonly #parts: DownloadParts;
  readonly #sources = new Map<Link, Source>();
  readonly #verifying = new Set<string>();
  readonly #pagesAsked = new Map<string, number>();
  #playheadMs = 0;
  #playheadSetMs = 0;
  #lastRunMs = Number.NEGATIVE_INFINITY;
  #cancelTick: () => void;
  #cancelRun: (() => void) | null = null;
  #isClosed = false;

  constructor(parts: DownloadParts) {
    this.#parts = parts;
    this.#playheadSetMs = parts.clock.nowMs();
    this.#cancelTick = parts.clock.after(TICK_MS, () => this.#tick());
  }

  add(link: Link): void {
    this.#sources.set(link, {
      link,
      availability: new Availability(),
      throughput: new Throughput(),
      isChoking: false,
      asked: new Map(),
      timeouts: 0,
      wrongPieces: 0,
    });
  }

  /** Forgets a closed link; what it owed is asked elsewhere. */
  remove(link: Link): void {
    this.#sources.delete(link);
    this.run();
  }

  /** Bytes per second this peer was last measured to deliver. */
  bytesPerSec(link: Link): number {
    return this.#sources.get(link)?.throughput.bytesPerSec ?? 0;
  }

  /** Where the viewer is now: playback went on a bit, or jumped. Requests that lie outside the new window are taken back. */
  setPlayhead(atMs: number): void {
    const didJump = Math.abs(atMs - this.#playheadMs) > JUMP_MS;
    if (atMs !== this.#playheadMs) this.#playheadSetMs = this.#parts.clock.nowMs();
    this.#playheadMs = atMs;
    if (didJump) this.#cancelUnwanted();
    this.run();
  }

  /** Asks for what can be asked for now; called whenever something changed. Calls that follow each other closely become one. */
  run(): void {
    const nowMs = this.#parts.clock.nowMs();
    if (this.#isClosed) return;
    if (nowMs - this.#lastRunMs < MIN_RUN_GAP_MS) {
      this.#cancelRun ??= this.#parts.clock.after(MIN_RUN_GAP_MS, () => {
        this.#cancelRun = null;
        this.run();
      });
      return;
    }
    this.#cancelRun?.();
    this.#cancelRun = null;
    this.#lastRunMs = nowMs;
    const wants = wantedPieces(this.#parts.manifest, this.#playheadMs, (s, p) => this.#isHere(s, p));
    for (const page of wants.pages) this.#askForPage(page.hash, nowMs);
    const impatienceMs = Math.min(MAX_IMPATIENCE_MS, nowMs - this.#playheadSetMs);
    const wanted = wants.pieces.map((want) => ({ ...want, inMs: Math.max(0, want.inMs - impatienceMs) }));
    this.#send(this.#pick(wanted), nowMs);
  }

  close(): void {
    this.#isClosed = true;
    this.#cancelTick();
    this.#cancelRun?.();
    this.#sources.clear();
  }

  #isHere(segment: number, piece: number): boolean {
    return this.#parts.isHeld(segment, piece) || this.#verifying.has(keyOf(segment, piece));
  }

  #pick(wanted: Wanted[]): Ask[] {
    const askedOf = new Map<string, string[]>();
    for (const { link, asked } of this.#sources.values()) {
      for (const key of asked.keys()) askedOf.set(key, [...(askedOf.get(key) ?? []), link.remote.id]);
    }
    return pick({
      wanted,
      // Who chokes us relays nothing to us: it is responsible for nothing either.
      candidates: [...this.#sources.values()]
        .filter((source) => !source.isChoking)
        .map((source) => this.#candidate(source)),
      askedOf: (segment, piece) => askedOf.get(keyOf(segment, piece)) ?? [],
      selfId: this.#parts.selfId,
      random: this.#parts.random,
    });
  }

  #candidate(source: Source): Candidate {
    const { link, throughput, asked, availability } = source;
    const roundTripMs = link.roundTripMs ?? FIRST_ROUND_TRIP_MS;
    const coveredMs = roundTripMs + PIPELINE_SLACK_MS;
    const pipeline = Math.ceil((throughput.bytesPerSec * coveredMs) / 1000 / PIECE_BYTES);
    const isTrusted = source.timeouts === 0;
    const slots = isTrusted ? Math.min(MAX_PIPELINE_PIECES, Math.max(2, pipeline)) : 1;
    return {
      id: link.remote.id,
      kind: link.remote.kind,
      has: (segment, piece) => availability.has(segment, piece),
      freeSlots: Math.max(0, slots - asked.size),
      inFlight: asked.size,
      bytesPerSec: throughput.bytesPerSec,
      roundTripMs,
    };
  }

  #send(asks: Ask[], nowMs: number): void {
    for (const source of this.#sources.values()) {
      const own = asks.filter((ask) => ask.id === source.link.remote.id);
      for (const ask of own) this.#note(source, ask, nowMs);
      for (const [segment, group] of groupBySegment(own)) {
        const inMs = Math.round(Math.min(...group.map((ask) => ask.inMs)));
        source.link.send('request', { segment, pieces: group.map((ask) => ask.piece), inMs });
      }
    }
  }

  #note(source: Source, { segment, piece }: Ask, nowMs: number): void {
    const owedBytes = (source.asked.size + 1) * PIECE_BYTES;
    const expectedMs = (owedBytes * 1000) / source.throughput.bytesPerSec + (source.link.roundTripMs ?? 0);
    const expiresMs = nowMs + Math.max(MIN_TIMEOUT_MS, TIMEOUT_FACTOR * expectedMs);
    source.asked.set(keyOf(segment, piece), { segment, piece, expiresMs });
    source.throughput.asked(nowMs);
  }

  #askForPage(hash: Bytes, nowMs: number): void {
    const key = hash.join();
    const askedMs = this.#pagesAsked.get(key) ?? Number.NEGATIVE_INFINITY;
    const links = [...this.#sources.keys()];
    const link = links[Math.floor(this.#parts.random() * links.length)];
    if (!link || nowMs - askedMs < MIN_TIMEOUT_MS / 5) return;
    this.#pagesAsked.set(key, nowMs);
    link.send('getPage', { hash });
  }

  #have(link: Link, { whole, parts }: Bodies['have']): void {
    this.#update(link, ({ availability }) => {
      availability.addWhole(whole);
      for (const [segment, bits] of parts) availability.addBits(segment, bits);
    });
  }

  #update(link: Link, change: (source: Source) => void): void {
    const source = this.#sources.get(link);
    if (source) change(source);
    this.run();
  }

  #choked(source: Source): void {
    source.isChoking = true;
    source.asked.clear();
  }

  #unchoked(source: Source): void {
    source.isChoking = false;
  }

  #refused(link: Link, { segment, pieces }: Bodies['noPiece']): void {
    this.#update(link, (source) => {
      source.availability.disbelieve(segment);
      for (const piece of pieces) source.asked.delete(keyOf(segment, piece));
    });
  }

  async #piece(link: Link, { segment, piece, data }: Bodies['piece']): Promise<void> {
    const source = this.#sources.get(link);
    const key = keyOf(segment, piece);
    if (!source?.asked.delete(key)) return;
    source.timeouts = 0;
    source.throughput.received(this.#parts.clock.nowMs(), data.byteLength, source.asked.size === 0);
    if (this.#isHere(segment, piece)) return;
    this.#cancelElsewhere(key, segment, piece);
    this.#verifying.add(key);
    this.run();
    const isRight = await this.#isRight(segment, piece, data);
    this.#verifying.delete(key);
    if (this.#isClosed) return;
    if (isRight) this.#parts.onPiece(segment, piece, data);
    else this.#gotWrongPiece(source);
    this.run();
  }

  async #isRight(segment: number, piece: number, data: Bytes): Promise<boolean> {
    const entry = this.#parts.manifest.entry(segment);
    if (!entry || data.byteLength !== pieceBytes(entry.sizeBytes, piece)) return false;
    return areEqual(await this.#parts.crypto.sha256(data), pieceHash(entry, piece));
  }

  #gotWrongPiece(source: Source): void {
    this.rejectedPieces += 1;
    source.wrongPieces += 1;
    if (source.wrongPieces < MAX_WRONG_PIECES) return;
    source.link.close('PIECE_WRONG');
    this.#parts.onLiar(source.link);
  }

  #cancelElsewhere(key: string, segment: number, piece: number): void {
    for (const { link, asked } of this.#sources.values()) {
      if (asked.delete(key)) link.send('cancel', { segment, pieces: [piece] });
    }
  }

  #cancelUnwanted(): void {
    const wants = wantedPieces(this.#parts.manifest, this.#playheadMs, (s, p) => this.#isHere(s, p));
    const wanted = new Set(wants.pieces.map(({ segment, piece }) => keyOf(segment, piece)));
    for (const { link, asked } of this.#sources.values()) {
      const unwanted = [...asked.entries()].filter(([key]) => !wanted.has(key));
      for (const [key] of unwanted) asked.delete(key);
      for (const [segment, group] of groupBySegment(unwanted.map(([, ask]) => ask))) {
        link.send('cancel', { segment, pieces: group.map((ask) => ask.piece) });
      }
    }
  }

  #tick(): void {
    const nowMs = this.#parts.clock.nowMs();
    for (const source of [...this.#sources.values()]) this.#expire(source, nowMs);
    this.run();
    if (!this.#isClosed) this.#cancelTick = this.#parts.clock.after(TICK_MS, () => this.#tick());
  }

  #expire(source: Source, nowMs: number): void {
    for (const [key, { segment, piece, expiresMs }] of source.asked) {
      if (nowMs < expiresMs) continue;
      source.asked.delete(key);
      source.timeouts += 1;
      source.link.send('cancel', { segment, pieces: [piece] });
    }
    if (source.timeouts >= MAX_TIMEOUTS) source.link.close('PEER_SILENT');
  }
}

function groupBySegment<T extends { segment: number }>(items: T[]): Map<number, T[]> {
  const groups = new Map<number, T[]>();
  for (const item of items) groups.set(item.segment, [...(groups.get(item.segment) ?? []), item]);
  return groups;
}
