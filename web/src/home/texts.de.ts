import type { ErrorCode } from '../../../peer/errors.ts';
import {
  formatBytes,
  formatDuration,
  formatPercent,
  formatRate,
  formatShareOf,
  formatTimeLeft,
} from '../format.ts';
import type { Texts } from './texts.ts';

const CHOOSE_ANOTHER = 'Wähle eine andere Datei.';

/** What is wrong, by its code, where the engine says it in English. */
const ERRORS: ReadonlyMap<string, string> = new Map<ErrorCode, string>([
  ['FILE_EMPTY', `In dieser Datei ist nichts zu sehen und nichts zu hören. ${CHOOSE_ANOTHER}`],
  ['FILE_NOT_VIDEO', `Das ist kein Video, das Matinee kennt. ${CHOOSE_ANOTHER}`],
  ['FILE_NOT_SUBTITLES', 'Diese Untertitel lassen sich nicht lesen. Nimm SRT oder VTT, oder lass sie weg.'],
  [
    'FILE_UNREADABLE',
    'Diese Datei lässt sich nicht lesen: Sie ist beschädigt, wurde verschoben oder geändert. Wähle sie noch einmal.',
  ],
  ['FILE_OTHER', 'Das ist nicht die Datei, mit der dieser Upload begann. Wähle die von damals.'],
  [
    'FILE_ENCRYPTED',
    'Dieses Video ist geschützt (DRM): Nur die App oder der Laden, von dem es kommt, kann es abspielen, also kein Raum. Wähle eines ohne Schutz.',
  ],
  [
    'CODEC_UNSUPPORTED',
    'In dieser Form kann das Video in keinem Raum laufen. Wandle es in MP4 mit H.264 und AAC um, zum Beispiel mit HandBrake.',
  ],
  ['UPLOAD_REFUSED', 'Der Server nimmt dieses Video so nicht an.'],
  ['SEGMENT_MISMATCH', 'Auf dem Weg zum Server wurde etwas verändert. Versuche es noch einmal.'],
  [
    'SERVER_UNREACHABLE',
    'Der Server antwortet nicht, wie er soll. Prüfe deine Verbindung und versuche es gleich noch einmal.',
  ],
  ['STORE_FULL', 'Der Server hat keinen Platz mehr für dieses Video. Sag es dem, der ihn betreibt.'],
  ['STORE_READ_ONLY', 'Der Server kann gerade nichts speichern. Sag es dem, der ihn betreibt.'],
  ['TOO_MANY', 'Der Server hat gerade zu viel zu tun. Versuche es in ein paar Minuten noch einmal.'],
  ['HOSTING_NEEDS_PASSWORD', 'Dieser Server verlangt von Gastgebern ein Passwort; dieses ist es nicht.'],
  ['ROOM_UNKNOWN', 'Diesen Raum gibt es nicht mehr.'],
  ['ABORTED', 'Der Upload wurde abgebrochen.'],
]);

/** Of these the engine says more: which codec, which browser can, what is too large. */
const HAVE_DETAILS: ReadonlySet<string> = new Set<ErrorCode>([
  'FILE_EMPTY',
  'FILE_NOT_VIDEO',
  'FILE_NOT_SUBTITLES',
  'FILE_UNREADABLE',
  'CODEC_UNSUPPORTED',
  'UPLOAD_REFUSED',
  'STORE_FULL',
]);

