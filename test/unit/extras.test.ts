import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Bytes, totalBytes, utf8 } from '../../peer/bytes.ts';
import type { Clock } from '../../peer/clock.ts';
import { chooseCrypto } from '../../peer/crypto/choose.ts';
import { roomIdOf } from '../../peer/crypto/keys.ts';
import { MAX_EXTRA_BYTES } from '../../peer/extras/extra.ts';
import { type ExtraSource, type LaidOutSegment, withExtras } from '../../peer/host/extra-layout.ts';
import type { PackagedSegment } from '../../peer/host/package.ts';
import { pieceCount } from '../../peer/manifest/geometry.ts';
import { Manifest } from '../../peer/manifest/manifest.ts';
import { type ManifestUpdate, ManifestWriter } from '../../peer/manifest/manifest-writer.ts';
import type { SegmentEntry } from '../../peer/manifest/page.ts';
import { AtHand } from '../../peer/room/at-hand.ts';
import { wantedPieces } from '../../peer/swarm/wanted.ts';
import { VirtualClock } from '../sim/virtual-clock.ts';
import { VirtualRoom } from '../sim/virtual-room.ts';

const crypto = await chooseCrypto();
const SEGMENT_MS = 2_000;

/** A manifest of a film (F) and extras (x), after the init segment. */
async function manifestOf(plan: string): Promise<{ manifest: Manifest; update: ManifestUpdate }> {
  const key = await crypto.generateSigningKey();
  const room = await roomIdOf(crypto, key.publicKey);
  const subject = { room, video: new Uint8Array(16), info: new Uint8Array(50), durationMs: 1_000_000 };
  const writer = new ManifestWriter(crypto, key, subject);
  let startMs = 0;
  for (const kind of `i${plan}`) {
    const durationMs = kind === 'F' ? SEGMENT_MS : 0;
    await writer.append({ startMs, durationMs, sizeBytes: 100, pieceHashes: crypto.randomBytes(32) });
    startMs += durationMs;
  }
  const update = await writer.publish(true);
  const manifest = new Manifest(crypto, room);
  await manifest.adoptHead(update.head);
  return { manifest, update };
}

async function adoptAll({ manifest, update }: Awaited<ReturnType<typeof manifestOf>>): Promise<Manifest> {
  for (const page of update.pages) await manifest.adoptPage(page);
  return manifest;
}

const PLANS = [
  'F',
  'xF',
  'Fx',
  'xxFFxFFxxxFFFFx',
  `x${'F'.repeat(40)}xx${'F'.repeat(90)}${'x'.repeat(70)}`,
  `${'x'.repeat(80)}${'F'.repeat(20)}`,
];

const walking = suite('a manifest with extras');

walking('should show at each moment what a film without them shows', async () => {
  for (const plan of PLANS) {
    const manifest = await adoptAll(await manifestOf(plan));
    const film = [...plan].flatMap((kind, i) => (kind === 'F' ? [i + 1] : []));
    for (const [i, segment] of film.entries())
      for (const atMs of [0, 1, SEGMENT_MS - 1])
        assert.is(manifest.segmentAt(i * SEGMENT_MS + atMs), segment, `${plan} at ${i * SEGMENT_MS + atMs}`);
    assert.is(manifest.segmentAt(film.length * SEGMENT_MS), film.at(-1), `${plan} at its end`);
    const walked: number[] = [];
    const end = plan.length + 1;
    for (let at = manifest.filmFrom(1); at < end; at = manifest.filmFrom(at + 1)) walked.push(at);
    assert.equal(walked, film, plan);
    assert.equal(
      [...manifest.extras],
      [...plan].flatMap((kind, i) => (kind === 'x' ? [i + 1] : [])),
      plan,
    );
  }
});

walking('should tell by its head alone which pages have nothing of the film', async () => {
  for (const plan of PLANS) {
    const made = await manifestOf(plan);
    const pages = made.manifest.head?.pages ?? [];
    const isOnlyExtras = pages.map(({ firstSegment }, i) => {
      const end = pages[i + 1]?.firstSegment ?? plan.length + 1;
      return i > 0 && !`i${plan}`.slice(firstSegment, end).includes('F');
    });
    assert.equal(
      pages.map((page) => made.manifest.extrasPages().includes(page)),
      isOnlyExtras,
      plan,
    );
    for (const [i, { firstSegment }] of pages.entries()) {
      const end = pages[i + 1]?.firstSegment ?? plan.length + 1;
      const kinds = new Set(`i${plan}`.slice(firstSegment, end));
      assert.ok(i === 0 || kinds.size === 1, `page ${i} of ${plan} is mixed`);
    }
  }
});

