/** Names offered at once. */
const MAX_OFFERED = 5;

/** An @ that is being typed: where it stands, and what follows it up to the caret. */
export interface MentionTyped {
  at: number;
  query: string;
}

/** The mention that ends at the caret; null where none is being typed. */
export function mentionTyped(text: string, caret: number): MentionTyped | null {
  const found = /(?:^|[^\p{L}\p{N}_])@([^@\n]{0,40})$/u.exec(text.slice(0, caret));
  const query = found?.[1];
  return query === undefined ? null : { at: caret - query.length - 1, query };
}

/** Names that begin with what was typed, in any of their words; none once a name is written out. */
export function offeredNames(names: readonly string[], query: string): string[] {
  const wanted = query.toLowerCase();
  const doesFit = (name: string): boolean => {
    const lower = name.toLowerCase();
    return lower !== wanted && (lower.startsWith(wanted) || (wanted !== '' && lower.includes(` ${wanted}`)));
  };
  return names.filter(doesFit).slice(0, MAX_OFFERED);
}

/** The text with the mention written out, and where the caret is then. */
export function withMention(
  text: string,
  { at, query }: MentionTyped,
  name: string,
): { text: string; caret: number } {
  const after = text.slice(at + 1 + query.length);
  const written = `@${name}${after.startsWith(' ') ? '' : ' '}`;
  return { text: text.slice(0, at) + written + after, caret: at + 1 + name.length + 1 };
}
