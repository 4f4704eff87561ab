import { areEqual, type Bytes } from '../bytes.ts';
import type { Clock } from '../clock.ts';
import { decryptRange } from '../crypto/content.ts';
import type { Crypto } from '../crypto/crypto.ts';
import { deriveVideoKeys, type VideoKeys } from '../crypto/keys.ts';
import { pieceStart } from '../manifest/geometry.ts';
import type { Manifest } from '../manifest/manifest.ts';
import { ManifestExchange } from '../manifest/manifest-exchange.ts';
import { pieceHash } from '../manifest/page.ts';
import { Announcements } from '../swarm/announcements.ts';
import { Downloads } from '../swarm/downloads.ts';
import { HeldPieces } from '../swarm/held-pieces.ts';
import type { Spill } from '../swarm/piece-disk.ts';
import type { PlainFetcher } from '../swarm/plain-fetching.ts';
import { type Giver, Provenance } from '../swarm/provenance.ts';
import type { SendBudget } from '../swarm/send-budget.ts';
import type { Uplink } from '../swarm/uplink.ts';
import { Uploads } from '../swarm/uploads.ts';
import { ViewerOrder } from '../swarm/viewer-order.ts';
import { WINDOW_BYTES } from '../swarm/wanted.ts';
import { openInfo, type VideoInfo } from '../video-info.ts';
import type { Handlers, Link } from '../wire/link.ts';
import { ExtraFetching } from './extra-fetching.ts';

export interface FilmParts {
  crypto: Crypto;
  clock: Clock;
  random(): number;
  roomSecret: Bytes;
  /** Empty, or with the head of the film. */
  manifest: Manifest;
  memoryBytes: number;
  spill: Spill | null;
  /** What all films of a viewer share. */
  budget: SendBudget;
  uplink: Uplink;
  /** Everybody connected, whichever film they are at. */
  everyone(): Iterable<Link>;
  /** Viewers at this film. */
  members(): Iterable<Link>;
  onChange(): void;
  onPiece(segment: number, piece: number): void;
  /** An extra came, decrypted and not looked at; left out: none are fetched. */
  onExtra?: ((data: Bytes) => void) | undefined;
  /** Who sent a wrong piece, of any film. */
  liars: Set<string>;
  /** Another way to the server's pieces than peers; null where there is none. */
  plain: PlainFetcher | null;
  onDiskError(error: unknown): void;
}

/** All that a viewer has to do with one video: its manifest and pieces, and fetching and serving them. Over when the room changes to another. */
export class Film {
  readonly manifest: Manifest;
  readonly exchange: ManifestExchange;
  readonly downloads: Downloads;
  readonly uploads: Uploads;
  readonly announcements: Announcements;
  readonly pieces: HeldPieces;
  readonly provenance = new Provenance();
  /** Null where nobody asks for extras. */
  readonly #extras: ExtraFetching | null;
  readonly #parts: FilmParts;
  #keys: Promise<VideoKeys> | null = null;
  #playheadSegment = 0;

  constructor(parts: FilmParts) {
    const { crypto, clock, random, manifest, budget, uplink } = parts;
    this.#parts = parts;
    this.manifest = manifest;
    this.#extras =
      parts.onExtra === undefined
        ? null
        : new ExtraFetching({
            manifest,
            hasPiece: (segment, piece) => this.pieces.has(segment, piece),
            readPiece: (segment, piece) => this.readPiece(segment, piece),
            onExtra: parts.onExtra,
          });
    this.pieces = new HeldPieces({
      memoryBytes: parts.memoryBytes,
      spill: parts.spill,
      weightOf: (segment) => this.#weightOf(segment),
      isRight: (segment, piece, data) => this.#isRight(segment, piece, data),
      onDrop: (segments) => this.announcements.drop(segments),
      onError: parts.onDiskError,
    });
    this.exchange = new ManifestExchange({
      manifest,
      audience: parts.everyone,
      onChange: () => {
        this.downloads.run();
        parts.onChange();
      },
    });
    this.downloads = new Downloads({
      clock,
      crypto,
      random,
      windowBytes: Math.min(WINDOW_BYTES, parts.memoryBytes / 2),
      manifest,
      isHeld: (segment, piece) => this.pieces.has(segment, piece),
      heldCount: (segment) => this.pieces.countOf(segment),
      onPiece: (segment, piece, data, giver) => this.#keep(segment, piece, data, giver),
      liars: parts.liars,
      plain: parts.plain,
      extras: this.#extras,
    });
    this.uploads = new Uploads({
      clock,
      source: this.pieces,
      budget,
      uplink,
      order: new ViewerOrder(),
      onError: () => undefined,
    });
    this.announcements = new Announcements({
      clock,
      manifest,
      pieces: this.pieces,
      neededInMs: (segment) => this.downloads.neededInMs(segment),
      audience: parts.members,
    });
  }

