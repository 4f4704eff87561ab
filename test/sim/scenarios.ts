import type { Plan, ViewerPlan } from './plan.ts';
import { seededRandom } from './seeded-random.ts';

/** What a run is made of, as asked for on the command line; what is null is the scenario's own. */
export interface Options {
  viewers: number | null;
  seed: number;
  /** Length of the film. */
  filmS: number | null;
  bitrateMbit: number;
  /** Uplinks as multiples of the bitrate. */
  originX: number | null;
  upX: number | null;
  originLinks: number | null;
  originBudgetX: number | null;
  minRoundTripMs: number;
  maxRoundTripMs: number;
  pageBytes: number;
}

export const DEFAULTS: Options = {
  viewers: null,
  seed: 1,
  filmS: null,
  bitrateMbit: 1.5,
  originX: null,
  upX: null,
  originLinks: null,
  originBudgetX: null,
  minRoundTripMs: 20,
  maxRoundTripMs: 100,
  pageBytes: 0,
};

/** One kind of crowd. */
export interface Scenario {
  name: string;
  about: string;
  /** What of the plan differs from a flash crowd with the default film. */
  change?: (draft: Draft) => void;
  viewers: number;
  filmS?: number;
  originX?: number;
  upX?: number;
  originLinks?: number;
}

/** A plan in the making. */
export interface Draft {
  plan: Plan;
  random(): number;
  bytesPerSec: number;
  filmMs: number;
  /** A viewer as it is unless the scenario says otherwise. */
  viewer(joinMs: number): ViewerPlan;
}

const DOWN_BYTES_PER_SEC = 2_500_000;
const FILM_S = 90;
const UP_X = 1.5;
const ORIGIN_X = 2;

/** As the origin peer has it: connections at most. */
const ORIGIN_LINKS = 256;

export const SCENARIOS: readonly Scenario[] = [
  { name: 'single', about: 'one viewer', viewers: 1 },
  { name: 'flash', about: 'all join within 2 s', viewers: 50 },
  {
    name: 'stagger',
    about: 'one joins every 5 s, and leaves 10 s after the end',
    viewers: 50,
    change: ({ plan }) => {
      plan.viewers.forEach((viewer, i) => {
        Object.assign(viewer, { joinMs: i * 5_000, lingerMs: 10_000 });
      });
    },
  },
  {
    name: 'crowd',
    about: 'all join within 10 s, the origin takes few connections',
    viewers: 1000,
    originLinks: 64,
    change: ({ plan, random }) => {
      for (const viewer of plan.viewers) viewer.joinMs = random() * 10_000;
    },
  },
  {
    name: 'churn',
    about: 'present at once; each stays 60 s on average',
    viewers: 200,
    filmS: 600,
    change: churn,
  },
  { name: 'freeriders', about: '30 % give nothing', viewers: 50, upX: 2, change: freeRiders },
  { name: 'tight', about: 'uplinks together carry 1.05 times what all watch', viewers: 50, change: tight },
  { name: 'depart', about: 'a third vanish half-way', viewers: 50, change: depart },
  {
    name: 'liars',
    about: '20 % send wrong pieces',
    viewers: 100,
    change: ({ plan, random }) => {
      for (const viewer of chosen(plan.viewers, 0.2, random)) viewer.isLiar = true;
    },
  },
  {
    name: 'seek',
    about: 'all seek to the middle after 20 s',
    viewers: 20,
    change: ({ plan, filmMs }) => {
      for (const viewer of plan.viewers) viewer.seek = { whenMs: 20_000, toMs: filmMs / 2 };
    },
  },
];

/** The scenario's plan under these options; the same for the same options. */
export function planFor(scenario: Scenario, options: Options): Plan {
  const random = seededRandom(options.seed + 1_000);
  const bytesPerSec = (options.bitrateMbit * 1e6) / 8;
  const filmMs = (options.filmS ?? scenario.filmS ?? FILM_S) * 1000;
  const upBytesPerSec = (options.upX ?? scenario.upX ?? UP_X) * bytesPerSec;
  const viewer = (joinMs: number): ViewerPlan => ({ ...VIEWER, joinMs, upBytesPerSec });
  const count = options.viewers ?? scenario.viewers;
  const { originBudgetX } = options;
  const plan: Plan = {
    film: { durationMs: filmMs, bytesPerSec },
    viewers: Array.from({ length: count }, () => viewer(random() * 2_000)),
    originUpBytesPerSec: (options.originX ?? scenario.originX ?? ORIGIN_X) * bytesPerSec,
    originMaxLinks: options.originLinks ?? scenario.originLinks ?? ORIGIN_LINKS,
    originBudgetBytesPerSec: originBudgetX === null ? null : originBudgetX * bytesPerSec,
    minRoundTripMs: options.minRoundTripMs,
    maxRoundTripMs: options.maxRoundTripMs,
    pageBytes: options.pageBytes,
    seed: options.seed,
    endMs: null,
  };
  scenario.change?.({ plan, random, bytesPerSec, filmMs, viewer });
  return plan;
}

const VIEWER: ViewerPlan = {
  joinMs: 0,
  upBytesPerSec: 0,
  downBytesPerSec: DOWN_BYTES_PER_SEC,
  uploadLimit: null,
  isLiar: false,
  leaveMs: null,
  vanishMs: null,
  lingerMs: null,
  seek: null,
};

const CHURN_STAY_MS = 60_000;
const CHURN_RUN_MS = 180_000;

/** Those there at first join within 10 s; after that as many come as leave. */
function churn({ plan, random, viewer }: Draft): void {
  const present = plan.viewers.length;
  const meanGapMs = CHURN_STAY_MS / present;
  for (const first of plan.viewers) first.joinMs = random() * 10_000;
  for (let atMs = 10_000; atMs < CHURN_RUN_MS; atMs += exponential(meanGapMs, random))
    plan.viewers.push(viewer(atMs));
  for (const one of plan.viewers) one.leaveMs = one.joinMs + exponential(CHURN_STAY_MS, random);
  plan.endMs = CHURN_RUN_MS;
}

function freeRiders({ plan, random, bytesPerSec }: Draft): void {
  for (const viewer of chosen(plan.viewers, 0.3, random)) {
    // Its line still has to carry requests.
    viewer.upBytesPerSec = bytesPerSec;
    viewer.uploadLimit = 0;
  }
}

const TIGHT_X = 1.05;

/** (u_origin + sum of the viewers' uplinks) / N = 1.05 x the bitrate. */
function tight({ plan, bytesPerSec }: Draft): void {
  const count = plan.viewers.length;
  const upBytesPerSec = (TIGHT_X * bytesPerSec * count - plan.originUpBytesPerSec) / count;
  for (const viewer of plan.viewers) viewer.upBytesPerSec = Math.max(bytesPerSec / 10, upBytesPerSec);
}

function depart({ plan, random, filmMs }: Draft): void {
  for (const viewer of chosen(plan.viewers, 1 / 3, random)) viewer.vanishMs = filmMs / 2;
}

/** A share of the items, drawn at random. */
function chosen<T>(items: readonly T[], share: number, random: () => number): T[] {
  const order = items.map((item) => ({ item, rank: random() })).sort((a, b) => a.rank - b.rank);
  return order.slice(0, Math.round(share * items.length)).map(({ item }) => item);
}

function exponential(mean: number, random: () => number): number {
  return -mean * Math.log(1 - random());
}
