import * as v from 'valibot';
import { MatineeError } from '../errors.ts';
import { MAX_PAGE_SEGMENTS, MAX_PAGES } from '../limits.ts';

const MAX_SEGMENTS = MAX_PAGES * MAX_PAGE_SEGMENTS;

const number = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(MAX_SEGMENTS));
const answer = v.object({
  stored: v.pipe(v.array(v.strictTuple([number, number])), v.maxLength(MAX_SEGMENTS)),
});

/**
 * The numbers in a server's answer to "which segments are stored", those of `count` listed ones that is: PROTOCOL.md, "HTTP".
 * @throws MatineeError UPLOAD_REFUSED where it is no such answer.
 */
export function readStored(text: string, count: number): Set<number> {
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), answer), text);
  if (!parsed.success) {
    throw new MatineeError(
      'UPLOAD_REFUSED',
      'The server does not say what it has stored already. Check that this is the address of a Matinee server.',
    );
  }
  const stored = new Set<number>();
  for (const [first, length] of parsed.output.stored) {
    for (let segment = first; segment < Math.min(first + length, count); segment++) stored.add(segment);
  }
  return stored;
}
