import { type ChildProcess, fork } from 'node:child_process';
import * as v from 'valibot';
import { nodeArguments } from './node-arguments.ts';
import { fromOrigin, type OriginCounts, type OriginEnvironment, type ToOrigin } from './origin-messages.ts';

/** The wait before a restart, doubling from the first to the last. */
const FIRST_DELAY_MS = 250;
const LAST_DELAY_MS = 5000;

/** A process that lived this long did not die of starting: the next wait is the first one again. */
const CALM_MS = 30_000;

/** How long it gets to end by itself. */
const STOP_WITHIN_MS = 3000;

const NOTHING: OriginCounts = { members: 0, rooms: 0, sentBytes: 0 };

export interface OriginProcessOptions {
  /** File of the program: origin.ts, run by tsx, or origin.js of the build. */
  script: string;
  environment: OriginEnvironment;
  log: {
    info(details: object, message: string): void;
    warn(details: object, message: string): void;
  };
  /** Default: 250. */
  firstDelayMs?: number;
  /** Default: 3000. */
  stopWithinMs?: number;
}

/**
 * Keeps the origin peer running in a process of its own, whose WebRTC library may crash it: then it is started
 * again, while HTTP and signaling live on. The process reads the store anew each time, so nothing is told twice.
 */
export class OriginProcess {
  readonly #options: OriginProcessOptions;
  #child: ChildProcess | null = null;
  #restart: NodeJS.Timeout | null = null;
  #delayMs: number;
  #isClosed = false;
  #counts = NOTHING;
  #startCount = 0;
  #onEnd: () => void = () => {};

  constructor(options: OriginProcessOptions) {
    this.#options = options;
    this.#delayMs = options.firstDelayMs ?? FIRST_DELAY_MS;
    this.#start();
  }

  /** The id of the running process; null between two. */
  get processId(): number | null {
    return this.#child?.pid ?? null;
  }

  /** What the running process has counted; zeros between two. */
  get counts(): OriginCounts {
    return this.#counts;
  }

  /** How often a process was started. */
  get startCount(): number {
    return this.#startCount;
  }

  /** Lets the process know that it should read a room again. */
  changed(room: string): void {
    this.#tell({ type: 'changed', room });
  }

  /** So many bytes of film went out by HTTP, which the process is to send less. */
  spent(sizeBytes: number): void {
    this.#tell({ type: 'spent', sizeBytes });
  }

  #tell(message: ToOrigin): void {
    // A process that is just ending needs no news; the next one starts with all of it.
    if (this.#child?.connected) this.#child.send(message, () => {});
  }

  /** Ends the process: kindly first, after three seconds by force. Resolves once it is gone. */
  async close(): Promise<void> {
    this.#isClosed = true;
    if (this.#restart) clearTimeout(this.#restart);
    const child = this.#child;
    if (!child) return;
    const ended = new Promise<void>((resolve) => {
      this.#onEnd = resolve;
    });
    child.kill('SIGTERM');
    const force = setTimeout(() => child.kill('SIGKILL'), this.#options.stopWithinMs ?? STOP_WITHIN_MS);
    await ended;
    clearTimeout(force);
  }

  #start(): void {
    const { script, environment, log } = this.#options;
    const startedMs = performance.now();
    const child = fork(script, {
      execArgv: nodeArguments(script),
      env: { ...process.env, ...environment },
      // stdout has the one line that says where the server is open.
      stdio: ['ignore', 2, 2, 'ipc'],
    });
    this.#child = child;
    this.#startCount += 1;
    child.on('message', (message) => {
      const parsed = v.safeParse(fromOrigin, message);
      if (parsed.success) this.#counts = parsed.output.counts;
    });
    log.info({ originPid: child.pid }, 'the origin starts');
    child.once('exit', (code, signal) => this.#ended(child, performance.now() - startedMs, { code, signal }));
    // Where it could not even be started, no exit follows.
    child.once('error', (err) => {
      if (child.pid === undefined) this.#ended(child, 0, { err });
      else log.warn({ err }, 'the origin cannot be told something');
    });
  }

  #ended(child: ChildProcess, livedMs: number, how: object): void {
    if (this.#child !== child) return;
    this.#child = null;
    this.#counts = NOTHING;
    this.#onEnd();
    if (this.#isClosed) return;
    if (livedMs >= CALM_MS) this.#delayMs = this.#options.firstDelayMs ?? FIRST_DELAY_MS;
    this.#options.log.warn({ ...how, againInMs: this.#delayMs }, 'the origin ended and is started again');
    this.#restart = setTimeout(() => this.#start(), this.#delayMs);
    this.#delayMs = Math.min(LAST_DELAY_MS, this.#delayMs * 2);
  }
}
