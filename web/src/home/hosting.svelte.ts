import type { ErrorCode } from '../../../peer/errors.ts';
import type { HostedRoomKey } from '../../../peer/host/host-key-file.ts';
import type { HostProgress } from '../../../peer/host/host-video.ts';
import { UploadSpeed } from '../../../peer/host/upload-speed.ts';
import { formatPercent } from '../format.ts';
import type { Failure, FromWorker, HostChoices, VideoFacts } from './host-messages.ts';

export type HostingStep = 'idle' | 'inspecting' | 'uploading' | 'done' | 'failed';

/** Hosts a file and calls back with messages; returns the cancel. See host-worker.ts. */
export type StartHosting = (
  file: File,
  choices: HostChoices,
  onMessage: (message: FromWorker) => void,
) => () => void;

/** Where the keys of the rooms that are made go. */
export interface RoomKeys {
  add(room: HostedRoomKey): void;
  /** The room is gone. */
  remove(link: string): void;
}

/** The file itself is at fault: the same one will fail the same way. */
const FILE_FAULTS: ReadonlySet<ErrorCode> = new Set(['FILE_EMPTY', 'FILE_NOT_VIDEO', 'CODEC_UNSUPPORTED']);

/** Share of the upload shown at most before it is done: until packaging ends the whole is an estimate. */
const MAX_SHARE_BEFORE_DONE = 0.99;

/** One person's way from choosing a file to a room that has all of it. Owns the worker's life, draws nothing. */
export class Hosting {
  #start: StartHosting;
  #nowMs: () => number;
  #keys: RoomKeys;
  #cancelWorker: (() => void) | null = null;
  #speed = new UploadSpeed();

  step: HostingStep = $state('idle');
  file: File | null = $state.raw(null);
  video: VideoFacts | null = $state.raw(null);
  link: string | null = $state(null);
  /** What viewers will have to type; empty: the link is enough. */
  roomPassword = $state('');
  /** What the server asks hosts for; empty: nothing was typed. */
  hostPassword = $state('');
  progress: HostProgress | null = $state.raw(null);
  failure: Failure | null = $state.raw(null);
  /** Over the last seconds; null while nothing is known. */
  speedBytesPerSec: number | null = $state(null);

  /** Whether closing the page now would lose work. */
  isBusy = $derived(this.step === 'inspecting' || this.step === 'uploading');
  /** Whether the same file may work at another try. */
  canRetry = $derived(this.failure !== null && !FILE_FAULTS.has(this.failure.code));
  /** 0 to 1. */
  share = $derived(this.step === 'done' ? 1 : shareOf(this.progress));
  percent = $derived(formatPercent(this.share));
  /** Seconds until all is uploaded; null while nothing is known. */
  leftS = $derived(leftOf(this.progress, this.speedBytesPerSec));

  constructor(start: StartHosting, nowMs: () => number, keys: RoomKeys) {
    this.#keys = keys;
    this.#start = start;
    this.#nowMs = nowMs;
  }

  /** Starts over with this file. Ignored while another one is on its way: that has a Cancel button. */
  choose(file: File): void {
    if (this.isBusy) return;
    this.reset();
    this.file = file;
    this.step = 'inspecting';
    this.#cancelWorker = this.#start(file, this.#choices(), (message) => this.#receive(message));
  }

  /** The same file again, after a failure. */
  retry(): void {
    if (this.file) this.choose(this.file);
  }

  /** Stops and forgets everything; a room that was made is taken down. */
  cancel(): void {
    this.#cancelWorker?.();
    if (this.link !== null) this.#keys.remove(this.link);
    this.reset();
  }

  /** Back to the empty page. */
  reset(): void {
    this.#cancelWorker = null;
    this.#speed = new UploadSpeed();
    this.step = 'idle';
    this.file = null;
    this.video = null;
    this.link = null;
    this.progress = null;
    this.failure = null;
    this.speedBytesPerSec = null;
  }

  #receive(message: FromWorker): void {
    if (message.type === 'opened') this.#onOpened(message.video);
    else if (message.type === 'room') this.#onRoom(message);
    else if (message.type === 'progress') this.#onProgress(message.progress);
    else if (message.type === 'done') this.#end('done');
    else this.#onFailed(message.failure);
  }

  #onOpened(video: VideoFacts): void {
    this.video = video;
    this.step = 'uploading';
  }

  #onRoom({ link, hostKey }: Extract<FromWorker, { type: 'room' }>): void {
    this.link = link;
    this.#keys.add({ link, title: this.video?.title ?? '', createdAtMs: Date.now(), hostKey });
  }

  #onProgress(progress: HostProgress): void {
    this.progress = progress;
    this.#speed.note(this.#nowMs(), progress.uploadedBytes);
    this.speedBytesPerSec = this.#speed.bytesPerSec;
  }

  #onFailed(failure: Failure): void {
    this.failure = failure;
    // It was taken down, unless there was no server to be told.
    if (this.link !== null && failure.code !== 'SERVER_UNREACHABLE') this.#keys.remove(this.link);
    this.link = null;
    this.#end('failed');
  }

  #choices(): HostChoices {
    return { roomPassword: this.roomPassword || null, hostPassword: this.hostPassword || null };
  }

  #end(step: 'done' | 'failed'): void {
    this.#cancelWorker = null;
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
