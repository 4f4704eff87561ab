import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { chooseCrypto } from '../../peer/crypto/choose.ts';
import { roomIdOf } from '../../peer/crypto/keys.ts';
import { PIECE_BYTES } from '../../peer/limits.ts';
import { pieceCount } from '../../peer/manifest/geometry.ts';
import { Manifest } from '../../peer/manifest/manifest.ts';
import { ManifestWriter } from '../../peer/manifest/manifest-writer.ts';
import { type Others, PlainFetching } from '../../peer/swarm/plain-fetching.ts';
import type { Wanted } from '../../peer/swarm/wanted.ts';
import { VirtualClock } from '../sim/virtual-clock.ts';

const SEGMENT_MS = 2_000;
const SEGMENT_PIECES = 40;
const SEGMENT_BYTES = SEGMENT_PIECES * PIECE_BYTES;
const KIB = 1024;

const crypto = await chooseCrypto();

/** The manifest of a film of 15 segments of 640 KiB, after an init segment of one piece. */
async function madeManifest(): Promise<Manifest> {
  const key = await crypto.generateSigningKey();
  const room = await roomIdOf(crypto, key.publicKey);
  const subject = { room, video: new Uint8Array(16), info: new Uint8Array(50), durationMs: 30_000 };
  const writer = new ManifestWriter(crypto, key, subject);
  const append = (startMs: number, durationMs: number, sizeBytes: number) =>
    writer.append({
      startMs,
      durationMs,
      sizeBytes,
      pieceHashes: crypto.randomBytes(32 * pieceCount(sizeBytes)),
    });
  await append(0, 0, 1_000);
  for (let segment = 1; segment <= 15; segment++)
    await append((segment - 1) * SEGMENT_MS, SEGMENT_MS, SEGMENT_BYTES);
  const update = await writer.publish(true);
  const manifest = new Manifest(crypto, room);
  await manifest.adoptHead(update.head);
  for (const page of update.pages) await manifest.adoptPage(page);
  return manifest;
}

/** Plain fetching at a server that takes 100 ms for each answer, or refuses it; asked to run every 100 ms. */
class Fetching {
  readonly clock = new VirtualClock();
  /** When what was asked for: segment, and how many bytes. */
  readonly asked: { atMs: number; segment: number; bytes: number }[] = [];
  readonly here = new Set<string>();
  isRefusing = false;
  atOnce = 0;
  mostAtOnce = 0;
  readonly #fetching: PlainFetching;

  static async start(others: Others): Promise<Fetching> {
    return new Fetching(await madeManifest(), others);
  }

  private constructor(manifest: Manifest, others: Others) {
    this.#fetching = new PlainFetching({
      clock: this.clock,
      manifest,
      fetcher: {
        fetch: async (_video, segment, first, last) => {
          this.asked.push({ atMs: this.clock.nowMs(), segment, bytes: last - first + 1 });
          this.atOnce += 1;
          this.mostAtOnce = Math.max(this.mostAtOnce, this.atOnce);
          await new Promise<void>((resolve) => this.clock.after(100, resolve));
          this.atOnce -= 1;
          if (this.isRefusing) throw new Error('busy');
          return new Uint8Array(last - first + 1);
        },
      },
      onPiece: async (segment, piece) => this.here.add(`${segment} ${piece}`) !== undefined,
      onSettled: () => undefined,
    });
    const look = (): void => {
      this.#fetching.run(this.#wanted(), others);
      this.clock.after(100, look);
    };
    this.clock.after(100, look);
  }

  heard(): void {
    this.#fetching.heard();
  }

  /** All that is missing, while the film stands at its start. */
  #wanted(): Wanted[] {
    const all = Array.from({ length: 15 * SEGMENT_PIECES }, (_, n) => {
      const segment = 1 + Math.floor(n / SEGMENT_PIECES);
      return { segment, piece: n % SEGMENT_PIECES, inMs: (n / SEGMENT_PIECES) * SEGMENT_MS };
    });
    return all.filter(({ segment, piece }) => !this.here.has(`${segment} ${piece}`));
  }
}

const alone = suite('plain HTTP, alone');

alone('should bring the next 20 s and no more, two large requests at once', async () => {
  const fetching = await Fetching.start('nobody');
  await fetching.clock.run(10_000);
  assert.is(fetching.here.size, 10 * SEGMENT_PIECES);
  assert.is(fetching.mostAtOnce, 2);
  assert.is(Math.max(...fetching.asked.map(({ bytes }) => bytes)), 512 * KIB);
  assert.ok(fetching.asked.every(({ segment }) => segment <= 10));
});

alone('should ask a server that refuses ever more seldom, and go on as soon as it answers', async () => {
  const fetching = await Fetching.start('nobody');
  fetching.isRefusing = true;
  await fetching.clock.run(20_000);
  const count = fetching.asked.length;
  assert.ok(count >= 6 && count <= 20, `asked ${count} times in 20 s`);
  assert.is(fetching.here.size, 0);
  fetching.isRefusing = false;
  await fetching.clock.run(15_000);
  assert.is(fetching.here.size, 10 * SEGMENT_PIECES);
});

alone.run();

const beside = suite('plain HTTP, beside data channels');

beside('should bring only what is near and has been missing for long, little of it at once', async () => {
  const fetching = await Fetching.start('origin');
  await fetching.clock.run(3_000);
  assert.equal(fetching.asked, [], 'it may still come');
  await fetching.clock.run(10_000);
  assert.is(fetching.here.size, 2 * SEGMENT_PIECES, 'what is needed within 4 s');
  assert.is(fetching.mostAtOnce, 1);
  assert.is(Math.max(...fetching.asked.map(({ bytes }) => bytes)), 64 * KIB);
});

beside('should bring nothing in a crowd while anything comes from it', async () => {
  const fetching = await Fetching.start('viewers');
  for (let i = 0; i < 20; i++) {
    await fetching.clock.run(1_000);
    fetching.heard();
  }
  assert.equal(fetching.asked, []);
  const silentSinceMs = fetching.clock.nowMs();
  await fetching.clock.run(15_000);
  assert.ok((fetching.asked[0]?.atMs ?? 0) >= silentSinceMs + 4_000, 'after 4 s of silence');
  assert.is(fetching.here.size, 2 * SEGMENT_PIECES);
});

beside.run();
