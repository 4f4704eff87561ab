import {
  formatBytes,
  formatDuration,
  formatPercent,
  formatRate,
  formatShareOf,
  formatTimeLeft,
} from '../format.ts';
import { translated } from '../language.ts';

/** Everything the home page says, in one place for a translator. */
const english = {
  name: 'Matinee',
  headline: 'Movie night, one link away.',
  what: 'Drop a video, send the link, and watch it together: your friends carry most of the traffic for each other.',
  privacy: 'Encrypted in your browser before the first byte leaves it. Our server never gets the key.',

  language: 'Language',

  dropHere: 'Drop a video here',
  /** Where there is no mouse to drop with. */
  chooseHere: 'Choose a video',
  dropNow: 'Let go to share it',
  orChoose: 'or choose a file',
  formats: 'MP4, MOV, MKV, WebM and more, with their subtitles (SRT, VTT, ASS, TTML). Nothing to install.',

  /** The kind of file, in the browser's file dialog. */
  videos: 'Videos',

  unfinished: 'An upload stopped half-way',
  stoppedAt: (listedMs: number, durationMs: number) =>
    `Uploaded to ${formatDuration(listedMs)} of ${formatDuration(durationMs)}. Its link works, and it can go on from there.`,
  goOn: 'Go on',
  chooseAgain: 'Choose it again and go on',
  chooseAgainHint: (name: string) =>
    `This browser cannot open the file by itself: choose or drop “${name}” again.`,
  giveUp: 'Give it up',
  giveUpWarning: 'Its room goes from the server for everyone. The link stops working.',
  giveUpFilmWarning: 'The film goes from its room; the other films stay.',
  giveUpNow: 'Remove it',

  hostPasswordLabel: 'Password for hosting',
  hostPasswordHint: 'This server asks hosts for one. Whoever runs it knows it; viewers need none.',

  options: 'Options',
  roomPasswordLabel: 'Room password (viewers must type it)',
  roomPasswordHint:
    'Leave it empty and the link alone opens the room. Tell the password another way than the link. The server never gets it.',
  showPassword: 'Show',

  yourRooms: 'Your rooms',
  yourRoomsHint: 'This browser has their host keys: here you can end them, and inside them you are the host.',
  madeAt: (atMs: number) =>
    new Date(atMs).toLocaleDateString('en', { day: 'numeric', month: 'short', year: 'numeric' }),
  withPassword: 'with a password',
  untitled: 'A room',
  open: 'Open',
  copyLink: 'Copy link',
  saveKey: 'Save host key',
  saveKeyWarning:
    'Whoever has this file is the host of this room: they can mute and remove people, and take it down. Keep it to yourself.',
  saveKeyNow: 'Save the file',
  takeDown: 'Take down',
  takeDownWarning:
    'The film and the chat go from the server for everyone, at once and for good. The link stops working.',
  takeDownNow: 'Take it down',
  takingDown: 'Taking it down…',
  takeDownFailed: 'The server does not answer: the room is still there. Try again in a moment.',
  never: 'Cancel',
  importKey: 'Add a room with its host key file',
  keyNotKept:
    'This browser keeps nothing for this page, so you will not be the host any more once it is closed. Save the host key as a file.',
  keyFileTooLong: 'This is not the key file of a room: it is too long.',

  planHeading: 'This is what will happen',
  planStart: 'Start',
  planStartsIn: (seconds: number) => `Start (${seconds})`,
  copiedPicture: (codec: string) => `Picture copied as it is (${codec})`,
  encodedPicture: (codec: string, widthPx: number, heightPx: number, megabitsPerSec: number) =>
    `Picture encoded anew (${codec} to H.264, ${widthPx} × ${heightPx}, ${megabitsPerSec} Mbit/s): takes a while and some battery`,
  noPicture: 'No picture: friends hear it, and see none',
  copiedSound: (codec: string) => `Sound copied as it is (${codec})`,
  encodedSound: (codec: string) => `Sound converted (${codec} to Opus): browsers cannot play it as it is`,
  leftOutSound: (codec: string) =>
    `Sound left out: it is ${codec}, which this browser can neither play nor convert`,
  silent: 'No sound in it',
  subtitles: (names: string) => `Subtitles: ${names}`,
  leftOutSubtitles: (names: string) => `Subtitles left out, because they are pictures and not text: ${names}`,
  unreadSubtitles: (names: string) =>
    `Subtitles left out, because they are of a kind that is not read here: ${names}`,
  subtitleTrack: (number: number) => `track ${number}`,
  soundTrack: 'Sound track',
  soundName: (number: number, language: string | null, title: string | null, codec: string): string =>
    [`${number}`, ...(language ? [language] : []), ...(title ? [title] : []), codec].join(' · '),
  smaller: 'Smaller, for a slow uplink (at most 720p and 2.5 Mbit/s)',
  filmSpeed: (times: number) => `${times.toFixed(1)}× the speed of the film`,

  inspecting: 'Looking at the video…',
  uploading: 'Encrypting and uploading',
  resuming: 'Finding the place where it stopped…',
  paused: 'Paused',
  giving:
    'Friends get it from this page too, before the server has it: members of the room can then see your network address.',
  givingForbidden: 'This room goes through the server only: friends get nothing from this page.',
  givingUnwatched:
    'The room watches another film: friends get nothing from this page until it comes to this one.',
  pause: 'Pause',
  unpause: 'Go on',
  finishing: 'Almost there: the last pieces are being stored…',
  done: 'The whole film is in the room.',
  doneHint: 'You can close this page. The link keeps working.',
  cancel: 'Cancel',
  another: 'Share another video',

  inspectingAnnouncement: (fileName: string) => `Looking at ${fileName}`,
  roomAnnouncement: 'Your room is open. The link is ready to copy.',

  progressLabel: 'Upload progress',
  amount(doneBytes: number, wholeBytes: number): string {
    const { done, whole } = formatShareOf(doneBytes, wholeBytes);
    return `${done} of ${whole}`;
  },
  percent: formatPercent,
  speed: formatRate,
  left: (seconds: number) => `${formatTimeLeft(seconds)} left`,
  resolution: (widthPx: number, heightPx: number) => `${widthPx} × ${heightPx}`,
  size: formatBytes,

  roomReady: 'Your room is open',
  linkLabel: 'Link to the room',
  linkHint: 'Everyone with this link can watch and chat, so send it only to your friends.',
  copy: 'Copy',
  copied: 'Copied',
  copyRefused: 'Copy by hand',
  openRoom: 'Open the room',
  openHint: '(opens in a new tab)',
  keepOpen:
    'Keep this page open until the upload is done; friends can already watch. Should it close all the same, come back here and go on.',
  qrLabel: 'QR code of the link to the room',
  qrHint: 'Scan with a phone',

  failed: 'That did not work',
  /** What is wrong, in the language spoken. */
  errorText: ({ message }: { code: string; message: string }) => message,
  /** The engine's own words, which are English, where they say more; null where nothing has to be added. */
  errorDetail: (_: { code: string; message: string }): string | null => null,
  retry: 'Try again',
  chooseAnother: 'Choose another file',
  serverAway:
    'The server does not answer, so this page is not complete. Check that it runs and that you are online, then try again.',
  broken:
    'Something in this page broke while it worked on the video. Try again; if it happens again, reload the page.',

  titleWhileUploading: (percent: string, film: string) => `${percent} · ${film} · Matinee`,
  titleDone: (film: string) => `Done · ${film} · Matinee`,
};

export type Texts = typeof english;

export const texts = translated(english, { de: async () => (await import('./texts.de.ts')).german });
