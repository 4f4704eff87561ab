import { areEqual } from '../../../peer/bytes.ts';
import { asMatineeError } from '../../../peer/errors.ts';
import type { UploadRecord } from '../../../peer/host/upload-journal.ts';
import { parseRoomLink } from '../../../peer/room-link.ts';
import type { ChosenFile } from '../home/file-handle.ts';
import { Giving } from '../home/giving.svelte.ts';
import { SHARE_OF_LIMIT } from '../home/giving-limit.ts';
import { startHosting } from '../home/host-worker.ts';
import { Hosting, type RoomKeys } from '../home/hosting.svelte.ts';
import type { UploadInList } from '../home/kept-uploads.ts';
import { Unfinished } from '../home/unfinished.svelte.ts';
import type { RoomView } from './room-view.svelte.ts';
import { texts } from './texts.ts';

/** The room has its key already, and keeps it whatever becomes of the film. */
const NO_KEYS: RoomKeys = { add: () => undefined, remove: () => undefined };

/** One film on its way into the open room, of which this page gives viewers what the server does not have yet. */
export class AddingFilm {
  readonly #room: RoomView;
  readonly giving: Giving;
  readonly hosting: Hosting;
  /** Uploads into this room that stopped half-way. */
  readonly unfinished: Unfinished;

  /** Why it could not even begin, in a sentence. */
  problem: string | null = $state(null);
  /** What is said at the switch: it is for as long as this page is open. */
  #isWanted: boolean = $state(true);

  /** Whether it is known what the room has: a list with the new film alone would remove the one that is there. */
  canAdd = $derived.by(() => {
    const { snapshot } = this.#room;
    return snapshot !== null && (snapshot.video !== null || snapshot.films.length > 0);
  });

  /** Whether the room watches it: to all others of the room what is given would be of no use. */
  isWatched = $derived.by(() => {
    const films = this.#room.snapshot?.films ?? [];
    const { videoId } = this.hosting;
    return videoId !== null && films.some(({ id, isCurrent }) => isCurrent && id === videoId);
  });

  /** Why friends get nothing from this page, whatever is said at the switch; null where it is as the switch says. */
  whyNot = $derived.by(() => {
    if (this.#room.snapshot?.rules.isOriginOnly) return texts.givingForbidden;
    return this.#room.peers === 'no' ? texts.givingAlone : null;
  });

  /** Whether there are such, but for one that failed here and has a button of its own. */
  hasUnfinished = $derived.by(() => {
    const { hosting, unfinished } = this;
    return unfinished.list.some(({ id }) => id !== hosting.keptId || !hosting.canRetry);
  });

  constructor(room: RoomView) {
    this.#room = room;
    this.giving = new Giving(null, (choice) => (this.#isWanted = choice === 'yes'));
    this.hosting = new Hosting(startHosting, () => performance.now(), NO_KEYS, this.giving);
    this.unfinished = new Unfinished(({ record }) => isIntoThisRoom(record));
  }

  /** A file may be the one of an upload that stopped: then that goes on. */
  async add(chosen: ChosenFile): Promise<void> {
    const open = this.#room.session?.openHostDesk;
    if (!open || this.hosting.isBusy || !this.canAdd) return;
    this.problem = null;
    const upload = this.unfinished.find(chosen);
    if (upload) {
      this.goOn(upload, chosen);
      return;
    }
    try {
      const present = this.#room.snapshot?.video ?? null;
      this.hosting.choose(chosen, await (await open()).intoRoom(present));
    } catch (error) {
      this.problem = texts.errorText(asMatineeError(error, 'INTERNAL', texts.broken));
    }
  }

  /** Goes on with an upload into this room that stopped half-way, of which this is said to be the file. */
  goOn(upload: UploadInList, chosen: ChosenFile): void {
    this.problem = null;
    this.unfinished.goOn(this.hosting, upload, chosen);
  }

  /** Gives, or gives no more, as the room and the person want it now. To be called whenever that may have changed. */
  apply(): void {
    const { giving } = this;
    const { peers, uploads } = this.#room;
    giving.follow(peers !== 'no' && this.#isWanted ? 'yes' : 'no');
    giving.setWatched(this.isWatched);
    giving.note({ isSpared: uploads.isHeldBack, limitBytesPerSec: uploads.limitBytesPerSec });
    uploads.keep(giving.isGiving ? SHARE_OF_LIMIT : 0);
  }

  close(): void {
    this.giving.close();
    this.unfinished.close();
  }
}

function isIntoThisRoom({ room, addedTo }: UploadRecord): boolean {
  return addedTo !== undefined && areEqual(room.roomId, parseRoomLink(location.href).roomId);
}
