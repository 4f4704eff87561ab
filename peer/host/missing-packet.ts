import type { EncodedPacket, EncodedPacketSink, InputTrack } from 'mediabunny';

/** So many zeros in a row begin no packet of a stream that is copied, and end none of H.264 in MP4. */
const ZEROS = 16;

/** Where H.264 lies as in MP4 a packet begins with a length, which is not 0. */
const LENGTH_BYTES = 4;

/** Says of a track's packets which are missing. */
export type IsMissing = (packet: EncodedPacket) => boolean;

/**
 * What the file's index promises and was never written: programs that download in any order keep a place of zeros for what they did not get. Of
 * H.264 as it lies in MP4, whose packets end in a bit that is set, those of which only the beginning was written are known too; as a byte stream
 * (MPEG-TS) they may be filled up with zeros (ISO/IEC 14496-10, annex B).
 */
export async function missingIn(track: InputTrack): Promise<IsMissing> {
  const codec = await track.getCodec();
  // A short one may be silence.
  const minBytes = codec === 'opus' || codec === 'vorbis' ? ZEROS : 1;
  const hasLengths =
    codec === 'avc' && track.isVideoTrack() && (await track.getDecoderConfig())?.description !== undefined;
  if (!hasLengths) return ({ data }) => data.byteLength >= minBytes && isBlank(data.subarray(0, ZEROS));
  return ({ data }) => isBlank(data.subarray(0, LENGTH_BYTES)) || isBlank(data.subarray(-ZEROS));
}

function isBlank(bytes: Uint8Array): boolean {
  for (const byte of bytes) if (byte !== 0) return false;
  return true;
}

const VERIFIED = { verifyKeyPackets: true };

/** The first key frame of a track that is there; null where none is. */
export async function firstKeyThere(
  sink: EncodedPacketSink,
  isMissing: IsMissing,
): Promise<EncodedPacket | null> {
  return await keyThereFrom(sink, await sink.getFirstKeyPacket(VERIFIED), isMissing);
}

/** This one where it is there, else the first key frame after it that is: what lies between could not be decoded. */
export async function keyThereFrom(
  sink: EncodedPacketSink,
  packet: EncodedPacket | null,
  isMissing: IsMissing,
): Promise<EncodedPacket | null> {
  let found = packet;
  while (found && isMissing(found)) found = await sink.getNextKeyPacket(found, VERIFIED);
  return found;
}
