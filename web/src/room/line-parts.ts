/** What a chat line is made of, as the page draws it: text, links that are links, and names that are meant. */
export type LinePart =
  | { kind: 'text'; text: string }
  | { kind: 'link'; text: string; href: string }
  | { kind: 'mention'; text: string; isMine: boolean };

const LINK = /\bhttps?:\/\/[^\s<>"]+/giu;

/** What ends a sentence around a link rather than the link. */
const TRAILING = /[.,;:!?'’”»…)\]}]+$/u;

const WORD = /[\p{L}\p{N}_]/u;

/**
 * Cuts a text into its parts, in order and without loss. Nothing in it is ever markup. `names` are those that can be
 * meant by an @ before them; `ownName` is the reader's.
 */
export function lineParts(text: string, names: readonly string[], ownName: string): LinePart[] {
  const parts: LinePart[] = [];
  let at = 0;
  for (const match of text.matchAll(LINK)) {
    const shown = withoutTrailing(match[0]);
    const href = hrefOf(shown);
    if (href === null) continue;
    parts.push(...mentionParts(text.slice(at, match.index), names, ownName));
    parts.push({ kind: 'link', text: shown, href });
    at = match.index + shown.length;
  }
  return [...parts, ...mentionParts(text.slice(at), names, ownName)];
}

/** Whether a text means this name. */
export function doesMention(text: string, name: string): boolean {
  return lineParts(text, [name], name).some(({ kind }) => kind === 'mention');
}

function mentionParts(text: string, names: readonly string[], ownName: string): LinePart[] {
  const parts: LinePart[] = [];
  let from = 0;
  for (let at = text.indexOf('@'); at >= 0; at = text.indexOf('@', at + 1)) {
    const name = at >= from && !WORD.test(text.charAt(at - 1)) ? nameAt(text, at + 1, names) : null;
    if (name === null) continue;
    if (at > from) parts.push({ kind: 'text', text: text.slice(from, at) });
    from = at + 1 + name.length;
    parts.push({ kind: 'mention', text: text.slice(at, from), isMine: isSameName(name, ownName) });
  }
  if (from < text.length) parts.push({ kind: 'text', text: text.slice(from) });
  return parts;
}

/** The longest of the names that stands here, as it is written here. */
function nameAt(text: string, at: number, names: readonly string[]): string | null {
  let longest: string | null = null;
  for (const name of names) {
    const written = text.slice(at, at + name.length);
    const isWhole = !WORD.test(text.charAt(at + name.length));
    const isLonger = name.length > (longest?.length ?? 0);
    if (isLonger && isWhole && isSameName(written, name)) longest = written;
  }
  return longest;
}

function isSameName(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}

/** A closing bracket belongs to the link only where the link opens one, as in Wikipedia's. */
function withoutTrailing(link: string): string {
  const bare = link.replace(TRAILING, '');
  return bare.includes('(') && link.charAt(bare.length) === ')' ? `${bare})` : bare;
}

/** The address to go to; null where it is none, or names somebody before its host, which only deceives: https://bank.example@evil.example. */
function hrefOf(text: string): string | null {
  try {
    const { username, password, href } = new URL(text);
    return username === '' && password === '' ? href : null;
  } catch {
    return null;
  }
}
