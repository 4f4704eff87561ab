import { areEqual, type Bytes } from '../bytes.ts';
import type { Author, ChatRoom } from '../chat/authored.ts';
import { Chat } from '../chat/chat.ts';
import { type Card, type ChatLine, openCard, sealCard } from '../chat/chat-line.ts';
import { Mutes } from '../chat/mutes.ts';
import type { Clock } from '../clock.ts';
import type { Crypto, SigningKey } from '../crypto/crypto.ts';
import { deriveVideoKeys, type RoomKeys } from '../crypto/keys.ts';
import { asMatineeError, MatineeError } from '../errors.ts';
import { peekHead } from '../manifest/head.ts';
import { Manifest } from '../manifest/manifest.ts';
import type { ListedVideo, Rules } from '../manifest/rules.ts';
import type { HeldBytes } from '../swarm/held-pieces.ts';
import type { Spill } from '../swarm/piece-disk.ts';
import type { PlainFetcher } from '../swarm/plain-fetching.ts';
import type { Provenance } from '../swarm/provenance.ts';
import { SendBudget } from '../swarm/send-budget.ts';
import { Uplink } from '../swarm/uplink.ts';
import type { Channel } from '../transport/channel.ts';
import { openTitle, type VideoInfo } from '../video-info.ts';
import type { Handlers, Link, Remote } from '../wire/link.ts';
import { type Bodies, WIRE_VERSION } from '../wire/messages.ts';
import { Film } from './film.ts';
import { Links } from './links.ts';
import { RulesExchange } from './rules-exchange.ts';
import { Steps } from './steps.ts';
import { SyncExchange } from './sync-exchange.ts';

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
  /** Something that goes with the film came, such as subtitles; left out: it is not fetched. */
  onExtra?(data: Bytes): void;
  onLinkClosed(remote: Remote, code: string): void;
  /** The host's rules are new. */
  onRules?(rules: Rules): void;
  /** The room is at another film: what was held is gone, the manifest is the new one's. */
  onFilm?(): void;
  /** Where the room is in its film, or whose film stands still, may have changed. */
  onSync?(): void;
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
  readonly chat: Chat;
  readonly #parts: ViewerParts;
  readonly #chatRoom: ChatRoom;
  readonly #author: Author;
  readonly #budget: SendBudget;
  readonly #uplink: Uplink;
  readonly #links: Links;
  readonly #rules: RulesExchange;
  readonly #mutes: Mutes;
  readonly #steps: Steps;
  /** Where the room is in its film. */
  readonly sync: SyncExchange;
  readonly #cards = new Map<Link, Card>();
  /** Pages of the host's that give what they upload: they are nobody to talk to. */
  readonly #givers = new Set<Link>();
  /** Who sent a wrong piece: who lied about one film is not let in for the next. */
  readonly #liars = new Set<string>();
  #name: string;
  #card: Bytes | null = null;
  #film: Film;
  #hasSaidVideo = false;
  /** Of films before. */
  #pastRejected = 0;
  /** A head of the next film is being checked. */
  #isChanging = false;
  #diskError: unknown = null;
  #pastTraffic: Traffic = { fromOriginBytes: 0, fromPeersBytes: 0, fromHttpBytes: 0, sentBytes: 0 };

  constructor(parts: ViewerParts) {
    const { crypto, clock, roomId } = parts;
    this.#parts = parts;
    this.#chatRoom = { crypto, chatKey: parts.roomKeys.chatKey, roomId };
    this.#author = { key: parts.memberKey, badge: parts.badge };
    this.#name = parts.name;
    this.#mutes = new Mutes(clock);
    this.#budget = new SendBudget(clock, null);
    this.#uplink = new Uplink(clock);
    const audience = (): Iterable<Link> => this.#people();
    const everyone = (): Iterable<Link> => this.#links.met;
    this.#rules = new RulesExchange({
      crypto,
      roomId,
      audience: everyone,
      onChange: (rules) => this.#obey(rules),
    });
    this.#film = this.#newFilm(new Manifest(crypto, roomId));
    this.#steps = new Steps({
      ours: () => this.#video,
      onIn: (link) => this.#film.add(link, this.#givers.has(link)),
      onOut: (link) => this.#film.remove(link),
    });
    this.chat = new Chat({
      clock,
      room: this.#chatRoom,
      author: this.#author,
      selfId: parts.selfId,
      name: () => this.#name,
      audience,
      mutes: this.#mutes,
      onChange: () => parts.onChange(),
    });
    this.sync = new SyncExchange({
      clock,
      room: this.#chatRoom,
      author: this.#author,
      selfId: parts.selfId,
      audience,
      name: () => this.#name,
      video: () => this.#video,
      rules: () => this.rules,
      onChange: () => parts.onSync?.(),
    });
    this.#links = new Links({
      clock,
      handlers: {
        ...this.#manifestHandlers(),
        ...this.#rules.handlers,
        ...this.#steps.only(() => this.#film.swarmHandlers),
        ...this.chat.handlers,
        ...this.sync.handlers,
      },
      hello: () => this.#hello(),
      onOpen: (link) => this.sync.opened(link),
      onMeet: (link, hello) => this.#meet(link, hello),
      onGreetedAgain: (link, hello) => this.#greetedAgain(link, hello),
      onCard: (link, card) => void this.#readCard(link, card),
      onClose: (link, code) => this.#parted(link, code),
    });
    void this.rename(parts.name);
  }

  /** The manifest of the film that the room is at. */
  get manifest(): Manifest {
    return this.#film.manifest;
  }

  get name(): string {
    return this.#name;
  }

  /** The chat's lines. */
  get lines(): readonly ChatLine[] {
    return this.chat.lines;
  }

  /** The newest rules of the host that have come; null where it made none. */
  get rules(): Rules | null {
    return this.#rules.rules;
  }

  /** Peers connected now. */
  get links(): Iterable<Link> {
    return this.#links.met;
  }

  /** Whether there is a way to the server's pieces. */
  get hasOrigin(): boolean {
    if (this.#parts.plain) return true;
    for (const { remote } of this.#links.met) if (remote.kind === 'origin') return true;
    return false;
  }

  /** The name a peer gave itself, or null. */
  nameOf(link: Link): string | null {
    return this.#cards.get(link)?.name || null;
  }

  /** Whether this is a page of the host's that gives what it uploads, and nobody who watches. */
  isGiver(link: Link): boolean {
    return this.#givers.has(link);
  }

  /** Whether this peer has shown the host's badge. */
  isHost(link: Link): boolean {
    return this.#cards.get(link)?.isHost ?? false;
  }

  get rejectedPieces(): number {
    return this.#pastRejected + this.#film.downloads.rejectedPieces;
  }

  /** Bytes of ciphertext held now, by where they lie. */
  get heldBytes(): HeldBytes {
    return this.#film.pieces.heldBytes;
  }

  /** Why the disk failed, or refused to open; null as long as it did not. What is held then stays in memory. */
  get diskError(): unknown {
    return this.#diskError;
  }

  /** Takes over an open channel to this peer; one that is banned, or that the host's rules keep out, is closed at once. */
  connect(channel: Channel, remote: Remote): void {
    const isOut = this.isBanned(remote.id) || this.#whyOut(remote) !== null;
    if (isOut) channel.close();
    else this.#links.open(channel, remote);
  }

  /** Whether the host's rules keep a member from being connected to us. */
  isOut(id: string): boolean {
    return this.#whyOut({ id, kind: 'member' }) !== null;
  }

  /** Whether this peer has sent too many wrong pieces to be let in again. */
  isBanned(id: string): boolean {
    return this.#film.downloads.isBanned(id);
  }

  /** Media bytes by source, closed connections included. */
  traffic(): Traffic {
    const sum = { ...this.#pastTraffic };
    sum.fromHttpBytes += this.#film.downloads.plainBytes;
    for (const link of this.#links.met) addTraffic(sum, link);
    return sum;
  }

  /** Closes every connection on which nothing is heard within so many milliseconds: the network may have changed. */
  probeLinks(withinMs: number): void {
    for (const link of [...this.#links.met]) link.mustAnswerWithin(withinMs);
  }

  /** Where the viewer is, milliseconds from the start of the film. */
  setPlayhead(atMs: number): void {
    this.#film.setPlayhead(atMs);
  }

  /** Whether this piece is here and can be read. */
  hasPiece(segment: number, piece: number): boolean {
    return this.#film.pieces.has(segment, piece);
  }

  /** Whether a segment can be had whole: it is here, or somebody we are connected to has it; null where that cannot be told. */
  isToBeHad(segment: number): boolean | null {
    return this.#film.downloads.isToBeHad(segment);
  }

  /** The plaintext of a piece, or null where it is not here. */
  readPiece(segment: number, piece: number): Promise<Bytes | null> {
    return this.#film.readPiece(segment, piece);
  }

  /** Where the pieces came from that came of this film so far. */
  get provenance(): Provenance {
    return this.#film.provenance;
  }

  /** What the host says of the film, or null before its manifest is here. @throws MatineeError SEAL_BROKEN. */
  videoInfo(): Promise<VideoInfo | null> {
    return this.#film.info();
  }

  /** The title of a video in the room's list. @throws MatineeError SEAL_BROKEN. */
  async openTitle({ video, title }: ListedVideo): Promise<string> {
    const { crypto, roomSecret } = this.#parts;
    const { infoKey } = await deriveVideoKeys(crypto, roomSecret, video);
    return await openTitle(crypto, infoKey, video, title);
  }

  /** Says this in the chat. @throws as Chat's say. */
  say(text: string): Promise<void> {
    return this.chat.say(text);
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
    const { uploads } = this.#film;
    const wasServing = uploads.isServing;
    this.#budget.setLimit(bytesPerSec);
    if (wasServing === uploads.isServing) return;
    if (!uploads.isServing) uploads.refuseAll();
    for (const link of this.#steps.inStep) link.send(uploads.isServing ? 'unchoke' : 'choke', {});
  }

  /** Leaves: says goodbye on every link and frees what is held. */
  close(): void {
    this.chat.close();
    this.#links.closeAll('LEFT');
    this.sync.close();
    this.#film.close();
    this.#budget.close();
    this.#uplink.close();
  }

  /** The video we are at: that of the manifest; null before its head. */
  get #video(): Bytes | null {
    return this.#film.manifest.head?.video ?? null;
  }

  #newFilm(manifest: Manifest): Film {
    const { crypto, clock, random, roomSecret, memoryBytes, spill = null } = this.#parts;
    return new Film({
      crypto,
      clock,
      random,
      roomSecret,
      manifest,
      memoryBytes,
      spill,
      budget: this.#budget,
      uplink: this.#uplink,
      everyone: () => this.#links.met,
      members: () => this.#viewersInStep(),
      onChange: () => this.#manifestChanged(),
      onPiece: this.#parts.onPiece,
      onExtra: this.#parts.onExtra,
      liars: this.#liars,
      plain: this.#parts.plain ?? null,
      onDiskError: (error) => {
        this.#diskError = error;
      },
    });
  }

  *#viewersInStep(): Iterable<Link> {
    for (const link of this.#steps.inStep)
      if (link.remote.kind === 'member' && !this.#givers.has(link)) yield link;
  }

  /** All who talk, or pass on what is said. */
  *#people(): Iterable<Link> {
    for (const link of this.#links.met) if (!this.#givers.has(link)) yield link;
  }

  #hello(): Bodies['hello'] {
    const video = this.#video;
    return { v: WIRE_VERSION, role: 'member', card: this.#card, ...(video && { video }) };
  }

  #meet(link: Link, hello: Bodies['hello']): void {
    const isGiver = hello.role === 'giver' && link.remote.kind === 'member';
    // Nobody but the host can be in the room unseen: a giver shows its badge at once, or goes.
    if (isGiver && !hello.card) {
      link.close('SIGNATURE_WRONG');
      return;
    }
    if (isGiver) this.#givers.add(link);
    this.#rules.tell([link]);
    this.#film.exchange.tell([link]);
    this.#steps.said(link, hello.video ?? null);
    // It does not know the room's time.
    if (isGiver) this.sync.parted(link);
    else {
      this.chat.greet(link);
      this.sync.greet(link);
    }
    this.#parts.onChange();
  }

  /** Who is at another video than the host names is told of that one, in case the news of it went by. */
  #greetedAgain(link: Link, { video }: Bodies['hello']): void {
    this.#steps.said(link, video ?? null);
    const ours = this.#video;
    const isOther = ours && video && !areEqual(ours, video);
    if (!isOther || !this.#isNamed(ours)) return;
    this.#rules.tell([link]);
    this.#film.exchange.tell([link]);
  }

  #isNamed(video: Bytes): boolean {
    const current = this.rules?.current ?? null;
    return current !== null && areEqual(current, video);
  }

  #parted(link: Link, code: string): void {
    addTraffic(this.#pastTraffic, link);
    this.#cards.delete(link);
    this.#givers.delete(link);
    this.#steps.remove(link);
    this.#film.remove(link);
    this.sync.parted(link);
    if (code !== 'REPLACED') this.chat.parted(link.remote.id);
    this.#parts.onLinkClosed(link.remote, code);
    this.#parts.onChange();
  }

  async #readCard(link: Link, card: Bytes | null): Promise<void> {
    if (!card || link.remote.kind === 'origin') return;
    try {
      const opened = await openCard(this.#chatRoom, card);
      if (opened.from !== link.remote.id) throw new MatineeError('SIGNATURE_WRONG', 'Another member’s card.');
      if (this.#givers.has(link) && !opened.isHost)
        throw new MatineeError('SIGNATURE_WRONG', 'No page of the host’s.');
      if (link.isOpen) this.#cards.set(link, opened);
    } catch (error) {
      // Who cannot say in their own name who they are does not belong here.
      link.close(asMatineeError(error, 'FRAME_MALFORMED', 'card not understood').code);
    }
    this.#parts.onChange();
  }

  /** Rules come before what they are about, and take a moment to be checked: a manifest waits for them. */
  #manifestHandlers(): Handlers {
    return {
      getPage: (link, body) => this.#film.exchange.handlers.getPage?.(link, body),
      head: (link, body) => this.#rules.afterChecks(() => this.#head(link, body)),
      page: (link, body) => this.#rules.afterChecks(() => this.#film.exchange.handlers.page?.(link, body)),
    };
  }

  /** A head of the film we are at, or of the one that the host has named since. */
  #head(link: Link, body: Bodies['head']): void {
    try {
      const { video } = peekHead(body.envelope);
      const ours = this.#video;
      if (ours && !areEqual(ours, video) && this.#isNamed(video)) void this.#changeFilm(link, body.envelope);
      else this.#film.exchange.handlers.head?.(link, body);
    } catch (error) {
      link.close(asMatineeError(error, 'MANIFEST_MALFORMED', 'manifest not understood').code);
    }
  }

  async #changeFilm(link: Link, envelope: Bytes): Promise<void> {
    if (this.#isChanging) return;
    this.#isChanging = true;
    try {
      const manifest = new Manifest(this.#parts.crypto, this.#parts.roomId);
      await manifest.adoptHead(envelope);
      // The host may have changed its mind while the signature was checked.
      if (manifest.head && this.#isNamed(manifest.head.video)) this.#beAt(manifest, link);
    } catch (error) {
      link.close(asMatineeError(error, 'MANIFEST_MALFORMED', 'manifest not understood').code);
    } finally {
      this.#isChanging = false;
    }
  }

  #beAt(manifest: Manifest, from: Link): void {
    this.#pastRejected += this.#film.downloads.rejectedPieces;
    this.#pastTraffic.fromHttpBytes += this.#film.downloads.plainBytes;
    this.#film.close();
    for (const link of this.#steps.inStep) this.#film.remove(link);
    this.#film = this.#newFilm(manifest);
    this.#links.greetAgain();
    this.#film.exchange.tell(this.#links.met, from);
    this.#steps.changed();
    this.#parts.onFilm?.();
    this.#parts.onChange();
  }

  #obey(rules: Rules): void {
    this.#mutes.update(rules);
    for (const link of [...this.#links.met]) {
      const code = this.#whyOut(link.remote);
      if (code) link.close(code);
    }
    const [ours, { current }] = [this.#video, rules];
    // Who is at the new film already takes this for a question.
    if (ours && current && !areEqual(ours, current)) this.#links.greetAgain();
    this.#parts.onRules?.(rules);
    this.#parts.onChange();
  }

  /** Why the host's rules forbid a connection to this peer, as a goodbye code; null where they do not. */
  #whyOut({ id, kind }: Remote): string | null {
    return kind === 'origin' ? null : this.#rules.whyApart(id);
  }

  #manifestChanged(): void {
    if (!this.#hasSaidVideo && this.#video) {
      this.#hasSaidVideo = true;
      this.#links.greetAgain();
      this.#steps.reviewAll();
    }
    this.#parts.onChange();
  }
}

function addTraffic(sum: Traffic, link: Link): void {
  if (link.remote.kind === 'origin') sum.fromOriginBytes += link.mediaReceivedBytes;
  else sum.fromPeersBytes += link.mediaReceivedBytes;
  sum.sentBytes += link.mediaSentBytes;
}
