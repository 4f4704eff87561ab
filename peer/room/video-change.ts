import { areEqual, type Bytes } from '../bytes.ts';
import type { Crypto } from '../crypto/crypto.ts';
import { asMatineeError } from '../errors.ts';
import { openHead, peekHead } from '../manifest/head.ts';
import type { Manifest } from '../manifest/manifest.ts';
import type { Link } from '../wire/link.ts';
import type { Bodies } from '../wire/messages.ts';

/** Goodbye code: another video is shown in this room from now on, and the two ends are not at the same one. */
export const VIDEO_REPLACED = 'VIDEO_REPLACED';

export interface VideoChangeParts {
  crypto: Crypto;
  roomId: Bytes;
  manifest: Manifest;
  /** The video that the host's rules name; null where they name none. */
  named(): Bytes | null;
  /** The host's manifest of another video, named by its rules, has come: the one we hold is over. Called once. */
  onReplaced(): void;
}

/**
 * Tells heads of the video that a viewer watches from those of the one that replaces it. Pieces say nothing of the
 * video they belong to, so viewers at different ones must part before they take each other for liars.
 */
export class VideoChange {
  readonly #parts: VideoChangeParts;
  #isReplaced = false;

  constructor(parts: VideoChangeParts) {
    this.#parts = parts;
  }

  /** Whether the video we hold is over: everything about the new one is for a new viewer. */
  get isReplaced(): boolean {
    return this.#isReplaced;
  }

  /** Hands a head on to `take` where it is one for our manifest; else parts from the link, or sees that we are over. */
  head(link: Link, body: Bodies['head'], take: (link: Link, body: Bodies['head']) => void): void {
    const named = this.#parts.named();
    const known = this.#parts.manifest.head?.video;
    if (!named || !known) {
      take(link, body);
      return;
    }
    try {
      const { video } = peekHead(body.envelope);
      if (areEqual(video, known) || (!areEqual(video, named) && !areEqual(known, named))) take(link, body);
      else if (areEqual(video, named)) void this.#replace(link, body.envelope);
      else link.close(VIDEO_REPLACED);
    } catch (error) {
      link.close(asMatineeError(error, 'MANIFEST_MALFORMED', 'manifest not understood').code);
    }
  }

  async #replace(link: Link, envelope: Bytes): Promise<void> {
    const { crypto, roomId, onReplaced } = this.#parts;
    try {
      await openHead(crypto, roomId, envelope);
      if (this.#isReplaced) return;
      this.#isReplaced = true;
      onReplaced();
    } catch (error) {
      link.close(asMatineeError(error, 'MANIFEST_MALFORMED', 'manifest not understood').code);
    }
  }
}
