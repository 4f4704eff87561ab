import { areEqual, type Bytes } from '../bytes.ts';
import type { Author, ChatRoom } from '../chat/authored.ts';
import { type Card, type ChatLine, openCard, openLine, sealCard, sealLine } from '../chat/chat-line.ts';
import { ChatRelay } from '../chat/chat-relay.ts';
import type { Clock } from '../clock.ts';
import { decryptRange } from '../crypto/content.ts';
import type { Crypto, SigningKey } from '../crypto/crypto.ts';
import { deriveVideoKeys, type RoomKeys, type VideoKeys } from '../crypto/keys.ts';
import { asMatineeError, MatineeError } from '../errors.ts';
import { MAX_CHAT_LINES } from '../limits.ts';
import { pieceStart } from '../manifest/geometry.ts';
import { Manifest } from '../manifest/manifest.ts';
import { ManifestExchange } from '../manifest/manifest-exchange.ts';
import { pieceHash } from '../manifest/page.ts';
import type { Rules } from '../manifest/rules.ts';
import { Announcements } from '../swarm/announcements.ts';
import { Downloads } from '../swarm/downloads.ts';
import { type HeldBytes, HeldPieces } from '../swarm/held-pieces.ts';
import type { Spill } from '../swarm/piece-disk.ts';
import type { PlainFetcher } from '../swarm/plain-fetching.ts';
import { SendBudget } from '../swarm/send-budget.ts';
import { Uplink } from '../swarm/uplink.ts';
import { Uploads } from '../swarm/uploads.ts';
import { ViewerOrder } from '../swarm/viewer-order.ts';
import { WINDOW_BYTES } from '../swarm/wanted.ts';
import type { Channel } from '../transport/channel.ts';
import { openInfo, type VideoInfo } from '../video-info.ts';
import type { Handlers, Link, Remote } from '../wire/link.ts';
import { WIRE_VERSION } from '../wire/messages.ts';
import { Links } from './links.ts';
import { Mutes } from './mutes.ts';
import { RulesExchange } from './rules-exchange.ts';
import { VIDEO_REPLACED, VideoChange } from './video-change.ts';

/** Goodbye code: the host has forbidden connections between viewers. */
export const ORIGIN_ONLY = 'ORIGIN_ONLY';

export interface ViewerParts {
  crypto: Crypto;
  clock: Clock;
  random(): number;
  roomId: Bytes;
  roomSecret: Bytes;
  roomKeys: RoomKeys;
  /** This member's id, as signaling knows it: memberIdOf its key. */
  selfId: string;
  /** Signs what this member says. */
  memberKey: SigningKey;
  /** The host's badge for this member; null for all who are not the host. */
  badge: Bytes | null;
  name: string;
  /** Bytes of ciphertext kept in memory, for playing again and for others, where no disk takes what is too much. */
  memoryBytes: number;
  /** What goes to a disk instead of being given up; left out: there is none. */
  spill?: Spill | null;
  /** Another way to the server's pieces than peers; null or left out: there is none. */
  plain?: PlainFetcher | null;
  /** What the room looks like changed: manifest, peers, chat. Called often; the owner draws when it likes. */
  onChange(): void;
  /** A piece can be read now. */
  onPiece(segment: number, piece: number): void;
  onLinkClosed(remote: Remote, code: string): void;
  /** The host's rules are new. */
  onRules?(rules: Rules): void;
}

/** A chat line with its id, as shown: `from` and `isHost` are proven. */
export interface ShownLine extends ChatLine {
  id: string;
}

/** Media bytes by where they came from, since the viewer was made. */
export interface Traffic {
  fromOriginBytes: number;
  fromPeersBytes: number;
  /** By plain HTTP. */
  fromHttpBytes: number;
  sentBytes: number;
}

/** A member of a room: fetches, verifies, keeps and serves pieces, passes the manifest on, and chats. Joins the parts; knows no network and no page. */
export class Viewer {
  readonly manifest: Manifest;
  readonly #parts: ViewerParts;
  readonly #chatRoom: ChatRoom;
  readonly #author: Author;
  readonly #pieces: HeldPieces;
  readonly #budget: SendBudget;
  readonly #uplink: Uplink;
  readonly #links: Links;
  readonly #exchange: ManifestExchange;
  readonly #rules: RulesExchange;
  readonly #videoChange: VideoChange;
  readonly #mutes = new Mutes();
  readonly #downloads: Downloads;
  readonly #uploads: Uploads;
  readonly #announcements: Announcements;
  readonly #chat: ChatRelay;
  readonly #cards = new Map<Link, Card>();
  #name: string;
  #card: Bytes | null = null;
  #lines: ShownLine[] = [];
  #videoKeys: Promise<VideoKeys> | null = null;
  #playheadSegment = 0;
  #diskError: unknown = null;
  #pastTraffic: Traffic = { fromOriginBytes: 0, fromPeersBytes: 0, fromHttpBytes: 0, sentBytes: 0 };

