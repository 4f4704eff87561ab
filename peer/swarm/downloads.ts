import { Allowance } from '../allowance.ts';
import { areEqual, type Bytes, fromBase64url } from '../bytes.ts';
import type { Clock } from '../clock.ts';
import type { Crypto } from '../crypto/crypto.ts';
import { MAX_PIPELINE_PIECES, MAX_STANDING_PIECES, PIECE_BYTES } from '../limits.ts';
import { pieceBytes, pieceCount, pieceSize } from '../manifest/geometry.ts';
import type { Manifest } from '../manifest/manifest.ts';
import { pieceHash } from '../manifest/page.ts';
import type { Handlers, Link, Remote } from '../wire/link.ts';
import type { Bodies } from '../wire/messages.ts';
import { type PieceName, sendCancels, sendRequests } from './asking.ts';
import { Availability, hasBit } from './availability.ts';
import { Owed } from './owed.ts';
import { PageAsking } from './page-asking.ts';
import { type Ask, type Candidate, pick, RESCUE_MS, URGENT_MS } from './picker.ts';
import { pieceKey } from './piece-key.ts';
import { type Others, type PlainFetcher, PlainFetching } from './plain-fetching.ts';
import type { Giver } from './provenance.ts';
import { Throughput } from './throughput.ts';
import { type Wanted, type Wants, WINDOW_MS, wantedPieces } from './wanted.ts';

/** The scheduler runs on events, at most this often, and on a timer where nothing happens. */
const MIN_RUN_GAP_MS = 20;
const TICK_MS = 250;

/** Where nothing is needed soon there is no hurry: requests cover more than this (PIPELINE_SLACK_MS), and each run costs battery. */
const CALM_RUN_GAP_MS = 100;

/** In a crowd that has just come first things come first: for so long no more of the manifest is asked for than what is needed soon. */
const SETTLED_MS = 6_000;
const FIRST_PAGES_MS = 8_000;

/** What a page lists is needed so soon: it is asked for at once. */
const PAGE_AT_ONCE_MS = 4_000;

/** How far it looks ahead each time; as far as the window goes only on the timer, for that is long. */
const NEAR_MS = 12_000;

/** A request unanswered for this long, or several times what it was expected to take, is asked elsewhere. */
const MIN_TIMEOUT_MS = 5_000;
const TIMEOUT_FACTOR = 4;

/** After so many times in a row that requests went unanswered a peer is taken for dead. */
const MAX_TIMEOUTS = 5;

/**
 * Peers that sent a wrong piece are remembered, so that coming back does not wipe it out; of more, those that lied last. Who
 * makes up a thousand names to be forgotten could as well have come under a new one.
 */
const MAX_LIARS = 1024;

/** Of one that has not sent a right piece yet so many are asked at once: what it sends may be wrong, and is then asked anew. */
const UNPROVEN_PIECES = 2;

/** Requests taken back of one peer that are remembered: their pieces may be on their way already. Twice what stands at the origin. */
const MAX_TAKEN_BACK = 2 * MAX_STANDING_PIECES;

/** Pieces nobody asked for: so many at once, and after that one in so many milliseconds. An honest peer sends none. */
const UNASKED_AT_ONCE = 64;
const UNASKED_EVERY_MS = 1_000;

/** The playhead moved this much at once: that was a seek. */
const JUMP_MS = 2_000;

/** Until a round trip was measured. */
const FIRST_ROUND_TRIP_MS = 100;

/**
 * Requests that may stand at the origin: it answers each when it sees fit, mostly never, because the piece came from a
 * viewer it was given to before. So these are no pipeline, they only let the origin choose.
 */
const MAX_STANDING_BYTES = 8 * 1024 * 1024;

/** What a pipeline covers beyond one round trip, so that a burst of other work does not drain it. */
const PIPELINE_SLACK_MS = 300;

