import { type Bytes, toBase64url } from '../../../peer/bytes.ts';
import type { PlainFetcher } from '../../../peer/swarm/plain-fetching.ts';

/**
 * Fetches a room's ciphertext by range requests from the seed server that `base` is an address at. `prove` says which member
 * asks, for rooms that let in only some.
 */
export function plainFetcher(
  room: string,
  joinToken: Bytes,
  base: string,
  prove: () => Promise<string>,
): PlainFetcher {
  const authorization = `Bearer ${toBase64url(joinToken)}`;
  let proof: Promise<string> | null = null;
  return {
    async fetch(video, segment, firstByte, lastByte, signal) {
      const path = `/api/rooms/${room}/videos/${toBase64url(video)}/segments/${segment}`;
      proof ??= prove();
      const range = `bytes=${firstByte}-${lastByte}`;
      const headers = { authorization, 'x-member': await proof, range };
      const response = await fetch(new URL(path, base), { headers, signal });
      if (response.status !== 206) {
        await response.body?.cancel();
        throw new Error(`the server answers ${response.status}`);
      }
      const bytes = new Uint8Array(await response.arrayBuffer());
      if (bytes.byteLength === lastByte - firstByte + 1) return bytes;
      throw new Error('the server sent another range');
    },
  };
}
