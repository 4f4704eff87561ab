import type { Bytes } from '../bytes.ts';
import type { Author, ChatRoom } from '../chat/authored.ts';
import { sealCard } from '../chat/chat-line.ts';
import type { Clock } from '../clock.ts';
import { pieceBytes } from '../manifest/geometry.ts';
import { Manifest } from '../manifest/manifest.ts';
import { ManifestExchange } from '../manifest/manifest-exchange.ts';
import type { ManifestUpdate } from '../manifest/manifest-writer.ts';
import { isWatched, type Rules } from '../manifest/rules.ts';
import { toRuns } from '../swarm/availability.ts';
import type { PieceSource } from '../swarm/piece-store.ts';
import { SendBudget } from '../swarm/send-budget.ts';
import { Uplink } from '../swarm/uplink.ts';
import { Uploads } from '../swarm/uploads.ts';
import { ViewerOrder } from '../swarm/viewer-order.ts';
import type { Channel } from '../transport/channel.ts';
import type { Link, Remote } from '../wire/link.ts';
import { type Bodies, WIRE_VERSION } from '../wire/messages.ts';
import { Links } from './links.ts';
import { RulesExchange } from './rules-exchange.ts';
import { Steps } from './steps.ts';

/** A card has to have a name; this one is shown to nobody. */
const CARD_NAME = 'host';

/** The page of a host who has gone to look at the film is hidden, and its timers run once a second: what was earned meanwhile must not be lost. */
const BURST_MS = 1_000;

/** What a giver shows that it is the host's: its author has the host's badge, or it is taken in nowhere. */
export function giverCard(room: ChatRoom, author: Author): Promise<Bytes> {
  return sealCard(room, author, CARD_NAME);
}

export interface GiverParts {
  clock: Clock;
  room: ChatRoom;
  video: Bytes;
  /** From giverCard. */
  card: Bytes;
  /** The ciphertext of a piece that was offered; null where it is gone meanwhile. */
  read(segment: number, piece: number): Promise<Bytes | null>;
  onLinkClosed(remote: Remote, code: string): void;
  /** The host's rules are new. */
  onRules(rules: Rules): void;
}

/**
 * The host's uploading page in its room: gives viewers what the server does not have yet, passes the manifest on that it is
 * signing, and obeys the host's rules. It watches nothing, says nothing and is nobody: no member of the talk, nor of the film.
 */
export class Giver {
  readonly #parts: GiverParts;
  readonly #manifest: Manifest;
  readonly #exchange: ManifestExchange;
  readonly #rules: RulesExchange;
  readonly #budget: SendBudget;
  readonly #uplink: Uplink;
  readonly #uploads: Uploads;
  readonly #steps: Steps;
  readonly #links: Links;
  /** The segments that can be had here, whole. */
  readonly #offered = new Set<number>();

