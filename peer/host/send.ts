import * as v from 'valibot';
import type { Bytes } from '../bytes.ts';
import type { Clock } from '../clock.ts';
import { type ErrorCode, MatineeError } from '../errors.ts';

/** What requests are made with. */
export interface HttpIo {
  fetch: typeof fetch;
  clock: Clock;
}

/** One request of the seed server's routes (PROTOCOL.md). */
export interface ServerRequest {
  method: 'GET' | 'PUT' | 'DELETE';
  url: string;
  /** Null where nothing is sent, as with GET. A Blob for what may be large: Chromium sends a bare array at a tenth of the speed (10 against 97 MB/s). */
  body: Blob | Bytes | null;
  /** Besides the content type. */
  headers?: Readonly<Record<string, string>>;
  /** Milliseconds until an answer is given up. */
  timeoutMs: number;
}

/** A try that may succeed when repeated: no answer came, or one (`status`) that says "not now". */
export class NotNow extends Error {
  override readonly name = 'NotNow';
  /** The HTTP status, or null where no answer came. */
  readonly status: number | null;

  constructor(status: number | null, options?: ErrorOptions) {
    super(status === null ? 'no answer' : `status ${status}`, options);
    this.status = status;
  }
}

/** Codes with which a server may refuse a host; an unknown one is passed on as UPLOAD_REFUSED. */
const REFUSAL_CODES = [
  'ROOM_UNKNOWN',
  'ROOM_TAKEN',
  'TOKEN_WRONG',
  'HOSTING_NEEDS_PASSWORD',
  'UPLOAD_REFUSED',
  'SEGMENT_MISMATCH',
  'STORE_FULL',
  'SIGNATURE_WRONG',
  'MANIFEST_MALFORMED',
  'MANIFEST_STALE',
  'REQUEST_MALFORMED',
  'BODY_TOO_LARGE',
  'NOT_FOUND',
] as const satisfies readonly ErrorCode[];

const refusalBody = v.object({
  code: v.fallback(v.picklist(REFUSAL_CODES), 'UPLOAD_REFUSED'),
  message: v.pipe(v.string(), v.minLength(1), v.maxLength(1000)),
});

/** Answers of 4xx and 5xx that time may cure: too early, too many, and all 5xx but "never" and "no space left". */
const PASSING_4XX = [408, 425, 429];
const LASTING_5XX = [501, 505, 507];

/**
 * Tries a request once; resolves with the text of the answer when the server has done it.
 * @throws NotNow where it is worth repeating; MatineeError with the server's code and message where the server
 *   refuses; the signal's reason once it aborts.
 */
export async function send(io: HttpIo, request: ServerRequest, signal: AbortSignal): Promise<string> {
  const answer = await ask(io, request, signal);
  if (answer.status >= 200 && answer.status < 300) return answer.text;
  if (mayPass(answer.status)) throw new NotNow(answer.status);
  throw refusal(request, answer);
}

interface Answer {
  status: number;
  text: string;
}

async function ask(io: HttpIo, request: ServerRequest, signal: AbortSignal): Promise<Answer> {
  // Called without an object: a browser's fetch refuses to be called on anything but its window or worker.
  const { fetch } = io;
  try {
    return await withTimeout(io.clock, request.timeoutMs, signal, async (inTime) => {
      const { url, method, body } = request;
      const type = body === null ? {} : { 'content-type': 'application/octet-stream' };
      const headers = { ...request.headers, ...type };
      const response = await fetch(url, { method, body, headers, cache: 'no-store', signal: inTime });
      return { status: response.status, text: await response.text() };
    });
  } catch (cause) {
    signal.throwIfAborted();
    throw new NotNow(null, { cause });
  }
}

/** Not AbortSignal.any: before Node 22 each use leaves something behind at a long-lived signal. */
async function withTimeout<T>(
  clock: Clock,
  timeoutMs: number,
  signal: AbortSignal,
  run: (inTime: AbortSignal) => Promise<T>,
): Promise<T> {
  signal.throwIfAborted();
  const controller = new AbortController();
  const onAbort = (): void => controller.abort(signal.reason);
  const cancelTimer = clock.after(timeoutMs, () => controller.abort(new Error('no answer in time')));
  signal.addEventListener('abort', onAbort);
  try {
    return await run(controller.signal);
  } finally {
    cancelTimer();
    signal.removeEventListener('abort', onAbort);
  }
}

function mayPass(status: number): boolean {
  return status >= 500 ? !LASTING_5XX.includes(status) : PASSING_4XX.includes(status);
}

function refusal({ url }: ServerRequest, { status, text }: Answer): MatineeError {
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), refusalBody), text);
  if (parsed.success) return new MatineeError(parsed.output.code, parsed.output.message);
  return new MatineeError(
    'UPLOAD_REFUSED',
    `The server at ${new URL(url).origin} refuses the upload (status ${status}). Check that this is the address of a Matinee server.`,
  );
}
