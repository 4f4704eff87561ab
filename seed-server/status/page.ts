import type { History, Sample } from './history.ts';
import { texts } from './texts.ts';

const WIDTH = 600;
const HEIGHT = 80;
const REFRESH_S = 15;

export const STATUS_STYLE = `
body { max-width: 44rem; margin: 2rem auto; padding: 0 1rem; background: #14141a; color: #e8e6e3; font: 1rem/1.5 system-ui, sans-serif; }
h1 { font-size: 1.4rem; }
h2 { display: flex; justify-content: space-between; margin: 1.5rem 0 0.25rem; font-size: 1rem; font-weight: normal; }
svg { display: block; width: 100%; height: 5rem; background: #1d1d25; }
polyline { fill: none; stroke: #f0b35a; stroke-width: 1.5; vector-effect: non-scaling-stroke; }
a { color: #f0b35a; }
.range { display: flex; justify-content: space-between; color: #9a97a0; font-size: 0.8rem; }
`;

/** A curve of the page: what it shows of a moment, given the moment before. */
interface Curve {
  title: string;
  read(sample: Sample, before: Sample): number;
  say(value: number): string;
}

const perSec = (name: string) => (sample: Sample, before: Sample) => {
  const seconds = Math.max(1, (sample.atMs - before.atMs) / 1000);
  // A process that was started anew counts from 0.
  return Math.max(0, (sample.figures[name] ?? 0) - (before.figures[name] ?? 0)) / seconds;
};
const level = (name: string) => (sample: Sample) => sample.figures[name] ?? 0;
const whole = (value: number) => String(Math.round(value));

const CURVES: readonly Curve[] = [
  { title: texts.members, read: level('matinee_members'), say: whole },
  { title: texts.rooms, read: level('matinee_rooms'), say: whole },
  { title: texts.channelRate, read: perSec('matinee_origin_sent_bytes'), say: texts.rate },
  { title: texts.httpRate, read: perSec('matinee_http_bytes_total'), say: texts.rate },
  { title: texts.viewerRate, read: perSec('matinee_viewer_received_bytes_total'), say: texts.rate },
  { title: texts.errors, read: perSec('matinee_errors_total'), say: (value) => value.toFixed(2) },
  { title: texts.loopDelay, read: level('nodejs_eventloop_lag_p99_seconds'), say: texts.milliseconds },
  { title: texts.memory, read: level('process_resident_memory_bytes'), say: texts.megabytes },
];

/** Asked for with this, the page loads itself anew. */
export const RENEW = 'renew';

/**
 * The page for whoever runs the server, without any script. It loads itself anew only where that is wanted: who has it read to them, or
 * reads it magnified, would be back at its top each time.
 */
export function statusPage(
  now: Record<string, number>,
  { samples }: History,
  { doesRenew }: { doesRenew: boolean },
): string {
  const renewal = doesRenew ? `<meta http-equiv="refresh" content="${REFRESH_S}">` : '';
  const other = doesRenew
    ? `<a href="/status">${texts.stopRenewing}</a>`
    : `<a href="/status?${RENEW}">${texts.renew(REFRESH_S)}</a>`;
  const lines = texts.facts(now).map((line) => `<p>${line}</p>`);
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>${texts.title}</title>
${renewal}<meta name="viewport" content="width=device-width">
<link rel="stylesheet" href="/status.css"></head>
<body><h1>${texts.title}</h1>${lines.join('')}<p>${other}</p>${CURVES.map((curve) => drawCurve(curve, samples)).join('')}</body></html>`;
}

function drawCurve({ title, read, say }: Curve, samples: readonly Sample[]): string {
  const values = samples.map((sample, i) => read(sample, samples[i - 1] ?? sample));
  const most = Math.max(...values, 0);
  const stepPx = WIDTH / Math.max(1, values.length - 1);
  const points = values.map((value, i) => {
    const yPx = HEIGHT - (most === 0 ? 0 : (value / most) * (HEIGHT - 4)) - 2;
    return `${(i * stepPx).toFixed(1)},${yPx.toFixed(1)}`;
  });
  const [first] = samples;
  const since = first ? texts.clockTime(first.atMs) : '';
  return `<h2><span>${title}</span><b>${say(values.at(-1) ?? 0)}</b></h2>
<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" preserveAspectRatio="none" role="img" aria-label="${title}"><polyline points="${points.join(' ')}"/></svg>
<div class="range"><span>${since}</span><span>${texts.atMost(say(most))}</span></div>`;
}
