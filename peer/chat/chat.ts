import { Allowance } from '../allowance.ts';
import type { Bytes } from '../bytes.ts';
import type { Clock } from '../clock.ts';
import { MAX_CHAT_LINES } from '../limits.ts';
import type { Handlers, Link } from '../wire/link.ts';
import type { Author, ChatRoom } from './authored.ts';
import { type ChatLine, type Moment, openLine, sealLine } from './chat-line.ts';
import { ChatRelay } from './chat-relay.ts';
import { LineReactions, type ReactionCount } from './line-reactions.ts';
import type { Heard, Mutes } from './mutes.ts';
import { openPassing, type PassingSaid, sealPassing } from './passing.ts';
import { PassingRelay } from './passing-relay.ts';
import { type Doing, Presence, type Present } from './presence.ts';
import { type Emoji, openReaction, sealReaction } from './reaction.ts';
import { Speakers } from './speakers.ts';
import { WhoTypes } from './who-types.ts';

/** Who types says so again this often. */
const TYPING_EVERY_MS = 3_000;

export interface ChatParts {
  clock: Clock;
  room: ChatRoom;
  author: Author;
  selfId: string;
  /** What this member is called now. */
  name(): string;
  audience(): Iterable<Link>;
  mutes: Mutes;
  onChange(): void;
}

/** What a line is about, besides its text. */
export interface About {
  /** The id of the line that it answers. */
  reply?: string | null;
  moment?: Moment | null;
}

/** An emoji that somebody lets float over the picture. */
export interface Cheer {
  from: string;
  name: string;
  emoji: Emoji;
}

/**
 * What a member does is passed on to so many neighbours only: that reaches nearly all, and who missed it hears it a turn later. To all
 * neighbours it was 3.4 % of what a crowd of 50 received (simulated), and kept the origin's line busy while they began.
 */
const HERE_COPIES = 3;

/**
 * And so many such copies in all: a room of fifty begins within the first, and what is more is let go. So what a viewer hears of a
 * thousand others costs it no more than what it hears of fifty: it knows some of them. Without, each of 250 got 32 words a second.
 */
const HERE_COPIES_AT_ONCE = 150;
const HERE_COPY_EVERY_MS = 400;

/** A member's part in the room's chat: lines, reactions to them, and what is said in passing. Reads, shows, says and passes on. */
export class Chat {
  readonly handlers: Handlers;
  readonly #parts: ChatParts;
  readonly #lineRelay: ChatRelay;
  readonly #reactionRelay: ChatRelay;
  readonly #passingRelay: PassingRelay;
  readonly #reactions = new LineReactions();
  readonly #whoTypes: WhoTypes;
  readonly #presence: Presence;
  readonly #speakers: Speakers;
  readonly #ownTyping: Allowance;
  readonly #hereCopies: Allowance;
  readonly #cheerListeners = new Set<(cheer: Cheer) => void>();
  #lines: (ChatLine & Heard)[] = [];
  #saidInPassingMs = 0;
  #logCount = 0;

