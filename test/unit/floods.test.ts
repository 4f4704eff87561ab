import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { encodeCbor } from '../../peer/cbor.ts';
import { MAX_PAGE_PIECES, MAX_PAGE_SEGMENTS, MAX_PAGES, MAX_WAITING_BYTES } from '../../peer/limits.ts';
import { pieceBytes } from '../../peer/manifest/geometry.ts';
import type { OriginRoom } from '../../peer/room/origin-room.ts';
import type { Viewer } from '../../peer/room/viewer.ts';
import { encodeFrame } from '../../peer/wire/frame.ts';
import { MESSAGES, type Message, WIRE_VERSION } from '../../peer/wire/messages.ts';
import { VirtualRoom } from '../sim/virtual-room.ts';
import { BarePeer, madeUpId } from '../tools/bare-peer.ts';
import { usedBytes } from '../tools/heap.ts';
import { once } from '../tools/once.ts';

const FILM = { segmentCount: 10, segmentMs: 2_000, segmentBytes: 60_000 };
const MAX_SEGMENTS = MAX_PAGES * MAX_PAGE_SEGMENTS;

/** What one peer can make another hold at most, whatever it sends: what waits to be sent back to it, and some more. */
const MAX_HELD_BYTES = MAX_WAITING_BYTES + 8 * 1024 * 1024;

interface Bench {
  room: VirtualRoom;
  target: Viewer | OriginRoom;
  /** Opens a link that floods; `onMessage` sees what comes back. */
  flooder(onMessage?: (message: Message) => void): BarePeer;
}

/** Puts a viewer, then an origin, under the flood; after each the film still reaches somebody who comes then. */
function underFlood(body: (bench: Bench) => Promise<void>): () => Promise<void> {
  return async () => {
    for (const kind of ['viewer', 'origin'] as const) await atTarget(kind, body);
  };
}

/** One room for all floods: what is left of one is there when the next comes. */
const openRoom = once(() => VirtualRoom.open(FILM));
let viewerCount = 0;
let peerCount = 0;

interface Seat {
  viewer: Viewer;
  /** Its number in the room. */
  index: number;
}

/** A viewer in that room, connected to its origin. */
function join(room: VirtualRoom, codes: Map<string, string> = new Map()): Seat {
  viewerCount += 1;
  const viewer = room.viewer({ onLinkClosed: ({ id }, code) => codes.set(id, code) });
  room.connectOrigin(viewer, viewerCount);
  return { viewer, index: viewerCount };
}

function peerAt(
  room: VirtualRoom,
  target: Viewer | OriginRoom,
  onMessage: (message: Message) => void = () => undefined,
): BarePeer {
  peerCount += 1;
  return new BarePeer({ room, target, id: madeUpId(peerCount), onMessage });
}

async function atTarget(kind: 'viewer' | 'origin', body: (bench: Bench) => Promise<void>): Promise<void> {
  const room = await openRoom();
  const seat = join(room);
  await room.clock.run(3_000);
  const target = kind === 'viewer' ? seat.viewer : room.origin;
  await body({ room, target, flooder: (onMessage) => peerAt(room, target, onMessage) });
  await isStillServed(room, seat);
  seat.viewer.close();
}

/** Somebody new gets the film from both, and is heard. */
async function isStillServed(room: VirtualRoom, { viewer, index }: Seat): Promise<void> {
  const newcomer = join(room);
  room.connectViewers(viewer, index, newcomer.viewer, newcomer.index);
  const hasFilm = (): boolean => room.holds(newcomer.viewer, 0, FILM.segmentCount);
  assert.ok(await room.clock.runUntil(hasFilm, 40_000), 'the film');
  const text = `I am number ${newcomer.index}`;
  await newcomer.viewer.say(text);
  const isHeard = (): boolean => viewer.lines.some((line) => line.text === text);
  assert.ok(await room.clock.runUntil(isHeard, 1_000), 'the line');
  newcomer.viewer.close();
}

/** How much more is in use after `flood`, with the flooder still connected where it was not dropped. */
async function growth(flood: () => Promise<void>): Promise<number> {
  const beforeBytes = await usedBytes();
  await flood();
  return (await usedBytes()) - beforeBytes;
}

const floods = suite('a flood from one member');