  /** What the messages about pieces are handled by. */
  get swarmHandlers(): Handlers {
    return { ...this.downloads.handlers, ...this.uploads.handlers };
  }

  /** Takes a peer at this film into the swarm. `isGiver`: it gives, and fetches nothing. */
  add(link: Link, isGiver: boolean): void {
    this.downloads.add(link, isGiver);
    if (!this.uploads.isServing) link.send('choke', {});
    if (link.remote.kind === 'member' && !isGiver) this.announcements.tellAll(link);
    this.downloads.run();
  }

  /** Forgets a peer that is closed, or at another film. */
  remove(link: Link): void {
    this.uploads.remove(link);
    this.downloads.remove(link);
  }

  /** Where the viewer is, milliseconds from the start. */
  setPlayhead(atMs: number): void {
    this.#playheadSegment = this.manifest.segmentAt(atMs) ?? this.#playheadSegment;
    this.downloads.setPlayhead(atMs);
  }

  /** The plaintext of a piece, or null where it is not here. */
  async readPiece(segment: number, piece: number): Promise<Bytes | null> {
    const keys = await this.#videoKeys();
    const data = keys && (await this.pieces.load(segment, piece));
    const entry = this.manifest.entry(segment);
    if (!data || !entry) return null;
    const start = pieceStart(entry.sizeBytes, piece);
    return decryptRange(this.#parts.crypto, keys.contentKey, segment, start, data);
  }

  /** What the host says of it, or null before its manifest is here. @throws MatineeError SEAL_BROKEN. */
  async info(): Promise<VideoInfo | null> {
    const { head } = this.manifest;
    const keys = await this.#videoKeys();
    if (!head || !keys) return null;
    return openInfo(this.#parts.crypto, keys.infoKey, head.video, head.info);
  }

  /** Frees what is held; nothing is fetched or served any more. */
  close(): void {
    this.#extras?.close();
    this.downloads.close();
    this.uploads.close();
    this.announcements.close();
    void this.pieces.close();
  }

  #keep(segment: number, piece: number, data: Bytes, giver: Giver): void {
    this.provenance.note(segment, giver, data.byteLength);
    this.pieces.put(segment, piece, data);
    this.announcements.add(segment, piece);
    this.#extras?.came(segment);
    this.#parts.onPiece(segment, piece);
  }

  /** Segments from the playhead, counted twice behind it: what was played goes before what is to come. */
  #weightOf(segment: number): number {
    const distance = segment - this.#playheadSegment;
    return distance < 0 ? -2 * distance : distance;
  }

  async #isRight(segment: number, piece: number, data: Bytes): Promise<boolean> {
    const entry = this.manifest.entry(segment);
    return entry !== null && areEqual(await this.#parts.crypto.sha256(data), pieceHash(entry, piece));
  }

  #videoKeys(): Promise<VideoKeys> | null {
    const { crypto, roomSecret } = this.#parts;
    const { head } = this.manifest;
    if (head) this.#keys ??= deriveVideoKeys(crypto, roomSecret, head.video);
    return this.#keys;
  }
}
