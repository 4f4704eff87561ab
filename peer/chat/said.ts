import * as v from 'valibot';
import { areEqual, type Bytes } from '../bytes.ts';
import { byteString, count } from '../cbor.ts';
import { ROOM_ID_BYTES } from '../crypto/keys.ts';
import { MatineeError } from '../errors.ts';
import { MAX_NAME_CHARS } from '../limits.ts';

/** Nothing said is older than Matinee itself, nor from further ahead than clocks set to a wrong zone are. */
const EARLIEST_MS = Date.UTC(2020, 0, 1);
const MAX_AHEAD_MS = 24 * 60 * 60 * 1000;

export const nameField = v.pipe(v.string(), v.minLength(1), v.maxLength(MAX_NAME_CHARS));
export const roomField = byteString(ROOM_ID_BYTES);
export const sentAtField = count(Number.MAX_SAFE_INTEGER);

/** @throws MatineeError SIGNATURE_WRONG where this was said in another room. */
export function mustBeOf({ roomId }: { roomId: Bytes }, room: Bytes): void {
  if (areEqual(room, roomId)) return;
  throw new MatineeError('SIGNATURE_WRONG', 'This was said in another room.');
}

/**
 * The date that its author gave something, or `nowMs` (the reader's clock, as it comes) where that cannot be: whose clock is
 * wrong, the author's or ours, nobody can tell, so it parts nobody.
 */
export function believedDateMs(sentAtMs: number, nowMs: number): number {
  return sentAtMs >= EARLIEST_MS && sentAtMs <= nowMs + MAX_AHEAD_MS ? sentAtMs : nowMs;
}