floods(
  'of news should be remembered in little, though it tells of every piece of every segment',
  underFlood(async ({ room, flooder }) => {
    const peer = flooder();
    const bits = new Uint8Array(MAX_PAGE_PIECES / 8).fill(255);
    const grown = await growth(async () => {
      for (let first = 0; first < MAX_SEGMENTS; first += 400) {
        const parts = Array.from({ length: 400 }, (_, i): [number, Uint8Array<ArrayBuffer>] => [
          Math.min(MAX_SEGMENTS, first + i),
          bits,
        ]);
        peer.strike(encodeFrame('have', { whole: [], parts }));
      }
      await room.clock.run(1_000);
    });
    assert.ok(grown < MAX_HELD_BYTES, `${grown} bytes`);
    peer.strike(encodeFrame('have', { whole: [[0, MAX_SEGMENTS]], parts: [] }));
    for (let i = 0; i < 5_000; i++) peer.strike(encodeFrame('drop', { runs: [[0, MAX_SEGMENTS]] }));
    await room.clock.run(1_000);
    peer.close();
  }),
);

floods('of runs that tell the same again and again should be refused at once', async () => {
  const room = await openRoom();
  const { viewer } = join(room);
  const runs = Array.from({ length: 1000 }, (): [number, number] => [0, MAX_SEGMENTS]);
  for (const frame of [encodeFrame('have', { whole: runs, parts: [] }), encodeFrame('drop', { runs })]) {
    const peer = peerAt(room, viewer);
    await room.clock.run(100);
    peer.strike(frame);
    await room.clock.run(100);
    assert.is(peer.goodbye, 'FRAME_MALFORMED');
  }
  viewer.close();
});

floods(
  'of requests should wait in a bounded queue, and not keep the others from their turn',
  underFlood(async ({ room, flooder }) => {
    let refusedCount = 0;
    const peer = flooder(({ name, body }) => {
      if (name === 'noPiece') refusedCount += body.pieces.length;
    });
    await room.clock.run(100);
    const grown = await growth(async () => {
      const pieces = Array.from({ length: 64 }, (_, i) => i % 12);
      for (let i = 0; i < 5_000; i++)
        peer.strike(encodeFrame('request', { segment: 1 + (i % 10), pieces, inMs: 0, others: 0 }));
      for (let i = 0; i < 5_000; i++)
        peer.strike(encodeFrame('request', { segment: 30_000, pieces, inMs: 0, others: 0 }));
      await room.clock.run(2_000);
    });
    assert.ok(refusedCount >= 5_000 * 64);
    assert.ok(grown < MAX_HELD_BYTES, `${grown} bytes`);
    // It never says what it got: it must not hold up those who do, and it stays connected.
  }),
);

for (const [what, frame] of [
  ['greetings', (): ReturnType<typeof encodeFrame> => greeting],
  ['pings', () => encodeFrame('ping', { n: 1 })],
  ['chokes', () => encodeFrame('choke', {})],
  ['comparisons of chat lines', () => encodeFrame('chatKnown', { ids: [] })],
  ['comparisons of reactions', () => encodeFrame('reactionKnown', { ids: [] })],
  ['requests for pages', () => encodeFrame('getPage', { hash: new Uint8Array(32) })],
  ['questions for the time', () => encodeFrame('askTime', { n: 1 })],
] as const) {
  floods(
    `of ${what} should end the link`,
    underFlood(async ({ room, flooder }) => {
      const peer = flooder();
      await room.clock.run(100);
      const grown = await growth(async () => {
        for (let i = 0; i < 2_000 && peer.goodbye === null; i++) {
          peer.strike(frame());
          if (i % 100 === 99) await room.clock.run(10);
        }
        await room.clock.run(1_000);
      });
      assert.is(peer.goodbye, 'PEER_FLOODING');
      assert.ok(grown < MAX_HELD_BYTES, `${grown} bytes`);
    }),
  );
}

const greeting = encodeFrame('hello', { v: WIRE_VERSION, role: 'member', card: null });

floods(
  'of requests for a page that is there should bring it a bounded number of times',
  underFlood(async ({ room, flooder }) => {
    let pageCount = 0;
    const peer = flooder(({ name }) => {
      if (name === 'page') pageCount += 1;
    });
    const hash = room.origin.manifest.head?.pages[0]?.hash ?? new Uint8Array();
    for (let i = 0; i < 10_000; i++) peer.strike(encodeFrame('getPage', { hash }));
    await room.clock.run(1_000);
    assert.ok(pageCount <= 130, `${pageCount} pages`);
    assert.is(peer.goodbye, 'PEER_FLOODING');
  }),
);