/**
 * A viewer is asked for so much at once however little it gives: who serves chooses what spreads best among all that waits, and must have
 * something to choose from. With a fourth of this a crowd of 120 that knows the origin by eight got the film 1.5 times from it and stood
 * still for 0.65 % of the time; so 1.07 times and for 0.1 %. Films of 0.4 to 6 Mbit/s want the same (simulated).
 */
const MIN_PIPELINE_PIECES = 8;
const MIN_PIPELINE_FILM_MS = 700;

interface Source {
  link: Link;
  /** Whether it fetches too, and passes on what it gets: a viewer. */
  isViewer: boolean;
  availability: Availability;
  throughput: Throughput;
  isChoking: boolean;
  /** Whether it has sent a right piece. */
  isProven: boolean;
  timeouts: number;
  /** Requests taken back, by piece key, the oldest first. */
  takenBack: Set<number>;
  unasked: Allowance;
  /** Pieces that came, wanted or not. */
  receivedCount: number;
}

export interface DownloadParts {
  clock: Clock;
  crypto: Crypto;
  manifest: Manifest;
  /** Bytes ahead of the playhead that are wanted at most: no more than can be held. */
  windowBytes: number;
  random(): number;
  isHeld(segment: number, piece: number): boolean;
  /** How many pieces of a segment are held. */
  heldCount(segment: number): number;
  /** Who sent a wrong piece, where that counts beyond these downloads; left out: here alone. */
  liars?: Set<string>;
  /** A verified piece nobody had given us before. */
  onPiece(segment: number, piece: number, data: Bytes, giver: Giver): void;
  /** Another way to the server's pieces than peers; null or left out: there is none. */
  plain?: PlainFetcher | null | undefined;
  /** What is wanted besides the film, where nothing of that is needed at once; null or left out: nothing. */
  extras?: ExtraWants | null | undefined;
}

/** Says what goes with a film and is missing. */
export interface ExtraWants {
  wants(playheadMs: number, isHere: (segment: number, piece: number) => boolean): Wants;
}

/**
 * Fetches what the playhead will need. Owns: what each peer has (Availability), what each owes us (Owed), what
 * is being verified. When anything changes it lists what is wanted (wanted.ts), lets picker.ts choose whom to
 * ask, and sends the requests. Nothing leaves here that was not checked against the host's manifest.
 */
export class Downloads {
  readonly handlers: Handlers = {
    have: (link, body) => this.#have(link, body),
    drop: (link, body) => this.#sources.get(link)?.availability.drop(body.runs),
    choke: (link) => this.#update(link, (source) => this.#choked(source)),
    unchoke: (link) => this.#update(link, (source) => this.#unchoked(source)),
    noPiece: (link, body) => this.#refused(link, body),
    noPage: (_, body) => this.#pages.refused(body.hash),
    piece: (link, body) => void this.#piece(link, body),
  };
  rejectedPieces = 0;
  readonly #parts: DownloadParts;
  readonly #sources = new Map<Link, Source>();
  readonly #owed = new Owed();
  readonly #pages: PageAsking;
  readonly #plain: PlainFetching | null;
  /** How many copies of a piece are being checked, by piece key. */
  readonly #verifying = new Map<number, number>();
  /** Who sent a wrong piece, the oldest first. */
  readonly #liars: Set<string>;
  #playheadMs = 0;
  /** What a piece has where we are. */
  #pieceBytes = PIECE_BYTES;
  #filmBytesPerSec = 0;
  #isAlone = true;
  /** Whether nothing was missing of what is needed soon when it ran last. */
  #isCalm = false;
  readonly #isHere = (segment: number, piece: number): boolean =>
    this.#parts.isHeld(segment, piece) || this.#verifying.has(pieceKey(segment, piece));
  readonly #bornMs: number;
  #lastRunMs = Number.NEGATIVE_INFINITY;
  #cancelTick: () => void;
  #cancelRun: (() => void) | null = null;
  #isClosed = false;

