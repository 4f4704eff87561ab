import { type Bytes, toBase64url } from '../bytes.ts';
import { ChatRelay } from '../chat/chat-relay.ts';
import { PassingRelay } from '../chat/passing-relay.ts';
import type { Clock } from '../clock.ts';
import type { Crypto } from '../crypto/crypto.ts';
import { Manifest } from '../manifest/manifest.ts';
import { ManifestExchange } from '../manifest/manifest-exchange.ts';
import type { Rules } from '../manifest/rules.ts';
import { toRuns } from '../swarm/availability.ts';
import { OriginOrder } from '../swarm/origin-order.ts';
import type { PieceSource } from '../swarm/piece-store.ts';
import type { SendBudget } from '../swarm/send-budget.ts';
import type { Uplink } from '../swarm/uplink.ts';
import { Uploads } from '../swarm/uploads.ts';
import { KeptStatements } from '../sync/kept-statements.ts';
import { StatementRelay } from '../sync/statement-relay.ts';
import type { Channel } from '../transport/channel.ts';
import type { Link, Remote } from '../wire/link.ts';
import { type Bodies, WIRE_VERSION } from '../wire/messages.ts';
import { Links } from './links.ts';
import { MAKE_ROOM } from './origin-dial.ts';
import { RulesExchange } from './rules-exchange.ts';
import { Steps } from './steps.ts';

/** Where a room was is forgotten so long after its last member left: a reload is quicker, and who comes later begins anew. */
const FORGET_PLAYBACK_MS = 60_000;

export interface OriginRoomParts {
  crypto: Crypto;
  clock: Clock;
  roomId: Bytes;
  source: PieceSource;
  /** The segments that `source` has whole; grows by update(). */
  stored: Set<number>;
  /** What the origin may send, over all rooms. */
  budget: SendBudget;
  /** The line all rooms share. */
  uplink: Uplink;
  onLinkClosed(remote: Remote, code: string): void;
  onError(error: unknown): void;
}

/** What the origin serves of one video. */
interface ServedFilm {
  manifest: Manifest;
  exchange: ManifestExchange;
  order: OriginOrder;
  uploads: Uploads;
}

/** The origin's part in one room: serves pieces, passes the manifest on, and keeps sealed chat it cannot read. */
export class OriginRoom {
  readonly #parts: OriginRoomParts;
  readonly #links: Links;
  readonly #rules: RulesExchange;
  readonly #steps: Steps;
  readonly #playbacks = new KeptStatements();
  #cancelForgetting: () => void = () => undefined;
  #film: ServedFilm;

