import { areEqual, type Bytes, toBase64url } from '../bytes.ts';
import type { ChatLine } from '../chat/chat-line.ts';
import { openCard, openLine, sealCard, sealLine } from '../chat/chat-line.ts';
import { ChatRelay } from '../chat/chat-relay.ts';
import type { Clock } from '../clock.ts';
import { decryptRange } from '../crypto/content.ts';
import type { Crypto } from '../crypto/crypto.ts';
import { deriveVideoKeys, type RoomKeys, type VideoKeys } from '../crypto/keys.ts';
import { MAX_CHAT_LINES } from '../limits.ts';
import { pieceStart } from '../manifest/geometry.ts';
import { Manifest } from '../manifest/manifest.ts';
import { ManifestExchange } from '../manifest/manifest-exchange.ts';
import { pieceHash } from '../manifest/page.ts';
import { Announcements } from '../swarm/announcements.ts';
import { Downloads } from '../swarm/downloads.ts';
import { type HeldBytes, HeldPieces } from '../swarm/held-pieces.ts';
import type { Spill } from '../swarm/piece-disk.ts';
import { SendBudget } from '../swarm/send-budget.ts';
import { Uplink } from '../swarm/uplink.ts';
import { Uploads } from '../swarm/uploads.ts';
import { ViewerOrder } from '../swarm/viewer-order.ts';
import { WINDOW_BYTES } from '../swarm/wanted.ts';
import type { Channel } from '../transport/channel.ts';
import { openInfo, type VideoInfo } from '../video-info.ts';
import type { Link, Remote } from '../wire/link.ts';
import { WIRE_VERSION } from '../wire/messages.ts';
import { Links } from './links.ts';

export interface ViewerParts {
  crypto: Crypto;
  clock: Clock;
  random(): number;
  roomId: Bytes;
  roomSecret: Bytes;
  roomKeys: RoomKeys;
  /** This member's id, as signaling knows it. */
  selfId: string;
  name: string;
  /** Bytes of ciphertext kept in memory, for playing again and for others, where no disk takes what is too much. */
  memoryBytes: number;
  /** What goes to a disk instead of being given up; left out: there is none. */
  spill?: Spill | null;
  /** What the room looks like changed: manifest, peers, chat. Called often; the owner draws when it likes. */
  onChange(): void;
  /** A piece can be read now. */
  onPiece(segment: number, piece: number): void;
  onLinkClosed(remote: Remote, code: string): void;
}

/** A chat line with its id, as shown. */
export interface ShownLine extends ChatLine {
  id: string;
}

/** Media bytes by where they came from, since the viewer was made. */
export interface Traffic {
  fromOriginBytes: number;
  fromPeersBytes: number;
  sentBytes: number;
}

/** A member of a room: fetches, verifies, keeps and serves pieces, passes the manifest on, and chats. Joins the parts; knows no network and no page. */
export class Viewer {
  readonly manifest: Manifest;
  readonly #parts: ViewerParts;
  readonly #pieces: HeldPieces;
  readonly #budget: SendBudget;
  readonly #uplink: Uplink;
  readonly #links: Links;
  readonly #exchange: ManifestExchange;
  readonly #downloads: Downloads;
  readonly #uploads: Uploads;
  readonly #announcements: Announcements;
  readonly #chat: ChatRelay;
  readonly #names = new Map<Link, string>();
  readonly #banned = new Set<string>();
  #name: string;
  #card: Bytes | null = null;
  #lines: ShownLine[] = [];
  #videoKeys: Promise<VideoKeys> | null = null;
  #playheadSegment = 0;
  #diskError: unknown = null;
  #pastTraffic: Traffic = { fromOriginBytes: 0, fromPeersBytes: 0, sentBytes: 0 };

