import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MatineeError } from '../../peer/errors.ts';
import { hostVideo } from '../../peer/host/host-video.ts';
import { backoffMs, shouldGiveUp } from '../../peer/host/retry.ts';
import {
  type Disturbance,
  deafAddress,
  hosting,
  quickClock,
  RandomVideo,
  refuse,
  rejection,
  type SeenRequest,
  sizes,
  TestServer,
} from './host-rig.ts';

type Context = { server: TestServer };

const retrying = suite<Context>('hosting over a line that fails');

retrying.before.each(async (context) => {
  context.server = await new TestServer().start();
});

retrying.after.each(async ({ server }) => server.stop());

/** Does something to the first request of each kind and segment number; the repeated one is served. */
function firstTime(disturbance: Disturbance): (request: SeenRequest) => Disturbance | null {
  const known = new Set<string>();
  return ({ kind, segment }) => {
    const name = `${kind} ${segment}`;
    if (known.has(name)) return null;
    known.add(name);
    return disturbance;
  };
}

const PASSING: [string, Disturbance][] = [
  ['answers 503', refuse(503, 'INTERNAL')],
  ['answers 500 without a word', { status: 500, text: '' }],
  ['answers 429', refuse(429, 'REQUEST_MALFORMED')],
  ['cuts requests half-way', 'cut the request'],
  ['does its work but cuts its answers', 'cut the answer'],
];

for (const [what, disturbance] of PASSING) {
  retrying(`should finish where the server ${what}`, async ({ server }) => {
    server.disturb = firstTime(disturbance);
    const { options, told } = hosting(new RandomVideo(sizes(12)), server.address);
    await hostVideo(options);
    assert.is(server.room.segments.size, 12);
    assert.is(server.room.manifest.head?.isDone, true);
    assert.ok(server.count('segment') >= 24);
    const trouble = told.progress.find(({ problem }) => problem !== null);
    assert.match(trouble?.problem ?? '', /Trying again in \d+ s\.$/);
    assert.ok((trouble?.retryInMs ?? 0) >= 500);
    const waitsMs = told.progress.map(({ retryInMs }) => retryInMs ?? 0);
    assert.ok(Math.max(...waitsMs) <= 4000, 'each success makes waits short again');
    assert.is(told.progress.at(-1)?.problem, null);
  });
}

retrying('should try again where no answer comes in time', async ({ server }) => {
  server.disturb = ({ kind, segment }) =>
    segment === 2 && server.seen.filter((seen) => seen.segment === 2).length === 1 && kind === 'segment'
      ? 'stay silent'
      : null;
  const clock = quickClock();
  const hasty = {
    ...clock,
    // A segment's time-out is between the ticks of a countdown and the first request's five seconds.
    after: (delayMs: number, run: () => void) => clock.after(delayMs > 30_000 ? 2000 : delayMs, run),
  };
  const { options, told } = hosting(new RandomVideo(sizes(8)), server.address, { clock: hasty });
  await hostVideo(options);
  assert.is(server.room.segments.size, 8);
  assert.is(server.seen.filter((seen) => seen.segment === 2).length, 2);
  assert.ok(told.progress.some(({ problem }) => problem?.startsWith('The server does not answer. Trying')));
});

retrying('should finish after the server crashed and came back', async ({ server }) => {
  let crashed: Promise<void> | null = null;
  let hasRestarted = false;
  server.disturb = async ({ segment }) => {
    if (segment !== 8 || crashed) return null;
    crashed = server.stop();
    await crashed;
    return null;
  };
  const video = new RandomVideo(sizes(20));
  const { options, told } = hosting(video, server.address, {
    onProgress(progress) {
      told.progress.push(progress);
      if (progress.problem === null || !crashed || hasRestarted) return;
      hasRestarted = true;
      crashed.then(() => server.start()).catch(assert.unreachable);
    },
  });
  await hostVideo(options);
  assert.ok(hasRestarted);
  assert.is(server.room.segments.size, 20);
  assert.is(told.rooms.length, 1);
  assert.is(told.progress.at(-1)?.uploadedBytes, 800 + 19 * 100_000);
});

retrying('should give up when the server stays away for ten minutes', async ({ server }) => {
  server.disturb = async ({ segment }) => {
    if (segment === 8) await server.stop();
    return null;
  };
  const clock = quickClock();
  const { options, told } = hosting(new RandomVideo(sizes(20)), server.address, { clock });
  const startedMs = clock.nowMs();
  const error = await rejection(hostVideo(options));
  assert.is(error instanceof MatineeError && error.code, 'SERVER_UNREACHABLE');
  assert.match(String(error), `The server at ${server.address} does not answer.`);
  assert.ok(clock.nowMs() - startedMs >= 10 * 60 * 1000);
  const delaysMs = told.progress.map(({ retryInMs }) => retryInMs ?? 0);
  assert.ok(Math.max(...delaysMs) > 10_000, 'backs off');
});

retrying.run();

function countingFetch(): { counted: typeof fetch; counts: { tries: number } } {
  const counts = { tries: 0 };
  const counted: typeof fetch = (...request) => {
    counts.tries += 1;
    return fetch(...request);
  };
  return { counted, counts };
}

