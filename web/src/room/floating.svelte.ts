import type { Cheer } from '../../../peer/chat/chat.ts';
import { texts } from './texts.ts';

/** More at once would hide the film: the oldest make room. */
const MAX_FLOATING = 24;

/** What came within this time is read to who cannot see it in one sentence. */
const SUMMARY_AFTER_MS = 1_500;

/** That sentence names so many, and counts the rest. */
const MAX_NAMED = 3;

export interface FloatingCheer extends Cheer {
  key: number;
  /** Where it rises, 0 to 1 of the width there is for that. */
  lane: number;
  /** Which way it drifts, -1 to 1. */
  drift: number;
}

/** The emoji over the picture, and the same in words. */
export class Floating {
  shown: FloatingCheer[] = $state.raw([]);
  /** What was cheered last. */
  summary: string = $state('');
  #unsaid: Cheer[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  #count = 0;

  add(cheer: Cheer): void {
    const key = this.#count++;
    const floating = { ...cheer, key, lane: laneOf(key), drift: Math.random() * 2 - 1 };
    this.shown = [...this.shown, floating].slice(-MAX_FLOATING);
    this.#unsaid.push(cheer);
    this.#timer ??= setTimeout(() => this.#summarise(), SUMMARY_AFTER_MS);
  }

  /** It has gone by. */
  remove(key: number): void {
    this.shown = this.shown.filter((cheer) => cheer.key !== key);
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#unsaid = [];
    this.shown = [];
  }

  #summarise(): void {
    this.#timer = undefined;
    const names = new Map<string, Set<string>>();
    for (const { emoji, name } of this.#unsaid) {
      names.set(emoji, (names.get(emoji) ?? new Set()).add(name));
    }
    this.#unsaid = [];
    this.summary = [...names].map(([emoji, who]) => texts.cheered(emoji, [...who], MAX_NAMED)).join('; ');
  }
}

/** The next lane, far from the last ones: the golden ratio spreads any number of them. */
function laneOf(key: number): number {
  return (key * 0.618034) % 1;
}
