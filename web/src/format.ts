/** Amounts as people read them. SI units, so a kB has 1,000 bytes, as file managers and internet plans count. */

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB'] as const;

/** "0 B", "812 kB", "18.3 MB": one decimal from MB up. */
export function formatBytes(bytes: number): string {
  const power = unitOf(bytes);
  return `${inUnit(bytes, power)} ${UNITS[power]}`;
}

/** How much of a whole, as "12.3" and "18.3 MB": in one unit, so that they compare at a glance; never more than the whole. */
export function formatShareOf(doneBytes: number, wholeBytes: number): { done: string; whole: string } {
  const power = unitOf(wholeBytes);
  const done = inUnit(Math.min(doneBytes, wholeBytes), power);
  return { done, whole: `${inUnit(wholeBytes, power)} ${UNITS[power]}` };
}

/** "2.1 MB/s". */
export function formatRate(bytesPerSec: number): string {
  return `${formatBytes(bytesPerSec)}/s`;
}

/** "73 %", rounded down, so that 100 % is said of the whole only. `share` is 0 to 1; what lies outside is clamped. */
export function formatPercent(share: number): string {
  return `${Math.floor(Math.min(1, Math.max(0, share)) * 100)} %`;
}

/** "0:40", "12:05", "1:02:03": a place in a film, rounded down to its second as players do. */
export function formatDuration(ms: number): string {
  const seconds = Math.floor(Math.max(0, ms) / 1000);
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor(seconds / 60) % 60;
  const tail = twoDigits(seconds % 60);
  return hours > 0 ? `${hours}:${twoDigits(minutes)}:${tail}` : `${minutes}:${tail}`;
}

/** "1 hour 2 minutes 3 seconds", "0 seconds": a place in a film as it is spoken in a language (BCP 47), rounded down too. */
export function formatSpoken(ms: number, language: string): string {
  const seconds = Math.floor(Math.max(0, ms) / 1000);
  const inWords = (count: number, unit: string): string => wordsFor(language, unit).format(count);
  const parts: [number, string][] = [
    [Math.floor(seconds / 3600), 'hour'],
    [Math.floor(seconds / 60) % 60, 'minute'],
    [seconds % 60, 'second'],
  ];
  const said = parts.filter(([count]) => count > 0).map(([count, unit]) => inWords(count, unit));
  return said.length > 0 ? said.join(' ') : inWords(0, 'second');
}

const knownWords = new Map<string, Intl.NumberFormat>();

/** Making one takes a third of a millisecond, and a film's place is said several times a second. */
function wordsFor(language: string, unit: string): Intl.NumberFormat {
  const name = `${language} ${unit}`;
  const words =
    knownWords.get(name) ?? new Intl.NumberFormat(language, { style: 'unit', unit, unitDisplay: 'long' });
  knownWords.set(name, words);
  return words;
}

/** What fits in so many characters, with an ellipsis where something was left out. */
export function formatShort(text: string, maxChars: number): string {
  const chars = [...text];
  return chars.length > maxChars
    ? `${chars
        .slice(0, maxChars - 1)
        .join('')
        .trimEnd()}…`
    : text;
}

/** "3 s", "2 min", "1 h 5 min": rounded up and coarser the longer it is, as an estimate should be. */
export function formatTimeLeft(seconds: number): string {
  const wholeS = Math.max(1, Math.ceil(seconds));
  if (wholeS < 60) return `${wholeS} s`;
  const wholeMin = Math.ceil(wholeS / 60);
  if (wholeMin < 60) return `${wholeMin} min`;
  const restMin = wholeMin % 60;
  const hours = `${Math.floor(wholeMin / 60)} h`;
  return restMin === 0 ? hours : `${hours} ${restMin} min`;
}

/**
 * "09:05": the hour and minute of a moment (milliseconds since 1970) on this machine's clock; "--:--" of one beyond
 * what dates can hold, which anyone may claim to write at.
 */
export function formatClockTime(wallMs: number): string {
  const at = new Date(wallMs);
  if (Number.isNaN(at.getTime())) return '--:--';
  return `${twoDigits(at.getHours())}:${twoDigits(at.getMinutes())}`;
}

/** The largest unit in which the rounded amount has at least 1 before the point. */
function unitOf(bytes: number): number {
  let power = 0;
  // 999.95 kB would read "1000 kB": it is rounded first, so that it reads "1.0 MB".
  while (power < UNITS.length - 1 && rounded(bytes, power) >= 1000) power++;
  return power;
}

function inUnit(bytes: number, power: number): string {
  return rounded(bytes, power).toFixed(power >= 2 ? 1 : 0);
}

function rounded(bytes: number, power: number): number {
  const digits = power >= 2 ? 1 : 0;
  return Number((Math.max(0, bytes) / 1000 ** power).toFixed(digits));
}

function twoDigits(value: number): string {
  return String(value).padStart(2, '0');
}
