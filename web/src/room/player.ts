import { type Bytes, concat } from '../../../peer/bytes.ts';
import { MatineeError } from '../../../peer/errors.ts';
import { pieceCount, pieceStart } from '../../../peer/manifest/geometry.ts';
import { AtHand } from '../../../peer/room/at-hand.ts';
import { StartGate } from '../../../peer/room/start-gate.ts';
import type { Viewer } from '../../../peer/room/viewer.ts';
import type { VideoInfo } from '../../../peer/video-info.ts';

/** Seconds of media kept in the media element ahead of and behind the playhead; the rest stays with the viewer, as ciphertext. */
const AHEAD_S = 45;
const BEHIND_S = 20;

/** A hole between the playhead and the next buffered picture that is stepped over: B-frames start a little late. */
const MAX_HOLE_S = 0.5;

/** Where the room is when playing can begin is taken over only if so much is at hand there; else it begins where it was meant to. */
const BEGIN_AHEAD_MS = 400;

/** A place nearer to the film's start than this is its start. */
const START_MS = 20;

/** Bytes given to the SourceBuffer at once at most: what is at hand of one segment goes in together. */
const MAX_APPEND_BYTES = 1024 * 1024;

export interface PlayerParts {
  viewer: Viewer;
  nowMs(): number;
  /** Since when the first picture is waited for, on that clock. */
  sinceMs: number;
  onChange(): void;
  /** Where playing should begin, milliseconds from the film's start; asked when the film is known, and again when it can begin. */
  placeToBegin(): number;
  /** The film was played to its end. */
  onEnded(): void;
  /** Playback cannot go on. */
  onError(error: MatineeError): void;
}

/** What the stats tell of playback. */
export interface PlaybackFigures {
  /** To the first picture; null before it. */
  startupMs: number | null;
  stallCount: number;
  stallMs: number;
  bufferedS: number;
  isWaiting: boolean;
  isPlayRefused: boolean;
}

/** Where the next bytes for the SourceBuffer come from. */
interface Cursor {
  segment: number;
  piece: number;
}

type MediaSourceClass = typeof MediaSource;

/** The browser's MediaSource; ManagedMediaSource where that is what it has (iPhone). Null: none. */
export function mediaSourceClass(): MediaSourceClass | null {
  const { ManagedMediaSource, MediaSource } = globalThis as {
    ManagedMediaSource?: MediaSourceClass;
    MediaSource?: MediaSourceClass;
  };
  return MediaSource ?? ManagedMediaSource ?? null;
}

/**
 * Plays what a Viewer holds in a media element. Pieces are decrypted and appended in order from the segment at
 * the playhead, each as soon as it and all before it are there, so the first picture needs no whole segment.
 */
export class Player {
  readonly #parts: PlayerParts;
  readonly #video: HTMLVideoElement;
  readonly #mediaSource: MediaSource;
  readonly #objectUrl: string;
  readonly #listening = new AbortController();
  /** Where playing is to begin; null once the element is there. */
  #beginMs: number | null = 0;
  /** Where we sent the element last, in seconds: any other jump is the person's. */
  #ownSeekS: number | null = null;
  #buffer: SourceBuffer | null = null;
  #cursor: Cursor = { segment: 0, piece: 0 };
  /** The init segment is in; from here on the cursor walks media segments. */
  #isFeeding = false;
  /** The playhead jumped to where the cursor is not. */
  #isAstray = false;
  /** Half a segment may be in the parser, of which the rest will not come. */
  #isParserStale = false;
  /** Shut while more should be at hand before playing begins, or goes on: until then the media element gets nothing of the film. */
  #gate: { start: StartGate; atHand: AtHand } | null;
  #isClosed = false;
  #hasSought = false;
  #startupMs: number | null = null;
  #stallCount = 0;
  #stallMs = 0;
  #stalledSinceMs: number | null = null;
  #isWaiting = true;
  #isPlayRefused = false;

