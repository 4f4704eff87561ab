import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Viewer } from '../../peer/room/viewer.ts';
import { scenarioNamed } from '../sim/options.ts';
import type { Plan } from '../sim/plan.ts';
import { DEFAULTS, planFor } from '../sim/scenarios.ts';
import { Simulation } from '../sim/simulation.ts';

const VIEWERS = 12;

/** Long enough that nobody's window is full before the end. */
const FILM_S = 90;

/** The first seconds are for joining, the last for what is still on its way. */
const CHAT = { fromMs: 6_000, untilMs: 21_000, everyMs: 2_000 };
const END_MS = 24_000;

const MOST_MS = 300;

/** Uplinks of 1.5 times the bitrate, an origin of 2, round trips of 20 to 100 ms. */
function planOfFullLoad(): Plan {
  const options = { ...DEFAULTS, viewers: VIEWERS, filmS: FILM_S, upX: 1.5, originX: 2 };
  return { ...planFor(scenarioNamed('flash'), options), endMs: END_MS };
}

/** How finely it is noticed that a line shows. */
const LOOK_EVERY_MS = 1;

interface ChatParts {
  simulation: Simulation;
  /** Lines are said between these moments of the run, virtual milliseconds. */
  fromMs: number;
  untilMs: number;
  /** Each member says a line so often; they take turns. */
  everyMs: number;
}

/** Lets the members of a simulated room talk, and notes how long each line takes to each other member. */
class VirtualChat {
  /** From say() until a member shows the line: one for every line and every member who did not say it. */
  readonly delaysMs: number[] = [];
  /** Deliveries that are still to come. */
  missing = 0;
  readonly #parts: ChatParts;
  readonly #saidMs = new Map<string, number>();
  readonly #seen = new Map<Viewer, { lines: Viewer['lines']; ids: Set<string> }>();

  constructor(parts: ChatParts) {
    this.#parts = parts;
    const { clock, viewers } = parts.simulation;
    const { fromMs, everyMs } = parts;
    viewers.forEach((_, index) => {
      // Whole milliseconds: a line says when, and that is a whole number.
      const turnMs = Math.round((everyMs * index) / viewers.length);
      clock.after(fromMs + turnMs, () => this.#talk(index));
    });
    this.#look();
  }

  #talk(index: number): void {
    const { simulation, untilMs, everyMs } = this.#parts;
    const { clock, viewers } = simulation;
    const nowMs = clock.nowMs();
    if (nowMs >= untilMs) return;
    const viewer = viewers[index]?.member?.viewer;
    if (!viewer) throw new Error(`Viewer ${index} was to talk and has not joined yet.`);
    const text = `viewer ${index} at ${nowMs}`;
    this.#saidMs.set(text, nowMs);
    this.missing += viewers.length - 1;
    void viewer.say(text);
    clock.after(everyMs, () => this.#talk(index));
  }

  #look(): void {
    const { clock, viewers } = this.#parts.simulation;
    for (const { member } of viewers) if (member) this.#lookAt(member.viewer);
    // Told to nobody, so that promises need not settle: they have, before this step.
    clock.step(LOOK_EVERY_MS, () => {
      this.#look();
      return false;
    });
  }

  #lookAt(viewer: Viewer): void {
    const seen = this.#seen.get(viewer) ?? { lines: [], ids: new Set<string>() };
    this.#seen.set(viewer, seen);
    const { lines } = viewer;
    if (lines === seen.lines) return;
    seen.lines = lines;
    for (const { id, text, name } of lines) {
      if (seen.ids.has(id)) continue;
      seen.ids.add(id);
      if (name !== viewer.name) this.#arrived(text);
    }
  }

  #arrived(text: string): void {
    const saidMs = this.#saidMs.get(text);
    if (saidMs === undefined) throw new Error(`Nobody said “${text}”.`);
    this.delaysMs.push(this.#parts.simulation.clock.nowMs() - saidMs);
    this.missing -= 1;
  }
}

interface Talk {
  /** Smallest first. */
  delaysMs: number[];
  missing: number;
  /** How much of each viewer's uplink carried media while they talked, 0 to 1. */
  loads: number[];
}

async function talkThrough(plan: Plan): Promise<Talk> {
  const simulation = await Simulation.prepare(plan);
  const chat = new VirtualChat({ simulation, ...CHAT });
  const sentBytes = (): number[] => simulation.viewers.map(({ parts }) => parts.host.sent.mediaBytes);
  let [before, after]: [number[], number[]] = [[], []];
  simulation.clock.after(CHAT.fromMs, () => {
    before = sentBytes();
  });
  simulation.clock.after(CHAT.untilMs, () => {
    after = sentBytes();
  });
  await simulation.run();
  simulation.close();
  const seconds = (CHAT.untilMs - CHAT.fromMs) / 1000;
  const loads = plan.viewers.map(
    ({ upBytesPerSec }, i) => ((after[i] ?? 0) - (before[i] ?? 0)) / seconds / upBytesPerSec,
  );
  return { delaysMs: chat.delaysMs.sort((a, b) => a - b), missing: chat.missing, loads };
}

/** Nearest rank. */
function p95(sorted: readonly number[]): number {
  return sorted[Math.ceil(0.95 * sorted.length) - 1] ?? Number.NaN;
}

const chat = suite('chat while all lines are full of media');

chat('should reach every member, 95 % of the time within 300 ms', async () => {
  const { delaysMs, missing, loads } = await talkThrough(planOfFullLoad());
  assert.ok(p95(delaysMs) < MOST_MS, `p95 is ${p95(delaysMs)} ms`);
  const busy = loads.reduce((sum, load) => sum + load, 0) / loads.length;
  assert.ok(busy > 0.8, `uplinks were full: ${busy}`);
  assert.is(missing, 0);
  assert.ok(delaysMs.length > 900, `${delaysMs.length} deliveries`);
});

chat.run();
