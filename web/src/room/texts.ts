import { MAX_CHAT_CHARS } from '../../../peer/limits.ts';
import {
  formatBytes,
  formatClockTime,
  formatDuration,
  formatPercent,
  formatRate,
  formatShort,
  formatSpoken,
} from '../format.ts';
import { translated } from '../language.ts';

/** So much of a line is said at its mark on the timeline, in characters. */
export const MARK_CHARS = 80;

/** Everything the room page says, in one place for a translator. */
const english = {
  name: 'Matinee',
  titleOf: (film: string) => `${film} · Matinee`,
  privacy: 'End-to-end encrypted: the film and the chat can be read only by those who have the link.',

  connecting: 'Connecting…',
  firstPieces: 'Waiting for the first pieces…',
  waiting: 'Waiting for more of the film…',
  waitingForHost: (uploadedMs: number) =>
    `The host is still uploading: the film is here to ${formatDuration(uploadedMs)}. It goes on as soon as more comes.`,
  play: 'Play',
  pause: 'Pause',
  soundOff: 'Mute',
  soundOn: 'Sound on',
  volume: 'Volume',
  speed: 'Speed',
  speedOf: (rate: number) => `${rate}×`,
  subtitles: 'Subtitles',
  noSubtitles: 'No subtitles',
  smallWindow: 'Small window (picture in picture)',
  fullScreen: 'Full screen',
  leaveFullScreen: 'Leave full screen',
  hideChat: 'Hide the chat',
  showChat: 'Show the chat',
  seekBar: 'Place in the film',
  placeOf: (placeMs: number, wholeMs: number) =>
    `${formatSpoken(placeMs, 'en')} of ${formatSpoken(wholeMs, 'en')}`,
  markAt: (atMs: number, name: string, text: string) =>
    `${formatDuration(atMs)}, ${name}: ${formatShort(text, MARK_CHARS)}`,
  notUploaded: 'Not uploaded yet',
  stepped: (byS: number) => `${byS > 0 ? '+' : '−'}${Math.abs(byS)} s`,
  keys: 'Keys',
  closeKeys: 'Close',
  keysOfFilm: [
    ['Space, K', 'Play and pause'],
    ['← →', '5 seconds back and on'],
    ['J L', '10 seconds back and on'],
    ['0 – 9', 'To so many tenths of the film'],
    ['↑ ↓, M', 'Volume, mute'],
    ['< >', 'Slower, faster'],
    ['C', 'Subtitles'],
    ['F', 'Full screen'],
    ['I', 'Small window'],
  ] as readonly (readonly [string, string])[],
  filmLabel: 'The film',
  failed: 'The film cannot play',
  removedHeading: 'You were removed',
  lockedHeading: 'The room is locked',
  retry: 'Try again',
  home: 'Go to the start page',
  serverAway: 'The server is away. You and your friends carry on with each other; trying again…',
  serverSilent: 'The server does not answer. Check your connection; trying again…',
  nobodyReached:
    'No connection to the seed server or to anyone else yet. If this stays, your network may block WebRTC (UDP): try another one.',
  originBusy:
    'The seed server has no free place right now, and nobody else could be reached yet. You are in its queue: the film starts as soon as it is your turn, so keep this page open.',
  signalsTampered:
    'Messages between viewers were changed on their way, by the server or by somebody with the link. They were ignored: nobody got in between, but you may reach fewer friends.',
  nothingUploaded: 'The host has not uploaded anything yet. The film starts here as soon as it comes.',
  reconnecting: 'Reconnecting to the server… your friends carry on.',
  /** What the engine reports is a sentence in English; other languages have their own for those codes that people meet here. */
  errorText: ({ message }: { code: string; message: string }) => message,
  broken:
    'Something in this page broke while it opened the room. Try again; if it happens again, use another browser.',

  passwordHeading: 'This room has a password',
  passwordHint: 'The host tells it to you apart from the link. It never leaves this page.',
  passwordLabel: 'Room password',
  passwordEnter: 'Open the room',
  passwordWorking: 'Opening the room…',
  passwordWrong: 'That is not the password of this room. Check it and try again.',
  passwordBroken:
    'This page could not work with the password: it needs 64 MB of free memory. Close other tabs or reload, then try again.',
  passwordTitle: 'A room with a password',

  language: 'Language',

  loadingTitle: 'Opening the room…',
  failedTitle: 'No film here',
  duration: formatDuration,
  hostUploaded: (uploadedMs: number, durationMs: number) =>
    `The film is uploaded to ${formatDuration(uploadedMs)} of ${formatDuration(durationMs)}`,
  copyLink: 'Copy link',
  copied: 'Copied',
  copyRefused: 'Copy it from the address bar',

  chat: 'Chat',
  chatEmpty: 'Say hello. Only people with the link can read this.',
  chatLocked: 'The chat opens with the room.',
  chatClosed: 'There is no chat without a room.',
  you: 'you',
  host: 'host',
  clockTime: formatClockTime,
  nameLabel: 'Your name',
  messageLabel: 'Message',
  messagePlaceholder: 'Message…',
  send: 'Send',
  newLines: (count: number) => (count === 1 ? '1 new message' : `${count} new messages`),
  jumpToNewest: 'Newest messages',
  unreadFrom: 'New',
  titleWithUnread: (count: number, title: string) => `(${count}) ${title}`,
  reply: 'Reply',
  replyTo: (name: string) => `Reply to ${name}`,
  replyingTo: 'Replying to',
  cancelReply: 'Reply to nobody',
  lineGone: 'A message that is not here any more',
  goToLine: 'Go to that message',
  at: (atMs: number) => `at ${formatDuration(atMs)}`,
  goTo: (atMs: number) => `Go to ${formatDuration(atMs)} in the film`,
  addMoment: 'Say when in the film',
  dropMoment: (atMs: number) => `Leave out the time, ${formatDuration(atMs)}`,
  otherFilm: 'Of another film',
  lineActions: (name: string) => `What to do with the message of ${name}`,
  reactWith: (emoji: string) => `React with ${emoji}`,
  reactedBy(emoji: string, names: readonly string[], count: number, isMine: boolean): string {
    const others = count - names.length - (isMine ? 1 : 0);
    const all = [...(isMine ? ['you'] : []), ...names, ...(others > 0 ? [`${others} more`] : [])];
    return `${emoji} from ${all.join(', ')}`;
  },
  cheers: 'Reactions to the film',
  cheerWith: (emoji: string) => `Let ${emoji} float over the film`,
  cheered(emoji: string, names: readonly string[], maxNamed: number): string {
    const more = names.length - maxNamed;
    return `${emoji} from ${names.slice(0, maxNamed).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
  },
  emoji: 'Emoji',
  typing(names: readonly string[]): string {
    const [first = '', second = ''] = names;
    if (names.length === 0) return '';
    if (names.length === 1) return `${first} is typing…`;
    if (names.length === 2) return `${first} and ${second} are typing…`;
    return `${first}, ${second} and ${names.length - 2} more are typing…`;
  },
  mentionSomebody: 'Names to mention',
  tooLong: (chars: number) =>
    `That is ${chars.toLocaleString('en')} characters, and a message holds ${MAX_CHAT_CHARS.toLocaleString('en')}. Shorten it or send it in parts.`,
  pastedTooLong: (chars: number) =>
    `What you pasted would make ${chars.toLocaleString('en')} characters, and a message holds ${MAX_CHAT_CHARS.toLocaleString('en')}. It was left out: paste it in parts.`,
  charsLeft: (count: number) => `${count} characters left.`,
  mutedHint: 'The host has muted you: nobody sees what you write.',
  notSent: 'That message was not sent. Try again in a moment.',

  connection: {
    none: 'Not connected yet.',
    direct: 'Connected directly.',
    turn: 'Connected through a relay: your network lets nothing else through.',
    server: 'Connected through the server alone (HTTP): your network lets no direct connection through.',
  },

  watchOnOwn: 'Watch on my own',
  backToRoom: 'Back to the room',
  onOwn: 'You watch on your own.',
  together: 'You watch together.',
  pausedBy: (name: string, isMine: boolean) => (isMine ? 'You paused for everyone.' : `${name} paused.`),
  waitsFor: (name: string) => `Waiting for ${name}…`,
  atSpeed: (percent: number) => `Everyone watches at ${percent / 100}× speed.`,
  hostControls: 'The host plays and pauses for everyone.',

  films: 'Films in this room',
  untitled: 'A film',
  nowShown: 'now',
  showFilm: 'Show',
  nextFilm: 'Next film',
  moveUp: 'Move up',
  moveDown: 'Move down',
  removeFilm: 'Remove',
  addFilm: 'Add a film',
  addingFilm: (title: string) => `Uploading ${title}.`,
  addingFilmAsks: (title: string) => `This is what will happen to ${title}:`,
  filmAdded: (title: string) => `${title} is in the room.`,
  keepOpenWhileAdding:
    'Keep this page open until it is done. Should it close all the same, come back here and go on.',
  giving:
    'Friends get it from this page too, before the server has it: members of the room can then see your network address.',
  givingForbidden: 'This room goes through the server only: friends get nothing from this page.',
  givingAlone: 'You are connected to the server alone: friends get nothing of it from this page.',

  swarm: 'Swarm',
  noBytes: 'Nothing received yet',
  fromFriends: (share: number) => `${formatPercent(share)} came from friends`,
  friends: 'friends',
  server: 'server',
  bytes: formatBytes,
  connections: 'Connected to',
  noPeers: 'Not connected to anyone yet.',
  origin: 'Seed server',
  /** A page of the host's that still uploads, and gives what the server does not have yet. */
  giver: 'Host’s page',
  unnamed: 'A friend',
  down: 'received',
  up: 'sent',
  rate: formatRate,
  swarmPicture: 'What flows between you and those you are connected to',
  self: 'You',
  /** What a line of that picture says to who cannot see it. */
  flow: (name: string, received: string, sent: string) => `${name}: ${received} received, ${sent} sent`,
  strip: 'The film, by who brought it to you',
  stripShares: (fromFriends: number, fromServer: number) =>
    `${formatPercent(fromFriends)} of the film came from friends, ${formatPercent(fromServer)} from the server`,
  savedHost: (bytes: number) => `You saved the host ${formatBytes(bytes)} of upload.`,
  nerds: 'Stats for nerds',
  /** A subtitle track of which nothing is known. */
  subtitleTrack: (number: number) => `Subtitles ${number}`,
  nerdFigures: {
    startup: 'First picture after',
    stalls: 'Stood still',
    buffered: 'Ready ahead',
    skew: 'Beside the room’s time',
    byChannel: 'From the server, data channel',
    byHttp: 'From the server, HTTP',
    byFriends: 'From friends',
    sent: 'Sent to friends',
    peers: 'Connections',
    memory: 'Kept in memory',
    disk: 'Kept on disk',
    wrongPieces: 'Wrong pieces refused',
    malformedExtras: 'Malformed subtitles and pictures',
    wrongSignals: 'Wrong signals ignored',
    diskError: 'The disk',
  },
  milliseconds: (ms: number) => `${Math.round(ms)} ms`,
  seconds: (seconds: number) => `${seconds.toFixed(1)} s`,
  stalls: (count: number, seconds: number) => `${count} times, ${seconds.toFixed(1)} s in all`,
  unknown: 'not known',
  mobileLabel: 'Upload nothing on mobile data',
  mobileNow: 'You are on mobile data now: nothing is uploaded.',

  limitLabel: 'Upload limit',
  limitHint: 'What you send on keeps the room running for your friends.',
  noLimit: 'No limit',
  limit: (megabitsPerSec: number) => `${megabitsPerSec} Mbit/s`,
  limitOff: 'Off',

  people: 'People',
  hereCount: (count: number) => `${count} here`,
  changeName: 'Change your name',
  doing: {
    watching: 'watching',
    buffering: 'waits for more of the film',
    waiting: 'has not started yet',
    away: 'away',
  },
  aloneHeading: 'Nobody else is here yet',
  aloneHint: 'Send the link to those you want to watch with. They need a browser and nothing else.',
  qrLabel: 'QR code of the link to this room',
  qrHint: 'Scan with a phone',

  hostHeading: 'You are the host',
  nobodyElse: 'Nobody else is here yet.',
  mute: 'Mute',
  unmute: 'Unmute',
  remove: 'Remove',
  removeWarning: (name: string) =>
    `The link still opens the room: ${name} could come back under another name. A locked room lets in nobody new.`,
  removeAndLock: 'Remove and lock the room',
  letBackIn: 'Let back in',
  removedPeople: 'Removed',
  member: (id: string) => `Member ${id.slice(0, 4)}`,
  actionOn: (action: string, name: string) => `${action} ${name}`,
  lock: 'Lock the room',
  lockHint(count: number): string {
    if (count === 1) return 'From then on nobody but you gets in.';
    return `From then on only you and the ${count === 2 ? 'one' : count - 1} seen here so far get in.`;
  },
  lockedHint: 'Nobody new gets in, whatever link they have.',
  originOnly: 'Only through the server, for everyone',
  originOnlyHint: 'Members cannot see each other’s network address; the server carries all traffic.',
  onlyHostControls: 'Only I play, pause and seek',
  onlyHostControlsHint:
    'Others can still watch on their own. Half a minute after you have gone, everyone may, until you are back.',
  waitForAll: 'Wait for everyone',
  waitForAllHint: 'Where somebody’s film stands still the room waits, for 20 seconds at most.',
  takeDown: 'Take the room down…',
  takeDownWarning: 'The film and the chat go from the server for everyone, at once and for good.',
  takeDownNow: 'Take it down',
  cancel: 'Cancel',

  peersLabel: 'Connections',
  peersNotice:
    'Everyone watching passes the film on to the others, over direct connections: members of this room can see each other’s network address.',
  peersYes: 'Watch with peers',
  peersNo: 'Only through the server',
  peersDirect: 'With peers',
  addresses: 'Members connect to each other directly and can see each other’s network address.',
  peersNone: 'You are connected to the server alone. No other member can see your network address.',
  peersByHost:
    'The host lets this room go through the server only. Members cannot see each other’s network address.',
};

export type Texts = typeof english;

export const texts = translated(english, { de: async () => (await import('./texts.de.ts')).german });
