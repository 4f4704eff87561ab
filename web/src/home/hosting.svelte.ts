import { toBase64url } from '../../../peer/bytes.ts';
import type { ErrorCode } from '../../../peer/errors.ts';
import type { HostedRoomKey } from '../../../peer/host/host-key-file.ts';
import type { HostProgress, IntoRoom } from '../../../peer/host/host-video.ts';
import { NO_WISHES, type PackagingWishes } from '../../../peer/host/package-plan.ts';
import { UploadSpeed } from '../../../peer/host/upload-speed.ts';
import { formatPercent } from '../format.ts';
import type { ChosenFile } from './file-handle.ts';
import type { Giving } from './giving.svelte.ts';
import type { Failure, FromWorker, HostChoices, HostTask, PlanFacts, VideoFacts } from './host-messages.ts';
import type { HostingControl } from './host-worker.ts';

/** 'planned': what will happen is shown, and the person is asked. */
export type HostingStep = 'idle' | 'inspecting' | 'planned' | 'uploading' | 'done' | 'failed';

/** Hosts a file and calls back with messages. See host-worker.ts. */
export type StartHosting = (task: HostTask, onMessage: (message: FromWorker) => void) => HostingControl;

/** Where the keys of the rooms that are made go. */
export interface RoomKeys {
  add(room: HostedRoomKey): void;
  /** The room is gone. */
  remove(link: string): void;
}

/** The file itself is at fault: the same one will fail the same way. */
const FILE_FAULTS: ReadonlySet<ErrorCode> = new Set([
  'FILE_EMPTY',
  'FILE_NOT_VIDEO',
  'FILE_OTHER',
  'FILE_ENCRYPTED',
  'CODEC_UNSUPPORTED',
]);

/** Share of the upload shown at most before it is done: until packaging ends the whole is an estimate. */
const MAX_SHARE_BEFORE_DONE = 0.99;

/** One person's way from choosing a file to a room, its own or an open one, that has all of it. Owns the worker's life, draws nothing. */
export class Hosting {
  #start: StartHosting;
  #nowMs: () => number;
  #keys: RoomKeys;
  /** Gives viewers what the server does not have yet. */
  readonly giving: Giving;
  #control: HostingControl | null = null;
  /** The open room that is to get the film; null: one is made for it. */
  #into: IntoRoom | null = null;
  /** Into a room that was there before. */
  #isAdded = false;
  #speed = new UploadSpeed();
  /** The same of milliseconds of film, which is what takes time where it is encoded anew. */
  #filmSpeed = new UploadSpeed();

  step: HostingStep = $state('idle');
  chosen: ChosenFile | null = $state.raw(null);
  /** Under which the upload is kept, so that it can go on after a crash; null: it is not. */
  keptId: string | null = $state(null);
  isPaused = $state(false);
  video: VideoFacts | null = $state.raw(null);
  planned: PlanFacts | null = $state.raw(null);
  wishes: PackagingWishes = $state.raw({ ...NO_WISHES, mayLeaveOutSound: true });
  /** Whether to make every film smaller, for a slow uplink. */
  isSmall = $state(false);
  /** The person is choosing how: nothing begins by itself. */
  isChoosing = $state(false);
  link: string | null = $state(null);
  /** By which the room lists the film (base64url); null before it has it. */
  videoId: string | null = $state(null);
  /** What viewers will have to type; empty: the link is enough. */
  roomPassword = $state('');
  /** What the server asks hosts for; empty: nothing was typed. */
  hostPassword = $state('');
  progress: HostProgress | null = $state.raw(null);
  failure: Failure | null = $state.raw(null);
  /** Over the last seconds; null while nothing is known. */
  speedBytesPerSec: number | null = $state(null);
  /** Milliseconds of film a second; null while nothing is known. */
  filmSpeedMsPerSec: number | null = $state(null);

  file = $derived(this.chosen?.file ?? null);
  /** Whether closing the page now would lose work. */
  isBusy = $derived(this.step === 'inspecting' || this.step === 'uploading');
  /** What stands in the way of the upload, in a sentence; null: nothing. */
  problem = $derived(this.step === 'uploading' ? (this.progress?.problem ?? null) : null);
  /** All is packaged, and the last of it is being stored. */
  isFinishing = $derived(this.progress?.phase === 'finishing');
  /** Whether the same file may work at another try. */
  canRetry = $derived(this.failure !== null && !FILE_FAULTS.has(this.failure.code));
  /** 0 to 1. */
  share = $derived(this.step === 'done' ? 1 : shareOf(this.progress));
  percent = $derived(formatPercent(this.share));
  /** Seconds until all is uploaded; null while nothing is known. */
  leftS = $derived.by(() => {
    if (!this.isEncoding) return leftOf(this.progress, this.speedBytesPerSec);
    const leftMs = (this.video?.durationMs ?? 0) - (this.progress?.uploadedMs ?? 0);
    return this.filmSpeedMsPerSec ? Math.max(0, leftMs) / this.filmSpeedMsPerSec : null;
  });
  /** Whether the picture is encoded anew, which takes longer than sending it. */
  isEncoding = $derived(this.planned?.plan.video?.how === 'transcode');

  constructor(start: StartHosting, nowMs: () => number, keys: RoomKeys, giving: Giving) {
    this.#keys = keys;
    this.giving = giving;
    this.#start = start;
    this.#nowMs = nowMs;
  }

