import type { ErrorCode } from '../../../peer/errors.ts';
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
import { MARK_CHARS, type Texts } from './texts.ts';

/** What is wrong, by its code, where the engine says it in English. */
const ERRORS: ReadonlyMap<string, string> = new Map<ErrorCode, string>([
  [
    'LINK_INCOMPLETE',
    'Dieser Link ist nicht vollständig: Der Teil nach dem # fehlt. Bitte den Gastgeber, ihn noch einmal ganz zu schicken.',
  ],
  ['LINK_MALFORMED', 'Dieser Link ist beschädigt. Bitte den Gastgeber, ihn noch einmal zu schicken.'],
  [
    'ROOM_UNKNOWN',
    'Diesen Raum gibt es nicht oder nicht mehr. Prüfe, ob der Link vollständig ist, oder bitte den Gastgeber um einen neuen.',
  ],
  [
    'TOKEN_WRONG',
    'Dieser Link öffnet den Raum nicht: Der Teil nach dem # stimmt nicht. Bitte den Gastgeber, ihn noch einmal zu schicken.',
  ],
  ['REMOVED', 'Der Gastgeber hat dich aus diesem Raum entfernt.'],
  [
    'ROOM_LOCKED',
    'Der Gastgeber hat diesen Raum abgeschlossen: Niemand Neues kommt hinein. Bitte ihn, wieder aufzuschließen.',
  ],
  [
    'PLAYBACK_UNSUPPORTED',
    'Dieser Browser kann diesen Film nicht abspielen. Nimm ein aktuelles Chrome, Edge, Firefox oder Safari.',
  ],
  ['PLAYBACK_FAILED', 'Der Film lässt sich nicht weiter abspielen. Lade die Seite neu.'],
  [
    'SERVER_UNREACHABLE',
    'Der Server antwortet nicht, wie er soll. Prüfe deine Verbindung und versuche es gleich noch einmal.',
  ],
]);

