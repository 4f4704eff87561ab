import type { Bytes } from '../bytes.ts';
import { ChatRelay } from '../chat/chat-relay.ts';
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
import type { Channel } from '../transport/channel.ts';
import type { Link, Remote } from '../wire/link.ts';
import { WIRE_VERSION } from '../wire/messages.ts';
import { Links } from './links.ts';
import { MAKE_ROOM } from './origin-dial.ts';
import { RulesExchange } from './rules-exchange.ts';

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

/** The origin's part in one room: serves pieces, passes the manifest on, and keeps sealed chat lines it cannot read. */
export class OriginRoom {
  readonly manifest: Manifest;
  readonly #links: Links;
  readonly #exchange: ManifestExchange;
  readonly #rules: RulesExchange;
  readonly #uploads: Uploads;
  readonly #stored: Set<number>;

  constructor(parts: OriginRoomParts) {
    const { crypto, clock, roomId } = parts;
    this.#stored = parts.stored;
    this.manifest = new Manifest(crypto, roomId);
    const audience = (): Iterable<Link> => this.#links.met;
    this.#exchange = new ManifestExchange({ manifest: this.manifest, audience, onChange: () => undefined });
    this.#rules = new RulesExchange({ crypto, roomId, audience, onChange: () => this.#closeOutcasts() });
    const order = new OriginOrder();
    this.#uploads = new Uploads({ ...parts, order });
    const chat = new ChatRelay({ crypto, clock, audience, accept: async () => true });
    // The origin takes no manifest and no rules from viewers: its own come from the store.
    const { getPage } = this.#exchange.handlers;
    const { request, ...uploads } = this.#uploads.handlers;
    this.#links = new Links({
      clock,
      handlers: {
        ...(getPage && { getPage }),
        ...uploads,
        // The broker is no way for pieces: who has no data channel fetches them by HTTP.
        request: (link, body) => {
          if (link.remote.isRelayed) link.send('noPiece', { segment: body.segment, pieces: body.pieces });
          else request?.(link, body);
        },
        ...chat.handlers,
        choke: (link) => order.setRelaying(link, false),
        unchoke: (link) => order.setRelaying(link, true),
      },
      hello: () => ({ v: WIRE_VERSION, role: 'origin', card: null }),
      onMeet: (link) => {
        if (link.remote.isRelayed) link.send('choke', {});
        this.#rules.tell([link]);
        this.#exchange.tell([link]);
        this.#exchange.offerFirstPage(link);
        this.#tellStored([link], this.#stored);
        chat.greet(link);
      },
      onCard: () => undefined,
      onClose: (link, code) => {
        this.#uploads.remove(link, code === MAKE_ROOM);
        parts.onLinkClosed(link.remote, code);
      },
    });
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

  /** The manifest grew, or these segments came into the store: tells every member. @throws as Manifest does. */
  async update(envelope: Bytes, pages: Bytes[], stored: readonly number[]): Promise<void> {
    const isNewHead = await this.manifest.adoptHead(envelope);
    for (const page of pages) await this.manifest.adoptPage(page);
    if (isNewHead) this.#exchange.tell(this.#links.met);
    const news = stored.filter((segment) => !this.#stored.has(segment));
    for (const segment of news) this.#stored.add(segment);
    if (news.length > 0) this.#tellStored(this.#links.met, news);
  }

  /** Says goodbye to this member, if it is connected; it is told the code. */
  part(id: string, code: string): void {
    this.#links.get(id)?.close(code);
  }

  /** Says goodbye to every member. */
  close(code: string): void {
    this.#links.closeAll(code);
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
