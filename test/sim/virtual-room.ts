import type { Bytes } from '../../peer/bytes.ts';
import { concat } from '../../peer/bytes.ts';
import { encryptSegment } from '../../peer/crypto/content.ts';
import type { Crypto, SigningKey } from '../../peer/crypto/crypto.ts';
import { deriveRoomKeys, deriveVideoKeys, type RoomKeys, roomIdOf } from '../../peer/crypto/keys.ts';
import { nobleCrypto } from '../../peer/crypto/noble-crypto.ts';
import { nobleEd25519 } from '../../peer/crypto/noble-ed25519.ts';
import { pieceBytes, pieceCount, pieceStart, piecesOf } from '../../peer/manifest/geometry.ts';
import { type ManifestUpdate, ManifestWriter } from '../../peer/manifest/manifest-writer.ts';
import { describeSegment } from '../../peer/manifest/page.ts';
import { OriginRoom } from '../../peer/room/origin-room.ts';
import { Viewer } from '../../peer/room/viewer.ts';
import { SendBudget } from '../../peer/swarm/send-budget.ts';
import { Uplink } from '../../peer/swarm/uplink.ts';
import { sealInfo } from '../../peer/video-info.ts';
import { memberIdOfKey, memberKey } from '../tools/member-keys.ts';
import { seededRandom } from './seeded-random.ts';
import { type LineParts, type VirtualChannel, virtualLine } from './virtual-channel.ts';
import { VirtualClock } from './virtual-clock.ts';

export interface Film {
  segmentCount: number;
  segmentMs: number;
  segmentBytes: number;
  /** What is listed after so many of its segments, the init segment counted; left out: nothing. Numbers are shifted by it. */
  extras?: ReadonlyMap<number, readonly Bytes[]>;
  /** Segments that are listed and not in the origin's store: on their way from the host. Left out: none. */
  onTheirWay?: readonly number[];
}

/** A room on a virtual clock: a film in the origin's store, and viewers joined by lines. Everything but time and the lines is the real code. */
export class VirtualRoom {
  readonly clock = new VirtualClock();
  readonly random: () => number;
  readonly crypto: Crypto;
  readonly film: Film;
  readonly origin: OriginRoom;
  readonly originBudget: SendBudget;
  readonly segments: Bytes[];
  readonly plaintexts: Bytes[];
  readonly roomId: Bytes;
  /** The host's. */
  readonly hostKey: SigningKey;
  readonly #secret: Bytes;
  readonly #keys: RoomKeys;
  #viewerCount = 0;

  static async open(film: Film, seed = 1, originBytesPerSec: number | null = null): Promise<VirtualRoom> {
    const random = seededRandom(seed);
    const fill = (into: Bytes): Bytes => into.map(() => Math.floor(random() * 256));
    const crypto = nobleCrypto(
      (into) => into.set(fill(into)),
      nobleEd25519((into) => into.set(fill(into))),
    );
    const key = await crypto.generateSigningKey();
    const room = await roomIdOf(crypto, key.publicKey);
    const secret = crypto.randomBytes(32);
    const video = crypto.randomBytes(16);
    const keys = await deriveVideoKeys(crypto, secret, video);
    const durationMs = film.segmentCount * film.segmentMs;
    const described = {
      title: 'film',
      mime: 'video/mp4',
      durationMs,
      widthPx: 16,
      heightPx: 9,
      hasAudio: true,
    };
    const info = await sealInfo(crypto, keys.infoKey, video, { ...described, sourceBytes: 1 });
    const writer = new ManifestWriter(crypto, key, { room, video, info, durationMs });
    const segments: Bytes[] = [];
    const plaintexts: Bytes[] = [];
    const append = async (plaintext: Bytes, startMs: number, lengthMs: number): Promise<void> => {
      const ciphertext = await encryptSegment(crypto, keys.contentKey, segments.length, [plaintext]);
      await writer.append(await describeSegment(crypto, startMs, lengthMs, piecesOf(ciphertext)));
      segments.push(concat(...ciphertext));
      plaintexts.push(plaintext);
    };
    for (let segment = 0; segment <= film.segmentCount; segment++) {
      const plaintext = new Uint8Array(segment === 0 ? 900 : film.segmentBytes).fill(segment + 1);
      const startMs = Math.max(0, segment - 1) * film.segmentMs;
      await append(plaintext, startMs, segment === 0 ? 0 : film.segmentMs);
      for (const extra of film.extras?.get(segment + 1) ?? [])
        await append(extra, segment * film.segmentMs, 0);
    }
    const roomKeys = await deriveRoomKeys(crypto, secret, room);
    const virtual = new VirtualRoom(
      film,
      random,
      crypto,
      segments,
      plaintexts,
      room,
      key,
      secret,
      roomKeys,
      originBytesPerSec,
    );
    await virtual.#publish(await writer.publish(true));
    return virtual;
  }