/** Everything the home page says, in German. */
export const german: Texts = {
  name: 'Matinee',
  headline: 'Filmabend, nur einen Link entfernt.',
  what: 'Leg ein Video ab, schick einen Link und schaut es zusammen: Deine Freunde tragen den meisten Verkehr füreinander.',
  privacy:
    'In deinem Browser verschlüsselt, bevor das erste Byte ihn verlässt. Unser Server bekommt den Schlüssel nie.',
  language: 'Sprache',

  dropHere: 'Leg hier ein Video ab',
  chooseHere: 'Wähle ein Video',
  dropNow: 'Loslassen zum Teilen',
  orChoose: 'oder wähle eine Datei',
  formats:
    'MP4, MOV, MKV, WebM und mehr, mit ihren Untertiteln (SRT, VTT, ASS, TTML). Nichts zu installieren.',

  videos: 'Videos',

  unfinished: 'Ein Upload blieb auf halbem Weg stehen',
  stoppedAt: (listedMs, durationMs) =>
    `Bis ${formatDuration(listedMs)} von ${formatDuration(durationMs)} hochgeladen. Der Link funktioniert, und dort kann es weitergehen.`,
  goOn: 'Weitermachen',
  chooseAgain: 'Neu auswählen und weitermachen',
  chooseAgainHint: (name) =>
    `Dieser Browser kann die Datei nicht selbst öffnen: Wähle „${name}“ noch einmal oder leg sie ab.`,
  giveUp: 'Aufgeben',
  giveUpWarning: 'Der Raum verschwindet für alle vom Server. Der Link funktioniert dann nicht mehr.',
  giveUpFilmWarning: 'Der Film verschwindet aus seinem Raum; die anderen Filme bleiben.',
  giveUpNow: 'Entfernen',

  hostPasswordLabel: 'Passwort für Gastgeber',
  hostPasswordHint:
    'Dieser Server verlangt eines von Gastgebern. Wer ihn betreibt, kennt es; Zuschauer brauchen keines.',

  options: 'Optionen',
  roomPasswordLabel: 'Passwort des Raums (Zuschauer müssen es eingeben)',
  roomPasswordHint:
    'Bleibt es leer, öffnet der Link allein den Raum. Sag das Passwort auf anderem Weg als den Link. Der Server bekommt es nie.',
  showPassword: 'Zeigen',

  yourRooms: 'Deine Räume',
  yourRoomsHint:
    'Dieser Browser hat ihre Gastgeberschlüssel: Hier kannst du sie beenden, und in ihnen bist du der Gastgeber.',
  madeAt: (atMs) =>
    new Date(atMs).toLocaleDateString('de', { day: 'numeric', month: 'short', year: 'numeric' }),
  withPassword: 'mit Passwort',
  untitled: 'Ein Raum',
  open: 'Öffnen',
  copyLink: 'Link kopieren',
  saveKey: 'Gastgeberschlüssel sichern',
  saveKeyWarning:
    'Wer diese Datei hat, ist Gastgeber dieses Raums: Er kann Leute stummschalten und entfernen und den Raum löschen. Behalte sie für dich.',
  saveKeyNow: 'Datei speichern',
  takeDown: 'Löschen',
  takeDownWarning:
    'Film und Chat verschwinden für alle vom Server, sofort und endgültig. Der Link funktioniert dann nicht mehr.',
  takeDownNow: 'Jetzt löschen',
  takingDown: 'Wird gelöscht…',
  takeDownFailed: 'Der Server antwortet nicht: Der Raum ist noch da. Versuche es gleich noch einmal.',
  never: 'Abbrechen',
  importKey: 'Raum mit seiner Schlüsseldatei hinzufügen',
  keyNotKept:
    'Dieser Browser behält nichts für diese Seite: Sobald sie geschlossen ist, bist du nicht mehr der Gastgeber. Sichere den Gastgeberschlüssel als Datei.',
  keyFileTooLong: 'Das ist nicht die Schlüsseldatei eines Raums: Sie ist zu lang.',

  planHeading: 'Das wird geschehen',
  planStart: 'Los',
  planStartsIn: (seconds) => `Los (${seconds})`,
  copiedPicture: (codec) => `Bild unverändert übernommen (${codec})`,
  encodedPicture: (codec, widthPx, heightPx, megabitsPerSec) =>
    `Bild neu kodiert (${codec} zu H.264, ${widthPx} × ${heightPx}, ${withComma(`${megabitsPerSec}`)} Mbit/s): dauert eine Weile und kostet Akku`,
  noPicture: 'Kein Bild: Freunde hören es und sehen nichts',
  copiedSound: (codec) => `Ton unverändert übernommen (${codec})`,
  encodedSound: (codec) => `Ton umgewandelt (${codec} zu Opus): Browser spielen ihn so nicht ab`,
  leftOutSound: (codec) =>
    `Ton weggelassen: Er ist ${codec}, was dieser Browser weder abspielen noch umwandeln kann`,
  silent: 'Kein Ton darin',
  subtitles: (names) => `Untertitel: ${names}`,
  leftOutSubtitles: (names) => `Untertitel weggelassen, weil sie Bilder sind und kein Text: ${names}`,
  unreadSubtitles: (names) =>
    `Untertitel weggelassen, weil sie von einer Art sind, die hier nicht gelesen wird: ${names}`,
  subtitleTrack: (number) => `Spur ${number}`,
  soundTrack: 'Tonspur',
  soundName: (number, language, title, codec) =>
    [`${number}`, ...(language ? [language] : []), ...(title ? [title] : []), codec].join(' · '),
  smaller: 'Kleiner, für einen langsamen Upload (höchstens 720p und 2,5 Mbit/s)',
  filmSpeed: (times) => `${withComma(times.toFixed(1))}× so schnell wie der Film`,

  inspecting: 'Das Video wird angesehen…',
  uploading: 'Verschlüsseln und Hochladen',
  resuming: 'Die Stelle wird gesucht, an der es stehen blieb…',
  paused: 'Angehalten',
  giving:
    'Freunde bekommen ihn auch von dieser Seite, noch bevor der Server ihn hat: Mitglieder des Raums können dann deine Netzadresse sehen.',
  givingForbidden: 'Dieser Raum läuft nur über den Server: Von dieser Seite bekommen Freunde nichts.',
  givingUnwatched:
    'Der Raum sieht einen anderen Film: Bis er zu diesem kommt, bekommen Freunde nichts von dieser Seite.',
  pause: 'Anhalten',
  unpause: 'Weitermachen',
  finishing: 'Gleich fertig: Die letzten Stücke werden gespeichert…',
  done: 'Der ganze Film ist im Raum.',
  doneHint: 'Du kannst diese Seite schließen. Der Link funktioniert weiter.',
  cancel: 'Abbrechen',
  another: 'Noch ein Video teilen',

  inspectingAnnouncement: (fileName) => `${fileName} wird angesehen`,
  roomAnnouncement: 'Dein Raum ist offen. Der Link kann kopiert werden.',

  progressLabel: 'Fortschritt des Uploads',
  amount(doneBytes, wholeBytes) {
    const { done, whole } = formatShareOf(doneBytes, wholeBytes);
    return `${withComma(done)} von ${withComma(whole)}`;
  },
  percent: formatPercent,
  speed: (bytesPerSec) => withComma(formatRate(bytesPerSec)),
  left: (seconds) => `noch ${formatTimeLeft(seconds)}`,
  resolution: (widthPx, heightPx) => `${widthPx} × ${heightPx}`,
  size: (bytes) => withComma(formatBytes(bytes)),

  roomReady: 'Dein Raum ist offen',
  linkLabel: 'Link zum Raum',
  linkHint: 'Wer diesen Link hat, kann zuschauen und mitreden: Schick ihn nur deinen Freunden.',
  copy: 'Kopieren',
  copied: 'Kopiert',
  copyRefused: 'Von Hand kopieren',
  openRoom: 'Raum öffnen',
  openHint: '(öffnet einen neuen Tab)',
  keepOpen:
    'Lass diese Seite offen, bis der Upload fertig ist; Freunde können schon zuschauen. Schließt sie sich doch, komm hierher zurück und mach weiter.',
  qrLabel: 'QR-Code des Links zum Raum',
  qrHint: 'Mit dem Handy scannen',

  failed: 'Das hat nicht geklappt',
  errorText: ({ code, message }) => ERRORS.get(code) ?? message,
  errorDetail: ({ code, message }) => (HAVE_DETAILS.has(code) ? message : null),
  retry: 'Noch einmal versuchen',
  chooseAnother: 'Andere Datei wählen',
  serverAway:
    'Der Server antwortet nicht, darum ist diese Seite nicht vollständig. Prüfe, ob er läuft und du online bist, dann versuche es noch einmal.',
  broken:
    'In dieser Seite ging etwas kaputt, als sie am Video arbeitete. Versuche es noch einmal; passiert es wieder, lade die Seite neu.',

  titleWhileUploading: (percent, film) => `${percent} · ${film} · Matinee`,
  titleDone: (film) => `Fertig · ${film} · Matinee`,
};

function withComma(amount: string): string {
  return amount.replace('.', ',');
}
