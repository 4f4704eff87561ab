import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { areEqual } from '../../peer/bytes.ts';
import { Giveaway, type GiveawayListener } from '../../peer/host/giveaway.ts';
import { hostVideo } from '../../peer/host/host-video.ts';
import { pieceCount } from '../../peer/manifest/geometry.ts';
import { Manifest } from '../../peer/manifest/manifest.ts';
import { pieceHash } from '../../peer/manifest/page.ts';
import { crypto, FixedVideo, gate, hosting, present, sizes, TestServer } from './host-rig.ts';

/** What a page at the other end of the port would know. */
class Told implements GiveawayListener {
  readonly offered = new Set<number>();
  manifest: Manifest | null = null;
  begunCount = 0;
  #turn: Promise<void> = Promise.resolve();

  begun({ roomId }: Parameters<GiveawayListener['begun']>[0]): void {
    this.begunCount += 1;
    this.manifest = new Manifest(crypto, roomId);
    this.offered.clear();
  }

  published({ head, pages }: Parameters<GiveawayListener['published']>[0]): void {
    const { manifest } = this;
    this.#turn = this.#turn.then(async () => {
      await manifest?.adoptHead(head);
      for (const page of pages) await manifest?.adoptPage(page);
    });
  }

  listed(segments: number[]): void {
    for (const segment of segments) this.offered.add(segment);
  }

  stored(segment: number): void {
    this.offered.delete(segment);
  }

  async read(): Promise<void> {
    await this.#turn;
  }
}

const giveaway = suite<{ server: TestServer }>('what can be given away');

giveaway.before.each(async (context) => {
  context.server = await new TestServer().start();
});

giveaway.after.each(async ({ server }) => server.stop());

/** Hosts while the server takes no segment from `heldFrom` on; resolves once all uploaders stand there. */
async function held(server: TestServer, heldFrom: number, given: Giveaway, video: FixedVideo) {
  const [full, rest] = [gate(), gate()];
  let waitingCount = 0;
  server.disturb = async ({ segment }) => {
    if ((segment ?? -1) < heldFrom) return null;
    if (++waitingCount === 3) full.open();
    await rest.opened;
    return null;
  };
  const hosted = hostVideo(hosting(video, server.address, { giveaway: given }).options);
  await full.opened;
  return { hosted, release: () => rest.open() };
}

giveaway('should be what the server’s manifest lists and the server has not stored', async ({ server }) => {
  const [given, early] = [new Giveaway(crypto), new Told()];
  given.listen(early);
  const video = new FixedVideo(sizes(12, 150_000));
  const { hosted, release } = await held(server, 4, given, video);
  await early.read();
  const { manifest, segments } = server.room;
  assert.ok(early.offered.has(4));
  for (const number of early.offered) {
    assert.not(segments.has(number), `segment ${number} is stored`);
    const entry = present(manifest.entry(number));
    assert.equal(early.manifest?.entry(number), entry);
    for (let piece = 0; piece < pieceCount(entry.sizeBytes); piece++) {
      const data = present(given.read(number, piece));
      assert.ok(areEqual(await crypto.sha256(data), pieceHash(entry, piece)), `piece ${piece} of ${number}`);
    }
    assert.is(given.read(number, pieceCount(entry.sizeBytes)), null);
  }
  assert.is(given.read(0, 0), null, 'what is stored is had from the server');
  release();
  await hosted;
  assert.equal([...early.offered], []);
  assert.is(given.read(4, 0), null);
});

giveaway(
  'should be told whole to who asks later, and then nothing to who asked before',
  async ({ server }) => {
    const [given, early, late] = [new Giveaway(crypto), new Told(), new Told()];
    given.listen(early);
    const { hosted, release } = await held(server, 8, given, new FixedVideo(sizes(20, 60_000)));
    const offered = [...early.offered];
    given.listen(late);
    await late.read();
    assert.equal([...late.offered], offered);
    for (const number of offered)
      assert.equal(late.manifest?.entry(number), present(server.room.manifest.entry(number)));
    given.unlisten(early);
    release();
    await hosted;
    assert.equal([...late.offered], []);
    assert.equal([...early.offered], offered);
  },
);

giveaway.run();
