import type { Bytes } from '../../../peer/bytes.ts';
import type { SigningKey } from '../../../peer/crypto/crypto.ts';
import type { ErrorCode } from '../../../peer/errors.ts';
import type { SubtitleName } from '../../../peer/extras/subtitle-name.ts';
import type { HostProgress, IntoRoom } from '../../../peer/host/host-video.ts';
import type { OpenedVideo } from '../../../peer/host/package.ts';
import type { PackagingWishes } from '../../../peer/host/package-plan.ts';
import type { AskedAbout } from '../../../peer/host/plan-question.ts';
import type { ChosenFile } from './file-handle.ts';

/** What the page and the host's worker tell each other: one file per worker, `cancel` at any time. */

/** How long an upload holds back once its room is there, milliseconds: longer than a page takes from the link to its first picture. */
export const HEAD_START_MS = 3_000;

export type VideoFacts = OpenedVideo['info'];

/** What will happen to the file, and the subtitles that go with it. */
export interface PlanFacts extends AskedAbout {
  subtitles: readonly SubtitleName[];
}

/** An error as it crosses: classes do not survive the way between threads. */
export interface Failure {
  code: ErrorCode;
  message: string;
}

/** What a person may choose besides the file. */
export interface HostChoices {
  /** What viewers must type besides having the link; null: the link is enough. */
  roomPassword: string | null;
  /** What the server asks hosts for; null: nothing was typed. */
  hostPassword: string | null;
  wishes: PackagingWishes;
}

/** What a worker is to do. */
export interface HostTask extends ChosenFile {
  choices: HostChoices;
  /** The kept upload to go on with; null: it is a new one. */
  goOnWith: string | null;
  /** The room that is to get the film besides what it has; null: a new one is made. */
  into: IntoRoom | null;
  /** The person is choosing how: ask, whatever the plan. */
  mustAsk: boolean;
}

export type ToWorker =
  /** Host this file on the server at this origin. First, and once. */
  | ({ type: 'host'; server: string } & HostTask)
  /** The person agrees to what was planned. */
  | { type: 'start' }
  /** Send nothing more for now; go on. */
  | { type: 'pause' }
  | { type: 'unpause' }
  /** The page gives viewers what the server does not have yet, and hears of it at this port: give-messages.ts. */
  | { type: 'give'; port: MessagePort }
  | { type: 'cancel' };

export type FromWorker =
  /** `isAsking`: nothing is sent before `start`. */
  | { type: 'opened'; video: VideoFacts; planned: PlanFacts; isAsking: boolean }
  /** It is kept under this id, so that it can be gone on with after a crash; null: this browser keeps nothing. */
  | { type: 'kept'; id: string | null }
  /** The room exists and has this video; its link works from now on. `isAdded`: it was there before. */
  | { type: 'room'; link: string; hostKey: SigningKey; video: Bytes; isAdded: boolean }
  | { type: 'progress'; progress: HostProgress }
  /** The last message, one of two. Cancelled is a failure: ABORTED. */
  | { type: 'done' }
  /** `canGoOn`: what was uploaded and noted is still there. */
  | { type: 'failed'; failure: Failure; canGoOn: boolean };
