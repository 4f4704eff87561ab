import * as fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { areEqual, type Bytes } from '../../peer/bytes.ts';
import { HeldPieces } from '../../peer/swarm/held-pieces.ts';
import { BLOCK_SLOTS } from '../../peer/swarm/slots.ts';
import { SlowDisk } from '../tools/piece-disks.ts';

const SEGMENTS = 10;
const PIECES_A_SEGMENT = 4;
/** Small pieces make quick work; the store asks nobody how large they are. */
const FULL_BYTES = 64;
const SLOT_BYTES = FULL_BYTES / BLOCK_SLOTS;

/** Every other piece is a short one, and a third of those need one slot only. */
function contents(segment: number, piece: number): Bytes {
  const sizeBytes = piece % 2 === 0 ? FULL_BYTES : 13 + segment;
  return new Uint8Array(sizeBytes).fill(segment * PIECES_A_SEGMENT + piece + 1);
}

const segment = fc.nat(SEGMENTS - 1);
const piece = fc.nat(PIECES_A_SEGMENT - 1);
const common = [
  { weight: 10, arbitrary: fc.record({ do: fc.constant('put' as const), segment, piece }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('load' as const), segment, piece }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('move' as const), segment }) },
  { weight: 10, arbitrary: fc.record({ do: fc.constant('end' as const), which: fc.nat(40) }) },
];
const failing = { weight: 1, arbitrary: fc.record({ do: fc.constant('fail' as const), which: fc.nat(40) }) };
const spoiling = {
  weight: 1,
  arbitrary: fc.record({ do: fc.constant('spoil' as const), which: fc.nat(40) }),
};
const budgets = fc.record({
  spillPieces: fc.integer({ min: 1, max: 6 }),
  // More than the three segments that are never given up: the init segment, the playhead's, and the one coming.
  alonePieces: fc.integer({ min: 13, max: 20 }),
  pieceRoom: fc.oneof(fc.nat(10), fc.constant(SEGMENTS * PIECES_A_SEGMENT)),
});

/** Long enough that the disk fills up, and slots go from one piece to another. */
const LONG = { minLength: 50, maxLength: 300, size: 'max' } as const;

type Step =
  | { do: 'put'; segment: number; piece: number }
  | { do: 'load'; segment: number; piece: number }
  | { do: 'move'; segment: number }
  | { do: 'spoil'; which: number }
  | { do: 'end' | 'fail'; which: number };
type Budgets = typeof budgets extends fc.Arbitrary<infer T> ? T : never;

/** A store on a disk that dawdles, and what it should hold. */
class Trial {
  readonly #held: HeldPieces;
  readonly #disk: SlowDisk;
  readonly #budgets: Budgets;
  readonly #errors: unknown[] = [];
  /** Pieces put and not told as dropped since; with each, how many puts there were before. */
  readonly #model = new Map<number, Map<number, number>>();
  readonly #loads: Promise<void>[] = [];
  #puts = 0;
  #openings = 0;
  #playhead = 1;

  /** `isTrusting`: nobody looks at what comes back from the disk; its bookkeeping alone keeps pieces apart. */
  constructor(budgets: Budgets, isTrusting: boolean) {
    this.#budgets = budgets;
    const disk = new SlowDisk(budgets.pieceRoom * BLOCK_SLOTS, SLOT_BYTES);
    this.#disk = disk;
    const open = async (): Promise<SlowDisk> => {
      this.#openings += 1;
      return disk;
    };
    this.#held = new HeldPieces({
      memoryBytes: budgets.alonePieces * FULL_BYTES,
      spill: { memoryBytes: budgets.spillPieces * FULL_BYTES, open },
      weightOf: (s) => (s < this.#playhead ? 2 * (this.#playhead - s) : s - this.#playhead),
      isRight: async (s, p, data) => isTrusting || areEqual(data, contents(s, p)),
      onDrop: (segments) => {
        for (const s of segments) assert.ok(this.#model.delete(s), `${s} was not held, or told twice`);
      },
      onError: (error) => this.#errors.push(error),
    });
  }

  async run(step: Step): Promise<void> {
    const { waiting } = this.#disk;
    if (step.do === 'put') this.#put(step.segment, step.piece);
    else if (step.do === 'load') this.#loads.push(this.#load(step.segment, step.piece));
    else if (step.do === 'move') this.#playhead = step.segment;
    else if (step.do === 'spoil') this.#spoil(step.which);
    else if (waiting.length > 0) await this.#disk.end(step.which % waiting.length, step.do === 'fail');
    this.#check();
  }