for (const [what, name, sizeBytes] of [
  ['chat lines should end the link after two histories at once', 'chat', 9_000],
  ['reactions should end the link after two histories at once', 'reaction', 1_000],
  ['words in passing should end the link, and be kept by nobody', 'passing', 1_000],
] as const) {
  floods(
    `of ${what}`,
    underFlood(async ({ room, flooder }) => {
      const peer = flooder();
      await room.clock.run(100);
      const grown = await growth(async () => {
        for (let i = 0; i < 3_000; i++) {
          const sealed = new Uint8Array(sizeBytes);
          new DataView(sealed.buffer).setUint32(0, i);
          peer.strike(encodeFrame(name, { sealed }));
        }
        await room.clock.run(1_000);
      });
      // A member opens them, and sees with the first that it is none; the origin cannot, and counts.
      assert.ok(['PEER_FLOODING', 'SEAL_BROKEN'].includes(peer.goodbye ?? ''), String(peer.goodbye));
      assert.ok(grown < MAX_HELD_BYTES, `${grown} bytes`);
    }),
  );
}

floods(
  'of manifests and rules should leave one of each waiting, and be dropped at the first that is wrong',
  underFlood(async ({ room, target, flooder }) => {
    const envelope = encodeCbor([new Uint8Array(60_000), new Uint8Array(64)]);
    for (const name of ['head', 'rules'] as const) {
      const peer = flooder();
      await room.clock.run(100);
      const grown = await growth(async () => {
        // All in one moment: nothing is checked in between.
        for (let i = 0; i < 3_000; i++) {
          envelope[20] = i & 255;
          peer.strike(encodeFrame(name, { envelope }));
        }
      });
      assert.ok(grown < MAX_HELD_BYTES, `${grown} bytes for ${name}`);
      await room.clock.run(1_000);
      // The origin takes neither from members.
      const reasons =
        target === room.origin ? [null, 'PEER_FLOODING'] : ['PEER_FLOODING', 'MANIFEST_MALFORMED'];
      assert.ok(reasons.includes(peer.goodbye), `${name}: ${peer.goodbye}`);
      peer.close();
    }
  }),
);

floods('of pieces nobody asked for should end the link, right ones and wrong ones alike', async () => {
  const room = await openRoom();
  const codes = new Map<string, string>();
  const { viewer } = join(room, codes);
  assert.ok(await room.clock.runUntil(() => room.holds(viewer, 0, FILM.segmentCount), 20_000));
  const whole = room.segments[1] ?? new Uint8Array();
  const right = whole.subarray(0, pieceBytes(whole.byteLength, 0));
  const [again, unknown, wrong] = [1, 2, 3].map(() => peerAt(room, viewer));
  await room.clock.run(100);
  const { sha256 } = room.crypto;
  let hashCount = 0;
  room.crypto.sha256 = (data) => {
    hashCount += 1;
    return sha256(data);
  };
  for (let i = 0; i < 200; i++) {
    again?.sendPiece(1, 0, right);
    unknown?.sendPiece(20_000 + i, 0, right);
    wrong?.sendPiece(1, 900, right);
  }
  await room.clock.run(100);
  room.crypto.sha256 = sha256;
  assert.is(hashCount, 0, 'neither what is here, nor what cannot be right by its number or length');
  assert.equal(
    [again, unknown, wrong].map((peer) => codes.get(peer?.id ?? '')),
    ['PEER_FLOODING', 'PIECE_WRONG', 'PIECE_WRONG'],
  );
  viewer.close();
});

floods('should be counted by rate, so that who sends as much over a longer time stays', async () => {
  const room = await openRoom();
  const { viewer } = join(room);
  assert.ok(await room.clock.runUntil(() => room.holds(viewer, 0, FILM.segmentCount), 20_000));
  const peer = peerAt(room, viewer);
  const hash = room.origin.manifest.head?.pages[0]?.hash ?? new Uint8Array();
  const whole = room.segments[1] ?? new Uint8Array();
  const right = whole.subarray(0, pieceBytes(whole.byteLength, 0));
  for (let i = 0; i < 150; i++) {
    peer.send('getPage', { hash });
    peer.send('ping', { n: i });
    peer.sendPiece(1, 0, right);
    await room.clock.run(1_000);
  }
  assert.equal([peer.goodbye, peer.isClosed], [null, false]);
  viewer.close();
});

floods('should find every row of the table either cheap to take or counted', async () => {
  // A row that is new has to be thought about: this list is what was.
  const thoughtOf = [
    'hello goodbye ping pong head getPage page noPage rules have drop choke unchoke request cancel piece got',
    'lied noPiece chat chatKnown reaction reactionKnown passing askTime time playback stall',
  ].flatMap((names) => names.split(' '));
  assert.equal(
    Object.keys(MESSAGES).filter((name) => !thoughtOf.includes(name)),
    [],
  );
});

floods.run();
