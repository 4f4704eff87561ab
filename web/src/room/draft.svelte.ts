import { asMatineeError } from '../../../peer/errors.ts';
import { MAX_CHAT_CHARS } from '../../../peer/limits.ts';
import type { ChatLine, RoomSession } from '../room-session.ts';
import { texts } from './texts.ts';

/** From so few characters left on it is said how many. */
const FEW_LEFT = 200;

/** The line that is being written, and what it is about. */
export class Draft {
  text: string = $state('');
  /** The line it answers. */
  reply: ChatLine | null = $state.raw(null);
  /** The place in the film it is about, milliseconds. */
  atMs: number | null = $state(null);
  #failure: string = $state('');

  line = $derived(this.text.trim());
  isTooLong = $derived(this.line.length > MAX_CHAT_CHARS);
  canSend = $derived(this.line !== '' && !this.isTooLong);

  /** What there is to say about it; '' where all is well. */
  hint = $derived.by(() => {
    const left = MAX_CHAT_CHARS - this.line.length;
    if (left < 0) return texts.tooLong(this.line.length);
    if (this.#failure !== '') return this.#failure;
    return left <= FEW_LEFT ? texts.charsLeft(left) : '';
  });

  /** Sends it; all of it comes back for another try where that fails. */
  async send(session: RoomSession): Promise<void> {
    if (!this.canSend) return;
    const { text, line, reply, atMs } = this;
    this.text = '';
    this.reply = null;
    this.atMs = null;
    this.#failure = '';
    try {
      await session.say(line, { reply: reply?.id ?? null, atMs });
    } catch (error) {
      this.#failure = texts.errorText(asMatineeError(error, 'INTERNAL', texts.notSent));
      // Not over what was typed meanwhile.
      if (this.text !== '') return;
      this.text = text;
      this.reply = reply;
      this.atMs = atMs;
    }
  }

  /** Whether so much more may be pasted in; says what is wrong where not. */
  canTake(pasted: string, selectedChars: number): boolean {
    const chars = this.text.length - selectedChars + pasted.trim().length;
    this.#failure = chars > MAX_CHAT_CHARS ? texts.pastedTooLong(chars) : '';
    return chars <= MAX_CHAT_CHARS;
  }

  /** Something was typed: what was wrong before is over. */
  typed(): void {
    this.#failure = '';
  }
}