  constructor(parts: ChatParts) {
    this.#parts = parts;
    const { clock, audience, room } = parts;
    const relay = { crypto: room.crypto, clock, audience };
    this.#lineRelay = new ChatRelay({ ...relay, log: 'chat', accept: (sealed) => this.#showLine(sealed) });
    this.#reactionRelay = new ChatRelay({
      ...relay,
      log: 'reaction',
      accept: (sealed) => this.#countReaction(sealed),
    });
    this.#passingRelay = new PassingRelay({ ...relay, accept: (sealed) => this.#hear(sealed) });
    this.#whoTypes = new WhoTypes(clock);
    this.#presence = new Presence({
      clock,
      // What cannot be sealed now is said again a turn later.
      say: (doing) => void this.#sayInPassing({ kind: 'here', doing }).catch(() => undefined),
    });
    this.#speakers = new Speakers(clock);
    this.#ownTyping = new Allowance(clock, 1, TYPING_EVERY_MS);
    this.#hereCopies = new Allowance(clock, HERE_COPIES_AT_ONCE, HERE_COPY_EVERY_MS);
    this.handlers = {
      ...this.#lineRelay.handlers,
      ...this.#reactionRelay.handlers,
      ...this.#passingRelay.handlers,
    };
  }

  /** Lines, oldest first by their authors' clocks, without those of muted members. */
  get lines(): readonly ChatLine[] {
    return this.#parts.mutes.shown(this.#lines);
  }

  /** Grows whenever lines or the reactions to them may be others than before: until then, what was made of them holds. */
  get version(): number {
    return this.#logCount + this.#parts.mutes.updateCount;
  }

  /** The reactions to each line, by its id. */
  get reactions(): ReadonlyMap<string, readonly ReactionCount[]> {
    return this.#reactions.counts((reaction) => this.#parts.mutes.hides(reaction));
  }

  /** Who is typing now, oneself left out. */
  get typing(): { from: string; name: string }[] {
    return this.#whoTypes.now();
  }

  /** Who said lately that they are here, oneself left out. */
  get people(): Present[] {
    return this.#presence.people();
  }

  /** Tells a new neighbour what is known here, so that it sends the rest. */
  greet(link: Link): void {
    this.#lineRelay.greet(link);
    this.#reactionRelay.greet(link);
    this.#presence.met();
  }

  /** The connection to this member is closed. */
  parted(id: string): void {
    this.#presence.parted(id);
  }

  /** Calls back for each emoji that is to float over the picture, our own too; returns the undo. */
  listenToCheers(listener: (cheer: Cheer) => void): () => void {
    this.#cheerListeners.add(listener);
    return () => this.#cheerListeners.delete(listener);
  }

  /** Sends a line; resolves once it is in the log. @throws MatineeError FRAME_MALFORMED where it is empty or too long. */
  async say(text: string, { reply = null, moment = null }: About = {}): Promise<void> {
    const { room, author, clock, name } = this.#parts;
    const said = { name: name(), text, sentAtMs: clock.wallMs(), reply, moment };
    await this.#lineRelay.say(await sealLine(room, author, said));
  }

  /** Gives a line our reaction in place of the one before; null takes it back. */
  async react(line: string, emoji: Emoji | null): Promise<void> {
    const { room, author, clock, name } = this.#parts;
    const reacted = { name: name(), sentAtMs: clock.wallMs(), line, emoji };
    await this.#reactionRelay.say(await sealReaction(room, author, reacted));
  }

  /** Lets an emoji float over everybody's picture; does nothing where that comes too often. */
  async cheer(emoji: Emoji): Promise<void> {
    if (this.#speakers.waitToCheerMs(this.#parts.selfId) > 0) return;
    await this.#sayInPassing({ kind: 'cheer', emoji });
  }

  /** To be called whenever something is typed: others learn of it now and then. */
  async typed(): Promise<void> {
    if (this.#ownTyping.canTake()) await this.#sayInPassing({ kind: 'typing' });
  }

  /** What this member does from now on; others learn of it soon. */
  be(doing: Doing): void {
    this.#presence.be(doing);
  }

  /** Says nothing more by itself. */
  close(): void {
    this.#presence.close();
  }

  async #sayInPassing(what: PassingSaid['what']): Promise<void> {
    const { room, author, clock, name } = this.#parts;
    // Each at a moment of its own, for what is not newer than the one before is nothing new.
    this.#saidInPassingMs = Math.max(clock.wallMs(), this.#saidInPassingMs + 1);
    const said = { name: name(), sentAtMs: this.#saidInPassingMs, what };
    await this.#passingRelay.say(await sealPassing(room, author, said));
  }

  async #showLine(sealed: Bytes): Promise<boolean> {
    const { room, clock } = this.#parts;
    const line = { ...(await openLine(room, sealed, clock.wallMs())), cameMs: clock.nowMs() };
    // Every member can seal somebody's line once more; that makes no second line of it.
    if (this.#lines.some(({ id }) => id === line.id)) return false;
    const lines = [...this.#lines, line].sort((a, b) => a.dateMs - b.dateMs || (a.id < b.id ? -1 : 1));
    if (lines.length > MAX_CHAT_LINES) lines.splice(longestSaid(lines), 1);
    // Older than all that are kept, perhaps one of those that went: nothing to show or to pass on.
    if (!lines.includes(line)) return false;
    this.#lines = lines;
    this.#whoTypes.stops(line.from);
    this.#logCount += 1;
    this.#parts.onChange();
    return true;
  }

  async #countReaction(sealed: Bytes): Promise<boolean> {
    const { room, clock } = this.#parts;
    const reaction = await openReaction(room, sealed, clock.wallMs());
    if (!this.#reactions.take({ ...reaction, cameMs: clock.nowMs() })) return false;
    this.#logCount += 1;
    this.#parts.onChange();
    return true;
  }

  async #hear(sealed: Bytes): Promise<number> {
    const { room, clock, selfId, mutes, onChange } = this.#parts;
    const { from, name, isHost, sentAtMs, what } = await openPassing(room, sealed);
    if (!this.#speakers.isNews(from, sentAtMs)) return 0;
    if (what.kind === 'here') {
      if (from === selfId) return HERE_COPIES;
      this.#presence.heard({ from, name, isHost, doing: what.doing });
      onChange();
      return this.#hereCopies.canTake(HERE_COPIES) ? HERE_COPIES : 0;
    }
    if (mutes.hides({ from, dateMs: sentAtMs, cameMs: clock.nowMs() })) return 0;
    if (what.kind === 'typing') {
      if (from !== selfId) this.#whoTypes.types(from, name);
      onChange();
      return Number.POSITIVE_INFINITY;
    }
    if (!this.#speakers.mayCheer(from)) return 0;
    for (const listener of this.#cheerListeners) listener({ from, name, emoji: what.emoji });
    return Number.POSITIVE_INFINITY;
  }
}

/** The place of the line that is to go: by when it can have been said, for who dates a whole log ahead would silence the others. */
function longestSaid(lines: readonly ChatLine[]): number {
  let place = 0;
  for (const [at, { sentAtMs }] of lines.entries()) if (sentAtMs < (lines[place]?.sentAtMs ?? 0)) place = at;
  return place;
}
