import { asMatineeError, type MatineeError } from '../../../peer/errors.ts';
import type { OpenRoom, RoomSession, RoomSnapshot } from '../room-session.ts';
import { rememberName } from './remembered.ts';
import { texts } from './texts.ts';

/** The open room as the components see it. Owns the session's life; the snapshot is replaced whole. */
export class RoomView {
  #isClosed = false;
  #unsubscribe: (() => void) | null = null;

  session: RoomSession | null = $state.raw(null);
  snapshot: RoomSnapshot | null = $state.raw(null);
  /** Why the room could not be opened at all. */
  failure: MatineeError | null = $state.raw(null);
  name: string = $state('');

  /** What is wrong for good: the opening that failed, or what the session says. */
  fatal = $derived(this.failure ?? (this.snapshot?.problem?.isFatal === true ? this.snapshot.problem : null));

  /** A film that cannot play here is no reason to fall silent; a room that never opened is. */
  canChat = $derived(this.failure === null && this.snapshot?.signaling !== 'refused');

  constructor(name: string) {
    this.name = name;
  }

  /** Opens the room of this link; what goes wrong is in `failure`. */
  async open(href: string, openRoom: OpenRoom): Promise<void> {
    try {
      this.#hold(await openRoom(href, this.name));
    } catch (error) {
      this.failure = asMatineeError(error, 'INTERNAL', texts.broken);
    }
  }

  rename(name: string): void {
    this.name = name;
    rememberName(name);
    this.session?.rename(name);
  }

  close(): void {
    this.#isClosed = true;
    this.#unsubscribe?.();
    this.session?.close();
  }

  #hold(session: RoomSession): void {
    // The page was left while the room was being opened.
    if (this.#isClosed) {
      session.close();
      return;
    }
    // The name may have been changed meanwhile.
    if (session.snapshot().name !== this.name) session.rename(this.name);
    this.session = session;
    this.#unsubscribe = session.subscribe((snapshot) => {
      this.snapshot = snapshot;
    });
    window.matinee = { stats: () => session.snapshot().stats };
  }
}
