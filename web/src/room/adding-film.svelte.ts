import { toBase64url } from '../../../peer/bytes.ts';
import { asMatineeError } from '../../../peer/errors.ts';
import type { HostProgress } from '../../../peer/host/host-video.ts';
import { UploadSpeed } from '../../../peer/host/upload-speed.ts';
import type { ChosenFile } from '../home/file-handle.ts';
import { Giving } from '../home/giving.svelte.ts';
import { SHARE_OF_LIMIT } from '../home/giving-limit.ts';
import type { FromWorker, PlanFacts } from '../home/host-messages.ts';
import type { HostingControl } from '../home/host-worker.ts';
import type { RoomView } from './room-view.svelte.ts';
import { texts } from './texts.ts';

/** Share of the upload shown at most before it is done: until packaging ends the whole is an estimate. */
const MAX_SHARE_BEFORE_DONE = 0.99;

/** One film on its way into the open room, of which this page gives viewers what the server does not have yet. */
export class AddingFilm {
  readonly #room: RoomView;
  readonly giving: Giving;
  #speed = new UploadSpeed();

  /** Null while nothing is uploaded. */
  control: HostingControl | null = $state.raw(null);
  title: string | null = $state(null);
  /** What will happen to it; null before that is known. */
  planned: PlanFacts | null = $state.raw(null);
  /** Nothing is sent before the person agrees to that. */
  isAsking: boolean = $state(false);
  /** 0 to 1. */
  share: number = $state(0);
  told: string | null = $state(null);
  /** What stands in the way of the upload, or ended it. */
  problem: string | null = $state(null);
  /** Base64url; null before the room has it. */
  #video: string | null = $state(null);
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
    return this.control !== null && films.some(({ id, isCurrent }) => isCurrent && id === this.#video);
  });

  /** Why friends get nothing from this page, whatever is said at the switch; null where it is as the switch says. */
  whyNot = $derived.by(() => {
    if (this.#room.snapshot?.rules.isOriginOnly) return texts.givingForbidden;
    return this.#room.peers === 'no' ? texts.givingAlone : null;
  });

  constructor(room: RoomView) {
    this.#room = room;
    this.giving = new Giving(null, (choice) => (this.#isWanted = choice === 'yes'));
  }

  async add(chosen: ChosenFile): Promise<void> {
    const open = this.#room.session?.openHostDesk;
    if (!open || this.control || !this.canAdd) return;
    [this.told, this.problem, this.title, this.share, this.#video] = [null, null, null, 0, null];
    [this.planned, this.isAsking] = [null, false];
    this.#speed = new UploadSpeed();
    try {
      const present = this.#room.snapshot?.video ?? null;
      this.control = await (await open()).addFilm(chosen, present, (message) => this.#receive(message));
    } catch (error) {
      this.problem = texts.errorText(asMatineeError(error, 'INTERNAL', texts.broken));
    }
  }

  /** The person agrees to what was planned. */
  start(): void {
    this.control?.start();
    this.isAsking = false;
  }

  cancel(): void {
    this.control?.cancel();
    this.control = null;
  }

  /** Gives, or gives no more, as the room and the person want it now. To be called whenever that may have changed. */
  apply(): void {
    const { control, giving } = this;
    const { peers, uploads } = this.#room;
    giving.follow(peers !== 'no' && this.#isWanted ? 'yes' : 'no');
    giving.note({ isSpared: uploads.isHeldBack, limitBytesPerSec: uploads.limitBytesPerSec });
    if (control && this.isWatched) giving.begin(control);
    else giving.end();
    uploads.keep(giving.isGiving ? SHARE_OF_LIMIT : 0);
  }

  close(): void {
    this.giving.close();
  }

  #receive(message: FromWorker): void {
    if (message.type === 'opened') this.#onOpened(message);
    if (message.type === 'room') this.#video = toBase64url(message.video);
    if (message.type === 'progress') this.#onProgress(message.progress);
    if (message.type === 'done') this.told = texts.filmAdded(this.title ?? texts.untitled);
    if (message.type === 'failed') this.problem = texts.errorText(message.failure);
    if (message.type === 'done' || message.type === 'failed') this.control = null;
  }

  #onOpened({ video, planned, isAsking }: Extract<FromWorker, { type: 'opened' }>): void {
    this.title = video.title;
    this.planned = planned;
    this.isAsking = isAsking;
  }

  #onProgress({ uploadedBytes, totalBytes, problem }: HostProgress): void {
    this.share = totalBytes === 0 ? 0 : Math.min(MAX_SHARE_BEFORE_DONE, uploadedBytes / totalBytes);
    this.problem = problem;
    this.#speed.note(performance.now(), uploadedBytes);
    this.giving.note({ bytesPerSec: this.#speed.bytesPerSec, isStuck: problem !== null });
  }
}