  constructor(video: HTMLVideoElement, parts: PlayerParts) {
    const Source = mediaSourceClass();
    if (!Source) {
      throw new MatineeError(
        'PLAYBACK_UNSUPPORTED',
        'This browser cannot play streamed video. Use a current Chrome, Edge, Firefox or Safari.',
      );
    }
    this.#video = video;
    this.#parts = parts;
    this.#gate = this.#shutGate();
    this.#mediaSource = new Source();
    this.#objectUrl = URL.createObjectURL(this.#mediaSource);
    // ManagedMediaSource refuses to open where the picture could be sent to another screen.
    video.disableRemotePlayback = true;
    this.#listen();
    video.src = this.#objectUrl;
  }

  figures(): PlaybackFigures {
    const stallingMs = this.#stalledSinceMs === null ? 0 : this.#parts.nowMs() - this.#stalledSinceMs;
    return {
      startupMs: this.#startupMs,
      stallCount: this.#stallCount,
      stallMs: Math.round(this.#stallMs + stallingMs),
      bufferedS: this.#bufferedAheadS(),
      isWaiting: this.#isWaiting,
      isPlayRefused: this.#isPlayRefused,
    };
  }

  /** Where the film is, or where it will begin. */
  get placeMs(): number {
    return this.#beginMs ?? this.#video.currentTime * 1000;
  }

  /** Whether the first picture has been shown. */
  get hasBegun(): boolean {
    return this.#startupMs !== null && this.#beginMs === null;
  }

  /** Whether the jump that is going on, or was the last, was ours. */
  get isOwnSeek(): boolean {
    return this.#ownSeekS !== null && Math.abs(this.#video.currentTime - this.#ownSeekS) < 0.01;
  }

  /** Where what is buffered from the place on ends, milliseconds; the place itself where nothing is. */
  get bufferedUntilMs(): number {
    return this.placeMs + this.#bufferedAheadS() * 1000;
  }

  /** Jumps to another place, milliseconds. */
  seekTo(placeMs: number): void {
    this.#ownSeekS = placeMs / 1000;
    this.#video.currentTime = this.#ownSeekS;
  }

  /** Takes a jump of the person's for our own. */
  takeSeek(): void {
    this.#ownSeekS = this.#video.currentTime;
  }

  get isPlayRefused(): boolean {
    return this.#isPlayRefused;
  }

  /** Begins at another place than was meant, as long as nothing of the film has been given to the element. */
  beginAt(placeMs: number): void {
    if (this.#beginMs === null || !this.#gate || this.#beginMs === placeMs) return;
    this.#beginMs = placeMs;
    this.#gate = this.#shutGate();
    this.#reportPlayhead();
    this.feed();
  }

  /** Starts playback; notes where the browser wants a click first. */
  async play(): Promise<void> {
    try {
      this.#isPlayRefused = false;
      await this.#video.play();
    } catch (error) {
      this.#isPlayRefused = error instanceof DOMException && error.name === 'NotAllowedError';
    }
    this.#parts.onChange();
  }

  /** What the film is became known: opens the decoder. @throws MatineeError PLAYBACK_UNSUPPORTED. */
  async open(info: VideoInfo): Promise<void> {
    if (!mediaSourceClass()?.isTypeSupported(info.mime)) {
      throw new MatineeError(
        'PLAYBACK_UNSUPPORTED',
        `This browser cannot play this film (${info.mime}). Try a current Chrome, Edge, Firefox or Safari.`,
      );
    }
    if (this.#mediaSource.readyState !== 'open') {
      await new Promise((resolve) =>
        this.#mediaSource.addEventListener('sourceopen', resolve, { once: true }),
      );
    }
    if (this.#isClosed) return;
    URL.revokeObjectURL(this.#objectUrl);
    this.#buffer = this.#mediaSource.addSourceBuffer(info.mime);
    this.#mediaSource.duration = info.durationMs / 1000;
    this.beginAt(this.#parts.placeToBegin());
    this.feed();
  }

  /** Pieces or the manifest grew: appends what can be. */
  feed(): void {
    if (this.#buffer && !this.#isFeeding) void this.#feed(this.#buffer);
  }

  close(): void {
    this.#isClosed = true;
    this.#listening.abort();
    this.#video.removeAttribute('src');
    this.#video.load();
    URL.revokeObjectURL(this.#objectUrl);
  }

  async #feed(buffer: SourceBuffer): Promise<void> {
    this.#isFeeding = true;
    try {
      while (!this.#isClosed && (await this.#feedOnce(buffer))) {
        // each round appends one run of pieces
      }
      this.#endIfDone();
    } catch (error) {
      this.#failed(error);
    } finally {
      this.#isFeeding = false;
    }
  }

  /** Appends the next run of pieces; false where there is nothing to do now. */
  async #feedOnce(buffer: SourceBuffer): Promise<boolean> {
    if (this.#mediaSource.readyState === 'closed' || this.#video.error) return false;
    if (this.#isAstray && !this.#findPlace()) return false;
    if (this.#bufferedAheadS() > AHEAD_S) return false;
    // The init segment goes in at once: setting up decoders takes its time, in which the first pieces come.
    if (this.#cursor.segment > 0 && !this.#isGateOpen()) return false;
    const run = await this.#readRun();
    // Meanwhile the playhead may have jumped away from it.
    if (this.#isAstray) return true;
    if (!run) return false;
    await this.#append(buffer, run.data);
    this.#cursor = run.next;
    this.#takePlace();
    this.#stepOverHole();
    return true;
  }

  /** Puts the playhead where playing begins, once the picture of that place is buffered. */
  #takePlace(): void {
    const beginMs = this.#beginMs;
    if (beginMs === null) return;
    const { buffered } = this.#video;
    for (let i = 0; i < buffered.length; i++) {
      const [startS, endS] = [buffered.start(i), buffered.end(i)];
      if (startS - MAX_HOLE_S > beginMs / 1000 || endS <= beginMs / 1000) continue;
      this.#beginMs = null;
      if (beginMs >= START_MS) this.seekTo(Math.max(beginMs, startS * 1000 + 1));
    }
  }

  #shutGate(): { start: StartGate; atHand: AtHand } {
    return {
      start: new StartGate(),
      atHand: new AtHand(this.#parts.viewer, this.placeMs),
    };
  }

  #isGateOpen(): boolean {
    if (!this.#gate) return true;
    const { head } = this.#parts.viewer.manifest;
    const untilMs = this.#gate.atHand.untilMs();
    const isAll = head?.isDone === true && untilMs >= head.durationMs;
    const aheadMs = untilMs - this.placeMs;
    const { hasOrigin } = this.#parts.viewer;
    if (!this.#gate.start.isOpen({ nowMs: this.#parts.nowMs(), aheadMs, isAll, hasOrigin })) return false;
    this.#gate = null;
    if (this.#beginMs === null) return true;
    this.#beginMs = this.#bestBegin(this.#beginMs, untilMs);
    // Since the init segment went in, another place may have been meant.
    this.#cursor = this.#after(0);
    return true;
  }

  /** The room went on while the first pieces came. */
  #bestBegin(meantMs: number, untilMs: number): number {
    const placeMs = this.#parts.placeToBegin();
    return placeMs > meantMs && placeMs + BEGIN_AHEAD_MS <= untilMs ? placeMs : meantMs;
  }

  /** The plaintext from the cursor on that is here without a gap, within its segment; null where its first piece is missing. */
  async #readRun(): Promise<{ data: Bytes; next: Cursor } | null> {
    const { viewer } = this.#parts;
    const segment = this.#segment;
    const entry = viewer.manifest.entry(segment);
    if (!entry) return null;
    const first = this.#cursor.piece;
    const startBytes = pieceStart(entry.sizeBytes, first);
    const reading: Promise<Bytes | null>[] = [];
    for (
      let piece = first;
      pieceStart(entry.sizeBytes, piece) - startBytes < MAX_APPEND_BYTES && viewer.hasPiece(segment, piece);
      piece++
    )
      reading.push(viewer.readPiece(segment, piece));
    const read = await Promise.all(reading);
    const missing = read.indexOf(null);
    const parts = read.slice(0, missing < 0 ? read.length : missing).filter((part) => part !== null);
    if (parts.length === 0) return null;
    const next = first + parts.length;
    const isWhole = next === pieceCount(entry.sizeBytes);
    return { data: concat(...parts), next: isWhole ? this.#after(segment) : { segment, piece: next } };
  }

  /** The segment that is to be appended next: what is no part of the film is passed over. */
  get #segment(): number {
    return this.#parts.viewer.manifest.filmFrom(this.#cursor.segment);
  }

  /** After the init segment comes the one at the playhead; after any other the next. */
  #after(segment: number): Cursor {
    const atMs = this.placeMs;
    const next = segment === 0 ? (this.#parts.viewer.manifest.segmentAt(atMs) ?? 1) : segment + 1;
    return { segment: next, piece: 0 };
  }

  async #append(buffer: SourceBuffer, data: Bytes): Promise<void> {
    for (let tries = 0; ; tries++) {
      await this.#idle(buffer);
      this.#resetParser(buffer);
      try {
        buffer.appendBuffer(data);
        await this.#idle(buffer);
        return;
      } catch (error) {
        const isFull = error instanceof DOMException && error.name === 'QuotaExceededError';
        if (!isFull || tries > 0) throw error;
        await this.#makeRoom(buffer);
      }
    }
  }

  /** Gives up what was played, and what lies far ahead. */
  async #makeRoom(buffer: SourceBuffer): Promise<void> {
    const { currentTime } = this.#video;
    if (currentTime > 2) buffer.remove(0, currentTime - 1);
    await this.#idle(buffer);
  }

  async #forgetPlayed(): Promise<void> {
    const buffer = this.#buffer;
    const { currentTime } = this.#video;
    const start = buffer?.buffered.length ? buffer.buffered.start(0) : currentTime;
    if (!buffer || buffer.updating || this.#isFeeding || currentTime - start < 2 * BEHIND_S) return;
    buffer.remove(0, currentTime - BEHIND_S);
    await this.#idle(buffer);
  }

  async #idle(buffer: SourceBuffer): Promise<void> {
    if (!buffer.updating) return;
    await new Promise((resolve) => buffer.addEventListener('updateend', resolve, { once: true }));
    if (this.#video.error) throw this.#video.error;
  }

  #endIfDone(): void {
    const head = this.#parts.viewer.manifest.head;
    const isAtEnd = head?.isDone && this.#segment >= head.segmentCount;
    if (isAtEnd && this.#mediaSource.readyState === 'open' && !this.#buffer?.updating)
      this.#mediaSource.endOfStream();
  }

  /** The playhead jumped. What is buffered there is kept; else feeding starts anew at its segment. */
  #seek(): void {
    this.#hasSought = true;
    // What is at hand at the beginning has been waited for.
    if (this.#startupMs === null && this.isOwnSeek) return;
    this.#beginMs = null;
    this.#gate = this.#shutGate();
    const atS = this.#video.currentTime;
    this.#reportPlayhead();
    const end = this.#bufferedEndS(atS);
    const next = this.#parts.viewer.manifest.segmentAt((end ?? atS) * 1000 + (end === null ? 0 : 1));
    const isInit = this.#cursor.segment === 0;
    const isOnTrack = end !== null && this.#segment === next;
    this.#isAstray = !isInit && !isOnTrack;
    this.feed();
  }

  /** Moves the cursor to the playhead; false while the manifest does not tell of it, as after a far seek. */
  #findPlace(): boolean {
    const atS = this.#video.currentTime;
    const end = this.#bufferedEndS(atS);
    const segment = this.#parts.viewer.manifest.segmentAt((end ?? atS) * 1000 + (end === null ? 0 : 1));
    if (segment === null) return false;
    this.#isAstray = false;
    this.#cursor = { segment, piece: 0 };
    this.#isParserStale = true;
    return true;
  }

  /** So that the next bytes are read as the start of a segment. The buffer must be idle: what was played may just be given up. */
  #resetParser(buffer: SourceBuffer): void {
    if (this.#isParserStale && this.#mediaSource.readyState === 'open') buffer.abort();
    this.#isParserStale = false;
  }

  /** Where the buffered range that holds `atS` ends; null where nothing is buffered there. */
  #bufferedEndS(atS: number): number | null {
    const { buffered } = this.#video;
    for (let i = 0; i < buffered.length; i++) {
      if (buffered.start(i) <= atS + 0.05 && atS < buffered.end(i)) return buffered.end(i);
    }
    return null;
  }

  #bufferedAheadS(): number {
    const atS = this.placeMs / 1000;
    const end = this.#bufferedEndS(atS);
    return end === null ? 0 : end - atS;
  }

  /** A playhead just before the first picture there is would wait for ever. */
  #stepOverHole(): void {
    const { buffered, currentTime } = this.#video;
    if (this.#bufferedEndS(currentTime) !== null) return;
    for (let i = 0; i < buffered.length; i++) {
      const start = buffered.start(i);
      if (start > currentTime && start - currentTime < MAX_HOLE_S) this.seekTo(start * 1000 + 1);
    }
  }

  #reportPlayhead(): void {
    this.#parts.viewer.setPlayhead(this.placeMs);
  }

  #listen(): void {
    const { signal } = this.#listening;
    const on = (name: keyof HTMLVideoElementEventMap, run: () => void): void =>
      this.#video.addEventListener(name, run, { signal });
    on('seeking', () => this.#seek());
    on('timeupdate', () => this.#advanced());
    on('loadeddata', () => this.#shown());
    on('playing', () => this.#resumed());
    on('waiting', () => this.#waits());
    on('ended', () => {
      this.#resumed();
      this.#parts.onEnded();
    });
    on('pause', () => this.#parts.onChange());
    on('error', () => this.#failed(this.#video.error));
  }

  #advanced(): void {
    this.#reportPlayhead();
    void this.#forgetPlayed();
    this.feed();
  }

  #shown(): void {
    this.#isWaiting = false;
    this.#startupMs ??= Math.round(this.#parts.nowMs() - this.#parts.sinceMs);
    this.#parts.onChange();
  }

  #resumed(): void {
    if (this.#stalledSinceMs !== null) this.#stallMs += this.#parts.nowMs() - this.#stalledSinceMs;
    this.#stalledSinceMs = null;
    this.#isWaiting = false;
    this.#hasSought = false;
    this.#parts.onChange();
  }

  /** Waiting counts as a stall only where playback had begun and nobody had just sought. */
  #waits(): void {
    this.#isWaiting = true;
    const isStall = this.#startupMs !== null && !this.#hasSought && !this.#video.seeking;
    if (isStall && this.#stalledSinceMs === null) {
      this.#stallCount += 1;
      this.#stalledSinceMs = this.#parts.nowMs();
      this.#gate ??= this.#shutGate();
    }
    this.#stepOverHole();
    this.feed();
    this.#parts.onChange();
  }

  #failed(error: unknown): void {
    if (this.#isClosed) return;
    const detail = error instanceof MediaError || error instanceof Error ? error.message : '';
    this.#parts.onError(
      new MatineeError(
        'PLAYBACK_FAILED',
        `The film cannot be played on (${detail || 'unknown media error'}). Reload the page.`,
        {
          cause: error,
        },
      ),
    );
  }
}
