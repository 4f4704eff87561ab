import { type Bytes, toBase64url } from '../../peer/bytes.ts';
import type { Crypto, SigningKey } from '../../peer/crypto/crypto.ts';
import { roomIdOf } from '../../peer/crypto/keys.ts';
import { piecesOf } from '../../peer/manifest/geometry.ts';
import { encodeManifestUpdate, ManifestWriter } from '../../peer/manifest/manifest-writer.ts';
import { describeSegment } from '../../peer/manifest/page.ts';
import { signRoomRecord } from '../../peer/manifest/room-record.ts';
import { type HostWishes, NO_RULES, signRules } from '../../peer/manifest/rules.ts';
import { signTakeDown } from '../../peer/manifest/take-down.ts';

const SEGMENT_MS = 2000;

/** A host with a room and a video of random bytes, and everything it would send a server. */
export class MadeRoom {
  readonly crypto: Crypto;
  readonly key: SigningKey;
  readonly roomBytes: Bytes;
  readonly videoBytes: Bytes;
  readonly tokenBytes: Bytes;
  readonly segments: Bytes[] = [];
  readonly #writer: ManifestWriter;

  private constructor(crypto: Crypto, key: SigningKey, roomBytes: Bytes, videoBytes: Bytes) {
    this.crypto = crypto;
    this.key = key;
    this.roomBytes = roomBytes;
    this.videoBytes = videoBytes;
    this.tokenBytes = crypto.randomBytes(32);
    const subject = { room: roomBytes, video: videoBytes, info: crypto.randomBytes(100), durationMs: 60_000 };
    this.#writer = new ManifestWriter(crypto, key, subject);
  }

  static async create(crypto: Crypto, key?: SigningKey): Promise<MadeRoom> {
    const signingKey = key ?? (await crypto.generateSigningKey());
    const roomBytes = await roomIdOf(crypto, signingKey.publicKey);
    return new MadeRoom(crypto, signingKey, roomBytes, crypto.randomBytes(16));
  }

  get room(): string {
    return toBase64url(this.roomBytes);
  }

  get video(): string {
    return toBase64url(this.videoBytes);
  }

  get token(): string {
    return toBase64url(this.tokenBytes);
  }

  /** The signed room record; the same one every time for the same moment. */
  record(createdAtMs = 1): Promise<Bytes> {
    return signRoomRecord(this.crypto, this.key, this.tokenBytes, createdAtMs);
  }

  takeDown(): Promise<Bytes> {
    return signTakeDown(this.crypto, this.key.privateKey, this.roomBytes, 1);
  }

  /** The host's signed rules with this number. */
  rules(number: number, wishes: Partial<HostWishes> = {}): Promise<Bytes> {
    return signRules(this.crypto, this.key, { ...NO_RULES, ...wishes, number });
  }

  /** Adds segments of these sizes; resolves with the encoded manifest update. */
  async grow(...sizesBytes: number[]): Promise<Bytes> {
    for (const sizeBytes of sizesBytes) await this.#append(sizeBytes);
    return encodeManifestUpdate(await this.#writer.publish(false));
  }

  /** The encoded update that says the video is complete. */
  async finish(): Promise<Bytes> {
    return encodeManifestUpdate(await this.#writer.publish(true));
  }

  async #append(sizeBytes: number): Promise<void> {
    const isInit = this.segments.length === 0;
    const startMs = isInit ? 0 : (this.segments.length - 1) * SEGMENT_MS;
    const ciphertext = randomBytes(this.crypto, sizeBytes);
    this.segments.push(ciphertext);
    await this.#writer.append(
      await describeSegment(this.crypto, startMs, isInit ? 0 : SEGMENT_MS, piecesOf([ciphertext])),
    );
  }
}

/** A part of `bytes` changed in one bit. */
export function flipped(bytes: Bytes, at: number): Bytes {
  const copy = bytes.slice();
  copy[at] = (copy[at] ?? 0) ^ 1;
  return copy;
}

function randomBytes(crypto: Crypto, sizeBytes: number): Bytes {
  const bytes = new Uint8Array(sizeBytes);
  for (let at = 0; at < sizeBytes; at += 65_536) {
    bytes.set(crypto.randomBytes(Math.min(65_536, sizeBytes - at)), at);
  }
  return bytes;
}
