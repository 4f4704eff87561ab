import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Availability } from '../../peer/swarm/availability.ts';
import { Owed } from '../../peer/swarm/owed.ts';
import { type Ask, type Candidate, pick } from '../../peer/swarm/picker.ts';
import type { Wanted } from '../../peer/swarm/wanted.ts';
import { Link, type PeerKind } from '../../peer/wire/link.ts';
import { virtualLine } from '../sim/virtual-channel.ts';
import { VirtualClock } from '../sim/virtual-clock.ts';

const clock = new VirtualClock();

/** A peer that holds the whole of segment 1 and owes us so many pieces. */
function peer(id: string, inFlight: number, kind: PeerKind = 'member'): Candidate {
  const [channel] = virtualLine({ clock, delayMs: 1, bytesPerSec: 1e6 });
  const link = new Link(channel, { id, kind }, { clock, handlers: {}, onClose: () => undefined });
  const availability = new Availability();
  availability.addWhole([[1, 1]]);
  return { link, availability, freeSlots: 4 - inFlight, inFlight, bytesPerSec: 250_000, roundTripMs: 50 };
}

const PIECE: Wanted = { segment: 1, piece: 0, inMs: 4_000 };

/** What is asked where PIECE was asked of `first` at 0. */
function pickAt(nowMs: number, candidates: Candidate[], first: Candidate, wanted = PIECE): Ask[] {
  const owed = new Owed();
  owed.add({ link: first.link, segment: 1, piece: 0, askedMs: 0, expiresMs: 9_000 });
  return pick({ nowMs, pieceBytes: 16_384, wanted: [wanted], candidates, owed, random: () => 0.5 });
}

const picker = suite('whom to ask');

picker('should ask one that owes us far less instead of one that has let us wait', () => {
  const [slow, other] = [peer('slow', 4), peer('other', 1)];
  const asks = pickAt(700, [slow, other], slow);
  assert.equal(
    asks.map(({ link, insteadOf }) => [link.remote.id, insteadOf?.remote.id]),
    [['other', 'slow']],
  );
});

picker('should leave a request where it is for a while, and where nobody owes less than half as much', () => {
  const [slow, other] = [peer('slow', 4), peer('other', 1)];
  assert.equal(pickAt(500, [slow, other], slow), []);
  assert.equal(pickAt(700, [slow, peer('busy', 2)], slow), []);
});

picker('should want from the origin too what is needed very soon', () => {
  const [slow, origin] = [peer('slow', 1), peer('origin', 0, 'origin')];
  assert.equal(pickAt(100, [slow, origin], slow), []);
  const asks = pickAt(100, [slow, origin], slow, { ...PIECE, inMs: 500 });
  assert.equal(
    asks.map(({ link, insteadOf }) => [link.remote.id, insteadOf]),
    [['origin', null]],
  );
});

picker(
  'should look nobody up where nobody can be asked, but leave what no viewer has with the origin',
  () => {
    const [full, origin] = [peer('full', 4), peer('origin', 0, 'origin')];
    const wanted = [0, 1].map((piece) => ({ segment: 2, piece, inMs: 20_000 }));
    origin.availability.addWhole([[2, 1]]);
    const owed = new Owed();
    owed.add({ link: origin.link, segment: 2, piece: 0, askedMs: 0, expiresMs: Number.POSITIVE_INFINITY });
    const input = {
      nowMs: 0,
      pieceBytes: 16_384,
      wanted,
      candidates: [full, origin],
      owed,
      random: () => 0.5,
    };
    assert.equal(
      pick(input).map(({ piece, link }) => [piece, link.remote.id]),
      [[1, 'origin']],
    );
  },
);

picker.run();