const firstContact = suite('hosting at a server that is not there');

firstContact('should say so after three tries', async () => {
  const server = await deafAddress();
  const { counted, counts } = countingFetch();
  const video = new RandomVideo(sizes(20));
  const { options, told } = hosting(video, server, { fetch: counted });
  const error = await rejection(hostVideo(options));
  assert.is(error instanceof MatineeError && error.code, 'SERVER_UNREACHABLE');
  assert.match(
    String(error),
    `The server at ${server} does not answer. Check that it runs and that you are online, then try again.`,
  );
  assert.is(counts.tries, 3, 'and no take-down, for which there is nobody either');
  assert.is(told.rooms.length, 0);
  assert.ok(video.hasStopped);
});

firstContact('should say so when it takes the connection and stays silent', async () => {
  const server = await new TestServer().start();
  try {
    server.disturb = () => 'stay silent';
    const { counted, counts } = countingFetch();
    const { options } = hosting(new RandomVideo(sizes(3)), server.address, {
      clock: quickClock(5000),
      fetch: counted,
    });
    const error = await rejection(hostVideo(options));
    assert.is(error instanceof MatineeError && error.code, 'SERVER_UNREACHABLE');
    assert.is(counts.tries, 1);
  } finally {
    await server.stop();
  }
});

for (const address of ['localhost:8080', 'nonsense', 'ftp://example.org', '']) {
  firstContact(`should say that “${address}” is no address`, async () => {
    const error = await rejection(hostVideo(hosting(new RandomVideo(sizes(3)), address).options));
    assert.is(error instanceof MatineeError && error.code, 'REQUEST_MALFORMED');
  });
}

firstContact.run();

const refused = suite<Context>('hosting at a server that refuses');

refused.before.each(async (context) => {
  context.server = await new TestServer().start();
});

refused.after.each(async ({ server }) => server.stop());

const REFUSALS: [SeenRequest['kind'], number, string][] = [
  ['room', 409, 'ROOM_TAKEN'],
  ['manifest', 409, 'MANIFEST_STALE'],
  ['segment', 413, 'BODY_TOO_LARGE'],
  ['segment', 409, 'SEGMENT_MISMATCH'],
  ['segment', 507, 'STORE_FULL'],
];

for (const [kind, status, code] of REFUSALS) {
  refused(`should stop at once on ${code}, in the server's words`, async ({ server }) => {
    let refusedCount = 0;
    server.disturb = (request) => {
      if (request.kind !== kind || (request.segment ?? 4) < 4) return null;
      refusedCount += 1;
      return refuse(status, code);
    };
    const { options, told } = hosting(new RandomVideo(sizes(20)), server.address);
    const error = await rejection(hostVideo(options));
    assert.is(error instanceof MatineeError && error.code, code);
    assert.match(String(error), `The server says ${code}.`);
    assert.ok(refusedCount <= 3, 'nothing is repeated');
    assert.ok(told.progress.every(({ problem }) => problem === null));
    assert.is(server.rooms.size, 0, 'no half room is left');
  });
}

refused('should say that another kind of server is none of ours', async ({ server }) => {
  server.disturb = () => ({ status: 404, text: '<h1>Not Found</h1>' });
  const error = await rejection(hostVideo(hosting(new RandomVideo(sizes(3)), server.address).options));
  assert.is(error instanceof MatineeError && error.code, 'UPLOAD_REFUSED');
  assert.match(String(error), /status 404.*address of a Matinee server/);
});

refused('should not take a code it does not know', async ({ server }) => {
  server.disturb = () => refuse(400, 'MADE_UP');
  const error = await rejection(hostVideo(hosting(new RandomVideo(sizes(3)), server.address).options));
  assert.is(error instanceof MatineeError && error.code, 'UPLOAD_REFUSED');
  assert.match(String(error), 'The server says MADE_UP.');
});

refused.run();

const decision = suite('the decision to try again');

decision('should wait between 0.5 and 15 seconds', () => {
  for (let tries = 1; tries < 3000; tries++) {
    for (const random of [0, 0.3, 1]) {
      const delayMs = backoffMs(tries, () => random);
      assert.ok(delayMs >= 500 && delayMs <= 15_000, `${delayMs} ms after ${tries} tries`);
    }
  }
});

decision('should wait longer each time, up to the most', () => {
  const delaysMs = [1, 2, 3, 4, 5, 6, 7].map((tries) => backoffMs(tries, () => 0));
  assert.equal(delaysMs, [1000, 2000, 4000, 8000, 15000, 15000, 15000]);
});

decision('should not hold hours of sleep against the server', () => {
  assert.not(shouldGiveUp({ hasAnswered: true, tries: 2, lastedMs: 8 * 3600 * 1000 }));
  assert.ok(shouldGiveUp({ hasAnswered: true, tries: 8, lastedMs: 8 * 3600 * 1000 }));
  assert.not(shouldGiveUp({ hasAnswered: true, tries: 500, lastedMs: 9 * 60 * 1000 }));
});

decision.run();
