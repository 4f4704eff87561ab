import { formatBytes, formatPercent, formatRate, formatShareOf, formatTimeLeft } from '../format.ts';

/** Everything the home page says, in one place for a translator. */
export const texts = {
  name: 'Matinee',
  headline: 'Movie night, one link away.',
  what: 'Drop a video, send the link, and watch it together: your friends carry most of the traffic for each other.',
  privacy: 'Encrypted in your browser before the first byte leaves it. Our server never gets the key.',

  dropHere: 'Drop a video here',
  /** Where there is no mouse to drop with. */
  chooseHere: 'Choose a video',
  dropNow: 'Let go to share it',
  orChoose: 'or choose a file',
  formats: 'MP4, MOV, MKV, WebM and more. Nothing to install.',

  inspecting: 'Looking at the video…',
  uploading: 'Encrypting and uploading',
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
  retrying: (sentence: string, seconds: number) => `${sentence} Next try in ${formatTimeLeft(seconds)}.`,

  roomReady: 'Your room is open',
  linkLabel: 'Link to the room',
  linkHint: 'Everyone with this link can watch and chat, so send it only to your friends.',
  copy: 'Copy',
  copied: 'Copied',
  copyRefused: 'Copy by hand',
  openRoom: 'Open the room',
  openHint: '(opens in a new tab)',
  keepOpen: 'Keep this page open until the upload is done; friends can already watch.',
  qrLabel: 'QR code of the link to the room',
  qrHint: 'Scan with a phone',

  failed: 'That did not work',
  retry: 'Try again',
  chooseAnother: 'Choose another file',
  serverAway:
    'The server does not answer, so this page is not complete. Check that it runs and that you are online, then try again.',
  broken:
    'Something in this page broke while it worked on the video. Try again; if it happens again, reload the page.',

  titleWhileUploading: (percent: string, film: string) => `${percent} · ${film} · Matinee`,
  titleDone: (film: string) => `Done · ${film} · Matinee`,
} as const;
