import { type Bytes, fromBase64url, toHex } from '../bytes.ts';
import type { Author, ChatRoom } from '../chat/authored.ts';
import type { Clock } from '../clock.ts';
import { MAX_DURATION_MS } from '../limits.ts';
import type { HostWishes } from '../manifest/rules.ts';
import { ClockExchange } from '../sync/clock-exchange.ts';
import {
  MAX_AHEAD_MS,
  openPlayback,
  type Playback,
  type PlaybackSaid,
  placeAt,
  playbackKey,
  sealPlayback,
} from '../sync/playback.ts';
import { type Control, HOST_SILENT_MS, PlaybackRecord } from '../sync/playback-record.ts';
import { openStall, type Stall, Stalls, sealStall } from '../sync/stall.ts';
import { StatementRelay } from '../sync/statement-relay.ts';
import type { Handlers, Link } from '../wire/link.ts';

/** Videos of which it is remembered what was said; a word about the next one may come before we are at it. */
const MAX_VIDEOS = 4;

/** A host that controls alone says so often that it is still there. */
const TELL_AGAIN_MS = HOST_SILENT_MS / 3;

export interface SyncExchangeParts {
  clock: Clock;
  room: ChatRoom;
  author: Author;
  selfId: string;
  audience(): Iterable<Link>;
  /** Our person's name now. */
  name(): string;
  /** The video we are at; null while we know none. */
  video(): Bytes | null;
  rules(): Pick<HostWishes, 'control'> | null;
  /** Where the room is, or whose film stands still, may be another than before. */
  onChange(): void;
}

/** What somebody wants for the room. */
export interface Wish extends Pick<PlaybackSaid, 'placeMs' | 'isPlaying' | 'speedPercent'> {
  /** It begins so much later, so that all can begin together. */
  inMs?: number;
  /** The name of the member that the room waits for. */
  waitsFor?: string;
}

/** Where the room is: its time, what its members said of its playing, and saying it. */
export class SyncExchange {
  readonly handlers: Handlers;
  readonly #parts: SyncExchangeParts;
  readonly #clock: ClockExchange;
  readonly #relay: StatementRelay;
  /** By the hex of the video's id. */
  readonly #records = new Map<string, PlaybackRecord>();
  /** How what stands was sealed, for those who come late. */
  readonly #sealed = new WeakMap<Playback, Bytes>();
  readonly #stalls = new Stalls();
  #isFollowing = false;
  #cancelTelling: () => void = () => undefined;

  constructor(parts: SyncExchangeParts) {
    this.#parts = parts;
    const { clock, room, audience, selfId } = parts;
    this.#clock = new ClockExchange({ clock, lot: lotOf(selfId), onSet: () => this.#clockSet() });
    this.#relay = new StatementRelay({
      crypto: room.crypto,
      audience,
      accept: (name, sealed) => (name === 'playback' ? this.#takePlayback(sealed) : this.#takeStall(sealed)),
    });
    this.handlers = { ...this.#clock.handlers, ...this.#relay.handlers };
  }

