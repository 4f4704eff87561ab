/**
 * Which line of the chat the person is at: under the mouse, tapped, or reached by the arrow keys. That line alone shows what can
 * be done with it, so that the Tab key need not go through those buttons of every line. Lines are the elements of the
 * list that have a data-id; `onChange` is told the id, or '' for none.
 */
export class LineFocus {
  readonly #list: HTMLElement;
  readonly #onChange: (id: string) => void;
  readonly #listening = new AbortController();
  #id = '';
  /** The line the person was at when a finger came down, which may bring the focus to another. */
  #idAtTouch = '';

  constructor(list: HTMLElement, onChange: (id: string) => void) {
    this.#list = list;
    this.#onChange = onChange;
    const { signal } = this.#listening;
    list.addEventListener('keydown', (event) => this.#onKey(event), { signal });
    list.addEventListener('focusin', ({ target }) => this.#set(idOf(target)), { signal });
    list.addEventListener('focusout', (event) => this.#onFocusOut(event), { signal });
    list.addEventListener('pointerover', (event) => this.#onHover(event), { signal });
    list.addEventListener('pointerleave', (event) => this.#onLeave(event), { signal });
    list.addEventListener('pointerdown', () => (this.#idAtTouch = this.#id), { signal });
    list.addEventListener('click', (event) => this.#onTap(event), { signal });
  }

  close(): void {
    this.#listening.abort();
  }

  #set(id: string): void {
    if (id === this.#id) return;
    this.#id = id;
    this.#onChange(id);
  }

  #onKey(event: KeyboardEvent): void {
    if (event.key === 'Escape' && this.#id !== '') {
      this.#list.focus();
      this.#set('');
    }
    const isButton = event.target instanceof Element && event.target.closest('button, a') !== null;
    const step = event.key === 'ArrowUp' ? -1 : event.key === 'ArrowDown' ? 1 : 0;
    if (step === 0 || isButton) return;
    event.preventDefault();
    const lines = [...this.#list.querySelectorAll<HTMLElement>('[data-id]')];
    const at = lines.findIndex((line) => line.matches(':focus'));
    lines.at(at < 0 ? -1 : Math.max(0, Math.min(lines.length - 1, at + step)))?.focus();
  }

  #onFocusOut({ target, relatedTarget: to }: FocusEvent): void {
    // Of a line left before nothing is changed: its buttons lose the focus while the page draws it without them.
    const isLeft = idOf(target) === this.#id && !(to instanceof Node && this.#list.contains(to));
    if (isLeft) this.#set('');
  }

  #onHover({ pointerType, target }: PointerEvent): void {
    if (pointerType === 'mouse' && !this.#hasFocusInside()) this.#set(idOf(target));
  }

  #onLeave({ pointerType }: PointerEvent): void {
    if (pointerType === 'mouse' && !this.#hasFocusInside()) this.#set('');
  }

  /** A finger cannot hover: it taps a line, and taps it again to be rid of the buttons. */
  #onTap(event: MouseEvent): void {
    const isTouch = event instanceof PointerEvent && event.pointerType !== 'mouse';
    const isButton = event.target instanceof Element && event.target.closest('button, a') !== null;
    if (!isTouch || isButton) return;
    const id = idOf(event.target);
    this.#set(id === this.#idAtTouch ? '' : id);
  }

  /** Whoever came by the keyboard is not to lose the line to a mouse that lies about. */
  #hasFocusInside(): boolean {
    const { activeElement } = document;
    return activeElement?.matches(':focus-visible') === true && idOf(activeElement) !== '';
  }
}

function idOf(target: EventTarget | null): string {
  const line = target instanceof Element ? target.closest<HTMLElement>('[data-id]') : null;
  return line?.dataset.id ?? '';
}
