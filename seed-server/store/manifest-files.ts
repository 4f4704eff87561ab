import { randomUUID } from 'node:crypto';
import { readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Bytes, toHex } from '../../peer/bytes.ts';
import { MatineeError } from '../../peer/errors.ts';
import type { ManifestHead } from '../../peer/manifest/head.ts';
import { Manifest } from '../../peer/manifest/manifest.ts';
import { decodeManifestUpdate } from '../../peer/manifest/manifest-writer.ts';
import { adoptUpdate } from './adopt.ts';
import { makeFolders, replaceFile, syncFolder } from './durable.ts';
import { fileBytes, folderBytes } from './quota.ts';
import { Recent } from './recent.ts';
import { idBytes, type Shelf } from './shelf.ts';

/** Manifests kept in memory: those being written now. A two-hour film's has some 4 MB. */
const MAX_KEPT = 16;

/** The manifests. Its caller sees to it that changes to one room do not overlap. */
export class ManifestFiles {
  readonly #shelf: Shelf;
  readonly #kept = new Recent<Manifest>(MAX_KEPT);

  constructor(shelf: Shelf) {
    this.#shelf = shelf;
  }

  /** The stored manifest of a video, verified; an empty one where nothing is stored. Not to be changed by the caller. */
  async find(room: string, video: string): Promise<Manifest> {
    const key = this.#shelf.paths.video(room, video);
    const kept = this.#kept.get(key);
    if (kept) return kept;
    const manifest = await this.#read(room, video);
    // Strangers may ask for videos that are not there; those take nobody's place.
    if (manifest.head) this.#kept.set(key, manifest);
    return manifest;
  }

  /** Forgets what is in memory: the next time it is read anew. */
  forget(room: string, video: string): void {
    this.#kept.delete(this.#shelf.paths.video(room, video));
  }

  /** See Store.putManifest. @param listed the videos that the host's rules list. */
  async put(room: string, video: string, body: Bytes, listed: readonly string[]): Promise<boolean> {
    const update = decodeManifestUpdate(body);
    const manifest = await this.find(room, video);
    const before = manifest.envelope;
    try {
      const { crypto, paths, quota } = this.#shelf;
      if (!(await adoptUpdate(crypto, idBytes(room), idBytes(video), manifest, update))) {
        // A crash may have come between its move and the sync.
        await syncFolder(paths.video(room, video));
        return false;
      }
      if (!before && !listed.includes(video)) await this.#mustBeOnly(room, video, listed);
      await quota.spend(room, body.byteLength, () => this.#save(room, video, manifest));
      this.#kept.set(this.#shelf.paths.video(room, video), manifest);
      return true;
    } catch (error) {
      if (manifest.envelope !== before) this.forget(room, video);
      throw error;
    }
  }

  /** The host has a list from now on, and these are not on it any more: they go, each as one, so that nobody sees half of it. */
  async removeUnlisted(room: string, listed: readonly string[]): Promise<void> {
    const { files, paths, quota } = this.#shelf;
    if (listed.length === 0) return;
    for (const other of await files.listVideos(room)) {
      if (listed.includes(other)) continue;
      const grave = join(paths.temporary, randomUUID());
      await rename(paths.video(room, other), grave);
      this.forget(room, other);
      await syncFolder(paths.videos(room));
      quota.release(room, await folderBytes(grave));
      await rm(grave, { recursive: true, force: true });
    }
  }

  /** One video a room, unless the host's rules list some: then none but those, for members can send what was removed anew. */
  async #mustBeOnly(room: string, video: string, listed: readonly string[]): Promise<void> {
    // A video without a head was never finished.
    const others = (await this.#shelf.files.listVideos(room)).filter((other) => other !== video);
    if (listed.length === 0 && others.length === 0) return;
    throw new MatineeError(
      'MANIFEST_STALE',
      'This room has another video. Make a new room for this one, or let the room’s rules list it first.',
    );
  }

  /** Writes the new pages, then the head, so that every page a stored head names is there. Resolves with how many bytes more are stored. */
  async #save(room: string, video: string, manifest: Manifest): Promise<number> {
    const { paths } = this.#shelf;
    const { head, envelope } = manifest;
    if (!head || !envelope) return 0;
    await makeFolders(paths.pages(room, video));
    await makeFolders(paths.segments(room, video));
    const pagesBytes = await this.#writePages(room, video, manifest, head);
    const oldHeadBytes = await fileBytes(paths.head(room, video));
    await replaceFile(paths.temporary, paths.head(room, video), envelope);
    await syncFolder(paths.video(room, video));
    const freedBytes = await removeOthers(paths.pages(room, video), head);
    return pagesBytes + envelope.byteLength - oldHeadBytes - freedBytes;
  }

  async #writePages(room: string, video: string, manifest: Manifest, head: ManifestHead): Promise<number> {
    const { paths } = this.#shelf;
    const folder = paths.pages(room, video);
    const stored = new Set(await readdir(folder));
    let sumBytes = 0;
    for (const { hash } of head.pages) {
      const bytes = manifest.pageBytes(hash);
      if (!bytes || stored.has(toHex(hash))) continue;
      await replaceFile(paths.temporary, paths.page(room, video, toHex(hash)), bytes);
      sumBytes += bytes.byteLength;
    }
    await syncFolder(folder);
    return sumBytes;
  }

  async #read(room: string, video: string): Promise<Manifest> {
    const { crypto, files } = this.#shelf;
    const manifest = new Manifest(crypto, idBytes(room));
    const envelope = await files.readHead(room, video);
    if (!envelope) return manifest;
    await manifest.adoptHead(envelope);
    for (const { hash } of manifest.head?.pages ?? []) {
      const bytes = await files.readPage(room, video, hash);
      if (bytes) await manifest.adoptPage(bytes);
    }
    return manifest;
  }
}

/** Removes the pages that the head does not name; resolves with their bytes. */
async function removeOthers(folder: string, head: ManifestHead): Promise<number> {
  const current = new Set(head.pages.map(({ hash }) => toHex(hash)));
  let freedBytes = 0;
  for (const name of await readdir(folder)) {
    if (current.has(name)) continue;
    const path = join(folder, name);
    freedBytes += await fileBytes(path);
    await rm(path, { force: true, recursive: true });
  }
  return freedBytes;
}
