/** One measured figure beside its baseline from the same run. */
export interface Report {
  name: string;
  unit: string;
  ours: number;
  baseline: number;
  baselineName: string;
  /** What ours / baseline should reach. */
  goal: number;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

/** A report as a line for people. */
export function describe({ name, unit, ours, baseline, baselineName, goal }: Report): string {
  const ratio = ours / baseline;
  const verdict = ratio >= goal ? 'reached' : 'missed';
  return `${name}: ${ours.toFixed(1)} ${unit}, ${baselineName} ${baseline.toFixed(1)} ${unit}: ratio ${ratio.toFixed(2)} (goal ${goal}: ${verdict})`;
}
