import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MAX_CHAT_LINES } from '../../peer/limits.ts';
import { MAKE_ROOM } from '../../peer/room/origin-dial.ts';
import { type Handlers, Link } from '../../peer/wire/link.ts';
import { WIRE_VERSION } from '../../peer/wire/messages.ts';
import { memberId, VirtualRoom } from '../sim/virtual-room.ts';

/** A member's end of a link to the origin, which does nothing of its own accord. */
interface Visitor {
  id: string;
  link: Link;
  /** How the link ended; null while it is open. */
  readonly code: string | null;
}

async function openRoom(): Promise<VirtualRoom> {
  return VirtualRoom.open({ segmentCount: 1, segmentMs: 2000, segmentBytes: 1000 });
}

function visit(room: VirtualRoom, index: number, handlers: Handlers = {}): Visitor {
  // No frame takes time to leave: on this line nothing that was sent is overtaken by the close.
  const [mine, theirs] = room.line({ bytesPerSec: Number.POSITIVE_INFINITY });
  const id = memberId(index);
  room.origin.connect(theirs, { id, kind: 'member' });
  let code: string | null = null;
  const link = new Link(
    mine,
    { id: 'origin', kind: 'origin' },
    {
      clock: room.clock,
      handlers,
      onClose: (_, closeCode) => {
        code = closeCode;
      },
    },
  );
  link.send('hello', { v: WIRE_VERSION, role: 'member', card: null });
  return {
    id,
    link,
    get code() {
      return code;
    },
  };
}

/** How long a member who comes now and knows nobody waits for the film's first piece once it asked, milliseconds of virtual time. */
async function waitForPiece(room: VirtualRoom, index: number): Promise<number> {
  const { link } = visit(room, index, { piece: () => (gotMs = room.clock.nowMs()) });
  let gotMs = Number.POSITIVE_INFINITY;
  const { video } = room.origin.manifest.head ?? {};
  link.send('hello', { v: WIRE_VERSION, role: 'member', card: null, ...(video && { video }) });
  await room.clock.run(1000);
  const askedMs = room.clock.nowMs();
  link.send('request', { segment: 1, pieces: [0], inMs: 0, others: 0 });
  await room.clock.run(3000);
  return gotMs - askedMs;
}

const parting = suite('the origin parting with a member');

parting('should tell that member why, and keep the others', async () => {
  const room = await openRoom();
  const [one, other] = [visit(room, 1), visit(room, 2)];
  await room.clock.run(1000);
  assert.is(room.origin.linkCount, 2);
  room.origin.part(one.id, MAKE_ROOM);
  await room.clock.run(1000);
  assert.equal([one.code, other.code, room.origin.linkCount], [MAKE_ROOM, null, 1]);
  room.origin.close('CLOSED');
});

parting('should do nothing where nobody of that id is connected', async () => {
  const room = await openRoom();
  const one = visit(room, 1);
  await room.clock.run(1000);
  room.origin.part(memberId(2), MAKE_ROOM);
  await room.clock.run(1000);
  assert.equal([one.code, room.origin.linkCount], [null, 1]);
  room.origin.close('CLOSED');
});

parting(
  'should give at once to who comes when all have left, but not where one only had to make room',
  async () => {
    for (const [code, isAtOnce] of [
      ['LEFT', true],
      [MAKE_ROOM, false],
    ] as const) {
      const room = await openRoom();
      const firstMs = await waitForPiece(room, 1);
      assert.ok(firstMs < 200, `${firstMs}`);
      await room.clock.run(20_000);
      room.origin.part(memberId(1), code);
      await room.clock.run(1000);
      const nextMs = await waitForPiece(room, 2);
      assert.is(nextMs < 200, isAtOnce, `${code}: ${nextMs}`);
      room.origin.close('CLOSED');
    }
  },
);

parting.run();

const flooding = suite('chat lines brought to the origin');

flooding('should be two histories at once at most, and five a second after that', async () => {
  const room = await openRoom();
  const { origin, clock } = room;
  const visitor = visit(room, 1);
  let lineCount = 0;
  const say = (count: number): void => {
    for (let i = 0; i < count; i++) {
      lineCount += 1;
      visitor.link.send('chat', { sealed: new Uint8Array([lineCount >> 8, lineCount & 255]) });
    }
  };
  say(2 * MAX_CHAT_LINES);
  await clock.run(2000);
  assert.is(visitor.code, null);
  say(5);
  await clock.run(2000);
  assert.is(visitor.code, null);
  say(100);
  await clock.run(2000);
  assert.is(visitor.code, 'PEER_FLOODING');
  origin.close('CLOSED');
});

flooding.run();