  constructor(parts: DownloadParts) {
    this.#parts = parts;
    this.#liars = parts.liars ?? new Set();
    this.#pages = new PageAsking(parts.clock, parts.random);
    this.#plain = parts.plain ? this.#plainFetching(parts.plain) : null;
    this.#bornMs = parts.clock.nowMs();
    this.#cancelTick = parts.clock.after(TICK_MS, () => this.#tick());
  }

  /** Takes a peer in. `isGiver`: it gives, and neither fetches nor passes anything on. */
  add(link: Link, isGiver = false): void {
    this.#sources.set(link, {
      link,
      isViewer: link.remote.kind === 'member' && !isGiver,
      availability: new Availability(),
      throughput: new Throughput(),
      isChoking: false,
      isProven: false,
      timeouts: 0,
      takenBack: new Set(),
      unasked: new Allowance(this.#parts.clock, UNASKED_AT_ONCE, UNASKED_EVERY_MS),
      receivedCount: 0,
    });
  }

  /** Forgets a closed link; what it owed is asked elsewhere. */
  remove(link: Link): void {
    this.#sources.delete(link);
    this.#owed.forget(link);
    this.run();
  }

  /** Where the viewer is now: playback went on a bit, or jumped. After a jump outdated requests are taken back. */
  setPlayhead(atMs: number): void {
    const didJump = Math.abs(atMs - this.#playheadMs) > JUMP_MS;
    this.#playheadMs = atMs;
    if (didJump) this.#cancelAfterJump();
    this.run();
  }

  /** In how many milliseconds a segment is played; 0 where it is playing, or past. */
  neededInMs(segment: number): number {
    return Math.max(0, (this.#parts.manifest.entry(segment)?.startMs ?? 0) - this.#playheadMs);
  }

  /** Asks for what can be asked for now; called whenever something changed. Calls that follow each other closely become one. */
  run(isLookingFar = false): void {
    const nowMs = this.#parts.clock.nowMs();
    if (this.#isClosed) return;
    const gapMs = this.#isCalm ? CALM_RUN_GAP_MS : MIN_RUN_GAP_MS;
    if (nowMs - this.#lastRunMs < gapMs) {
      this.#cancelRun ??= this.#parts.clock.after(gapMs, () => {
        this.#cancelRun = null;
        this.run();
      });
      return;
    }
    this.#cancelRun?.();
    this.#cancelRun = null;
    this.#lastRunMs = nowMs;
    const wants = this.#wants(isLookingFar ? WINDOW_MS : NEAR_MS);
    this.#isCalm = (wants.pieces[0]?.inMs ?? 0) > URGENT_MS;
    this.#addExtras(wants);
    for (const page of wants.pages)
      this.#pages.ask(page.hash, this.#sources.keys(), page.startMs < this.#playheadMs + PAGE_AT_ONCE_MS);
    this.#tellOriginIfAlone();
    this.#send(this.#pick(wants.pieces), nowMs);
    this.#plain?.run(this.#atServer(wants.pieces), this.#others());
  }

  /** Whether this peer has sent a wrong piece, which no honest one does: it has checked what it passes on. */
  isBanned(id: string): boolean {
    return this.#liars.has(id);
  }

  /**
   * Whether all of a segment is here, or held by somebody we are connected to. Null where it cannot be told: what viewers hold says
   * nothing without an origin, and without the segment's page there is no knowing its pieces.
   */
  isToBeHad(segment: number): boolean | null {
    const { manifest } = this.#parts;
    const sources = [...this.#sources.values()];
    const entry = manifest.entry(segment);
    if (!entry || !sources.some(({ link }) => link.remote.kind === 'origin')) return null;
    for (let piece = 0; piece < pieceCount(entry.sizeBytes); piece++) {
      const isHeld = sources.some(({ availability }) => availability.has(segment, piece));
      if (!isHeld && !this.#isHere(segment, piece)) return false;
    }
    return true;
  }

  close(): void {
    this.#isClosed = true;
    this.#cancelTick();
    this.#cancelRun?.();
    this.#plain?.close();
    this.#sources.clear();
  }

  /** Bytes of right pieces that came by plain HTTP. */
  get plainBytes(): number {
    return this.#plain?.receivedBytes ?? 0;
  }

  #plainFetching(fetcher: PlainFetcher): PlainFetching {
    const { clock, manifest } = this.#parts;
    return new PlainFetching({
      clock,
      manifest,
      fetcher,
      onPiece: async (segment, piece, data) => {
        const isRight = await this.#isRight(segment, piece, data);
        if (isRight && !this.#isClosed) this.#gotPiece(null, segment, piece, data);
        if (!isRight) this.rejectedPieces += 1;
        return isRight;
      },
      onSettled: () => this.run(),
    });
  }

  /** What the server has, as far as its origin told: the host may still be uploading the rest. */
  #atServer(wanted: Wanted[]): Wanted[] {
    for (const { link, availability } of this.#sources.values())
      if (link.remote.kind === 'origin')
        return wanted.filter(({ segment, piece }) => availability.has(segment, piece));
    return wanted;
  }

  #others(): Others {
    if (this.#viewerCount() > 0) return 'viewers';
    for (const { isChoking } of this.#sources.values()) if (!isChoking) return 'origin';
    return 'nobody';
  }

  #pick(wanted: Wanted[]): Ask[] {
    this.#measure();
    const candidates: Candidate[] = [];
    for (const source of this.#sources.values())
      if (!source.isChoking) candidates.push(this.#candidate(source));
    return pick({
      nowMs: this.#parts.clock.nowMs(),
      wanted,
      pieceBytes: this.#pieceBytes,
      candidates,
      owed: this.#owed,
      random: this.#parts.random,
    });
  }

  #candidate(source: Source): Candidate {
    const { link, throughput, availability } = source;
    const inFlight = this.#owed.countOf(link);
    return {
      link,
      availability,
      freeSlots: Math.max(0, this.#slots(source) - inFlight),
      inFlight,
      bytesPerSec: throughput.bytesPerSec,
      roundTripMs: link.roundTripMs ?? FIRST_ROUND_TRIP_MS,
    };
  }

  #slots({ link, throughput, timeouts, isProven }: Source): number {
    if (link.remote.kind === 'origin')
      return Math.min(MAX_STANDING_PIECES, MAX_STANDING_BYTES / this.#pieceBytes);
    const coveredMs = (link.roundTripMs ?? FIRST_ROUND_TRIP_MS) + PIPELINE_SLACK_MS;
    const coveredBytes = (throughput.bytesPerSec * coveredMs) / 1000;
    const filmBytes = (this.#filmBytesPerSec * MIN_PIPELINE_FILM_MS) / 1000;
    const pipeline = Math.ceil(Math.max(coveredBytes, filmBytes) / this.#pieceBytes);
    if (timeouts > 0) return 1;
    return isProven
      ? Math.min(MAX_PIPELINE_PIECES, Math.max(MIN_PIPELINE_PIECES, pipeline))
      : UNPROVEN_PIECES;
  }

  #send(asks: Ask[], nowMs: number): void {
    if (asks.length === 0) return;
    this.#withdraw(asks);
    const viewerCount = this.#viewerCount();
    for (const source of this.#sources.values()) {
      const own = asks.filter((ask) => ask.link === source.link);
      for (const ask of own) this.#note(source, ask, nowMs);
      const others = source.isViewer ? viewerCount - 1 : viewerCount;
      sendRequests(source.link, own, Math.min(255, others));
    }
  }

  /** What is asked of a viewer need not stand at the origin any more, unless it is needed too soon to rely on one peer. */
  #withdraw(asks: Ask[]): void {
    for (const { link } of this.#sources.values()) {
      const isOrigin = link.remote.kind === 'origin';
      const isNeedless = (ask: Ask): boolean =>
        ask.link !== link && (isOrigin ? ask.inMs > RESCUE_MS : ask.insteadOf === link);
      sendCancels(
        link,
        asks.filter((ask) => isNeedless(ask) && this.#forgo(link, ask.segment, ask.piece)),
      );
    }
  }

  #measure(): void {
    const { manifest } = this.#parts;
    const entry = manifest.entry(manifest.segmentAt(this.#playheadMs) ?? 0);
    this.#pieceBytes = entry ? pieceSize(entry.sizeBytes) : PIECE_BYTES;
    this.#filmBytesPerSec = entry ? (entry.sizeBytes * 1000) / Math.max(1, entry.durationMs) : 0;
  }

  /** Viewers that pass on what they get. */
  #viewerCount(): number {
    let count = 0;
    for (const { isViewer, isChoking } of this.#sources.values()) if (isViewer && !isChoking) count += 1;
    return count;
  }

  #note({ link, throughput }: Source, { segment, piece }: Ask, nowMs: number): void {
    const owedBytes = (this.#owed.countOf(link) + 1) * this.#pieceBytes;
    const expectedMs = (owedBytes * 1000) / throughput.bytesPerSec + (link.roundTripMs ?? 0);
    const isStanding = link.remote.kind === 'origin';
    const timeoutMs = isStanding
      ? Number.POSITIVE_INFINITY
      : Math.max(MIN_TIMEOUT_MS, TIMEOUT_FACTOR * expectedMs);
    this.#owed.add({ link, segment, piece, askedMs: nowMs, expiresMs: nowMs + timeoutMs });
    throughput.asked(nowMs);
  }

  #wants(windowMs: number): Wants {
    const { manifest, windowBytes, clock } = this.#parts;
    return wantedPieces({
      manifest,
      playheadMs: this.#playheadMs,
      isHere: this.#isHere,
      heldCount: this.#parts.heldCount,
      windowMs,
      windowBytes,
      pagesMs: clock.nowMs() - this.#bornMs < SETTLED_MS ? FIRST_PAGES_MS : WINDOW_MS,
    });
  }

  /**
   * After the film's pieces what goes with it, unless some of the film is needed at once. Later it comes along all the same, by its
   * own turn: a line that never gets ahead has subtitles too.
   */
  #addExtras(wants: Wants): void {
    const { extras, clock } = this.#parts;
    const isSettled = clock.nowMs() - this.#bornMs >= SETTLED_MS;
    if (!extras || (!isSettled && (wants.pieces[0]?.inMs ?? URGENT_MS) < URGENT_MS)) return;
    const more = extras.wants(this.#playheadMs, this.#isHere);
    wants.pages.push(...more.pages);
    wants.pieces.push(...more.pieces);
  }

  /** The origin is the only hope of who has no neighbours. When that changes, what stands there is asked anew, and says so. */
  #tellOriginIfAlone(): void {
    const isAlone = this.#viewerCount() === 0;
    if (isAlone === this.#isAlone) return;
    this.#isAlone = isAlone;
    for (const { link } of this.#sources.values())
      if (link.remote.kind === 'origin') this.#takeBack(link, [...this.#owed.by(link)]);
  }

  #have(link: Link, { whole, parts }: Bodies['have']): void {
    const availability = this.#sources.get(link)?.availability;
    if (!availability) return;
    availability.addWhole(whole);
    for (const [segment, bits] of parts) availability.addBits(segment, bits);
    const isNews =
      whole.some((run) => this.#lacksOfRun(run)) ||
      parts.some(([segment, bits]) => this.#isNear(segment) && this.#lacksOfBits(segment, bits));
    if (isNews) this.run();
  }

  #lacksOfRun([first, count]: readonly [number, number]): boolean {
    const { manifest, heldCount } = this.#parts;
    const near = Math.max(first, manifest.segmentAt(this.#playheadMs) ?? first);
    for (let segment = near; segment < first + count && this.#isNear(segment); segment++) {
      const pieces = pieceCount(manifest.entry(segment)?.sizeBytes ?? 0);
      if (heldCount(segment) === pieces) continue;
      for (let piece = 0; piece < pieces; piece++) if (this.#lacks(segment, piece)) return true;
    }
    return false;
  }

  #lacksOfBits(segment: number, bits: Uint8Array): boolean {
    const count = bits.byteLength * 8;
    for (let piece = 0; piece < count; piece++)
      if (hasBit(bits, piece) && this.#lacks(segment, piece)) return true;
    return false;
  }

  /** Whether it is listed and not farther ahead than is looked at each time; what is far can wait for the timer. */
  #isNear(segment: number): boolean {
    const entry = this.#parts.manifest.entry(segment);
    return entry !== null && entry.startMs <= this.#playheadMs + NEAR_MS;
  }

  /** Whether this piece is not here, and asked of no viewer: news of any other changes nothing. */
  #lacks(segment: number, piece: number): boolean {
    return !this.#isHere(segment, piece) && !this.#owed.ofViewer(segment, piece);
  }

  #update(link: Link, change: (source: Source) => void): void {
    const source = this.#sources.get(link);
    if (source) change(source);
    this.run();
  }

  #choked(source: Source): void {
    source.isChoking = true;
    for (const { segment, piece } of [...this.#owed.by(source.link)])
      this.#forgo(source.link, segment, piece);
  }

  #unchoked(source: Source): void {
    source.isChoking = false;
  }

  #refused(link: Link, { segment, pieces }: Bodies['noPiece']): void {
    this.#update(link, (source) => {
      source.availability.disbelieve(segment);
      for (const piece of pieces) this.#owed.settle(link, segment, piece);
    });
  }

  async #piece(link: Link, { segment, piece, data }: Bodies['piece']): Promise<void> {
    const source = this.#sources.get(link);
    if (!source) return;
    source.receivedCount += 1;
    this.#plain?.heard();
    link.send('got', { pieces: source.receivedCount });
    if (!this.#isExpected(source, segment, piece, data.byteLength)) {
      link.close('PEER_FLOODING');
      return;
    }
    if (this.#parts.isHeld(segment, piece)) return;
    this.#startVerifying(segment, piece);
    this.run();
    const isRight = await this.#isRight(segment, piece, data);
    this.#endVerifying(segment, piece);
    if (this.#isClosed) return;
    if (isRight) this.#gotPiece(source, segment, piece, data);
    // What was on its way from one that is closed by now counts no more.
    else if (this.#sources.has(link)) this.#gotWrongPiece(link);
    if (!isRight) this.run();
  }

  /** Whether the peer may send this piece: it owes it, or did until a moment ago, or has sent few that it did not. */
  #isExpected(source: Source, segment: number, piece: number, sizeBytes: number): boolean {
    const { link, takenBack, throughput, unasked } = source;
    if (!this.#owed.settle(link, segment, piece)) {
      // One that was taken back may have been on its way already: it is as good as any other.
      return takenBack.delete(pieceKey(segment, piece)) || unasked.canTake();
    }
    source.timeouts = 0;
    const isIdle = this.#owed.countOf(link) === 0;
    throughput.received(this.#parts.clock.nowMs(), sizeBytes, isIdle);
    return true;
  }

  #startVerifying(segment: number, piece: number): void {
    const key = pieceKey(segment, piece);
    this.#verifying.set(key, (this.#verifying.get(key) ?? 0) + 1);
  }

  #endVerifying(segment: number, piece: number): void {
    const key = pieceKey(segment, piece);
    const count = (this.#verifying.get(key) ?? 0) - 1;
    if (count > 0) this.#verifying.set(key, count);
    else this.#verifying.delete(key);
  }

  async #isRight(segment: number, piece: number, data: Bytes): Promise<boolean> {
    const entry = this.#parts.manifest.entry(segment);
    if (!entry || data.byteLength !== pieceBytes(entry.sizeBytes, piece)) return false;
    return areEqual(await this.#parts.crypto.sha256(data), pieceHash(entry, piece));
  }

  /** Only now are the others told not to send it: a wrong one must not take the place of a right one. */
  #gotPiece(source: Source | null, segment: number, piece: number, data: Bytes): void {
    if (source) source.isProven = true;
    this.#cancelElsewhere(segment, piece);
    const giver = source?.link.remote.kind === 'member' ? 'friend' : 'server';
    if (!this.#parts.isHeld(segment, piece)) this.#parts.onPiece(segment, piece, data, giver);
  }

  #gotWrongPiece(link: Link): void {
    this.rejectedPieces += 1;
    // First, so that whoever hears of the closed link knows already that it is not to be let in again.
    this.#liars.delete(link.remote.id);
    this.#liars.add(link.remote.id);
    const [oldest] = this.#liars;
    if (this.#liars.size > MAX_LIARS && oldest !== undefined) this.#liars.delete(oldest);
    link.close('PIECE_WRONG');
    this.#tellOrigin(link.remote);
  }

  /** Who gives wrong pieces to us does so to others: the origin should give what is new to somebody else. */
  #tellOrigin({ id, kind }: Remote): void {
    const member = fromBase64url(id);
    if (kind !== 'member' || !member) return;
    for (const { link } of this.#sources.values())
      if (link.remote.kind === 'origin') link.send('lied', { member });
  }

  #cancelElsewhere(segment: number, piece: number): void {
    for (const debt of [this.#owed.ofOrigin(segment, piece), this.#owed.ofViewer(segment, piece)])
      if (debt) this.#takeBack(debt.link, [debt]);
  }

  /**
   * What is not wanted at the new place; and all that stands at the origin, which reckons when it is needed by the old place, and would
   * give what is needed now last.
   */
  #cancelAfterJump(): void {
    const wants = this.#wants(WINDOW_MS);
    this.#addExtras(wants);
    const wanted = new Set(wants.pieces.map(({ segment, piece }) => pieceKey(segment, piece)));
    for (const link of this.#sources.keys()) {
      const isOrigin = link.remote.kind === 'origin';
      const isOutdated = ({ segment, piece }: PieceName): boolean =>
        isOrigin || !wanted.has(pieceKey(segment, piece));
      this.#takeBack(link, [...this.#owed.by(link)].filter(isOutdated));
    }
  }

  #tick(): void {
    const nowMs = this.#parts.clock.nowMs();
    for (const source of [...this.#sources.values()]) this.#expire(source, nowMs);
    this.run(true);
    if (!this.#isClosed) this.#cancelTick = this.#parts.clock.after(TICK_MS, () => this.#tick());
  }

  #expire(source: Source, nowMs: number): void {
    const late = [...this.#owed.by(source.link)].filter(({ expiresMs }) => expiresMs <= nowMs);
    if (late.length === 0) return;
    this.#takeBack(source.link, late);
    source.timeouts += 1;
    if (source.timeouts >= MAX_TIMEOUTS) source.link.close('PEER_SILENT');
  }

  #takeBack(link: Link, names: readonly PieceName[]): void {
    for (const { segment, piece } of names) this.#forgo(link, segment, piece);
    sendCancels(link, names);
  }

  /** Takes a request out, and remembers that its piece may come all the same; false where there is none. */
  #forgo(link: Link, segment: number, piece: number): boolean {
    if (!this.#owed.settle(link, segment, piece)) return false;
    const takenBack = this.#sources.get(link)?.takenBack;
    takenBack?.add(pieceKey(segment, piece));
    const [oldest] = takenBack ?? [];
    if (takenBack && takenBack.size > MAX_TAKEN_BACK && oldest !== undefined) takenBack.delete(oldest);
    return true;
  }
}