  private constructor(
    film: Film,
    random: () => number,
    crypto: Crypto,
    segments: Bytes[],
    plaintexts: Bytes[],
    roomId: Bytes,
    hostKey: SigningKey,
    secret: Bytes,
    keys: RoomKeys,
    originBytesPerSec: number | null,
  ) {
    this.film = film;
    this.random = random;
    this.crypto = crypto;
    this.segments = segments;
    this.plaintexts = plaintexts;
    this.roomId = roomId;
    this.hostKey = hostKey;
    this.#secret = secret;
    this.#keys = keys;
    this.originBudget = new SendBudget(this.clock, originBytesPerSec);
    this.origin = new OriginRoom({
      crypto,
      clock: this.clock,
      roomId,
      budget: this.originBudget,
      uplink: new Uplink(this.clock),
      stored: new Set(),
      source: {
        pieceBytes: (segment, piece) => {
          const size = segments[segment]?.byteLength ?? 0;
          return Math.max(0, pieceBytes(size, piece));
        },
        read: async (segment, piece, into) => {
          const start = pieceStart(segments[segment]?.byteLength ?? 0, piece);
          const data = segments[segment]?.subarray(start, start + into.byteLength);
          if (data) into.set(data);
          return data !== undefined;
        },
      },
      onLinkClosed: () => undefined,
      onError: (error) => {
        throw error;
      },
    });
  }

  get chatKey(): Bytes {
    return this.#keys.chatKey;
  }

  get filmBytes(): number {
    return this.segments.reduce((sum, segment) => sum + segment.byteLength, 0);
  }

  viewer(overrides: Partial<ConstructorParameters<typeof Viewer>[0]> = {}): Viewer {
    this.#viewerCount += 1;
    return new Viewer({
      crypto: this.crypto,
      clock: this.clock,
      random: this.random,
      roomId: this.roomId,
      roomSecret: this.#secret,
      roomKeys: this.#keys,
      selfId: memberId(this.#viewerCount),
      memberKey: memberKey(this.#viewerCount),
      badge: null,
      name: `viewer ${this.#viewerCount}`,
      memoryBytes: 1e9,
      onChange: () => undefined,
      onPiece: () => undefined,
      onLinkClosed: () => undefined,
      ...overrides,
    });
  }

  /** Connects a viewer to the origin; returns the viewer's end. */
  connectOrigin(viewer: Viewer, index: number, line: Partial<LineParts> = {}): VirtualChannel {
    const [mine, theirs] = this.line(line);
    this.origin.connect(theirs, { id: memberId(index), kind: 'member' });
    viewer.connect(mine, { id: 'origin', kind: 'origin' });
    return mine;
  }

  /** Connects two viewers, made first, second, ... */
  connectViewers(a: Viewer, aIndex: number, b: Viewer, bIndex: number, line: Partial<LineParts> = {}): void {
    const [atA, atB] = this.line(line);
    a.connect(atA, { id: memberId(bIndex), kind: 'member' });
    b.connect(atB, { id: memberId(aIndex), kind: 'member' });
  }

  line(line: Partial<LineParts> = {}): [VirtualChannel, VirtualChannel] {
    return virtualLine({ clock: this.clock, delayMs: 20, bytesPerSec: 2_500_000, ...line });
  }

  /** Whether every piece of these segments (both inclusive) is with this viewer. */
  holds(viewer: Viewer, first: number, last: number): boolean {
    return this.holdTogether([viewer], first, last);
  }

  /** Whether every piece of these segments (both inclusive) is with one of these viewers at least. */
  holdTogether(viewers: readonly Viewer[], first: number, last: number): boolean {
    for (let segment = first; segment <= last; segment++) {
      const pieces = pieceCount(this.segments[segment]?.byteLength ?? 0);
      for (let piece = 0; piece < pieces; piece++) {
        if (!viewers.some((viewer) => viewer.hasPiece(segment, piece))) return false;
      }
    }
    return true;
  }

  async #publish({ head, pages }: ManifestUpdate): Promise<void> {
    await this.origin.update(
      head,
      pages,
      [...this.segments.keys()].filter((segment) => !this.film.onTheirWay?.includes(segment)),
    );
  }
}

/** The id of the n-th viewer made in a virtual room. */
export function memberId(index: number): string {
  return memberIdOfKey(memberKey(index));
}