  constructor(parts: ViewerParts) {
    const { crypto, clock, random, roomId } = parts;
    this.#parts = parts;
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
    this.#downloads = new Downloads({
      clock,
      crypto,
      random,
      windowBytes: Math.min(WINDOW_BYTES, parts.memoryBytes / 2),
      manifest: this.manifest,
      isHeld: (segment, piece) => this.#pieces.has(segment, piece),
      onPiece: (segment, piece, data) => this.#keep(segment, piece, data),
      onLiar: (link) => this.#banned.add(link.remote.id),
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
        ...this.#exchange.handlers,
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

  /** Chat lines, oldest first by their authors' clocks. */
  get lines(): readonly ShownLine[] {
    return this.#lines;
  }

  /** Peers connected now. */
  get links(): Iterable<Link> {
    return this.#links.met;
  }

  /** The name a peer gave itself, or null. */
  nameOf(link: Link): string | null {
    return this.#names.get(link) ?? null;
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

  /** Takes over an open channel to this peer; a banned one is closed at once. */
  connect(channel: Channel, remote: Remote): void {
    if (this.#banned.has(remote.id)) channel.close();
    else this.#links.open(channel, remote);
  }

  isBanned(id: string): boolean {
    return this.#banned.has(id);
  }

  /** Media bytes by source, closed connections included. */
  traffic(): Traffic {
    const sum = { ...this.#pastTraffic };
    for (const link of this.#links.met) addTraffic(sum, link);
    return sum;
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
    const { crypto, roomKeys, roomId, selfId, clock } = this.#parts;
    const line = { from: selfId, name: this.#name, text, sentAtMs: clock.wallMs() };
    await this.#chat.say(await sealLine(crypto, roomKeys.chatKey, roomId, line));
  }

  /** Changes this member's name and tells everyone connected. */
  async rename(name: string): Promise<void> {
    const { crypto, roomKeys, roomId } = this.#parts;
    this.#name = name;
    this.#card = await sealCard(crypto, roomKeys.chatKey, roomId, name);
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
    this.#exchange.tell([link]);
    if (!this.#uploads.isServing) link.send('choke', {});
    if (link.remote.kind === 'member') this.#announcements.tellAll(link);
    this.#chat.greet(link);
    this.#parts.onChange();
  }

  #parted(link: Link, code: string): void {
    addTraffic(this.#pastTraffic, link);
    this.#names.delete(link);
    this.#uploads.remove(link);
    this.#downloads.remove(link);
    this.#parts.onLinkClosed(link.remote, code);
    this.#parts.onChange();
  }

  async #readCard(link: Link, card: Bytes | null): Promise<void> {
    if (!card || link.remote.kind === 'origin') return;
    const { crypto, roomKeys, roomId } = this.#parts;
    try {
      const name = await openCard(crypto, roomKeys.chatKey, roomId, card);
      if (link.isOpen) this.#names.set(link, name);
    } catch {
      // Only those who hold the link can seal a card: this one does not belong here.
      link.close('SEAL_BROKEN');
    }
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
    const { crypto, roomKeys, roomId, onChange } = this.#parts;
    const line = await openLine(crypto, roomKeys.chatKey, roomId, sealed);
    this.#lines = [...this.#lines, { ...line, id }]
      .sort((a, b) => a.sentAtMs - b.sentAtMs || (a.id < b.id ? -1 : 1))
      .slice(-MAX_CHAT_LINES);
    onChange();
    return true;
  }
}

function addTraffic(sum: Traffic, link: Link): void {
  if (link.remote.kind === 'origin') sum.fromOriginBytes += link.mediaReceivedBytes;
  else sum.fromPeersBytes += link.mediaReceivedBytes;
  sum.sentBytes += link.mediaSentBytes;
}

/** A member's id: the first 16 bytes of the SHA-256 of its member key, base64url. */
export async function memberIdOf(crypto: Crypto, memberKey: Bytes): Promise<string> {
  return toBase64url((await crypto.sha256(memberKey)).subarray(0, 16));
}
