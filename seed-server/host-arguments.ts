import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { MatineeError } from '../peer/errors.ts';
import { isSubtitleName } from '../peer/extras/subtitle-name.ts';
import { serverOrigin } from '../peer/host/room-requests.ts';

/** What `npm run host -- --help` says. */
export const HOST_HELP = `Puts a video into a new room of a running seed server and prints the room's link.

  npm run host -- FILE [SUBTITLES ...] [--server URL]

  FILE          an MP4, MOV, MKV, WebM or TS file, or sound alone
  SUBTITLES     .srt, .vtt, .ass, .ssa, .ttml or .dfxp files, the language in their names: film.de.srt
  --server URL  the seed server (http://localhost:8080 unless told)
  --new         starts over where an upload of this file stopped: its room is taken down
  --room-password-file FILE
                viewers must type the first line of this file, besides having the link
  --key-out FILE
                saves the room's host key there, for the home page of any browser to take over the room with
  --password-file FILE
                the first line of this file is the password that the server asks hosts for;
                else it is taken from the environment, HOST_PASSWORD
  --audio N     the sound track to take, 1 for the first (the default one unless told)
  --without-sound
                leaves the sound out where browsers cannot play it; only the web page can convert it
  --help        this text

What the file is and what will happen to it is told on standard error, and the progress of the upload. The link is the
last line of standard output, printed as soon as it works; the upload goes on until this program ends.

Ctrl-C cancels and takes the room down. Whatever else stops it (kill, a closed terminal, a crash, a server that is away
for ten minutes), the same command again goes on where it stopped, in the same room. What is needed for that, the
room's keys among it, is in $XDG_STATE_HOME/matinee/uploads (~/.local/state unless told) until the upload is done.

The exit code is 0 when all is stored, 1 after an error, 130 when cancelled. DEBUG=1 shows where an error is from.
`;

/** What the command line asks for. */
export interface HostJob {
  path: string;
  /** Paths of subtitle files. */
  subtitles: string[];
  /** The seed server's origin. */
  server: string;
  /** Whether an upload that stopped is given up. */
  isNew: boolean;
  /** Files that are named; null where not. */
  roomPasswordFile: string | null;
  keyOutFile: string | null;
  hostPasswordFile: string | null;
  /** See PackagingWishes. */
  audioTrack: number | null;
  mayLeaveOutSound: boolean;
}

/** The job; null for help. @throws MatineeError REQUEST_MALFORMED where the arguments make no sense. */
export function readHostArguments(args: string[]): HostJob | null {
  const { values, positionals } = parse(args);
  if (values.help) return null;
  const [file, ...more] = positionals;
  if (file === undefined) throw usageError('Which file?');
  const films = positionals.filter((name, i) => i === 0 || !isSubtitleName(name));
  if (films.length > 1) {
    throw usageError(`One file at a time, not ${films.length}: put quotes around a name that has spaces.`);
  }
  const inFolder = (name: string | undefined): string | null =>
    name === undefined ? null : resolve(startFolder(), name);
  return {
    path: resolve(startFolder(), file),
    subtitles: more.map((name) => resolve(startFolder(), name)),
    server: serverOrigin(values.server),
    isNew: values.new,
    roomPasswordFile: inFolder(values['room-password-file']),
    keyOutFile: inFolder(values['key-out']),
    hostPasswordFile: inFolder(values['password-file']),
    audioTrack: readTrackNumber(values.audio),
    mayLeaveOutSound: values['without-sound'],
  };
}

function readTrackNumber(text: string | undefined): number | null {
  if (text === undefined) return null;
  const number = Number(text);
  if (Number.isSafeInteger(number) && number > 0) return number - 1;
  throw usageError(`--audio takes the number of a sound track, from 1 on, not ${text}.`);
}

function parse(args: string[]) {
  try {
    return parseArgs({
      args,
      allowPositionals: true,
      options: {
        server: { type: 'string', default: 'http://localhost:8080' },
        new: { type: 'boolean', default: false },
        'room-password-file': { type: 'string' },
        'key-out': { type: 'string' },
        'password-file': { type: 'string' },
        audio: { type: 'string' },
        'without-sound': { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
  } catch (error) {
    const [what = 'This makes no sense'] = error instanceof Error ? error.message.split('. ') : [];
    throw usageError(`${what}.`);
  }
}

function usageError(what: string): MatineeError {
  return new MatineeError(
    'REQUEST_MALFORMED',
    `${what} Say: npm run host -- FILE [SUBTITLES ...] [--server URL]`,
  );
}

/** The folder the person is in, which npm leaves for that of package.json before it runs a script. */
function startFolder(): string {
  const { npm_lifecycle_event: script, INIT_CWD: folder } = process.env;
  return script === 'host' && folder ? folder : process.cwd();
}
