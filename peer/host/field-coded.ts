import { EncodedPacketSink, type InputVideoTrack, MPEG_TS } from 'mediabunny';

/** Profiles of H.264 whose parameters say what their colours are (ITU-T H.264, section 7.3.2.1.1). */
const WITH_CHROMA = [100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135];

/** Rows of pixels of a macroblock. */
const MACROBLOCK_ROWS = 16;

/**
 * How many times as high the pictures of a track are as mediabunny (1.61) says: it takes half the height for the whole one where H.264 in
 * MPEG-TS is coded in fields (interlaced, as television is), and takes what is cropped from that. 1 everywhere else.
 */
export async function heightFactor(track: InputVideoTrack): Promise<number> {
  if ((await track.getCodec()) !== 'avc' || (await track.input.getFormat()) !== MPEG_TS) return 1;
  const first = await new EncodedPacketSink(track).getFirstKeyPacket({ verifyKeyPackets: true });
  const parameters = first && parametersIn(first.data);
  const saidPx = await track.getCodedHeight();
  if (!parameters || saidPx <= 0) return 1;
  return 1 + missingRows(parameters) / saidPx;
}

/** The sequence's parameters in a picture as MPEG-TS has it, without what only keeps them from looking like a start; null: none. */
function parametersIn(picture: Uint8Array): Uint8Array | null {
  for (let at = 0; at + 4 < picture.byteLength; at++) {
    if (picture[at] !== 0 || picture[at + 1] !== 0 || picture[at + 2] !== 1) continue;
    if (((picture[at + 3] ?? 0) & 0x1f) === 7) return unescaped(picture.subarray(at + 4, at + 4 + 512));
  }
  return null;
}

function unescaped(bytes: Uint8Array): Uint8Array {
  return bytes.filter((byte, i) => !(byte === 3 && i >= 2 && bytes[i - 1] === 0 && bytes[i - 2] === 0));
}

/** The rows of the second field, 0 where pictures are coded whole. */
function missingRows(parameters: Uint8Array): number {
  const bits = new Bits(parameters);
  const profile = bits.take(8);
  bits.take(16);
  bits.unsigned();
  if (WITH_CHROMA.includes(profile)) skipChroma(bits);
  bits.unsigned();
  const orderKind = bits.unsigned();
  if (orderKind === 0) bits.unsigned();
  if (orderKind === 1) {
    bits.take(1);
    bits.unsigned();
    bits.unsigned();
    for (let left = Math.min(255, bits.unsigned()); left > 0; left--) bits.unsigned();
  }
  bits.unsigned();
  bits.take(1);
  bits.unsigned();
  const rows = MACROBLOCK_ROWS * (bits.unsigned() + 1);
  return bits.take(1) === 1 ? 0 : rows;
}

function skipChroma(bits: Bits): void {
  const chroma = bits.unsigned();
  if (chroma === 3) bits.take(1);
  bits.unsigned();
  bits.unsigned();
  bits.take(1);
  if (bits.take(1) === 0) return;
  for (let list = 0; list < (chroma === 3 ? 12 : 8); list++)
    if (bits.take(1) === 1) skipScaling(bits, list < 6 ? 16 : 64);
}

/** A list in which each value is told by its distance from the one before; at 0 the rest is as it was. */
function skipScaling(bits: Bits, count: number): void {
  let last = 8;
  for (let i = 0; i < count && last !== 0; i++) {
    const code = bits.unsigned();
    const distance = code % 2 === 1 ? (code + 1) / 2 : -code / 2;
    last = (last + distance + 256) % 256;
  }
}

/** Bits one after the other; behind the end zeros. */
class Bits {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  take(count: number): number {
    let value = 0;
    for (let i = 0; i < count; i++, this.#at++)
      value = value * 2 + (((this.#bytes[this.#at >> 3] ?? 0) >> (7 - (this.#at & 7))) & 1);
    return value;
  }

  /** An Exp-Golomb code. */
  unsigned(): number {
    let zeros = 0;
    while (zeros < 32 && this.take(1) === 0) zeros += 1;
    return zeros === 32 ? 0 : 2 ** zeros - 1 + this.take(zeros);
  }
}
