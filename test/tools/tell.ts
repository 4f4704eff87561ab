/** One line for whoever reads the test run. */
export function tell(line: string): void {
  process.stdout.write(`${line}\n`);
}
