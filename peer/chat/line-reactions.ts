import { MAX_REACTIONS } from '../limits.ts';
import type { Heard } from './mutes.ts';
import { EMOJI, type Emoji, type Reaction } from './reaction.ts';

/** How often one emoji was given to a line, and by whom (member ids). */
export interface ReactionCount {
  emoji: Emoji;
  from: string[];
}

/** A reaction and when it came here. */
export type HeardReaction = Reaction & Heard;

/** Everybody's newest reaction to each line. */
export class LineReactions {
  /** By author and line, the one that came first first. */
  readonly #newest = new Map<string, HeardReaction>();

  /** Takes a reaction; returns whether it is news: not older than what its author said of the line before. */
  take(reaction: HeardReaction): boolean {
    const key = `${reaction.from} ${reaction.line}`;
    const before = this.#newest.get(key);
    if (before && before.sentAtMs >= reaction.sentAtMs) return false;
    this.#newest.delete(key);
    this.#newest.set(key, reaction);
    const oldest = this.#newest.keys().next().value;
    if (this.#newest.size > MAX_REACTIONS && oldest) this.#newest.delete(oldest);
    return true;
  }

  /** The counts by line id, each line's in the order of EMOJI; without those for which `isHidden`. */
  counts(isHidden: (reaction: HeardReaction) => boolean): Map<string, ReactionCount[]> {
    const byLine = new Map<string, ReactionCount[]>();
    for (const reaction of this.#newest.values()) {
      const { line, emoji, from } = reaction;
      if (emoji === null || isHidden(reaction)) continue;
      const counts = byLine.get(line) ?? [];
      byLine.set(line, counts);
      const count = counts.find((each) => each.emoji === emoji);
      if (count) count.from.push(from);
      else counts.push({ emoji, from: [from] });
    }
    for (const counts of byLine.values()) {
      counts.sort((a, b) => EMOJI.indexOf(a.emoji) - EMOJI.indexOf(b.emoji));
    }
    return byLine;
  }
}