  constructor(parts: GiverParts) {
    const { clock, room } = parts;
    const { crypto, roomId } = room;
    const audience = (): Iterable<Link> => this.#links.met;
    this.#parts = parts;
    this.#manifest = new Manifest(crypto, roomId);
    this.#exchange = new ManifestExchange({
      manifest: this.#manifest,
      audience,
      onChange: () => undefined,
    });
    this.#rules = new RulesExchange({ crypto, roomId, audience, onChange: (rules) => this.#heed(rules) });
    this.#budget = new SendBudget(clock, null, BURST_MS);
    this.#uplink = new Uplink(clock);
    this.#uploads = new Uploads({
      clock,
      source: this.#source(),
      budget: this.#budget,
      uplink: this.#uplink,
      order: new ViewerOrder(),
      onError: () => undefined,
    });
    this.#steps = new Steps({
      ours: () => parts.video,
      onIn: (link) => this.#welcome(link),
      onOut: (link) => this.#uploads.remove(link),
    });
    this.#links = new Links({
      clock,
      handlers: {
        // What it gives and says of the film is its own: it takes no manifest from others.
        getPage: (link, body) => this.#exchange.handlers.getPage?.(link, body),
        ...this.#rules.handlers,
        ...this.#steps.only(() => this.#uploads.handlers),
      },
      hello: () => this.#hello(),
      onMeet: (link, { video }) => {
        this.#rules.tell([link]);
        this.#tellHead([link]);
        this.#steps.said(link, video ?? null);
      },
      onGreetedAgain: (link, { video }) => this.#steps.said(link, video ?? null),
      onCard: () => undefined,
      onClose: (link, code) => {
        this.#steps.remove(link);
        this.#uploads.remove(link);
        parts.onLinkClosed(link.remote, code);
      },
    });
  }

  /** The newest rules of the host that are known here; null where none are. */
  get rules(): Rules | null {
    return this.#rules.rules;
  }

  /** Bytes of pieces that those connected now were given. */
  get sentBytes(): number {
    let sum = 0;
    for (const link of this.#links.met) sum += link.mediaSentBytes;
    return sum;
  }

  /** The server has accepted this update of the manifest. @throws as Manifest does. */
  async update({ head, pages }: ManifestUpdate): Promise<void> {
    const isNewHead = await this.#manifest.adoptHead(head);
    for (const page of pages) await this.#manifest.adoptPage(page);
    if (isNewHead) this.#tellHead(this.#links.met);
  }

  /** These segments, which the manifest lists, can be had here from now on. */
  offer(segments: readonly number[]): void {
    for (const segment of segments) this.#offered.add(segment);
    this.#tellOffered(this.#steps.inStep, segments);
  }

  /** The server has this segment: whoever wants it has it from there. */
  withdraw(segment: number): void {
    if (!this.#offered.delete(segment)) return;
    for (const link of this.#steps.inStep) link.send('drop', { runs: [[segment, 1]] });
    this.#uploads.refuseSegment(segment);
  }

  /** Takes the host's rules. @throws MatineeError MANIFEST_MALFORMED, SIGNATURE_WRONG. */
  async obey(envelope: Bytes): Promise<void> {
    await this.#rules.adopt(envelope);
  }

  /** Whether the host's rules keep this member from being connected to us. */
  isOut(id: string): boolean {
    return this.#rules.whyApart(id) !== null;
  }

  /** Takes over an open channel to a viewer; whom the rules keep out is closed at once. */
  connect(channel: Channel, remote: Remote): void {
    if (this.isOut(remote.id)) channel.close();
    else this.#links.open(channel, remote);
  }

  /** Bytes per second that are given at most: null without limit, 0 nothing. */
  setLimit(bytesPerSec: number | null): void {
    const wasServing = this.#uploads.isServing;
    this.#budget.setLimit(bytesPerSec);
    const { isServing } = this.#uploads;
    if (wasServing === isServing) return;
    if (!isServing) this.#uploads.refuseAll();
    for (const link of this.#steps.inStep) link.send(isServing ? 'unchoke' : 'choke', {});
  }

  /** Closes every connection on which nothing is heard within so many milliseconds: the network may have changed. */
  probeLinks(withinMs: number): void {
    for (const link of [...this.#links.met]) link.mustAnswerWithin(withinMs);
  }

  /** Leaves: says goodbye on every link. */
  close(): void {
    this.#links.closeAll('LEFT');
    this.#uploads.close();
    this.#budget.close();
    this.#uplink.close();
  }

  #hello(): Bodies['hello'] {
    const { card, video } = this.#parts;
    return { v: WIRE_VERSION, role: 'giver', card, video };
  }

  #source(): PieceSource {
    return {
      pieceBytes: (segment, piece) => {
        const entry = this.#offered.has(segment) ? this.#manifest.entry(segment) : null;
        return Math.max(0, entry ? pieceBytes(entry.sizeBytes, piece) : 0);
      },
      read: async (segment, piece, into) => {
        const data = await this.#parts.read(segment, piece);
        if (data?.byteLength !== into.byteLength) return false;
        into.set(data);
        return true;
      },
    };
  }

  #welcome(link: Link): void {
    if (!this.#uploads.isServing) link.send('choke', {});
    this.#tellOffered([link], [...this.#offered]);
  }

  /** Who knows no video yet would take ours for the room's: it may be at another by now. */
  #tellHead(links: Iterable<Link>): void {
    if (!this.rules || isWatched(this.rules, this.#parts.video)) this.#exchange.tell(links);
  }

  #tellOffered(links: Iterable<Link>, segments: readonly number[]): void {
    if (segments.length === 0) return;
    const whole = toRuns(segments);
    for (const link of links) link.send('have', { whole, parts: [] });
  }

  #heed(rules: Rules): void {
    for (const link of [...this.#links.met]) {
      const code = this.#rules.whyApart(link.remote.id);
      if (code) link.close(code);
    }
    this.#parts.onRules(rules);
  }
}
