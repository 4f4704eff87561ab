import type { KeyPlace } from './player-keys.ts';

const TEXT = 'textarea, input:not([type=range], [type=checkbox], [type=radio])';

/** What a key means where it was pressed; `controls` are the film's. */
export function keyPlace(target: EventTarget | null, controls: HTMLElement): KeyPlace {
  if (!(target instanceof HTMLElement) || target === document.body) return 'film';
  if (target.isContentEditable || target.matches(TEXT)) return 'typing';
  // The few words of the player's own lists are found by arrows too; in other lists letters look for words.
  if (target.matches('select')) return controls.contains(target) ? 'slider' : 'typing';
  if (target.matches('input[type=range]')) return 'slider';
  if (target.closest('button, a, summary, input')) return 'button';
  return controls.contains(target) ? 'film' : 'elsewhere';
}