  constructor(parts: ViewerParts) {
    const { crypto, clock, random, roomId } = parts;
    this.#parts = parts;
    this.#chatRoom = { crypto, chatKey: parts.roomKeys.chatKey, roomId };
    this.#author = { key: parts.memberKey, badge: parts.badge };
    this.#name = parts.name;
    this.manifest = new Manifest(crypto, roomId);
    this.#pieces = new HeldPieces({
      memoryBytes: parts.memoryBytes,
      spill: parts.spill ?? null,
      weightOf: (segment) => this.#weightOf(segment),
      isRight: (segment, piece, data) => this.#isRight(segment, piece, data),
      onDrop: (segments) => this.#announcements.drop(segments),
      onError: (error) => {
        this.#diskError = error;
      },
    });
    this.#budget = new SendBudget(clock, null);
    const audience = (): Iterable<Link> => this.#links.met;
    this.#exchange = new ManifestExchange({
      manifest: this.manifest,
      audience,
      onChange: () => this.#manifestChanged(),
    });
    this.#rules = new RulesExchange({ crypto, roomId, audience, onChange: (rules) => this.#obey(rules) });
    this.#videoChange = new VideoChange({
      crypto,
      roomId,
      manifest: this.manifest,
      named: () => this.rules?.video ?? null,
      onReplaced: () => this.#videoReplaced(),
    });
    this.#downloads = new Downloads({
      clock,
      crypto,
      random,
      windowBytes: Math.min(WINDOW_BYTES, parts.memoryBytes / 2),
      manifest: this.manifest,
      isHeld: (segment, piece) => this.#pieces.has(segment, piece),
      heldCount: (segment) => this.#pieces.countOf(segment),
      onPiece: (segment, piece, data) => this.#keep(segment, piece, data),
      plain: parts.plain,
    });
    this.#uplink = new Uplink(clock);
    this.#uploads = new Uploads({
      clock,
      source: this.#pieces,
      budget: this.#budget,
      uplink: this.#uplink,
      order: new ViewerOrder(),
      onError: () => undefined,
    });
    this.#announcements = new Announcements({
      clock,
      manifest: this.manifest,
      pieces: this.#pieces,
      neededInMs: (segment) => this.#downloads.neededInMs(segment),
      audience: () => this.#links.members(),
    });
    this.#chat = new ChatRelay({
      crypto,
      clock,
      audience,
      accept: (sealed, id) => this.#showLine(sealed, id),
    });
    this.#links = new Links({
      clock,
      handlers: {
        ...this.#manifestHandlers(),
        ...this.#rules.handlers,
        ...this.#downloads.handlers,
        ...this.#uploads.handlers,
        ...this.#chat.handlers,
      },
      hello: () => ({ v: WIRE_VERSION, role: 'member', card: this.#card }),
      onMeet: (link) => this.#meet(link),
      onCard: (link, card) => void this.#readCard(link, card),
      onClose: (link, code) => this.#parted(link, code),
    });
    void this.rename(parts.name);
  }

  get name(): string {
    return this.#name;
  }

  /** Chat lines, oldest first by their authors' clocks, without those of members whom the host has muted. */
  get lines(): readonly ShownLine[] {
    return this.#mutes.shown(this.#lines);
  }

  /** The newest rules of the host that have come; null where it made none. */
  get rules(): Rules | null {
    return this.#rules.rules;
  }

  /** Whether the host shows another video from now on: this viewer has parted from everybody, and a new one is to take its place. */
  get isVideoReplaced(): boolean {
    return this.#videoChange.isReplaced;
  }

  /** Peers connected now. */
  get links(): Iterable<Link> {
    return this.#links.met;
  }

  /** The name a peer gave itself, or null. */
  nameOf(link: Link): string | null {
    return this.#cards.get(link)?.name ?? null;
  }

  /** Whether this peer has shown the host's badge. */
  isHost(link: Link): boolean {
    return this.#cards.get(link)?.isHost ?? false;
  }

  get rejectedPieces(): number {
    return this.#downloads.rejectedPieces;
  }

  /** Bytes of ciphertext held now, by where they lie. */
  get heldBytes(): HeldBytes {
    return this.#pieces.heldBytes;
  }

  /** Why the disk failed, or refused to open; null as long as it did not. What is held then stays in memory. */
  get diskError(): unknown {
    return this.#diskError;
  }

  get uploadLimitBytesPerSec(): number | null {
    return this.#budget.bytesPerSec;
  }

  /** Takes over an open channel to this peer; one that is banned, or that the host's rules keep out, is closed at once. */
  connect(channel: Channel, remote: Remote): void {
    const isOut = this.isVideoReplaced || this.isBanned(remote.id) || this.#whyOut(remote) !== null;
    if (isOut) channel.close();
    else this.#links.open(channel, remote);
  }

  /** Whether the host's rules keep a member from being connected to us. */
  isOut(id: string): boolean {
    return this.#whyOut({ id, kind: 'member' }) !== null;
  }

  /** Whether this peer has sent too many wrong pieces to be let in again. */
  isBanned(id: string): boolean {
    return this.#downloads.isBanned(id);
  }

  /** Media bytes by source, closed connections included. */
  traffic(): Traffic {
    const sum = { ...this.#pastTraffic, fromHttpBytes: this.#downloads.plainBytes };
    for (const link of this.#links.met) addTraffic(sum, link);
    return sum;
  }

  /** Closes every connection on which nothing is heard within so many milliseconds: the network may have changed. */
  probeLinks(withinMs: number): void {
    for (const link of [...this.#links.met]) link.mustAnswerWithin(withinMs);
  }

  /** Where the viewer is, milliseconds from the start of the film. */
  setPlayhead(atMs: number): void {
    this.#playheadSegment = this.manifest.segmentAt(atMs) ?? this.#playheadSegment;
    this.#downloads.setPlayhead(atMs);
  }

  /** Whether this piece is here and can be read. */
  hasPiece(segment: number, piece: number): boolean {
    return this.#pieces.has(segment, piece);
  }

  /** The plaintext of a piece, or null where it is not here. */
  async readPiece(segment: number, piece: number): Promise<Bytes | null> {
    const keys = await this.#keys();
    const data = keys && (await this.#pieces.load(segment, piece));
    const entry = this.manifest.entry(segment);
    if (!data || !entry) return null;
    const start = pieceStart(entry.sizeBytes, piece);
    return decryptRange(this.#parts.crypto, keys.contentKey, segment, start, data);
  }

  /** What the host says of the video, or null before its manifest is here. @throws MatineeError SEAL_BROKEN. */
  async videoInfo(): Promise<VideoInfo | null> {
    const head = this.manifest.head;
    const keys = await this.#keys();
    if (!head || !keys) return null;
    return openInfo(this.#parts.crypto, keys.infoKey, head.video, head.info);
  }

  /** Sends a chat line; resolves once it is in the log. @throws MatineeError FRAME_MALFORMED where it is empty or too long. */
  async say(text: string): Promise<void> {
    const said = { name: this.#name, text, sentAtMs: this.#parts.clock.wallMs() };
    await this.#chat.say(await sealLine(this.#chatRoom, this.#author, said));
  }

  /** Changes this member's name and tells everyone connected. */
  async rename(name: string): Promise<void> {
    this.#name = name;
    const card = await sealCard(this.#chatRoom, this.#author, name);
    if (this.#name !== name) return;
    this.#card = card;
    this.#links.greetAgain();
    this.#parts.onChange();
  }

  /** Bytes per second this viewer gives to others: null without limit, 0 nothing. */
  setUploadLimit(bytesPerSec: number | null): void {
    const wasServing = this.#uploads.isServing;
    this.#budget.setLimit(bytesPerSec);
    if (wasServing === this.#uploads.isServing) return;
    if (!this.#uploads.isServing) this.#uploads.refuseAll();
    for (const link of this.#links.met) link.send(this.#uploads.isServing ? 'unchoke' : 'choke', {});
  }

  /** Leaves: says goodbye on every link and frees what is held. */
  close(): void {
    this.#links.closeAll('LEFT');
    this.#downloads.close();
    this.#announcements.close();
    this.#budget.close();
    this.#uplink.close();
    void this.#pieces.close();
  }

  #meet(link: Link): void {
    this.#downloads.add(link);
    this.#rules.tell([link]);
    this.#exchange.tell([link]);
    if (!this.#uploads.isServing) link.send('choke', {});
    if (link.remote.kind === 'member') this.#announcements.tellAll(link);
    this.#chat.greet(link);
    this.#parts.onChange();
  }

  #parted(link: Link, code: string): void {
    addTraffic(this.#pastTraffic, link);
    this.#cards.delete(link);
    this.#uploads.remove(link);
    this.#downloads.remove(link);
    this.#parts.onLinkClosed(link.remote, code);
    this.#parts.onChange();
  }

  async #readCard(link: Link, card: Bytes | null): Promise<void> {
    if (!card || link.remote.kind === 'origin') return;
    try {
      const opened = await openCard(this.#chatRoom, card);
      if (opened.from !== link.remote.id) throw new MatineeError('SIGNATURE_WRONG', 'Another member’s card.');
      if (link.isOpen) this.#cards.set(link, opened);
    } catch (error) {
      // Who cannot say in their own name who they are does not belong here.
      link.close(asMatineeError(error, 'FRAME_MALFORMED', 'card not understood').code);
    }
    this.#parts.onChange();
  }

  /** Rules come before what they are about, and take a moment to be checked: a manifest waits for them. */
  #manifestHandlers(): Handlers {
    const { head, getPage, page } = this.#exchange.handlers;
    return {
      ...(getPage && { getPage }),
      ...(head && {
        head: (link, body) => this.#rules.afterChecks(() => this.#videoChange.head(link, body, head)),
      }),
      ...(page && { page: (link, body) => this.#rules.afterChecks(() => page(link, body)) }),
    };
  }

  #obey(rules: Rules): void {
    this.#mutes.update(rules);
    for (const link of [...this.#links.met]) {
      const code = this.#whyOut(link.remote);
      if (code) link.close(code);
    }
    this.#parts.onRules?.(rules);
    this.#parts.onChange();
  }

  /** Why the host's rules forbid a connection to this peer, as a goodbye code; null where they do not. */
  #whyOut({ id, kind }: Remote): string | null {
    if (kind === 'origin') return null;
    return this.#rules.whyOut(id) ?? (this.rules?.isOriginOnly ? ORIGIN_ONLY : null);
  }

  #videoReplaced(): void {
    this.#links.closeAll(VIDEO_REPLACED);
    this.#parts.onChange();
  }

  #manifestChanged(): void {
    this.#downloads.run();
    this.#parts.onChange();
  }

  #keep(segment: number, piece: number, data: Bytes): void {
    this.#pieces.put(segment, piece, data);
    this.#announcements.add(segment, piece);
    this.#parts.onPiece(segment, piece);
  }

  /** Segments from the playhead, counted twice behind it: what was played goes before what is to come. */
  #weightOf(segment: number): number {
    const distance = segment - this.#playheadSegment;
    return distance < 0 ? -2 * distance : distance;
  }

  async #isRight(segment: number, piece: number, data: Bytes): Promise<boolean> {
    const entry = this.manifest.entry(segment);
    return entry !== null && areEqual(await this.#parts.crypto.sha256(data), pieceHash(entry, piece));
  }

  #keys(): Promise<VideoKeys> | null {
    const { crypto, roomSecret } = this.#parts;
    const head = this.manifest.head;
    if (head) this.#videoKeys ??= deriveVideoKeys(crypto, roomSecret, head.video);
    return this.#videoKeys;
  }

  async #showLine(sealed: Bytes, id: string): Promise<boolean> {
    const line = await openLine(this.#chatRoom, sealed, this.#parts.clock.wallMs());
    // Every member can seal somebody's line once more; that makes no second line of it.
    if (this.#lines.some((shown) => isSameLine(shown, line))) return false;
    const shown: ShownLine = { ...line, id };
    const lines = [...this.#lines, shown]
      .sort((a, b) => a.sentAtMs - b.sentAtMs || (a.id < b.id ? -1 : 1))
      .slice(-MAX_CHAT_LINES);
    // Older than all that are kept, perhaps one of those that went: nothing to show or to pass on.
    if (!lines.includes(shown)) return false;
    this.#lines = lines;
    this.#parts.onChange();
    return true;
  }
}

function addTraffic(sum: Traffic, link: Link): void {
  if (link.remote.kind === 'origin') sum.fromOriginBytes += link.mediaReceivedBytes;
  else sum.fromPeersBytes += link.mediaReceivedBytes;
  sum.sentBytes += link.mediaSentBytes;
}

/** An author says a text once in a millisecond. */
function isSameLine(a: ChatLine, b: ChatLine): boolean {
  return a.from === b.from && a.sentAtMs === b.sentAtMs && a.text === b.text;
}