  /** Lets everything come to rest, reads it all back, and closes. `isHealthy`: nothing was made to go wrong. */
  async finish(isHealthy: boolean): Promise<void> {
    await this.#rest();
    this.#checkRest();
    const heldBefore = [...this.#model.keys()];
    for (const [s, pieces] of this.#model) for (const p of pieces.keys()) this.#loads.push(this.#load(s, p));
    await this.#rest();
    this.#check();
    if (isHealthy) assert.equal([[...this.#model.keys()], this.#errors], [heldBefore, []]);
    assert.ok(this.#errors.length <= 1);
    await this.#held.close();
    assert.equal(this.#held.heldBytes, { memory: 0, disk: 0 });
    assert.is(this.#disk.closedCount, this.#openings);
    assert.ok(this.#openings <= 1);
  }

  async #rest(): Promise<void> {
    await this.#disk.endAll();
    await Promise.all(this.#loads);
  }

  /** What is listed is what was put and not dropped, all its bytes are counted, and memory is bounded. */
  #check(): void {
    let sumBytes = 0;
    for (let s = 0; s < SEGMENTS; s++) {
      const expected = [...(this.#model.get(s)?.keys() ?? [])].sort();
      assert.equal([...this.#held.piecesOf(s)].sort(), expected, `segment ${s}`);
      assert.is(this.#held.countOf(s), expected.length);
      for (const p of expected) sumBytes += contents(s, p).byteLength;
    }
    const { memory, disk } = this.#held.heldBytes;
    assert.is(memory + disk, sumBytes);
    const mostPieces = this.#budgets.alonePieces + this.#disk.waiting.length;
    assert.ok(memory <= mostPieces * FULL_BYTES, `${memory} bytes in memory`);
    assert.ok(disk <= this.#budgets.pieceRoom * FULL_BYTES, `${disk} bytes on the disk`);
  }

  /** Once it has come to rest, a disk that works holds all that is too much for memory, as far as it has slots. */
  #checkRest(): void {
    const { spillPieces, pieceRoom } = this.#budgets;
    const canHoldAll = pieceRoom >= SEGMENTS * PIECES_A_SEGMENT;
    const mostPieces = canHoldAll ? spillPieces : Math.max(spillPieces, 3 * PIECES_A_SEGMENT);
    if (this.#errors.length > 0) return;
    assert.ok(this.#held.heldBytes.memory <= mostPieces * FULL_BYTES, 'at rest');
  }

  /** Some slot holds something else, or less. */
  #spoil(which: number): void {
    const { slots } = this.#disk;
    const slot = [...slots.keys()][which % slots.size];
    const data = slot === undefined ? undefined : slots.get(slot);
    if (slot === undefined || !data) return;
    slots.set(slot, which % 2 === 0 ? data.map((byte) => byte ^ 255) : data.slice(0, -1));
  }

  #put(s: number, p: number): void {
    const pieces = this.#model.get(s) ?? new Map<number, number>();
    this.#model.set(s, pieces);
    if (!pieces.has(p)) pieces.set(p, ++this.#puts);
    this.#held.put(s, p, contents(s, p));
  }

  /** What is read is right; what cannot be read is held no longer, unless it came anew. */
  async #load(s: number, p: number): Promise<void> {
    const before = this.#model.get(s)?.get(p);
    const data = await this.#held.load(s, p);
    if (data) assert.equal(data, contents(s, p));
    else if (before !== undefined) assert.is.not(this.#model.get(s)?.get(p), before);
  }
}

async function tryOut(limits: Budgets, steps: readonly Step[], isTrusting: boolean): Promise<void> {
  const trial = new Trial(limits, isTrusting);
  for (const step of steps) await trial.run(step);
  const isHealthy = !steps.some((step) => step.do === 'fail' || step.do === 'spoil');
  await trial.finish(isHealthy);
}

const properties = suite('what a viewer holds, whatever happens');

properties('should keep pieces apart by its bookkeeping alone, within its budgets', async () => {
  const steps = fc.array(fc.oneof(...common), LONG);
  const property = fc.asyncProperty(budgets, steps, (limits, list) => tryOut(limits, list, true));
  await fc.assert(property, { numRuns: 150 });
});

properties('should never hand out wrong bytes or lose count when the disk fails', async () => {
  const spoilt = fc.array(fc.oneof(...common, spoiling), LONG);
  const failed = fc.array(fc.oneof(...common, spoiling, failing), LONG);
  const steps = fc.oneof(spoilt, failed);
  const property = fc.asyncProperty(budgets, steps, (limits, list) => tryOut(limits, list, false));
  await fc.assert(property, { numRuns: 150 });
});

properties.run();
