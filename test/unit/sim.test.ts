import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { decryptRange } from '../../peer/crypto/content.ts';
import { deriveVideoKeys } from '../../peer/crypto/keys.ts';
import { PIECE_BYTES } from '../../peer/limits.ts';
import { pieceStart } from '../../peer/manifest/geometry.ts';
import { PIECE_HEADER_BYTES } from '../../peer/wire/frame.ts';
import { readCommandLine, scenarioNamed } from '../sim/options.ts';
import type { Plan } from '../sim/plan.ts';
import { type Report, reportOn } from '../sim/report.ts';
import { DEFAULTS, type Options, planFor } from '../sim/scenarios.ts';
import { Simulation } from '../sim/simulation.ts';

/** Small enough for a slow core. */
const SMALL = { viewers: 8, filmS: 14 };

function planOf(scenario: string, options: Partial<Options> = {}): Plan {
  return planFor(scenarioNamed(scenario), { ...DEFAULTS, ...SMALL, ...options });
}

async function simulate(plan: Plan): Promise<{ simulation: Simulation; report: Report }> {
  const simulation = await Simulation.prepare(plan);
  await simulation.run();
  return { simulation, report: reportOn('test', simulation) };
}

/** How many pieces all viewers hold, each compared with the film's own. */
async function countRightPieces({ film, viewers }: Simulation): Promise<number> {
  let count = 0;
  for (const { member, parts } of viewers) {
    const head = member?.viewer.manifest.head;
    if (!member || !head) continue;
    const { contentKey } = await deriveVideoKeys(parts.crypto, film.link.roomSecret, head.video);
    for (let segment = 0; segment < film.segmentCount; segment++) {
      for (let piece = 0; piece < film.pieceCount(segment); piece++) {
        if (!member.viewer.hasPiece(segment, piece)) continue;
        const right = film.frame(segment, piece)?.subarray(PIECE_HEADER_BYTES) ?? new Uint8Array();
        const startByte = pieceStart(member.viewer.manifest.entry(segment)?.sizeBytes ?? 0, piece);
        const plain = await decryptRange(parts.crypto, contentKey, segment, startByte, right);
        assert.equal(await member.viewer.readPiece(segment, piece), plain);
        count += 1;
      }
    }
  }
  return count;
}

const runs = suite('a simulated room');

runs('should give the same figures for the same seed, and others for another', async () => {
  const [first, again, other] = await Promise.all(
    [1, 1, 2].map(async (seed) =>
      JSON.stringify((await simulate(planOf('flash', { seed, viewers: 5, filmS: 12 }))).report),
    ),
  );
  assert.is(first, again);
  assert.is.not(first, other);
});

runs('should let everybody see the whole film, made of the right pieces', async () => {
  const { simulation, report } = await simulate(planOf('flash'));
  assert.is(report.summary.finished, SMALL.viewers);
  for (const { watchedMs, slowedMs } of report.perViewer)
    assert.ok(Math.abs(watchedMs - slowedMs - SMALL.filmS * 1000) < 1);
  const pieces = [...Array(simulation.film.segmentCount).keys()].map((s) => simulation.film.pieceCount(s));
  const perFilm = pieces.reduce((sum, count) => sum + count, 0);
  assert.is(await countRightPieces(simulation), SMALL.viewers * perFilm);
});

runs('should account for every moment: waiting, watching and stalling add up', async () => {
  const { report } = await simulate(planOf('single', { viewers: 1, originX: 0.6 }));
  const [viewer] = report.perViewer;
  assert.ok(viewer && viewer.stallCount > 0, 'the uplink is too small for the film');
  const wholeMs = (viewer.startUpMs ?? 0) + viewer.watchedMs + viewer.stallMs;
  assert.ok(Math.abs(wholeMs - viewer.presentMs) < 1, `${wholeMs} of ${viewer.presentMs}`);
  assert.ok(viewer.presentMs > (SMALL.filmS * 1000) / 0.6 - 2_000, 'no faster than the uplink');
  assert.ok(viewer.slowedMs > 0, 'before it stands still it plays slower');
});

runs('should keep uploads within what each person allows', async () => {
  const plan = planOf('flash', { originX: 8 });
  plan.viewers.forEach((viewer, i) => {
    viewer.uploadLimit = i % 2 === 0 ? 0 : 60_000;
  });
  const { report } = await simulate(plan);
  assert.is(report.summary.finished, SMALL.viewers);
  for (const { index, sentBytes, presentMs } of report.perViewer) {
    const mostBytes = index % 2 === 0 ? 0 : (60_000 * (presentMs + 250)) / 1000 + PIECE_BYTES;
    assert.ok(sentBytes <= mostBytes, `viewer ${index} sent ${sentBytes} of ${mostBytes}`);
  }
  assert.ok(report.perViewer.some(({ sentBytes }) => sentBytes > 0));
});