walking('should be walked over pages of extras that are not here', async () => {
  const { manifest, update } = await manifestOf(`${'F'.repeat(5)}${'x'.repeat(40)}${'F'.repeat(9)}xxx`);
  const unneeded = new Set(manifest.extrasPages());
  for (const page of update.pages) {
    const reference = await manifest.adoptPage(page);
    assert.ok(reference);
  }
  const bare = new Manifest(crypto, manifest.head?.room ?? new Uint8Array());
  await bare.adoptHead(update.head);
  const pages = bare.head?.pages ?? [];
  assert.ok(unneeded.size >= 3);
  for (const [i, page] of pages.entries()) {
    const bytes = update.pages[i];
    const isNeeded = !manifest.extrasPages().some(({ firstSegment }) => firstSegment === page.firstSegment);
    if (isNeeded && bytes) await bare.adoptPage(bytes);
  }
  const wants = wantedPieces({
    manifest: bare,
    playheadMs: 0,
    isHere: () => false,
    heldCount: () => 0,
    windowMs: 60_000,
    windowBytes: 1e9,
    pagesMs: 60_000,
  });
  assert.equal(wants.pages, [], 'no page of extras is asked for');
  assert.equal(
    wants.pieces.map(({ segment }) => segment),
    [0, 1, 2, 3, 4, 5, 46, 47, 48, 49, 50, 51, 52, 53, 54],
  );
  assert.is(new AtHand({ manifest: bare, hasPiece: () => true }, 0).untilMs(), 28_000);
  assert.is(bare.filmFrom(55), 58, 'nothing of the film is left');
  assert.is(bare.segmentAt(28_000), 54);
});

walking.run();

const layout = suite('where a host puts extras');
const never = new AbortController().signal;

async function* film(count: number): AsyncGenerator<PackagedSegment> {
  for (let number = 0; number <= count; number++) {
    const startMs = Math.max(0, number - 1) * SEGMENT_MS;
    yield { number, startMs, durationMs: number === 0 ? 0 : SEGMENT_MS, parts: [new Uint8Array([number])] };
    await new Promise((resolve) => setImmediate(resolve));
  }
}

async function laidOut(
  extras: ExtraSource,
  signed: readonly LaidOutSegment[] = [],
  kept = signed,
  clock: Clock = new VirtualClock(),
) {
  const entries: SegmentEntry[] = signed.map(({ startMs, durationMs, parts }) => {
    return { startMs, durationMs, sizeBytes: totalBytes(parts), pieceHashes: new Uint8Array(32) };
  });
  const signedExtras = new Map(
    kept.flatMap(({ number, extra }) => (extra ? [[number, extra] as const] : [])),
  );
  const all: LaidOutSegment[] = [];
  for await (const segment of withExtras({
    media: film(6),
    extras,
    signed: entries,
    signedExtras,
    clock,
    signal: never,
  }))
    all.push(segment);
  return all;
}

function planOf(segments: readonly LaidOutSegment[]): string {
  segments.forEach((segment, i) => {
    const before = segments[i - 1];
    assert.is(segment.number, i);
    assert.is(segment.startMs, before ? before.startMs + before.durationMs : 0);
  });
  return segments.map(({ extra, number }) => (extra ? 'x' : number === 0 ? 'i' : 'F')).join('');
}

/** So many extras, the first at once, the others each after a turn of the loop; then as `end` says. */
function maker(count: number, end: () => void = () => undefined): ExtraSource {
  return {
    first: [],
    async *make(listed) {
      for (let i = listed.length; i < count; i++) {
        yield utf8(`extra ${i}`);
        await new Promise((resolve) => setImmediate(resolve));
      }
      end();
    },
  };
}

layout('should put the first ones after the init segment, and change nothing without any', async () => {
  assert.is(planOf(await laidOut({ first: [] })), 'iFFFFFF');
  const segments = await laidOut({ first: [utf8('a'), utf8('b')] });
  assert.is(planOf(segments), 'ixxFFFFFF');
  assert.equal(
    segments.slice(1, 3).map(({ extra }) => extra),
    [utf8('a'), utf8('b')],
  );
});

layout('should put others where the film is when they are made, and the rest at its end', async () => {
  const plan = planOf(await laidOut(maker(20)));
  assert.is(plan.replaceAll('x', ''), 'iFFFFFF');
  assert.is(plan.length, 27);
  assert.match(plan, /Fx+F/);
  assert.match(plan, /Fx+$/);
});

