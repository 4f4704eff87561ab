import type { Bytes } from '../bytes.ts';
import type { Crypto } from '../crypto/crypto.ts';
import { Manifest } from '../manifest/manifest.ts';
import type { ManifestUpdate } from '../manifest/manifest-writer.ts';
import type { HostedRoom } from './new-room.ts';
import type { SealedSegment } from './seal-segment.ts';

/** Hears what there is to give: first all of it, then what changes. */
export interface GiveawayListener {
  /** A video, of which nothing is known yet: what follows is about it. */
  begun(room: HostedRoom): void;
  /** Its manifest, or what of it is new. */
  published(update: ManifestUpdate): void;
  /** These segments can be given from now on. */
  listed(segments: number[]): void;
  /** The server has this one: it is not given any more. */
  stored(segment: number): void;
}

/**
 * What viewers can be given before the server has it: the segments between the manifest that lists them, which the server must have
 * accepted, and their being stored. Holds nothing that the upload does not hold anyway, and so no more than its queue does.
 */
export class Giveaway {
  readonly #crypto: Crypto;
  readonly #segments = new Map<number, readonly Bytes[]>();
  #room: HostedRoom | null = null;
  #manifest: Manifest | null = null;
  #listener: GiveawayListener | null = null;

  constructor(crypto: Crypto) {
    this.#crypto = crypto;
  }

  /** An upload begins, or begins anew under another video id. */
  begin(room: HostedRoom): void {
    this.#room = room;
    this.#manifest = new Manifest(this.#crypto, room.roomId);
    this.#segments.clear();
    this.#listener?.begun(room);
  }

  /** The server has accepted this update. */
  async published(update: ManifestUpdate): Promise<void> {
    const manifest = this.#manifest;
    await manifest?.adoptHead(update.head);
    for (const page of update.pages) await manifest?.adoptPage(page);
    this.#listener?.published(update);
  }

  /** These wait to be uploaded, and are listed. */
  listed(segments: readonly SealedSegment[]): void {
    for (const { number, pieces } of segments) this.#segments.set(number, pieces);
    this.#listener?.listed(segments.map(({ number }) => number));
  }

  stored({ number }: SealedSegment): void {
    this.#segments.delete(number);
    this.#listener?.stored(number);
  }

  /** From now on it is this one that hears of it, in place of who did before. */
  listen(listener: GiveawayListener): void {
    this.#listener = listener;
    const [room, manifest] = [this.#room, this.#manifest];
    if (!room || !manifest) return;
    listener.begun(room);
    const { head, envelope } = manifest;
    if (!head || !envelope) return;
    const pages = head.pages.flatMap(({ hash }) => manifest.pageBytes(hash) ?? []);
    listener.published({ head: envelope, pages });
    listener.listed([...this.#segments.keys()]);
  }

  /** This one hears nothing more. */
  unlisten(listener: GiveawayListener): void {
    if (this.#listener === listener) this.#listener = null;
  }

  /** A copy of a piece's ciphertext; null where it is not to be given (any more). */
  read(segment: number, piece: number): Bytes | null {
    return this.#segments.get(segment)?.[piece]?.slice() ?? null;
  }
}
