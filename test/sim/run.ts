import { writeFile } from 'node:fs/promises';
import { HELP, readCommandLine } from './options.ts';
import { type Report, reportOn } from './report.ts';
import { type Options, planFor, type Scenario } from './scenarios.ts';
import { Simulation } from './simulation.ts';
import { type Cost, rowsOf, tableOf, timelineTable } from './table.ts';
import { type Moment, Timeline } from './timeline.ts';

interface Result extends Report {
  about: string;
  options: Options;
  timeline: Moment[];
  cost: Cost;
}

/** Runs one scenario to its end. */
async function runScenario(scenario: Scenario, options: Options, timelineMs: number | null): Promise<Result> {
  const startedMs = performance.now();
  const cpuBefore = process.cpuUsage();
  const simulation = await Simulation.prepare(planFor(scenario, options));
  const timeline = timelineMs === null ? null : new Timeline(simulation, timelineMs);
  await simulation.run();
  const report = reportOn(scenario.name, simulation);
  simulation.close();
  const cpu = process.cpuUsage(cpuBefore);
  const cost = {
    realS: (performance.now() - startedMs) / 1000,
    cpuS: (cpu.user + cpu.system) / 1e6,
    viewerSeconds: report.perViewer.reduce((sum, { presentMs }) => sum + presentMs / 1000, 0),
  };
  return { about: scenario.about, options, ...report, timeline: timeline?.moments ?? [], cost };
}

async function main(): Promise<void> {
  const { scenarios, options, jsonPath, timelineMs, isHelp } = readCommandLine(process.argv.slice(2));
  if (isHelp) {
    process.stdout.write(`${HELP}\n`);
    return;
  }
  const results: Result[] = [];
  for (const scenario of scenarios) {
    const result = await runScenario(scenario, options, timelineMs);
    results.push(result);
    const title = `${scenario.name}: ${result.summary.viewers} viewers, ${scenario.about} (seed ${options.seed})`;
    if (timelineMs !== null) process.stdout.write(`${timelineTable(result.timeline)}\n\n`);
    process.stdout.write(`${tableOf(title, rowsOf(result.summary, result.cost))}\n\n`);
  }
  if (jsonPath) await writeFile(jsonPath, `${JSON.stringify(results, null, 2)}\n`);
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  process.exitCode = 1;
});
