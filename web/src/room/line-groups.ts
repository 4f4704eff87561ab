import type { ChatLine } from '../room-session.ts';

/** Lines of one author that follow each other within this time are one turn of theirs. */
const SAME_TURN_MS = 4 * 60_000;

/** Whether a line goes on where its author's line before it ended, so that its author need not be named again. */
export function doesGoOn(line: ChatLine, before: ChatLine | undefined): boolean {
  if (!before || before.from !== line.from || before.name !== line.name || line.reply) return false;
  return line.sentAtMs - before.sentAtMs < SAME_TURN_MS;
}