  /** Begins to learn the room's time: somebody watches here. */
  follow(): void {
    if (this.#isFollowing) return;
    this.#isFollowing = true;
    for (const link of this.#parts.audience()) this.#clock.add(link);
    this.#tellAgainLater();
  }

  /** A link was opened; its peer may not have said hello yet. */
  opened(link: Link): void {
    if (this.#isFollowing) this.#clock.add(link);
  }

  /** Tells a new neighbour what stands. */
  greet(link: Link): void {
    const [, second] = this.#parts.audience();
    // Back after it was cut off: it hears first what was done meanwhile.
    if (this.#isFollowing && !second) this.#tellAgainLater();
    for (const record of this.#records.values()) {
      for (const playback of record.all) {
        const sealed = this.#sealed.get(playback);
        if (sealed) link.send('playback', { sealed });
      }
    }
  }

  parted(link: Link): void {
    this.#clock.remove(link);
  }

  close(): void {
    this.#clock.close();
    this.#cancelTelling();
  }

  /** Our own member id. */
  get selfId(): string {
    return this.#parts.selfId;
  }

  /** Room time, milliseconds since 1970, whole or not. */
  nowMs(): number {
    return this.#clock.time.nowMs();
  }

  /** Whether anybody has told us the room's time. */
  get isTold(): boolean {
    return this.#clock.time.isTold;
  }

  /** How wrong it can be, milliseconds. */
  get errorMs(): number {
    return this.#clock.time.errorMs;
  }

  /** The statement that stands, of the video we are at; null where nobody said anything. */
  get playback(): Playback | null {
    const video = this.#parts.video();
    return (video && this.#records.get(toHex(video))?.current(this.control)) ?? null;
  }

  /** Who may control the room, as its host wants. */
  get control(): Control {
    return this.#parts.rules()?.control ?? 'everyone';
  }

  /** Whether we may control it now: a host that is alone in it and silent has handed it over. */
  get mayControl(): boolean {
    if (this.control === 'everyone' || this.#isHost) return true;
    const video = this.#parts.video();
    const saidMs = (video && this.#records.get(toHex(video))?.hostSaidMs) ?? null;
    return saidMs === null || this.nowMs() > saidMs + HOST_SILENT_MS;
  }

  /** Members whose film stands still for want of pieces. */
  get stalled(): Stall[] {
    return this.#stalls.at(this.nowMs());
  }

  /** Says what our person wants for the room. Nothing while the time or the video is not known. */
  wish({ inMs = 0, waitsFor, ...wanted }: Wish): void {
    const nowMs = Math.floor(this.nowMs());
    const wishedMs = Math.max(nowMs, (this.playback?.wishedMs ?? 0) + 1);
    const atMs = Math.max(wishedMs, nowMs + Math.round(inMs));
    this.#say({ ...wanted, wishedMs, atMs, isStart: false, waitsFor: waitsFor ?? null });
  }

  /** Says that the film began here, at this place now, for want of anybody who said where the room is. */
  begin(placeMs: number): void {
    const atMs = Math.floor(this.nowMs());
    const start = { placeMs, isPlaying: true, speedPercent: 100, isStart: true, waitsFor: null };
    this.#say({ ...start, wishedMs: atMs, atMs });
  }

  /** Says that the room is at this place only now: what was wished stands, but could not go as fast. */
  wait(placeMs: number): void {
    const { playback } = this;
    if (!playback) return;
    const { isPlaying, speedPercent, isStart, waitsFor, wishedMs } = playback;
    const atMs = Math.max(wishedMs, Math.floor(this.nowMs()));
    this.#say({ placeMs, isPlaying, speedPercent, isStart, waitsFor, wishedMs, atMs });
  }

  /** Says that our film stands still for want of pieces, or goes on. */
  async sayStalled(isStalled: boolean): Promise<void> {
    const { room, author, name } = this.#parts;
    const said = { atMs: Math.round(this.nowMs()), isStalled, name: name() };
    if (this.#stalls.take({ ...said, from: this.#parts.selfId })) this.#parts.onChange();
    await this.#relay.say('stall', await sealStall(room, author, said));
  }

  get #isHost(): boolean {
    return this.#parts.author.badge !== null;
  }

  /** Holds here at once; the others hear it once it is signed and sealed. */
  #say(said: Omit<PlaybackSaid, 'video' | 'name'>): void {
    const { room, author, selfId, name } = this.#parts;
    const video = this.#parts.video();
    if (!video || !this.isTold) return;
    const placeMs = Math.max(0, Math.min(MAX_DURATION_MS, Math.round(said.placeMs)));
    const whole: PlaybackSaid = { ...said, placeMs, video, name: name() };
    const playback = { ...whole, from: selfId, isHost: this.#isHost, key: playbackKey(room, whole) };
    if (!this.#recordOf(video).take(playback)) return;
    this.#parts.onChange();
    void sealPlayback(room, author, whole).then((sealed) => {
      this.#sealed.set(playback, sealed);
      return this.#relay.say('playback', sealed);
    });
  }

  async #takePlayback(sealed: Bytes): Promise<boolean> {
    const playback = await openPlayback(this.#parts.room, sealed);
    // Nobody can have said for later what would stand for ever.
    if (playback.atMs > this.nowMs() + MAX_AHEAD_MS + this.errorMs) return false;
    if (!this.#recordOf(playback.video).take(playback)) return false;
    this.#sealed.set(playback, sealed);
    this.#parts.onChange();
    return true;
  }

  async #takeStall(sealed: Bytes): Promise<boolean> {
    const stall = await openStall(this.#parts.room, sealed);
    if (stall.atMs > this.nowMs() + MAX_AHEAD_MS + this.errorMs) return false;
    if (!this.#stalls.take(stall)) return false;
    this.#parts.onChange();
    return true;
  }

  #recordOf(video: Bytes): PlaybackRecord {
    const id = toHex(video);
    const record = this.#records.get(id) ?? new PlaybackRecord();
    this.#records.delete(id);
    this.#records.set(id, record);
    const ours = this.#parts.video();
    for (const known of this.#records.keys()) {
      if (this.#records.size <= MAX_VIDEOS) break;
      if (!ours || known !== toHex(ours)) this.#records.delete(known);
    }
    return record;
  }

  #clockSet(): void {
    for (const record of this.#records.values()) record.forgetAfter(this.nowMs() + MAX_AHEAD_MS);
    this.#parts.onChange();
  }

  #tellAgainLater(): void {
    this.#cancelTelling();
    this.#cancelTelling = this.#parts.clock.after(TELL_AGAIN_MS, () => {
      this.#tellAgain();
      this.#tellAgainLater();
    });
  }

  /** A host that controls alone shows that it is there; what others did while it was away it makes its own. */
  #tellAgain(): void {
    const { playback } = this;
    const [anybody] = this.#parts.audience();
    if (!anybody || !playback || !this.#isHost || this.control !== 'host') return;
    const atMs = Math.floor(this.nowMs());
    if (playback.atMs >= atMs) return;
    const { wishedMs, isPlaying, speedPercent, isStart, waitsFor } = playback;
    this.#say({
      wishedMs,
      atMs,
      placeMs: placeAt(playback, atMs),
      isPlaying,
      speedPercent,
      isStart,
      waitsFor,
    });
  }
}

/** A number from 0 to 1 that is another for each member: its id is a hash. */
function lotOf(memberId: string): number {
  const [high = 0, low = 0] = fromBase64url(memberId) ?? [];
  return (high * 256 + low) / 65_536;
}
