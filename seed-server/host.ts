import { inspect } from 'node:util';
import { systemClock } from '../peer/clock.ts';
import { MatineeError } from '../peer/errors.ts';
import type { FileJournal } from './file-journal.ts';
import { HOST_HELP, readHostArguments } from './host-arguments.ts';
import { ProgressOutput } from './host-output.ts';
import { GO_ON, host } from './host-run.ts';
import { nodeCrypto } from './node-crypto.ts';

/** With the signal that a closed terminal or a shutting-down machine sends, the upload stops; the next time it goes on. */
const STOP_SIGNALS = ['SIGTERM', 'SIGHUP'] as const;

function tellError(error: unknown, output: ProgressOutput): void {
  output.say(
    error instanceof MatineeError ? error.message : `This should not have happened: ${String(error)}`,
  );
  const { DEBUG: isDebugging } = process.env;
  if (isDebugging) output.say(inspect(error));
}

async function main(): Promise<number> {
  const cancel = new AbortController();
  const output = new ProgressOutput(process.stderr, systemClock);
  let journal: FileJournal | null = null;
  const onCancel = (): void => cancel.abort();
  const onStop = (_: NodeJS.Signals, number: number): void => {
    if (!journal?.isKeeping) {
      cancel.abort();
      return;
    }
    output.say(`The upload has stopped. ${GO_ON}`);
    // Nothing need be ended: it is made to be killed at any moment.
    process.exit(128 + number);
  };
  process.on('SIGINT', onCancel);
  for (const name of STOP_SIGNALS) process.on(name, onStop);
  try {
    const job = readHostArguments(process.argv.slice(2));
    if (!job) {
      process.stdout.write(HOST_HELP);
      return 0;
    }
    await host({
      job,
      crypto: await nodeCrypto(),
      signal: cancel.signal,
      output,
      onJournal: (opened) => {
        journal = opened;
      },
    });
    return 0;
  } catch (error) {
    tellError(error, output);
    return cancel.signal.aborted ? 130 : 1;
  } finally {
    process.off('SIGINT', onCancel);
    for (const name of STOP_SIGNALS) process.off(name, onStop);
  }
}

process.exitCode = await main();
