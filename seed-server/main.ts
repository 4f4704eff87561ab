import { readConfig } from './config.ts';
import { startSeedServer } from './seed-server.ts';
import { StartError } from './start-error.ts';

/** When ending in order takes longer than this, it ends anyway. */
const END_WITHIN_MS = 5000;

await main();

/** The seed server with all it has: `npm start`. */
async function main(): Promise<void> {
  try {
    const server = await startSeedServer(readConfig(process.env));
    // Whoever started us may want to stop us as soon as the line below is out.
    endOnSignals(() => server.close());
    process.stdout.write(`Matinee is open at ${server.url}\n`);
  } catch (error) {
    if (!(error instanceof StartError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  }
}

function endOnSignals(close: () => Promise<void>): void {
  let isEnding = false;
  const end = (): void => {
    // A second signal means: now.
    if (isEnding) process.exit(1);
    isEnding = true;
    setTimeout(() => process.exit(1), END_WITHIN_MS).unref();
    close().then(
      () => process.exit(0),
      (error) => {
        process.stderr.write(`The server did not end in order: ${String(error)}\n`);
        process.exit(1);
      },
    );
  };
  process.on('SIGINT', end);
  process.on('SIGTERM', end);
}
