import type { Bytes } from '../../../peer/bytes.ts';
import type { HostedRoom } from '../../../peer/host/new-room.ts';
import type { ManifestUpdate } from '../../../peer/manifest/manifest-writer.ts';

/**
 * What the host's worker and the page that gives its pieces tell each other over a port of their own: workers have no data
 * channels. Pieces cross only when a viewer asks, so the page holds none.
 */

export type FromGiveaway =
  | { type: 'begun'; room: HostedRoom }
  | { type: 'published'; update: ManifestUpdate }
  | { type: 'listed'; segments: number[] }
  | { type: 'stored'; segment: number }
  /** Answers the read with this number; null: the piece is not to be given any more. */
  | { type: 'piece'; id: number; data: Bytes | null };

export type ToGiveaway =
  /** Tell all there is once more, from `begun` on. */
  | { type: 'again' }
  | { type: 'read'; id: number; segment: number; piece: number }
  /** The last message: nothing is given any more. */
  | { type: 'end' };