  /** Starts over with this file. Ignored while another one is on its way: that has a Cancel button. `into`: the open room that gets it. */
  choose(chosen: ChosenFile, into: IntoRoom | null = null): void {
    if (this.isBusy) return;
    this.#into = into;
    this.wishes = { ...NO_WISHES, mayLeaveOutSound: true, isSmall: this.isSmall };
    this.isChoosing = false;
    this.#begin(chosen, null);
  }

  /** Plans anew with other wishes. */
  plan(wishes: PackagingWishes): void {
    this.wishes = wishes;
    this.isChoosing = true;
    if (this.chosen) this.#begin(this.chosen, null);
  }

  /** The person agrees to what was planned. */
  start(): void {
    this.#control?.start();
    this.step = 'uploading';
  }

  /** Goes on with a kept upload, of which this is said to be the file. Ignored while another one is on its way. */
  goOn(id: string, chosen: ChosenFile): void {
    this.#begin(chosen, id);
  }

  /** The same file again, after a failure: from where it stopped, where that can be. */
  retry(): void {
    if (this.chosen) this.#begin(this.chosen, this.keptId);
  }

  /** Holds the upload for as long as the person likes, or lets it go on. */
  togglePause(): void {
    this.isPaused = !this.isPaused;
    if (this.isPaused) this.#control?.pause();
    else this.#control?.unpause();
    this.giving.note({ isPaused: this.isPaused });
  }

  /** Stops and forgets everything; a room that was made is taken down, and a film that was added to one removed. */
  cancel(): void {
    this.#control?.cancel();
    this.#forgetRoom();
    this.reset();
  }

  /** Back to the empty page. */
  reset(): void {
    this.giving.end();
    this.#control = null;
    this.#speed = new UploadSpeed();
    this.#filmSpeed = new UploadSpeed();
    this.step = 'idle';
    this.chosen = null;
    this.keptId = null;
    this.isPaused = false;
    this.video = null;
    this.planned = null;
    this.link = null;
    this.videoId = null;
    this.#isAdded = false;
    this.progress = null;
    this.failure = null;
    this.speedBytesPerSec = null;
    this.filmSpeedMsPerSec = null;
  }

  #begin(chosen: ChosenFile, goOnWith: string | null): void {
    if (this.isBusy) return;
    // Nothing is lost of what was only planned.
    this.#control?.cancel();
    this.reset();
    this.chosen = chosen;
    this.step = 'inspecting';
    const task = {
      ...chosen,
      choices: this.#choices(),
      goOnWith,
      into: this.#into,
      mustAsk: this.isChoosing,
    };
    this.#control = this.#start(task, (message) => this.#receive(message));
  }

  #receive(message: FromWorker): void {
    if (message.type === 'opened') this.#onOpened(message);
    else if (message.type === 'kept') this.keptId = message.id;
    else if (message.type === 'room') this.#onRoom(message);
    else if (message.type === 'progress') this.#onProgress(message.progress);
    else if (message.type === 'done') this.#end('done');
    else this.#onFailed(message);
  }

  #onOpened({ video, planned, isAsking }: Extract<FromWorker, { type: 'opened' }>): void {
    this.video = video;
    this.planned = planned;
    this.step = isAsking ? 'planned' : 'uploading';
  }

  #onRoom({ link, hostKey, video, isAdded }: Extract<FromWorker, { type: 'room' }>): void {
    this.link = link;
    this.videoId = toBase64url(video);
    this.#isAdded = isAdded;
    // A room that was there before keeps its title, and its key whatever becomes of this film.
    if (!isAdded) this.#keys.add({ link, title: this.video?.title ?? '', createdAtMs: Date.now(), hostKey });
    if (this.#control) this.giving.begin(this.#control);
  }

  #onProgress(progress: HostProgress): void {
    this.progress = progress;
    // What was uploaded at another time says nothing of the line now.
    if (progress.phase === 'resuming') return;
    this.#speed.note(this.#nowMs(), progress.uploadedBytes);
    this.speedBytesPerSec = this.#speed.bytesPerSec;
    this.giving.note({ bytesPerSec: this.#speed.bytesPerSec, isStuck: progress.problem !== null });
    this.#filmSpeed.note(this.#nowMs(), progress.uploadedMs);
    this.filmSpeedMsPerSec = this.#filmSpeed.bytesPerSec;
  }

  #onFailed({ failure, canGoOn }: Extract<FromWorker, { type: 'failed' }>): void {
    this.failure = failure;
    if (!canGoOn) this.keptId = null;
    // It was taken down, unless it can go on or there was no server to be told.
    const isGone = !canGoOn && failure.code !== 'SERVER_UNREACHABLE';
    if (isGone) this.#forgetRoom();
    this.link = null;
    this.#end('failed');
  }

  #forgetRoom(): void {
    if (this.link !== null && !this.#isAdded) this.#keys.remove(this.link);
  }

  #choices(): HostChoices {
    const { roomPassword, hostPassword, wishes } = this;
    return { roomPassword: roomPassword || null, hostPassword: hostPassword || null, wishes };
  }

  #end(step: 'done' | 'failed'): void {
    this.giving.end();
    this.#control = null;
    this.step = step;
  }
}

function shareOf(progress: HostProgress | null): number {
  if (!progress || progress.totalBytes === 0) return 0;
  return Math.min(MAX_SHARE_BEFORE_DONE, progress.uploadedBytes / progress.totalBytes);
}

function leftOf(progress: HostProgress | null, bytesPerSec: number | null): number | null {
  if (!progress || !bytesPerSec) return null;
  return Math.max(0, progress.totalBytes - progress.uploadedBytes) / bytesPerSec;
}