  constructor(parts: OriginRoomParts) {
    const { crypto, clock, roomId } = parts;
    this.#parts = parts;
    this.#film = this.#newFilm();
    const audience = (): Iterable<Link> => this.#links.met;
    this.#rules = new RulesExchange({ crypto, roomId, audience, onChange: () => this.#closeOutcasts() });
    const relay = { crypto, clock, audience, accept: async () => true };
    const chat = new ChatRelay({ ...relay, log: 'chat' });
    const reactions = new ChatRelay({ ...relay, log: 'reaction' });
    const statements = new StatementRelay({
      crypto,
      audience,
      accept: async (name, sealed, { remote }) => {
        if (name === 'playback') this.#playbacks.add(remote.id, sealed);
        return true;
      },
    });
    this.#steps = new Steps({
      ours: () => this.manifest.head?.video ?? null,
      onIn: (link) => this.#tellStored([link], parts.stored),
      onOut: (link) => this.#film.uploads.remove(link),
    });
    this.#links = new Links({
      clock,
      handlers: {
        // The origin takes no manifest and no rules from viewers: its own come from the store.
        getPage: (link, body) => this.#film.exchange.handlers.getPage?.(link, body),
        ...this.#steps.only(() => ({
          ...this.#film.uploads.handlers,
          // The broker is no way for pieces: who has no data channel fetches them by HTTP.
          request: (link, body) => {
            if (link.remote.isRelayed) link.send('noPiece', { segment: body.segment, pieces: body.pieces });
            else this.#film.uploads.handlers.request?.(link, body);
          },
          lied: (link, { member }) => {
            const accused = this.#links.get(toBase64url(member));
            if (accused) this.#film.order.accuse(accused, link);
          },
          choke: (link) => this.#film.order.setRelaying(link, false),
          unchoke: (link) => this.#film.order.setRelaying(link, true),
        })),
        ...chat.handlers,
        ...reactions.handlers,
        ...new PassingRelay({ crypto, clock, audience, accept: async () => Number.POSITIVE_INFINITY })
          .handlers,
        ...statements.handlers,
        // The room's time is ours.
        askTime: (link, { n }) => link.send('time', { n, roomMs: Math.round(clock.wallMs()), errorMs: 0 }),
      },
      hello: () => this.#hello(),
      onMeet: (link, { video }) => {
        if (link.remote.isRelayed) link.send('choke', {});
        this.#rules.tell([link]);
        this.#film.exchange.tell([link]);
        this.#film.exchange.offerFirstPage(link);
        this.#steps.said(link, video ?? null);
        chat.greet(link);
        reactions.greet(link);
        this.#cancelForgetting();
        for (const sealed of this.#playbacks.all) link.send('playback', { sealed });
      },
      onGreetedAgain: (link, { video }) => this.#steps.said(link, video ?? null),
      onCard: () => undefined,
      onClose: (link, code) => {
        const isStillInRoom = code === MAKE_ROOM;
        this.#steps.remove(link);
        this.#film.uploads.remove(link, isStillInRoom);
        this.#forgetLaterIfEmpty();
        // Who comes next, or comes back after a reload, is not to wait for somebody to pass it on.
        if (this.linkCount === 0 && !isStillInRoom) this.#film.order.forgetHolders();
        parts.onLinkClosed(link.remote, code);
      },
    });
  }

  /** The manifest of the video that is served. */
  get manifest(): Manifest {
    return this.#film.manifest;
  }

  /** Members connected now. */
  get linkCount(): number {
    return [...this.#links.met].length;
  }

  /** The host's rules as they were adopted last; null where it made none. */
  get rules(): Rules | null {
    return this.#rules.rules;
  }

  /** Whether the host's rules keep this member out. */
  isOut(id: string): boolean {
    return this.#rules.whyOut(id) !== null;
  }

  /** Takes over an open channel; a member whom the rules keep out is told so and closed. */
  connect(channel: Channel, remote: Remote): void {
    this.#links.open(channel, remote);
    this.#closeOutcast(remote.id);
  }

  /** Takes the host's rules, tells every member, and closes whom they keep out. @throws as RulesExchange does. */
  async obey(envelope: Bytes): Promise<void> {
    await this.#rules.adopt(envelope);
  }

  /**
   * The manifest grew, or these segments came into the store: tells every member. @throws as Manifest does.
   */
  async update(envelope: Bytes, pages: Bytes[], stored: readonly number[]): Promise<void> {
    const before = this.manifest.head;
    const isNewHead = await this.manifest.adoptHead(envelope);
    for (const page of pages) await this.manifest.adoptPage(page);
    if (isNewHead) this.#tellHead(before === null);
    const { stored: known } = this.#parts;
    const news = stored.filter((segment) => !known.has(segment));
    for (const segment of news) known.add(segment);
    if (news.length > 0) this.#tellStored(this.#steps.inStep, news);
  }

  /** Nothing is served any more of the video so far; `update` brings the one that takes its place. */
  endVideo(): void {
    for (const link of this.#steps.inStep) this.#film.uploads.remove(link);
    this.#film.uploads.close();
    this.#parts.stored.clear();
    this.#film = this.#newFilm();
  }

  /** Says goodbye to this member, if it is connected; it is told the code. */
  part(id: string, code: string): void {
    this.#links.get(id)?.close(code);
  }

  /** Says goodbye to every member. */
  close(code: string): void {
    this.#links.closeAll(code);
    this.#cancelForgetting();
  }

  #forgetLaterIfEmpty(): void {
    this.#cancelForgetting();
    if (this.linkCount > 0) return;
    this.#cancelForgetting = this.#parts.clock.after(FORGET_PLAYBACK_MS, () => this.#playbacks.clear());
  }

  #newFilm(): ServedFilm {
    const { crypto, roomId } = this.#parts;
    const manifest = new Manifest(crypto, roomId);
    const order = new OriginOrder();
    const exchange = new ManifestExchange({
      manifest,
      audience: () => this.#links.met,
      onChange: () => undefined,
    });
    return { manifest, exchange, order, uploads: new Uploads({ ...this.#parts, order }) };
  }

  #hello(): Bodies['hello'] {
    const { head } = this.manifest;
    return { v: WIRE_VERSION, role: 'origin', card: null, ...(head && { video: head.video }) };
  }

  #tellHead(isFirst: boolean): void {
    if (isFirst) this.#links.greetAgain();
    this.#film.exchange.tell(this.#links.met);
    if (!isFirst) return;
    for (const link of this.#links.met) this.#film.exchange.offerFirstPage(link);
    this.#steps.changed();
  }

  #closeOutcasts(): void {
    for (const id of this.#links.ids()) this.#closeOutcast(id);
  }

  #closeOutcast(id: string): void {
    const code = this.#rules.whyOut(id);
    if (code) this.part(id, code);
  }

  #tellStored(links: Iterable<Link>, segments: Iterable<number>): void {
    const whole = toRuns(segments);
    if (whole.length === 0) return;
    for (const link of links) link.send('have', { whole, parts: [] });
  }
}
