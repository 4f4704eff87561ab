import { MatineeError } from '../errors.ts';
import { type Countdown, countDown } from './countdown.ts';
import type { Pause } from './pause.ts';
import { backoffMs, shouldGiveUp } from './retry.ts';
import { type HttpIo, NotNow, type ServerRequest, send } from './send.ts';

/** How many times its usual time a request gets in the end: each try gets more, for lines slower than expected. */
const MAX_PATIENCE = 4;

/** Why nothing moves right now, and how soon it is tried again; nulls when all is well. */
export interface LineState {
  problem: string | null;
  retryInMs: number | null;
}

export interface LineOptions extends HttpIo {
  /** Origin of the server, for people to read. */
  server: string;
  random: () => number;
  signal: AbortSignal;
  /** While it is on no request is made. */
  pause?: Pause | undefined;
  onState(state: LineState): void;
}

/**
 * The way to one server, over which several requests go at once. A server that fails one will fail the next,
 * so they share one wait: whoever fails waits with the others, and the first answer sets all going again.
 */
export class ServerLine {
  readonly #options: LineOptions;
  #wait: Countdown | null = null;
  #hasAnswered = false;
  #failedTries = 0;
  #silentSinceMs = 0;

  constructor(options: LineOptions) {
    this.#options = options;
    options.signal.addEventListener('abort', () => this.#wait?.end(), { once: true });
  }

  /**
   * Repeats a request until the server has done it; resolves with the text of its answer.
   * @throws MatineeError SERVER_UNREACHABLE when it has failed for too long, or the server's refusal; the
   *   signal's reason once it aborts.
   */
  async deliver(request: ServerRequest): Promise<string> {
    for (let tries = 1; ; tries++) {
      while (this.#wait) await this.#wait.over;
      await this.#options.pause?.over(this.#options.signal);
      const answer = await this.#trySend(request, tries);
      if (answer !== null) return answer;
    }
  }

  /** The text of the answer, or null where the request is to be repeated. */
  async #trySend(request: ServerRequest, tries: number): Promise<string | null> {
    const { clock, signal } = this.#options;
    const startedMs = clock.nowMs();
    try {
      const timeoutMs = request.timeoutMs * Math.min(tries, MAX_PATIENCE);
      const answer = await send(this.#options, { ...request, timeoutMs }, signal);
      this.#noteAnswer();
      return answer;
    } catch (error) {
      if (!(error instanceof NotNow)) throw error;
      if (!this.#wait) this.#startWait(error, startedMs);
      return null;
    }
  }

  #noteAnswer(): void {
    const hadTrouble = this.#failedTries > 0;
    this.#hasAnswered = true;
    this.#failedTries = 0;
    this.#wait?.end();
    if (hadTrouble) this.#options.onState({ problem: null, retryInMs: null });
  }

  #startWait(error: NotNow, startedMs: number): void {
    const { clock, random } = this.#options;
    if (this.#failedTries === 0) this.#silentSinceMs = startedMs;
    this.#failedTries += 1;
    const outage = {
      hasAnswered: this.#hasAnswered,
      tries: this.#failedTries,
      lastedMs: clock.nowMs() - this.#silentSinceMs,
    };
    if (shouldGiveUp(outage)) throw this.#unreachable(error);
    const wait = countDown(clock, backoffMs(this.#failedTries, random), (leftMs) => {
      this.#options.onState({ problem: problemText(error, leftMs), retryInMs: leftMs });
    });
    this.#wait = wait;
    void wait.over.then(() => {
      this.#wait = null;
    });
  }

  #unreachable(error: NotNow): MatineeError {
    const { server } = this.#options;
    const what =
      error.status === null ? 'does not answer' : `can't take the upload now (status ${error.status})`;
    return new MatineeError(
      'SERVER_UNREACHABLE',
      `The server at ${server} ${what}. Check that it runs and that you are online, then try again.`,
      { cause: error },
    );
  }
}

function problemText({ status }: NotNow, leftMs: number): string {
  const what =
    status === null
      ? 'The server does not answer.'
      : `The server can't take the upload now (status ${status}).`;
  return leftMs === 0
    ? `${what} Trying again.`
    : `${what} Trying again in ${Math.max(1, Math.round(leftMs / 1000))} s.`;
}
