import { resolve } from 'node:path';
import { inspect, parseArgs } from 'node:util';
import { systemClock } from '../peer/clock.ts';
import { chooseCrypto } from '../peer/crypto/choose.ts';
import { MatineeError } from '../peer/errors.ts';
import { readSubtitleFiles } from '../peer/extras/subtitle-files.ts';
import { isSubtitleName } from '../peer/extras/subtitle-name.ts';
import type { ExtraSource } from '../peer/host/extra-layout.ts';
import { hostVideo } from '../peer/host/host-video.ts';
import { openVideo } from '../peer/host/package.ts';
import { COPY_ONLY } from '../peer/host/package-options.ts';
import { NO_WISHES, type PackagingWishes } from '../peer/host/package-plan.ts';
import { openTextTracks } from '../peer/text-tracks/open-text-tracks.ts';
import { ownSubtitles } from '../peer/text-tracks/text-extras.ts';
import { openFile, readWholeFile } from './host-file.ts';
import { HostKeyOutput } from './host-key-output.ts';
import { ProgressOutput } from './host-output.ts';
import { readRoomPassword } from './room-password.ts';

const HELP = `Puts a video into a new room of a running seed server and prints the room's link.

  npm run host -- FILE [SUBTITLES ...] [--server URL]

  FILE          an MP4, MOV, MKV, WebM or TS file, or sound alone
  SUBTITLES     .srt or .vtt files, the language in their names: film.de.srt
  --server URL  the seed server (http://localhost:8080 unless told)
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

The link is the last line of standard output, printed as soon as it works; the upload goes on until
this program ends. Progress goes to standard error. Ctrl-C cancels and takes the room down.
The exit code is 0 when all is stored, 1 after an error, 130 when cancelled. DEBUG=1 shows where an error is from.
`;

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

interface Job {
  path: string;
  /** Paths of subtitle files. */
  subtitles: string[];
  server: string;
  /** Files that are named; null where not. */
  roomPasswordFile: string | null;
  keyOutFile: string | null;
  hostPasswordFile: string | null;
  wishes: PackagingWishes;
}

/** What the command line asks for; null for help. Throws MatineeError REQUEST_MALFORMED where it makes no sense. */
function readArguments(args: string[]): Job | null {
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
    server: values.server,
    roomPasswordFile: inFolder(values['room-password-file']),
    keyOutFile: inFolder(values['key-out']),
    hostPasswordFile: inFolder(values['password-file']),
    wishes: {
      ...NO_WISHES,
      audioTrack: readTrackNumber(values.audio),
      mayLeaveOutSound: values['without-sound'],
    },
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

async function run(job: Job, signal: AbortSignal): Promise<void> {
  const file = await openFile(job.path);
  try {
    const subtitles = await readSubtitleFiles(await Promise.all(job.subtitles.map(readWholeFile)));
    const video = await openVideo(file.source, { ...COPY_ONLY, wishes: job.wishes });
    try {
      const own = ownSubtitles(await openTextTracks(file.source), subtitles);
      const extras = { first: subtitles, make: own.make.bind(null, video.originS) };
      await saveKeyWhile(job.keyOutFile, (keyOutput) => upload(video, extras, job, keyOutput, signal));
    } finally {
      video.close();
    }
  } finally {
    await file.close();
  }
}

async function saveKeyWhile(
  path: string | null,
  task: (output: HostKeyOutput | null) => Promise<void>,
): Promise<void> {
  const output = path === null ? null : await HostKeyOutput.create(path);
  try {
    await task(output);
  } finally {
    await output?.close();
  }
}

async function upload(
  video: Awaited<ReturnType<typeof openVideo>>,
  extras: ExtraSource,
  { server, roomPasswordFile, hostPasswordFile }: Job,
  keyOutput: HostKeyOutput | null,
  signal: AbortSignal,
): Promise<void> {
  const roomPassword = roomPasswordFile === null ? null : await readRoomPassword(roomPasswordFile);
  const hostPassword = await readHostPassword(hostPasswordFile);
  const output = new ProgressOutput(process.stderr, systemClock);
  try {
    await hostVideo({
      video,
      extras,
      server,
      roomPassword,
      hostPassword,
      crypto: await chooseCrypto(),
      clock: systemClock,
      fetch,
      random: Math.random,
      signal,
      onRoom({ link, hostKey }) {
        keyOutput?.write({ link, title: video.info.title, createdAtMs: Date.now(), hostKey });
        output.endLine();
        process.stdout.write(`${link}\n`);
      },
      onProgress: (progress) => output.show(progress),
    });
  } finally {
    output.endLine();
  }
}

/** In the environment or a file, for a command line is there for everyone on the machine to see. */
async function readHostPassword(path: string | null): Promise<string | null> {
  const { HOST_PASSWORD: inEnvironment } = process.env;
  return path === null ? inEnvironment || null : await readRoomPassword(path, 'password for hosting');
}

function tellError(error: unknown): void {
  const sentence =
    error instanceof MatineeError ? error.message : `This should not have happened: ${String(error)}`;
  process.stderr.write(`${sentence}\n`);
  const { DEBUG: isDebugging } = process.env;
  if (isDebugging) process.stderr.write(`${inspect(error)}\n`);
}

async function main(): Promise<number> {
  const cancel = new AbortController();
  const onSignal = (): void => cancel.abort();
  for (const name of SIGNALS) process.on(name, onSignal);
  try {
    const job = readArguments(process.argv.slice(2));
    if (job) await run(job, cancel.signal);
    else process.stdout.write(HELP);
    return 0;
  } catch (error) {
    tellError(error);
    return cancel.signal.aborted ? 130 : 1;
  } finally {
    for (const name of SIGNALS) process.off(name, onSignal);
  }
}

process.exitCode = await main();
