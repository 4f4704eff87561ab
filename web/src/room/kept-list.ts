/** The list before where the new one has the same in it, so that what is drawn of it is not drawn anew. */
export function keptList<T>(before: readonly T[], now: readonly T[]): readonly T[] {
  const isSame = before.length === now.length && before.every((each, i) => each === now[i]);
  return isSame ? before : now;
}
