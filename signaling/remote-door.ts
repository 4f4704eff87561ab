import type { Door } from './door.ts';

/** A seed server that answers slower is as good as away. */
const ANSWER_WITHIN_MS = 5000;

/**
 * A door that asks a seed server, for a signaling server that runs apart from it.
 * `admit` rejects where the seed server does not answer as it should.
 * @param seedServer its address, for example http://localhost:8080.
 */
export function remoteDoor(seedServer: string): Door {
  return {
    async admit(room, token) {
      const response = await fetch(new URL(`/api/rooms/${room}`, seedServer), {
        headers: { authorization: `Bearer ${token}` },
        signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
      });
      await response.body?.cancel();
      if (response.status === 200) return 'ok';
      if (response.status === 404) return 'no-room';
      if (response.status === 403) return 'bad-token';
      throw new Error(`the seed server answers ${response.status}`);
    },
  };
}
