import type { Bytes } from '../bytes.ts';
import { asMatineeError, type ErrorCode } from '../errors.ts';
import type { Handlers, Link } from '../wire/link.ts';
import type { Bodies } from '../wire/messages.ts';
import type { Manifest } from './manifest.ts';

/** What a peer is not to blame for: it passed on in good faith what the host signed, only not the newest. */
const FORGIVEN: readonly ErrorCode[] = ['MANIFEST_STALE'];

export interface ManifestExchangeParts {
  manifest: Manifest;
  /** Everyone to tell of a new head. */
  audience(): Iterable<Link>;
  /** The head or a page is new. */
  onChange(): void;
}

/** Passes the signed manifest from peer to peer: heads are pushed, pages are asked for. */
export class ManifestExchange {
  readonly handlers: Handlers = {
    head: (link, body) => this.#head(link, body),
    getPage: (link, body) => this.#getPage(link, body),
    page: (link, body) => this.#inOrder(link, () => this.#page(body)),
  };
  readonly #parts: ManifestExchangeParts;
  /** Checking takes a moment; a page must not overtake the head that lists it. */
  #turn: Promise<void> = Promise.resolve();
  /** The head of each link that waits to be checked: a newer one takes its place, so however many come, no more wait. */
  readonly #waitingHeads = new WeakMap<Link, Bytes>();

  constructor(parts: ManifestExchangeParts) {
    this.#parts = parts;
  }

  /** Tells one peer, or everyone but the one it came from, the newest head. */
  tell(links: Iterable<Link>, except?: Link): void {
    const envelope = this.#parts.manifest.envelope;
    if (!envelope) return;
    for (const link of links) if (link !== except) link.send('head', { envelope });
  }

  /** Sends the first page unasked, to save a newcomer the round trip before its first piece. */
  offerFirstPage(link: Link): void {
    const first = this.#parts.manifest.head?.pages[0];
    const bytes = first && this.#parts.manifest.pageBytes(first.hash);
    if (bytes) link.send('page', { bytes });
  }

  #inOrder(link: Link, run: () => Promise<void>): void {
    const runIfOpen = async (): Promise<void> => {
      // What a liar sent after its lie is not looked at.
      if (link.isOpen) await run();
    };
    this.#turn = this.#turn.then(runIfOpen).catch((error) => {
      const { code } = asMatineeError(error, 'MANIFEST_MALFORMED', 'manifest not understood');
      if (!FORGIVEN.includes(code)) link.close(code);
    });
  }

  #head(link: Link, { envelope }: Bodies['head']): void {
    const isWaiting = this.#waitingHeads.has(link);
    this.#waitingHeads.set(link, envelope);
    if (!isWaiting) this.#inOrder(link, () => this.#takeHead(link));
  }

  async #takeHead(link: Link): Promise<void> {
    const envelope = this.#waitingHeads.get(link);
    this.#waitingHeads.delete(link);
    if (!envelope || !(await this.#parts.manifest.adoptHead(envelope))) return;
    this.tell(this.#parts.audience(), link);
    this.#parts.onChange();
  }

  async #page({ bytes }: Bodies['page']): Promise<void> {
    if (await this.#parts.manifest.adoptPage(bytes)) this.#parts.onChange();
  }

  #getPage(link: Link, { hash }: Bodies['getPage']): void {
    const bytes = this.#parts.manifest.pageBytes(hash);
    if (bytes) link.send('page', { bytes });
    else link.send('noPage', { hash });
  }
}
