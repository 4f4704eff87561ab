/** Pixels from the end that still count as there: a rounding, or the last line half seen. */
const NEAR_PX = 48;

/**
 * Keeps a list that scrolls at its newest line, until the reader scrolls up and again once they are back.
 * `onChange` is told whenever following starts or stops.
 */
export class StickToEnd {
  #list: HTMLElement;
  #isFollowing = true;
  #onChange: (isFollowing: boolean) => void;
  #resizes = new ResizeObserver(() => this.linesChanged());

  constructor(list: HTMLElement, onChange: (isFollowing: boolean) => void) {
    this.#list = list;
    this.#onChange = onChange;
    list.addEventListener('scroll', this.#onScroll, { passive: true });
    // A phone's keyboard takes half the list away.
    this.#resizes.observe(list);
  }

  /** To be called once new lines are drawn. */
  linesChanged(): void {
    if (this.#isFollowing) this.#list.scrollTop = this.#list.scrollHeight;
  }

  /** Back to the newest line. */
  jumpToEnd(): void {
    this.#set(true);
    this.linesChanged();
  }

  close(): void {
    this.#list.removeEventListener('scroll', this.#onScroll);
    this.#resizes.disconnect();
  }

  #onScroll = (): void => {
    const { scrollHeight, scrollTop, clientHeight } = this.#list;
    this.#set(scrollHeight - scrollTop - clientHeight <= NEAR_PX);
  };

  #set(isFollowing: boolean): void {
    if (isFollowing === this.#isFollowing) return;
    this.#isFollowing = isFollowing;
    this.#onChange(isFollowing);
  }
}
