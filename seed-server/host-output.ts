import type { Clock } from '../peer/clock.ts';
import type { HostProgress } from '../peer/host/host-progress.ts';
import { progressText } from '../peer/host/progress-text.ts';
import { UploadSpeed } from '../peer/host/upload-speed.ts';

const TERMINAL_EVERY_MS = 200;
const LOG_EVERY_MS = 5000;
const ERASE_LINE = '\r\u001b[K';

/** Where progress is shown: a terminal, or a log. */
export type ProgressStream = Pick<NodeJS.WriteStream, 'write' | 'isTTY' | 'columns'>;

/** Shows an upload's progress: one line rewritten in a terminal, else a line every few seconds. */
export class ProgressOutput {
  readonly #stream: ProgressStream;
  readonly #clock: Clock;
  readonly #speed = new UploadSpeed();
  #shownMs = Number.NEGATIVE_INFINITY;
  #shownProblem = false;
  #isLineOpen = false;

  constructor(stream: ProgressStream, clock: Clock) {
    this.#stream = stream;
    this.#clock = clock;
  }

  show(progress: HostProgress): void {
    const nowMs = this.#clock.nowMs();
    this.#speed.note(nowMs, progress.uploadedBytes);
    const hasProblem = progress.problem !== null;
    const isNews = progress.phase === 'done' || hasProblem !== this.#shownProblem;
    const everyMs = this.#stream.isTTY ? TERMINAL_EVERY_MS : LOG_EVERY_MS;
    if (!isNews && nowMs - this.#shownMs < everyMs) return;
    this.#shownMs = nowMs;
    this.#shownProblem = hasProblem;
    this.#write(progressText(progress, this.#speed.bytesPerSec));
  }

  /** Writes a line of its own. */
  say(line: string): void {
    this.endLine();
    this.#stream.write(`${line}\n`);
  }

  /** Leaves the line that is being rewritten as it is; what is written next gets a line of its own. */
  endLine(): void {
    if (this.#isLineOpen) this.#stream.write('\n');
    this.#isLineOpen = false;
  }

  #write(text: string): void {
    if (!this.#stream.isTTY) {
      this.#stream.write(`${text}\n`);
      return;
    }
    this.#stream.write(ERASE_LINE + text.slice(0, (this.#stream.columns || 80) - 1));
    this.#isLineOpen = true;
  }
}