/** Everything the room page says, in German. */
export const german: Texts = {
  name: 'Matinee',
  titleOf: (film) => `${film} · Matinee`,
  privacy: 'Ende-zu-Ende verschlüsselt: Film und Chat kann nur lesen, wer den Link hat.',

  connecting: 'Verbindung wird aufgebaut…',
  firstPieces: 'Die ersten Stücke kommen gleich…',
  waiting: 'Es fehlt noch ein Stück vom Film…',
  waitingForHost: (uploadedMs) =>
    `Der Gastgeber lädt noch hoch: Der Film ist bis ${formatDuration(uploadedMs)} da. Es geht weiter, sobald mehr kommt.`,
  watchOnOwn: 'Allein schauen',
  backToRoom: 'Zurück zum Raum',
  onOwn: 'Du schaust für dich allein.',
  together: 'Ihr schaut zusammen.',
  pausedBy: (name, isMine) => (isMine ? 'Du hast für alle angehalten.' : `${name} hat angehalten.`),
  waitsFor: (name) => `Alle warten auf ${name}…`,
  atSpeed: (percent) => `Alle schauen mit ${(percent / 100).toLocaleString('de')}-facher Geschwindigkeit.`,
  hostControls: 'Der Gastgeber startet und hält für alle an.',
  onlyHostControls: 'Nur ich starte, halte an und springe',
  onlyHostControlsHint:
    'Andere können trotzdem für sich allein schauen. Eine halbe Minute, nachdem du gegangen bist, dürfen es alle, bis du zurück bist.',
  waitForAll: 'Auf alle warten',
  waitForAllHint: 'Wo bei jemandem der Film stockt, wartet der Raum, höchstens 20 Sekunden.',
  play: 'Abspielen',
  pause: 'Anhalten',
  soundOff: 'Ton aus',
  soundOn: 'Ton an',
  volume: 'Lautstärke',
  speed: 'Geschwindigkeit',
  speedOf: (rate) => `${rate.toLocaleString('de')}×`,
  subtitles: 'Untertitel',
  noSubtitles: 'Keine Untertitel',
  smallWindow: 'Kleines Fenster (Bild im Bild)',
  fullScreen: 'Ganzer Bildschirm',
  leaveFullScreen: 'Ganzen Bildschirm verlassen',
  hideChat: 'Chat ausblenden',
  showChat: 'Chat zeigen',
  seekBar: 'Stelle im Film',
  placeOf: (placeMs, wholeMs) => `${formatSpoken(placeMs, 'de')} von ${formatSpoken(wholeMs, 'de')}`,
  markAt: (atMs, name, text) => `${formatDuration(atMs)}, ${name}: ${formatShort(text, MARK_CHARS)}`,
  notUploaded: 'Noch nicht hochgeladen',
  stepped: (byS) => `${byS > 0 ? '+' : '−'}${Math.abs(byS)} s`,
  keys: 'Tasten',
  closeKeys: 'Schließen',
  keysOfFilm: [
    ['Leertaste, K', 'Abspielen und anhalten'],
    ['← →', '5 Sekunden zurück und vor'],
    ['J L', '10 Sekunden zurück und vor'],
    ['0 – 9', 'Zu so vielen Zehnteln des Films'],
    ['↑ ↓, M', 'Lautstärke, Ton aus'],
    ['< >', 'Langsamer, schneller'],
    ['C', 'Untertitel'],
    ['F', 'Ganzer Bildschirm'],
    ['I', 'Kleines Fenster'],
  ],
  filmLabel: 'Der Film',
  failed: 'Der Film lässt sich nicht abspielen',
  removedHeading: 'Du wurdest entfernt',
  lockedHeading: 'Der Raum ist abgeschlossen',
  retry: 'Noch einmal versuchen',
  home: 'Zur Startseite',
  serverAway: 'Der Server ist weg. Du und deine Freunde machen miteinander weiter; neuer Versuch…',
  serverSilent: 'Der Server antwortet nicht. Prüfe deine Verbindung; neuer Versuch…',
  nobodyReached:
    'Noch keine Verbindung zum Server oder zu sonst jemandem. Bleibt das so, lässt dein Netz vielleicht kein WebRTC (UDP) durch: Versuche ein anderes.',
  originBusy:
    'Der Server hat gerade keinen Platz frei, und sonst war noch niemand zu erreichen. Du stehst in der Schlange: Der Film beginnt, sobald du dran bist. Lass diese Seite offen.',
  signalsTampered:
    'Nachrichten zwischen Zuschauern wurden unterwegs verändert, vom Server oder von jemandem mit dem Link. Sie wurden nicht beachtet: Niemand ist dazwischengekommen, aber vielleicht erreichst du weniger Freunde.',
  nothingUploaded: 'Der Gastgeber hat noch nichts hochgeladen. Der Film beginnt hier, sobald er kommt.',
  reconnecting: 'Neue Verbindung zum Server… deine Freunde machen weiter.',
  errorText: ({ code, message }) => ERRORS.get(code) ?? message,
  broken:
    'In dieser Seite ging etwas kaputt, als sie den Raum öffnete. Versuche es noch einmal; passiert es wieder, nimm einen anderen Browser.',

  passwordHeading: 'Dieser Raum hat ein Passwort',
  passwordHint: 'Der Gastgeber sagt es dir getrennt vom Link. Es verlässt diese Seite nie.',
  passwordLabel: 'Passwort des Raums',
  passwordEnter: 'Raum öffnen',
  passwordWorking: 'Der Raum wird geöffnet…',
  passwordWrong: 'Das ist nicht das Passwort dieses Raums. Prüfe es und versuche es noch einmal.',
  passwordBroken:
    'Diese Seite konnte mit dem Passwort nicht arbeiten: Sie braucht 64 MB freien Speicher. Schließe andere Tabs oder lade neu, dann versuche es noch einmal.',
  passwordTitle: 'Ein Raum mit Passwort',

  language: 'Sprache',

  loadingTitle: 'Der Raum wird geöffnet…',
  failedTitle: 'Kein Film hier',
  duration: formatDuration,
  hostUploaded: (uploadedMs, durationMs) =>
    `Der Film ist bis ${formatDuration(uploadedMs)} von ${formatDuration(durationMs)} hochgeladen`,
  copyLink: 'Link kopieren',
  copied: 'Kopiert',
  copyRefused: 'Kopiere ihn aus der Adresszeile',

  chat: 'Chat',
  chatEmpty: 'Sag Hallo. Nur wer den Link hat, kann das lesen.',
  chatLocked: 'Der Chat öffnet sich mit dem Raum.',
  chatClosed: 'Ohne Raum gibt es keinen Chat.',
  you: 'du',
  host: 'Gastgeber',
  clockTime: formatClockTime,
  nameLabel: 'Dein Name',
  messageLabel: 'Nachricht',
  messagePlaceholder: 'Nachricht…',
  send: 'Senden',
  newLines: (count) => (count === 1 ? '1 neue Nachricht' : `${count} neue Nachrichten`),
  jumpToNewest: 'Neueste Nachrichten',
  unreadFrom: 'Neu',
  titleWithUnread: (count, title) => `(${count}) ${title}`,
  reply: 'Antworten',
  replyTo: (name) => `${name} antworten`,
  replyingTo: 'Antwort an',
  cancelReply: 'Niemandem antworten',
  lineGone: 'Eine Nachricht, die nicht mehr da ist',
  goToLine: 'Zu dieser Nachricht',
  at: (atMs) => `bei ${formatDuration(atMs)}`,
  goTo: (atMs) => `Im Film zu ${formatDuration(atMs)}`,
  addMoment: 'Die Stelle im Film dazusagen',
  dropMoment: (atMs) => `Die Stelle ${formatDuration(atMs)} weglassen`,
  otherFilm: 'Aus einem anderen Film',
  lineActions: (name) => `Was mit der Nachricht von ${name} geschehen soll`,
  reactWith: (emoji) => `Mit ${emoji} antworten`,
  reactedBy(emoji, names, count, isMine) {
    const others = count - names.length - (isMine ? 1 : 0);
    const all = [...(isMine ? ['dir'] : []), ...names, ...(others > 0 ? [`${others} weiteren`] : [])];
    return `${emoji} von ${all.join(', ')}`;
  },
  cheers: 'Reaktionen auf den Film',
  cheerWith: (emoji) => `${emoji} über den Film steigen lassen`,
  cheered(emoji, names, maxNamed) {
    const more = names.length - maxNamed;
    return `${emoji} von ${names.slice(0, maxNamed).join(', ')}${more > 0 ? ` und ${more} weiteren` : ''}`;
  },
  emoji: 'Emoji',
  typing(names) {
    const [first = '', second = ''] = names;
    if (names.length === 0) return '';
    if (names.length === 1) return `${first} schreibt…`;
    if (names.length === 2) return `${first} und ${second} schreiben…`;
    return `${first}, ${second} und ${names.length - 2} weitere schreiben…`;
  },
  mentionSomebody: 'Namen zum Erwähnen',
  tooLong: (chars) =>
    `Das sind ${chars.toLocaleString('de')} Zeichen, und eine Nachricht fasst ${MAX_CHAT_CHARS.toLocaleString('de')}. Kürze sie oder schicke sie in Teilen.`,
  pastedTooLong: (chars) =>
    `Mit dem Eingefügten wären es ${chars.toLocaleString('de')} Zeichen, und eine Nachricht fasst ${MAX_CHAT_CHARS.toLocaleString('de')}. Es wurde weggelassen: Füge es in Teilen ein.`,
  charsLeft: (count) => `Noch ${count} Zeichen.`,
  mutedHint: 'Der Gastgeber hat dich stummgeschaltet: Niemand sieht, was du schreibst.',
  notSent: 'Diese Nachricht wurde nicht gesendet. Versuche es gleich noch einmal.',

  connection: {
    none: 'Noch nicht verbunden.',
    direct: 'Direkt verbunden.',
    turn: 'Über ein Relais verbunden: Dein Netz lässt nichts anderes durch.',
    server: 'Nur über den Server verbunden (HTTP): Dein Netz lässt keine direkte Verbindung durch.',
  },

  films: 'Filme in diesem Raum',
  untitled: 'Ein Film',
  nowShown: 'läuft',
  showFilm: 'Zeigen',
  nextFilm: 'Nächster Film',
  moveUp: 'Nach oben',
  moveDown: 'Nach unten',
  removeFilm: 'Entfernen',
  addFilm: 'Film hinzufügen',
  addingFilm: (title) => `${title} wird hochgeladen.`,
  addingFilmAsks: (title) => `Das wird mit ${title} geschehen:`,
  filmAdded: (title) => `${title} ist im Raum.`,
  keepOpenWhileAdding:
    'Lass diese Seite offen, bis er fertig ist. Sollte sie doch zugehen, komm hierher zurück und mach weiter.',
  giving:
    'Freunde bekommen ihn auch von dieser Seite, noch bevor der Server ihn hat: Mitglieder des Raums können dann deine Netzadresse sehen.',
  givingForbidden: 'Dieser Raum läuft nur über den Server: Von dieser Seite bekommen Freunde nichts.',
  givingAlone: 'Du bist nur mit dem Server verbunden: Von dieser Seite bekommen Freunde nichts davon.',

  swarm: 'Schwarm',
  noBytes: 'Noch nichts empfangen',
  fromFriends: (share) => `${formatPercent(share)} kamen von Freunden`,
  friends: 'Freunde',
  server: 'Server',
  bytes: (bytes) => withComma(formatBytes(bytes)),
  connections: 'Verbunden mit',
  noPeers: 'Noch mit niemandem verbunden.',
  origin: 'Server',
  giver: 'Gastgeberseite',
  unnamed: 'Ein Freund',
  down: 'empfangen',
  up: 'gesendet',
  rate: (bytesPerSec) => withComma(formatRate(bytesPerSec)),
  swarmPicture: 'Was zwischen dir und denen fließt, mit denen du verbunden bist',
  self: 'Du',
  flow: (name, received, sent) => `${name}: ${received} empfangen, ${sent} gesendet`,
  strip: 'Der Film, nach dem, wer ihn dir brachte',
  stripShares: (fromFriends, fromServer) =>
    `${formatPercent(fromFriends)} des Films kamen von Freunden, ${formatPercent(fromServer)} vom Server`,
  savedHost: (bytes) => `Du hast dem Gastgeber ${withComma(formatBytes(bytes))} Upload erspart.`,
  nerds: 'Zahlen für Nerds',
  subtitleTrack: (number) => `Untertitel ${number}`,
  nerdFigures: {
    startup: 'Erstes Bild nach',
    stalls: 'Stillstand',
    buffered: 'Voraus bereit',
    skew: 'Neben der Zeit des Raums',
    byChannel: 'Vom Server, Datenkanal',
    byHttp: 'Vom Server, HTTP',
    byFriends: 'Von Freunden',
    sent: 'An Freunde gesendet',
    peers: 'Verbindungen',
    memory: 'Im Speicher gehalten',
    disk: 'Auf der Platte gehalten',
    wrongPieces: 'Falsche Stücke abgelehnt',
    malformedExtras: 'Unverständliche Untertitel und Bilder',
    wrongSignals: 'Falsche Signale nicht beachtet',
    diskError: 'Die Platte',
  },
  milliseconds: (ms) => `${Math.round(ms)} ms`,
  seconds: (seconds) => `${withComma(seconds.toFixed(1))} s`,
  stalls: (count, seconds) => `${count}-mal, zusammen ${withComma(seconds.toFixed(1))} s`,
  unknown: 'nicht bekannt',
  mobileLabel: 'Über Mobilfunk nichts hochladen',
  mobileNow: 'Du bist gerade über Mobilfunk verbunden: Nichts wird hochgeladen.',

  limitLabel: 'Upload höchstens',
  limitHint: 'Was du weitergibst, hält den Raum für deine Freunde in Gang.',
  noLimit: 'Unbegrenzt',
  limit: (megabitsPerSec) => `${megabitsPerSec} Mbit/s`,
  limitOff: 'Aus',

  people: 'Leute',
  hereCount: (count) => `${count} hier`,
  changeName: 'Deinen Namen ändern',
  doing: {
    watching: 'schaut zu',
    buffering: 'wartet auf mehr vom Film',
    waiting: 'hat noch nicht begonnen',
    away: 'abwesend',
  },
  aloneHeading: 'Sonst ist noch niemand hier',
  aloneHint: 'Schicke den Link denen, mit denen du schauen willst. Sie brauchen nur einen Browser.',
  qrLabel: 'QR-Code des Links zu diesem Raum',
  qrHint: 'Mit dem Handy scannen',

  hostHeading: 'Du bist der Gastgeber',
  nobodyElse: 'Sonst ist noch niemand hier.',
  mute: 'Stummschalten',
  unmute: 'Wieder hören',
  remove: 'Entfernen',
  removeWarning: (name) =>
    `Der Link öffnet den Raum weiterhin: ${name} könnte unter anderem Namen wiederkommen. In einen abgeschlossenen Raum kommt niemand Neues.`,
  removeAndLock: 'Entfernen und Raum abschließen',
  letBackIn: 'Wieder hereinlassen',
  removedPeople: 'Entfernt',
  member: (id) => `Mitglied ${id.slice(0, 4)}`,
  actionOn: (action, name) => `${name}: ${action}`,
  lock: 'Raum abschließen',
  lockHint(count) {
    if (count === 1) return 'Dann kommt außer dir niemand mehr herein.';
    return `Dann kommen nur noch du und ${count === 2 ? 'der eine' : `die ${count - 1}`} herein, die bisher hier waren.`;
  },
  lockedHint: 'Niemand Neues kommt herein, mit welchem Link auch immer.',
  originOnly: 'Nur über den Server, für alle',
  originOnlyHint: 'Mitglieder sehen die Netzadressen der anderen nicht; der Server trägt allen Verkehr.',
  takeDown: 'Raum löschen…',
  takeDownWarning: 'Film und Chat verschwinden für alle vom Server, sofort und endgültig.',
  takeDownNow: 'Löschen',
  cancel: 'Abbrechen',

  peersLabel: 'Verbindungen',
  peersNotice:
    'Alle, die zuschauen, geben den Film über direkte Verbindungen weiter: Mitglieder dieses Raums können die Netzadressen der anderen sehen.',
  peersYes: 'Mit anderen schauen',
  peersNo: 'Nur über den Server',
  peersDirect: 'Mit anderen',
  addresses: 'Mitglieder verbinden sich direkt und können die Netzadressen der anderen sehen.',
  peersNone: 'Du bist nur mit dem Server verbunden. Kein anderes Mitglied sieht deine Netzadresse.',
  peersByHost:
    'Der Gastgeber lässt diesen Raum nur über den Server laufen. Mitglieder sehen die Netzadressen der anderen nicht.',
};

function withComma(amount: string): string {
  return amount.replace('.', ',');
}
