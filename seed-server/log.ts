import { type DestinationStream, type Logger, pino } from 'pino';
import type { Config } from './config.ts';

/** Room ids, video ids (22 characters) and tokens (43), wherever they stand: in a path, in a message. */
const IDS = /(?<![A-Za-z0-9_-])([A-Za-z0-9_-]{4})(?:[A-Za-z0-9_-]{18}|[A-Za-z0-9_-]{39})(?![A-Za-z0-9_-])/g;

/** A text with every id and token in it cut to four characters: enough to follow one, too little to use it. */
export function shortenIds(text: string): string {
  return text.replace(IDS, '$1…');
}

/** The server's log, JSON lines on stderr: stdout has the one line that says where the server is open. */
export function createLog(level: Config['logLevel'], destination?: DestinationStream): Logger {
  return pino({ level, serializers: { err: describeError } }, destination ?? pino.destination(2));
}

/** What the log says of an error: system errors name paths, and those have ids in them. */
function describeError(error: unknown): object {
  if (!(error instanceof Error)) return { message: shortenIds(String(error)) };
  return {
    type: error.name,
    ...('code' in error ? { code: error.code } : {}),
    stack: shortenIds(error.stack ?? error.message),
    ...(error.cause === undefined ? {} : { cause: describeError(error.cause) }),
  };
}
