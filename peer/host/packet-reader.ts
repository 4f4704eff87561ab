import { type EncodedPacket, EncodedPacketSink, type InputTrack } from 'mediabunny';
import { keyThereFrom, missingIn } from './missing-packet.ts';

/** Half a tick of Matroska, which rounds to milliseconds: times nearer than this are the same time. */
export const SAME_TIME_S = 0.0005;

/** How long a picture is shown that is alone in its file and has no duration there (MPEG-TS has none): as long as in most films. */
export const LONE_PICTURE_S = 0.04;

/** One stream's packets in decode order, one at a time, timed as in the file. */
export interface PacketReader {
  /** The packet to begin with for what is shown from `atS` on; null where there is none. Those before it may follow too. */
  first(atS: number): Promise<EncodedPacket | null>;
  /** The one after; null at the end. */
  next(packet: EncodedPacket): Promise<EncodedPacket | null>;
}

/** A picture's packets as they are in the file. Begins at a key frame, says so only of real ones, and goes on at one where some are missing. */
export function copiedVideo(track: InputTrack): PacketReader {
  const sink = new EncodedPacketSink(track);
  const verified = { verifyKeyPackets: true };
  const missing = missingIn(track);
  return {
    first: async (atS) =>
      keyThereFrom(sink, await sink.getKeyPacket(atS + SAME_TIME_S, verified), await missing),
    next: async (packet) => keyThereFrom(sink, await sink.getNextPacket(packet, verified), await missing),
  };
}

/** A sound's packets as they are in the file, but for those that are missing. */
export function copiedAudio(track: InputTrack): PacketReader {
  const sink = new EncodedPacketSink(track);
  const missing = missingIn(track);
  return {
    first: async (atS) => (await sink.getPacket(atS)) ?? (await sink.getFirstPacket()),
    async next(packet) {
      const isMissing = await missing;
      let found = await sink.getNextPacket(packet);
      while (found && isMissing(found)) found = await sink.getNextPacket(found);
      return found;
    },
  };
}
