import type { ChatLine } from '../room-session.ts';

/** What others said while the person did not look: how much, and where it begins. */
export class Unread {
  #seen: ReadonlySet<string> = new Set();
  #wasLooking = true;

  /** Lines of others that have not been on screen. */
  count: number = $state(0);
  /** The first of them, also once they have been seen, until the person looks away again; '' for none. */
  firstId: string = $state('');

  /** The chat has these lines now; `isLooking`: the person has its end on screen. */
  update(lines: readonly Pick<ChatLine, 'id' | 'isMine'>[], isLooking: boolean): void {
    const unseen = lines.filter(({ id, isMine }) => !isMine && !this.#seen.has(id));
    if (isLooking) {
      this.#seen = new Set(lines.map(({ id }) => id));
      this.count = 0;
    } else {
      if (this.#wasLooking) this.firstId = '';
      this.firstId ||= unseen[0]?.id ?? '';
      this.count = unseen.length;
    }
    this.#wasLooking = isLooking;
  }
}
