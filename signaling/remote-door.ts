import * as v from 'valibot';
import type { Door, NotAdmitted } from './door.ts';

/** A seed server that answers slower is as good as away. */
const ANSWER_WITHIN_MS = 5000;

const ADMISSIONS = {
  ROOM_UNKNOWN: 'no-room',
  TOKEN_WRONG: 'bad-token',
  REMOVED: 'removed',
  ROOM_LOCKED: 'locked',
} as const satisfies Record<string, NotAdmitted>;

/** The body of an answer that says no; of others it cannot be told what they mean. */
const refusal = v.pipe(
  v.string(),
  v.parseJson(),
  v.object({ code: v.picklist(['ROOM_UNKNOWN', 'TOKEN_WRONG', 'REMOVED', 'ROOM_LOCKED']) }),
);

/**
 * A door that asks a seed server, for a signaling server that runs apart from it.
 * `admit` rejects where the seed server does not answer as it should.
 * @param seedServer its address, for example http://localhost:8080.
 */
export function remoteDoor(seedServer: string): Door {
  return {
    async admit(room, token, member) {
      const query = member === null ? '' : `?member=${member}`;
      const response = await fetch(new URL(`/api/rooms/${room}${query}`, seedServer), {
        headers: { authorization: `Bearer ${token}` },
        signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
      });
      if (response.ok) {
        await response.body?.cancel();
        return 'ok';
      }
      const parsed = v.safeParse(refusal, await response.text());
      if (parsed.success) return ADMISSIONS[parsed.output.code];
      throw new Error(`the seed server answers ${response.status}`);
    },
    // The seed server does not tell; members hold to the host's rules themselves once they know them.
    async mayMeet() {
      return true;
    },
  };
}
