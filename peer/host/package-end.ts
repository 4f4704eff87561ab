import { type EncodedPacket, EncodedPacketSink, type InputTrack } from 'mediabunny';
import { type IsMissing, missingIn } from './missing-packet.ts';
import { LONE_PICTURE_S } from './packet-reader.ts';

/** How near the search comes to the last key frame that is there before it walks on packet by packet. */
const SEARCH_NEAR_S = 0.5;

/**
 * The file's time at which a track's last packet ends, in seconds: the last one that is there, which in a download that
 * was cut off is not the last one its index promises. Walks from the last key frame on, as packaging will, so that both
 * end at the same time. Reads a few places of the file, whatever its size.
 */
export async function trackEndS(track: InputTrack): Promise<number> {
  const sink = new EncodedPacketSink(track);
  const promised = await sink.getPacket(Number.POSITIVE_INFINITY, { metadataOnly: true });
  if (!promised) return 0;
  const isMissing = await missingIn(track);
  const last = await sink.getPacket(promised.timestamp);
  const isThere = last !== null && !isMissing(last);
  const key = isThere ? await sink.getKeyPacket(promised.timestamp) : null;
  return endOfRun(sink, key ?? (await lastKeyThere(sink, promised.timestamp, isMissing)), isThere, isMissing);
}

/** The last key frame whose bytes are in the file, where those of a promised time are not. */
async function lastKeyThere(
  sink: EncodedPacketSink,
  promisedS: number,
  isMissing: IsMissing,
): Promise<EncodedPacket | null> {
  let found = await sink.getFirstPacket();
  let missingS = promisedS;
  while (found && missingS - found.timestamp > SEARCH_NEAR_S) {
    const middleS = (found.timestamp + missingS) / 2;
    const key = await sink.getKeyPacket(middleS);
    // Where the key frame before the middle is the one already found, what is missing begins between the two.
    if (key && key.timestamp > found.timestamp && !isMissing(key)) found = key;
    else missingS = middleS;
  }
  return found;
}

/** The latest end of these packets. Without reading their bytes (metadataOnly) it can't see that some are missing. */
async function endOfRun(
  sink: EncodedPacketSink,
  from: EncodedPacket | null,
  metadataOnly: boolean,
  isMissing: IsMissing,
): Promise<number> {
  let endS = 0;
  for (let packet = from; packet; packet = await sink.getNextPacket(packet, { metadataOnly })) {
    if (!metadataOnly && isMissing(packet)) break;
    endS = Math.max(endS, packet.timestamp + packet.duration);
  }
  const isAlone = from && endS === from.timestamp && (await sink.getFirstPacket())?.timestamp === endS;
  // As packaging has it.
  return isAlone ? endS + LONE_PICTURE_S : endS;
}
