/**
 * Up to `count` of the items, in random order, without those in `besides`. Looks at no more than
 * `count + besides.size` of them, however many there are: a Fisher-Yates shuffle that stops early.
 * @param random gives 0 (inclusive) to 1 (exclusive).
 */
export function draw<T>(
  items: readonly T[],
  besides: ReadonlySet<T>,
  count: number,
  random: () => number,
): T[] {
  const drawn: T[] = [];
  /** What a shuffle would have moved to a place; places not in here still hold their own item. */
  const moved = new Map<number, T>();
  for (let at = 0; at < items.length && drawn.length < count; at++) {
    const from = at + Math.floor(random() * (items.length - at));
    const item = moved.get(from) ?? items[from];
    const here = moved.get(at) ?? items[at];
    if (item === undefined || here === undefined) break;
    moved.set(from, here);
    if (!besides.has(item)) drawn.push(item);
  }
  return drawn;
}
