import { MAX_CHAT_CHARS } from '../../../peer/limits.ts';
import { formatBytes, formatClockTime, formatDuration, formatPercent, formatRate } from '../format.ts';

/** Everything the room page says, in one place for a translator. */
export const texts = {
  name: 'Matinee',
  titleOf: (film: string) => `${film} · Matinee`,
  privacy: 'End-to-end encrypted: the film and the chat can be read only by those who have the link.',

  connecting: 'Connecting…',
  firstPieces: 'Waiting for the first pieces…',
  waiting: 'Waiting for more of the film…',
  play: 'Play',
  filmLabel: 'The film',
  failed: 'The film cannot play',
  retry: 'Try again',
  home: 'Go to the start page',
  serverAway: 'The server is away. You and your friends carry on with each other; trying again…',
  serverSilent: 'The server does not answer. Check your connection; trying again…',
  nobodyReached:
    'No connection to the seed server or to anyone else yet. If this stays, your network may block WebRTC (UDP): try another one.',
  originBusy:
    'The seed server has no free place right now, and nobody else could be reached yet. You are in its queue: the film starts as soon as it is your turn, so keep this page open.',
  nothingUploaded: 'The host has not uploaded anything yet. The film starts here as soon as it comes.',
  reconnecting: 'Reconnecting to the server… your friends carry on.',
  broken:
    'Something in this page broke while it opened the room. Try again; if it happens again, use another browser.',

  loadingTitle: 'Opening the room…',
  failedTitle: 'No film here',
  duration: formatDuration,
  hostUploaded: (uploadedMs: number, durationMs: number) =>
    `The host has uploaded ${formatDuration(uploadedMs)} of ${formatDuration(durationMs)}`,
  copyLink: 'Copy link',
  copied: 'Copied',
  copyRefused: 'Copy it from the address bar',

  chat: 'Chat',
  chatEmpty: 'Say hello. Only people with the link can read this.',
  chatClosed: 'There is no chat without a room.',
  you: 'you',
  clockTime: formatClockTime,
  nameLabel: 'Your name',
  guest: (number: number) => `Guest ${number}`,
  messageLabel: 'Message',
  messagePlaceholder: 'Message…',
  send: 'Send',
  newLines: 'New messages',
  tooLong: (chars: number) =>
    `That is ${chars.toLocaleString('en')} characters, and a message holds ${MAX_CHAT_CHARS.toLocaleString('en')}. Shorten it or send it in parts.`,
  notSent: 'That message was not sent. Try again in a moment.',

  swarm: 'Swarm',
  noBytes: 'Nothing received yet',
  fromFriends: (share: number) => `${formatPercent(share)} came from friends`,
  friends: 'friends',
  server: 'server',
  bytes: formatBytes,
  connections: 'Connected to',
  noPeers: 'Not connected to anyone yet.',
  origin: 'Seed server',
  unnamed: 'A friend',
  down: 'received',
  up: 'sent',
  rate: formatRate,
  limitLabel: 'Upload limit',
  limitHint: 'What you send on keeps the room running for your friends.',
  noLimit: 'No limit',
  limit: (megabitsPerSec: number) => `${megabitsPerSec} Mbit/s`,
  limitOff: 'Off',
  addresses: 'Friends connect to each other directly and can see each other’s internet address.',
} as const;
