import { areEqual, type Bytes } from '../bytes.ts';
import type { Handlers, Link } from '../wire/link.ts';

export interface StepsParts {
  /** The video we are at; null while we know none. */
  ours(): Bytes | null;
  /** A peer is at our video from now on, or may be: exchange pieces with it. */
  onIn(link: Link): void;
  /** It is at another one: what was asked of it and by it is void. */
  onOut(link: Link): void;
}

/**
 * Which peers are at the same video as we are. Pieces say nothing of the video they belong to; a peer's hello does, for all
 * that it sends after it. So when a room changes to another video its connections stay, and two ends that change at different
 * moments never take each other for liars: what comes from a peer at another video is not looked at.
 */
export class Steps {
  readonly #parts: StepsParts;
  /** Videos of the newest hellos; null: it knows none yet. */
  readonly #theirs = new Map<Link, Bytes | null>();
  readonly #inStep = new Set<Link>();

  constructor(parts: StepsParts) {
    this.#parts = parts;
  }

  /** Peers at our video, or that know none yet. */
  get inStep(): ReadonlySet<Link> {
    return this.#inStep;
  }

  /** A peer said hello, for the first time or again. */
  said(link: Link, video: Bytes | null): void {
    this.#theirs.set(link, video);
    this.#review(link);
  }

  /** We are at another video than before, and have said so. The peers that were in step have been forgotten already. */
  changed(): void {
    this.#inStep.clear();
    this.reviewAll();
  }

  /** We know now which video we are at. */
  reviewAll(): void {
    for (const link of this.#theirs.keys()) this.#review(link);
  }

  /** Forgets a closed link; its owner forgets what was asked of it and by it. */
  remove(link: Link): void {
    this.#theirs.delete(link);
    this.#inStep.delete(link);
  }

  /** Handlers that hear only peers in step. */
  only(handlers: () => Handlers): Handlers {
    const heard = (link: Link): Handlers => (this.#inStep.has(link) ? handlers() : {});
    return {
      have: (link, body) => heard(link).have?.(link, body),
      drop: (link, body) => heard(link).drop?.(link, body),
      choke: (link, body) => heard(link).choke?.(link, body),
      unchoke: (link, body) => heard(link).unchoke?.(link, body),
      request: (link, body) => heard(link).request?.(link, body),
      cancel: (link, body) => heard(link).cancel?.(link, body),
      piece: (link, body) => heard(link).piece?.(link, body),
      got: (link, body) => heard(link).got?.(link, body),
      lied: (link, body) => heard(link).lied?.(link, body),
      noPiece: (link, body) => heard(link).noPiece?.(link, body),
      noPage: (link, body) => heard(link).noPage?.(link, body),
    };
  }

  #review(link: Link): void {
    const [ours, theirs] = [this.#parts.ours(), this.#theirs.get(link) ?? null];
    const isIn = link.isOpen && (!ours || !theirs || areEqual(ours, theirs));
    if (isIn === this.#inStep.has(link)) return;
    if (isIn) {
      this.#inStep.add(link);
      this.#parts.onIn(link);
    } else {
      this.#inStep.delete(link);
      this.#parts.onOut(link);
    }
  }
}
