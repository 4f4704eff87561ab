import { parseArgs } from 'node:util';
import { DEFAULTS, type Options, SCENARIOS, type Scenario } from './scenarios.ts';

export interface CommandLine {
  scenarios: readonly Scenario[];
  options: Options;
  jsonPath: string | null;
  /** How often the run is looked at on its way; null: never. */
  timelineMs: number | null;
  isHelp: boolean;
}

export const HELP = `npm run sim -- [options]
  --scenario NAME      ${SCENARIOS.map(({ name }) => name).join(', ')} (default flash)
  --all                every scenario
  --viewers N          how many
  --seed N             another run of the same kind (default 1)
  --seconds S          length of the film (default 90)
  --bitrate MBIT       of the film, Mbit/s (default 1.5)
  --origin-x X         the origin's uplink, in bitrates (default 2)
  --up-x X             viewers' uplinks, in bitrates (default 1.5)
  --origin-links N     connections the origin takes
  --origin-budget-x X  the origin's own send budget, in bitrates (default none)
  --rtt MIN[-MAX]      round trips between hosts, ms (default 20-100)
  --page-bytes N       loaded from the origin before joining (default 0)
  --timeline S         shows what happens every S seconds
  --json FILE          writes all figures`;

/** What the arguments ask for. @throws Error with a sentence for people where they make no sense. */
export function readCommandLine(args: readonly string[]): CommandLine {
  const { values } = parseArgs({
    args: [...args],
    options: {
      scenario: { type: 'string', default: 'flash' },
      all: { type: 'boolean', default: false },
      viewers: { type: 'string' },
      seed: { type: 'string' },
      seconds: { type: 'string' },
      bitrate: { type: 'string' },
      'origin-x': { type: 'string' },
      'up-x': { type: 'string' },
      'origin-links': { type: 'string' },
      'origin-budget-x': { type: 'string' },
      rtt: { type: 'string' },
      'page-bytes': { type: 'string' },
      timeline: { type: 'string' },
      json: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  const numberOf = (name: keyof typeof values): number | null => readNumber(name, values[name]);
  const [minRoundTripMs, maxRoundTripMs] = readRange(values.rtt);
  return {
    scenarios: values.all ? SCENARIOS : [scenarioNamed(values.scenario)],
    options: {
      viewers: numberOf('viewers'),
      seed: numberOf('seed') ?? DEFAULTS.seed,
      filmS: numberOf('seconds'),
      bitrateMbit: numberOf('bitrate') ?? DEFAULTS.bitrateMbit,
      originX: numberOf('origin-x'),
      upX: numberOf('up-x'),
      originLinks: numberOf('origin-links'),
      originBudgetX: numberOf('origin-budget-x'),
      minRoundTripMs,
      maxRoundTripMs,
      pageBytes: numberOf('page-bytes') ?? DEFAULTS.pageBytes,
    },
    jsonPath: values.json ?? null,
    timelineMs: inMs(numberOf('timeline')),
    isHelp: values.help,
  };
}

/** @throws Error where there is none of this name. */
export function scenarioNamed(name: string): Scenario {
  const found = SCENARIOS.find((scenario) => scenario.name === name);
  if (found) return found;
  throw new Error(`There is no scenario ${name}. There are: ${SCENARIOS.map((s) => s.name).join(', ')}.`);
}

function readNumber(name: string, value: string | boolean | undefined): number | null {
  if (value === undefined) return null;
  const number = Number(value);
  if (Number.isFinite(number) && number >= 0) return number;
  throw new Error(`--${name} takes a number, not ${value}.`);
}

function inMs(seconds: number | null): number | null {
  return seconds ? seconds * 1000 : null;
}

function readRange(value: string | undefined): [number, number] {
  if (value === undefined) return [DEFAULTS.minRoundTripMs, DEFAULTS.maxRoundTripMs];
  const [min, max] = value.split('-');
  const minMs = readNumber('rtt', min) ?? 0;
  return [minMs, max === undefined ? minMs : (readNumber('rtt', max) ?? minMs)];
}
