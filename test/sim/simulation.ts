import type { Bytes } from '../../peer/bytes.ts';
import { PIECE_HEADER_BYTES } from '../../peer/wire/frame.ts';
import { MESSAGES } from '../../peer/wire/messages.ts';
import type { Plan, ViewerPlan } from './plan.ts';
import { seededRandom } from './seeded-random.ts';
import { VirtualBroker } from './virtual-broker.ts';
import { VirtualClock } from './virtual-clock.ts';
import { VirtualCrypto } from './virtual-crypto.ts';
import { VirtualFilm } from './virtual-film.ts';
import { VirtualHost, VirtualNetwork } from './virtual-network.ts';
import { VirtualOrigin } from './virtual-origin.ts';
import { Lobby } from './virtual-peer.ts';
import { VirtualViewer } from './virtual-viewer.ts';

/** A fast line in a data centre. */
const ORIGIN_DOWN_BYTES_PER_SEC = 125_000_000;

/** How often connections are counted, and of whom: who joined just now has none yet. */
const SAMPLE_EVERY_MS = 1_000;
const SETTLED_AFTER_MS = 10_000;

/** A run that has taken so many film lengths since the last joined will not end by itself. */
const PATIENCE_FILMS = 3;

export interface Degrees {
  min: number;
  max: number;
  sum: number;
  samples: number;
}

/** A room of viewers around an origin, in virtual time. */
export class Simulation {
  readonly plan: Plan;
  readonly clock = new VirtualClock();
  readonly film: VirtualFilm;
  readonly origin: VirtualOrigin;
  readonly originHost: VirtualHost;
  readonly broker: VirtualBroker;
  readonly viewers: VirtualViewer[];
  readonly degrees: Degrees = { min: Number.POSITIVE_INFINITY, max: 0, sum: 0, samples: 0 };
  readonly #random: () => number;
  readonly #network: VirtualNetwork;
  readonly #lobby: Lobby;
  #cancelSample: () => void = () => undefined;
  #doneCount = 0;
  #error: unknown = null;

  /** Prepares a run; the same plan gives the same run. */
  static async prepare(plan: Plan): Promise<Simulation> {
    const own = new VirtualCrypto(seededRandom(plan.seed));
    const film = await VirtualFilm.make(plan.film, own, seededRandom(plan.seed + 1));
    const simulation = new Simulation(plan, own, film);
    await simulation.origin.fill();
    return simulation;
  }

  private constructor(plan: Plan, own: VirtualCrypto, film: VirtualFilm) {
    this.plan = plan;
    this.film = film;
    this.#random = seededRandom(plan.seed + 2);
    const { clock } = this;
    this.#network = new VirtualNetwork({ clock, ...plan });
    this.#lobby = new Lobby(this.#random, (frame) => canonical(film, frame));
    this.broker = new VirtualBroker(clock, seededRandom(plan.seed + 3));
    this.originHost = this.#host('origin', plan.originUpBytesPerSec, ORIGIN_DOWN_BYTES_PER_SEC);
    const shared = { clock, film, crypto: own.crypto, lobby: this.#lobby, broker: this.broker };
    this.origin = new VirtualOrigin({
      ...shared,
      host: this.originHost,
      random: this.#random,
      maxLinks: plan.originMaxLinks,
      sendBytesPerSec: plan.originBudgetBytesPerSec,
      onError: (error) => this.#fail(error),
    });
    this.viewers = plan.viewers.map(
      (viewerPlan, index) =>
        new VirtualViewer({
          ...shared,
          index,
          plan: viewerPlan,
          random: seededRandom(plan.seed * 1_000_003 + index),
          host: this.#viewerHost(viewerPlan, index),
          originHost: this.originHost,
          pageBytes: plan.pageBytes,
          onDone: () => {
            this.#doneCount += 1;
          },
        }),
    );
    this.#sampleLater();
  }

  /** Runs to the end. @throws whatever the origin could not do. */
  async run(): Promise<void> {
    const { endMs } = this.plan;
    const isDone = (): boolean =>
      this.#error !== null || (endMs === null && this.#doneCount === this.viewers.length);
    await this.clock.runUntil(isDone, endMs ?? this.#patienceMs());
    if (this.#error) throw this.#error;
  }

  /** Everybody leaves. */
  close(): void {
    for (const viewer of this.viewers) viewer.leave();
    this.origin.close();
    this.#cancelSample();
  }

  #patienceMs(): number {
    const lastJoinMs = Math.max(0, ...this.plan.viewers.map((viewer) => viewer.joinMs));
    return lastJoinMs + PATIENCE_FILMS * this.plan.film.durationMs + 60_000;
  }

  #host(name: string, upBytesPerSec: number, downBytesPerSec: number): VirtualHost {
    const place = { x: this.#random(), y: this.#random() };
    return new VirtualHost(this.#network, { name, upBytesPerSec, downBytesPerSec, place });
  }

  #viewerHost(plan: ViewerPlan, index: number): VirtualHost {
    const host = this.#host(`viewer ${index}`, plan.upBytesPerSec, plan.downBytesPerSec);
    if (plan.isLiar) host.spoil = (frame) => spoiled(frame, this.#random);
    return host;
  }

  #fail(error: unknown): void {
    this.#error ??= error;
  }

  #sample(): void {
    const { degrees } = this;
    for (const viewer of this.viewers) {
      if (!viewer.isPresent || viewer.parts.plan.isLiar || viewer.presentMs < SETTLED_AFTER_MS) continue;
      const { degree } = viewer;
      degrees.min = Math.min(degrees.min, degree);
      degrees.max = Math.max(degrees.max, degree);
      degrees.sum += degree;
      degrees.samples += 1;
    }
    this.#sampleLater();
  }

  #sampleLater(): void {
    this.#cancelSample = this.clock.after(SAMPLE_EVERY_MS, () => this.#sample());
  }
}

/** The film's own frame where this one is the same, so that a thousand viewers hold one copy. */
function canonical(film: VirtualFilm, frame: Bytes): Bytes {
  if (frame[0] !== MESSAGES.piece.type) return frame;
  const header = new DataView(frame.buffer, frame.byteOffset, PIECE_HEADER_BYTES);
  const own = film.frame(header.getUint32(4), header.getUint16(2));
  return own && areSame(own, frame) ? own : frame;
}

function areSame(a: Bytes, b: Bytes): boolean {
  return Buffer.compare(a, b) === 0;
}

/** A piece with one byte of its ciphertext changed. */
function spoiled(frame: Bytes, random: () => number): Bytes {
  if (frame[0] !== MESSAGES.piece.type) return frame;
  const at = PIECE_HEADER_BYTES + Math.floor(random() * (frame.byteLength - PIECE_HEADER_BYTES));
  const wrong = frame.slice();
  wrong[at] = (wrong[at] ?? 0) ^ 0x55;
  return wrong;
}
