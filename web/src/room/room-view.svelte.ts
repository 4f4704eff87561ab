import type { Bytes } from '../../../peer/bytes.ts';
import { asMatineeError, type MatineeError } from '../../../peer/errors.ts';
import { parseRoomLink, type RoomLink } from '../../../peer/room-link.ts';
import { type PeersChoice, rememberPeers } from '../member/peers-choice.ts';
import type { OpenRoom, RoomSession, RoomSnapshot } from '../room-session.ts';
import { dropSecret, keepSecret, keptSecret } from './kept-secret.ts';
import { rememberName } from './remembered.ts';
import { texts } from './texts.ts';
import { Unread } from './unread.svelte.ts';
import { UploadRule } from './upload-rule.svelte.ts';

/** What the form that asks for the room's password shows. */
export interface PasswordAsk {
  link: RoomLink;
  /** The one before was refused. */
  isWrong: boolean;
}

/** With so much of the film at hand its bytes are not the most urgent ones. */
const LEISURE_S = 4;

/** The open room as the components see it. Owns the session's life; the snapshot is replaced whole. */
export class RoomView {
  #isClosed = false;
  #unsubscribe: (() => void) | null = null;
  #enter: (secret: Bytes | null) => Promise<RoomSession> = () => Promise.reject(new Error('Not opened.'));
  #locked: RoomLink | null = null;
  #wasToldOfPeers = false;

  session: RoomSession | null = $state.raw(null);
  snapshot: RoomSnapshot | null = $state.raw(null);
  /** Why the room could not be opened at all. */
  failure: MatineeError | null = $state.raw(null);
  name: string = $state('');
  /** Null while no password is asked for. */
  passwordAsk: PasswordAsk | null = $state.raw(null);
  /** What the person wants, now or at an earlier visit; null where they did not say. */
  peers: PeersChoice | null = $state(null);

  readonly uploads = new UploadRule();
  /** What was said while nobody looked. */
  readonly unread = new Unread();
  /** The chat line that the chat is to bring into view, by its id; '' for none. */
  pointedLine: string = $state('');
  /** Whether what is not the film is to be loaded and shown. */
  isRestDue: boolean = $state(false);
  /** Whether the page fills the screen, and whether the chat stays beside the film then. */
  isFull: boolean = $state(false);
  isChatInFull: boolean = $state(false);

  /** What is wrong for good: the opening that failed, or what the session says. */
  fatal = $derived(this.failure ?? (this.snapshot?.problem?.isFatal === true ? this.snapshot.problem : null));

  /** A film that cannot play here is no reason to fall silent; a room that never opened, or is locked, is. */
  canChat = $derived(
    this.failure === null &&
      this.passwordAsk === null &&
      this.snapshot?.signaling !== 'refused' &&
      this.snapshot?.problem?.code !== 'ROOM_LOCKED',
  );

  /** Whether to say what connections to other viewers show them, and to ask. */
  isPeersNoticeDue = $derived(
    this.peers === null &&
      this.fatal === null &&
      this.passwordAsk === null &&
      !this.snapshot?.rules.isOriginOnly,
  );

  /** Whether the first picture is here, or it is known why it is not. */
  isSettled = $derived.by(() => {
    const { snapshot } = this;
    if (this.failure !== null || this.passwordAsk !== null) return true;
    return (
      snapshot !== null &&
      (snapshot.stats.startupMs !== null || snapshot.isPlayRefused || snapshot.problem !== null)
    );
  });

  /**
   * Whether the bytes of what is not the film take nothing from it. On a line that six who come at once share, they would be
   * the last ones' first picture.
   */
  hasLeisure = $derived.by(() => {
    const { snapshot } = this;
    if (snapshot === null || snapshot.problem !== null) return this.isSettled;
    return this.isSettled && snapshot.stats.bufferedS >= LEISURE_S;
  });

  /** Whether the film runs here and nobody else is seen. */
  isAlone = $derived.by(() => {
    const { snapshot } = this;
    if (!snapshot || this.fatal !== null || snapshot.signaling !== 'connected') return false;
    const isRunning = snapshot.stats.startupMs !== null || snapshot.isPlayRefused;
    return (
      isRunning && snapshot.present.length === 0 && !snapshot.peers.some(({ kind }) => kind === 'member')
    );
  });

  constructor(name: string, peers: PeersChoice | null) {
    this.name = name;
    this.peers = peers;
  }

  /** Opens the room of this link, or asks for its password first; what goes wrong is in `failure`. */
  async open(href: string, openRoom: OpenRoom): Promise<void> {
    this.#enter = (secret) => openRoom(href, this.name, secret);
    try {
      const link = parseRoomLink(href);
      if (link.hasPassword) await this.#unlock(link);
      else this.#hold(await this.#enter(null));
    } catch (error) {
      this.failure = asMatineeError(error, 'INTERNAL', texts.broken);
    }
  }

  /** Opens the room with what the password gave. Only the server can tell whether it is right. */
  async enter(secret: Bytes): Promise<void> {
    const session = await this.#enter(secret);
    if (this.#locked) keepSecret(this.#locked.roomId, secret);
    this.passwordAsk = null;
    this.#hold(session);
  }

  /** The person said whether they want connections to other viewers. */
  choosePeers(choice: PeersChoice): void {
    this.peers = choice;
    rememberPeers(choice);
    this.#applyPeers();
  }

  /** The page has said what connections to other viewers show them. */
  peersNoticeShown(): void {
    this.#wasToldOfPeers = true;
    this.#applyPeers();
  }

  rename(name: string): void {
    this.name = name;
    rememberName(name);
    this.session?.rename(name);
  }

  close(): void {
    this.#isClosed = true;
    this.#unsubscribe?.();
    this.uploads.close();
    this.session?.close();
  }

  async #unlock(link: RoomLink): Promise<void> {
    this.#locked = link;
    const secret = keptSecret(link.roomId);
    if (secret) await this.enter(secret);
    else this.passwordAsk = { link, isWrong: false };
  }

  #show(snapshot: RoomSnapshot): void {
    if (this.#locked && snapshot.problem?.code === 'TOKEN_WRONG') this.#askAgain(this.#locked);
    else this.snapshot = snapshot;
  }

  #askAgain(link: RoomLink): void {
    dropSecret(link.roomId);
    this.session?.close();
    this.session = null;
    this.snapshot = null;
    this.passwordAsk = { link, isWrong: true };
  }

  /** A choice stands; without one nobody is dialled before the page has said what that shows. */
  #applyPeers(): void {
    const isAllowed = this.peers === null ? this.#wasToldOfPeers : this.peers === 'yes';
    this.session?.setPeersAllowed(isAllowed);
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
    this.#applyPeers();
    this.uploads.holdFor(session);
    this.#unsubscribe = session.subscribe((snapshot) => this.#show(snapshot));
    window.matinee = {
      stats: () => session.snapshot().stats,
      thumbnailAt: (atMs) => session.thumbnailAt(atMs),
    };
  }
}