runs('should never connect more viewers to the origin than it takes', async () => {
  const { report } = await simulate(planOf('flash', { originLinks: 3, originX: 4 }));
  assert.is(report.summary.peakOriginLinks, 3);
  assert.is(report.summary.finished, SMALL.viewers);
});

runs('should cost the origin little more than one film where few of a crowd know it', async () => {
  const options = { viewers: 30, originLinks: 3, filmS: 16, bitrateMbit: 4 };
  const { report } = await simulate(planOf('crowd', options));
  assert.is(report.summary.finished, options.viewers);
  assert.ok(report.summary.copies < 1.3, `${report.summary.copies} copies`);
});

runs('should drop liars after one wrong piece each, and never hold one of theirs', async () => {
  const { simulation, report } = await simulate(planOf('liars', { viewers: 10, originX: 4 }));
  const { rejectedPieces, mostRejectedFromOne, bans, finished, expected } = report.summary;
  assert.ok(rejectedPieces > 0, 'they lied');
  assert.is(mostRejectedFromOne, 1);
  assert.ok(bans > 0);
  assert.is(finished, expected);
  assert.ok((await countRightPieces(simulation)) > 0);
});

runs('should go on for the others when some vanish without a goodbye', async () => {
  const { report } = await simulate(planOf('depart'));
  const { finished, expected } = report.summary;
  assert.is(expected, 5);
  assert.is(finished, expected);
});

runs('should end a run at its time where members come and go, and leave no timer behind', async () => {
  const plan = planOf('churn', { viewers: 4, filmS: 60 });
  const late = plan.viewers.filter(({ joinMs }) => joinMs < 30_000);
  const { simulation, report } = await simulate({ ...plan, viewers: late, endMs: 30_000 });
  assert.is(report.summary.virtualS, 30);
  for (const { index, startUpMs, watchedMs, stallMs, presentMs } of report.perViewer) {
    const sumMs = (startUpMs ?? 0) + watchedMs + stallMs;
    assert.ok(sumMs < presentMs + 1, `viewer ${index}: nothing is counted once it has gone`);
  }
  assert.ok(report.perViewer.some(({ isGone }) => isGone));
  simulation.close();
  await simulation.clock.run(120_000);
  assert.is(simulation.clock.pendingTimers, 0);
});

runs('should count the wait after a seek as a stall', async () => {
  const plan = planOf('seek', { viewers: 2, filmS: 200 });
  const { report } = await simulate({ ...plan, endMs: 40_000 });
  for (const { stallCount, stallMs } of report.perViewer) assert.ok(stallCount >= 1 && stallMs > 0);
});

runs('should have a room that jumps to what nobody has go on within seconds, as after joining', async () => {
  const { report } = await simulate(planOf('seek', { viewers: 6, filmS: 90 }));
  const { longestStallMs, finished } = report.summary;
  assert.is(finished, 6);
  // Virtual time: no machine is too busy. Where the origin went on by what was needed at the old place it was 4.6 s and more.
  assert.ok(longestStallMs < 3_500, `somebody waited for ${longestStallMs} ms`);
});

runs.run();

const commandLine = suite('the command line of the simulator');

commandLine('should read what is asked for', () => {
  const { scenarios, options } = readCommandLine(['--scenario', 'tight', '--viewers', '7', '--rtt', '40']);
  assert.equal(
    scenarios.map(({ name }) => name),
    ['tight'],
  );
  assert.equal([options.viewers, options.minRoundTripMs, options.maxRoundTripMs], [7, 40, 40]);
  assert.ok(readCommandLine(['--all']).scenarios.length > 5);
});

commandLine('should say what is wrong', () => {
  assert.throws(() => readCommandLine(['--scenario', 'nonsense']), /There are: single, flash/);
  assert.throws(() => readCommandLine(['--viewers', 'many']), /takes a number/);
});

commandLine('should make tight rooms as tight as they are called', () => {
  const plan = planOf('tight', { viewers: 50 });
  const upBytesPerSec = plan.viewers.reduce((sum, viewer) => sum + viewer.upBytesPerSec, 0);
  const share = (plan.originUpBytesPerSec + upBytesPerSec) / 50 / plan.film.bytesPerSec;
  assert.ok(Math.abs(share - 1.05) < 1e-9, String(share));
});

commandLine.run();