layout('should go on without those that fail, or take too long, or are too large', async () => {
  const failing = maker(1, () => {
    throw new Error('no decoder');
  });
  assert.is(planOf(await laidOut(failing)).replaceAll('x', ''), 'iFFFFFF');
  let waitedMs = 0;
  const stuck: ExtraSource = {
    first: [],
    async *make() {
      yield new Uint8Array(MAX_EXTRA_BYTES + 1);
      await new Promise(() => undefined);
    },
  };
  const clock: Clock = {
    nowMs: () => 0,
    wallMs: () => 0,
    after(delayMs, run) {
      waitedMs = delayMs;
      const timer = setImmediate(run);
      return () => clearImmediate(timer);
    },
  };
  assert.is(planOf(await laidOut(stuck, [], [], clock)), 'iFFFFFF');
  assert.is(waitedMs, 60_000);
});

layout('should lay out again what was signed, from what was kept of it, and then go on', async () => {
  const before = await laidOut(maker(4));
  for (let count = 0; count <= before.length; count++) {
    const signed = before.slice(0, count);
    const again = await laidOut(maker(4), signed);
    assert.equal(again.slice(0, count), signed, `${count} were signed`);
    planOf(again);
    const extras = again.flatMap(({ extra }) => extra ?? []);
    assert.equal(
      extras,
      [0, 1, 2, 3].map((i) => utf8(`extra ${i}`)),
      'each is there once',
    );
  }
});

layout('should not make up an extra that was signed and is lost', async () => {
  const before = await laidOut(maker(1));
  const at = before.findIndex(({ extra }) => extra);
  const again = await laidOut({ first: [] }, before, []);
  assert.not(again[at]?.extra, 'what is there in its place is not what was signed: that upload begins anew');
});

layout.run();

const fetching = suite('a viewer of a film with extras');

const FILM = { segmentCount: 20, segmentMs: SEGMENT_MS, segmentBytes: 100_000 };
const [EARLY, LATER, LAST] = [utf8('early'), new Uint8Array(40_000).fill(7), utf8('last')];
const EXTRAS: ReadonlyMap<number, readonly Bytes[]> = new Map([
  [1, [EARLY]],
  [12, [LATER]],
  [21, [LAST, new Uint8Array(MAX_EXTRA_BYTES + 1)]],
]);

fetching('should get each of them once, whole, after what it plays first', async () => {
  const room = await VirtualRoom.open({ ...FILM, extras: EXTRAS });
  const got: Bytes[] = [];
  const viewer = room.viewer({ onExtra: (data) => got.push(data) });
  room.connectOrigin(viewer, 1, { bytesPerSec: 200_000 });
  assert.ok(await room.clock.runUntil(() => room.holds(viewer, 2, 2), 10_000));
  assert.equal(got, [], 'the first picture goes before');
  assert.ok(await room.clock.runUntil(() => got.length === 3, 30_000));
  assert.equal(new Set(got), new Set([EARLY, LATER, LAST]));
  assert.is(viewer.manifest.head?.segmentCount, 25);
  await room.clock.runUntil(() => false, 30_000);
  assert.is(got.length, 3, 'each came once, and not what is too large');
  assert.not(viewer.hasPiece(24, 0));
  viewer.close();
});

fetching('should play to the end without them where nobody asks for them', async () => {
  const room = await VirtualRoom.open({ ...FILM, extras: EXTRAS });
  const viewer = room.viewer();
  room.connectOrigin(viewer, 1);
  const atHand = new AtHand(viewer, 0);
  assert.ok(await room.clock.runUntil(() => atHand.untilMs() === 40_000, 30_000));
  assert.equal(
    [1, 13, 23].map((extra) => viewer.hasPiece(extra, 0)),
    [false, false, false],
  );
  assert.is(pieceCount(viewer.manifest.entry(1)?.sizeBytes ?? 0), 1);
  viewer.close();
});

fetching('should take them from another viewer when the origin is gone', async () => {
  const room = await VirtualRoom.open({ ...FILM, extras: EXTRAS });
  const got: Bytes[][] = [[], []];
  const [a, b] = [0, 1].map((i) => room.viewer({ onExtra: (data) => got[i]?.push(data) }));
  if (!a || !b) return assert.unreachable();
  const line = room.connectOrigin(a, 1);
  assert.ok(await room.clock.runUntil(() => got[0]?.length === 3, 30_000));
  line.vanish();
  room.connectViewers(a, 1, b, 2);
  assert.ok(await room.clock.runUntil(() => got[1]?.length === 3, 30_000));
  a.close();
  b.close();
});

fetching.run();
