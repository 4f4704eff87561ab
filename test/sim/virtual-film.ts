import type { Bytes } from '../../peer/bytes.ts';
import { deriveVideoKeys, roomIdOf } from '../../peer/crypto/keys.ts';
import { pieceBytes, pieceCount, pieceStart, piecesOf } from '../../peer/manifest/geometry.ts';
import { type ManifestUpdate, ManifestWriter } from '../../peer/manifest/manifest-writer.ts';
import { describeSegment } from '../../peer/manifest/page.ts';
import type { RoomEntry } from '../../peer/room-link.ts';
import type { PieceSource } from '../../peer/swarm/piece-store.ts';
import { sealInfo } from '../../peer/video-info.ts';
import { allocatePieceFrame, PIECE_HEADER_BYTES } from '../../peer/wire/frame.ts';
import { fillFrom } from './seeded-random.ts';
import type { VirtualCrypto } from './virtual-crypto.ts';

const SEGMENT_MS = 2_000;
const INIT_BYTES = 900;

/** How far a segment's size may be from the mean. */
const SPREAD = 0.3;

export interface FilmParts {
  durationMs: number;
  bytesPerSec: number;
}

/** A signed film in a room of its own. What it shows is noise: nobody decrypts it. */
export class VirtualFilm implements PieceSource {
  readonly link: RoomEntry;
  readonly update: ManifestUpdate;
  readonly durationMs: number;
  /** The one right frame of each piece, by segment. Everyone who holds the piece holds this frame. */
  readonly #frames: Bytes[][];

  /** Makes and signs a film; the same for the same generator. */
  static async make(parts: FilmParts, own: VirtualCrypto, random: () => number): Promise<VirtualFilm> {
    const { crypto } = own;
    const key = await crypto.generateSigningKey();
    const link = { roomId: await roomIdOf(crypto, key.publicKey), roomSecret: crypto.randomBytes(32) };
    const video = crypto.randomBytes(16);
    const { infoKey } = await deriveVideoKeys(crypto, link.roomSecret, video);
    const described = { title: 'film', mime: 'video/mp4', widthPx: 16, heightPx: 9, hasAudio: true };
    const { durationMs } = parts;
    const info = await sealInfo(crypto, infoKey, video, { ...described, durationMs, sourceBytes: 1 });
    const writer = new ManifestWriter(crypto, key, { room: link.roomId, video, info, durationMs });
    const frames: Bytes[][] = [];
    for (const { startMs, lengthMs, sizeBytes } of cut(parts, random)) {
      const data = fillFrom(random, new Uint8Array(sizeBytes));
      await writer.append(await describeSegment(crypto, startMs, lengthMs, piecesOf([data])));
      frames.push(framesOf(frames.length, data, own));
    }
    return new VirtualFilm(link, await writer.publish(true), durationMs, frames);
  }

  private constructor(link: RoomEntry, update: ManifestUpdate, durationMs: number, frames: Bytes[][]) {
    this.link = link;
    this.update = update;
    this.durationMs = durationMs;
    this.#frames = frames;
  }

  get segmentCount(): number {
    return this.#frames.length;
  }

  /** Bytes of ciphertext in all. */
  get sizeBytes(): number {
    let sum = 0;
    for (const frame of this.#frames.flat()) sum += frame.byteLength - PIECE_HEADER_BYTES;
    return sum;
  }

  /** The right frame of a piece, or null where there is no such piece. */
  frame(segment: number, piece: number): Bytes | null {
    return this.#frames[segment]?.[piece] ?? null;
  }

  pieceCount(segment: number): number {
    return this.#frames[segment]?.length ?? 0;
  }

  pieceBytes(segment: number, piece: number): number {
    const frame = this.frame(segment, piece);
    return frame ? frame.byteLength - PIECE_HEADER_BYTES : 0;
  }

  async read(segment: number, piece: number, into: Uint8Array): Promise<boolean> {
    const frame = this.frame(segment, piece);
    if (frame) into.set(frame.subarray(PIECE_HEADER_BYTES));
    return frame !== null;
  }
}

/** The init segment, then media segments of a size that varies about the mean. */
function* cut(
  { durationMs, bytesPerSec }: FilmParts,
  random: () => number,
): Generator<{ startMs: number; lengthMs: number; sizeBytes: number }> {
  yield { startMs: 0, lengthMs: 0, sizeBytes: INIT_BYTES };
  for (let startMs = 0; startMs < durationMs; startMs += SEGMENT_MS) {
    const lengthMs = Math.min(SEGMENT_MS, durationMs - startMs);
    const meanBytes = (bytesPerSec * lengthMs) / 1000;
    yield { startMs, lengthMs, sizeBytes: Math.round(meanBytes * (1 - SPREAD + 2 * SPREAD * random())) };
  }
}

function framesOf(segment: number, data: Bytes, own: VirtualCrypto): Bytes[] {
  const frames: Bytes[] = [];
  for (let piece = 0; piece < pieceCount(data.byteLength); piece++) {
    const dataBytes = pieceBytes(data.byteLength, piece);
    const start = pieceStart(data.byteLength, piece);
    const frame = allocatePieceFrame(segment, piece, dataBytes);
    frame.set(data.subarray(start, start + dataBytes), PIECE_HEADER_BYTES);
    own.remember(frame.subarray(PIECE_HEADER_BYTES));
    frames.push(frame);
  }
  return frames;
}
