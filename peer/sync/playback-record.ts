import { comparePlayback, type Playback } from './playback.ts';

/** Room time for which a host that controls alone may be silent; then anybody may control until it speaks again. */
export const HOST_SILENT_MS = 30_000;

/** Who may play, pause and seek for the room: the host's rules say it. */
export type Control = 'everyone' | 'host';

/**
 * What was said of one video: the newest word of its host, and the newest of anybody else. Both are kept, for which of them
 * counts depends on how long the host has been silent; so the room is in the same place for everybody who heard the same,
 * in whatever order.
 */
export class PlaybackRecord {
  #host: Playback | null = null;
  #other: Playback | null = null;

  /** Both words, where they are: what somebody who comes late must be told. */
  get all(): Playback[] {
    return [this.#host, this.#other].filter((one) => one !== null);
  }

  /** Takes a statement; returns whether it is newer than what its author's kind had said. */
  take(statement: Playback): boolean {
    const before = statement.isHost ? this.#host : this.#other;
    if (before && comparePlayback(statement, before) <= 0) return false;
    if (statement.isHost) this.#host = statement;
    else this.#other = statement;
    return true;
  }

  /** The statement that stands; null where nobody who may has said anything. */
  current(control: Control): Playback | null {
    const [host, other] = [this.#host, this.#other];
    if (!host || !other) return host ?? other;
    if (control === 'host') return other.wishedMs > host.atMs + HOST_SILENT_MS ? other : host;
    return comparePlayback(other, host) > 0 ? other : host;
  }

  /** Forgets what was said for a moment after this one: the room's time was set back. */
  forgetAfter(roomMs: number): void {
    if (this.#host && this.#host.atMs > roomMs) this.#host = null;
    if (this.#other && this.#other.atMs > roomMs) this.#other = null;
  }

  /** Room time since which the host has said nothing; null where it never did. */
  get hostSaidMs(): number | null {
    return this.#host?.atMs ?? null;
  }
}
