import type { Config } from './config.ts';
import { startSeedServer } from './seed-server.ts';

/** When ending in order takes longer than this, it ends anyway. */
const END_WITHIN_MS = 5000;

/**
 * Starts the seed server with all it has, and says on stdout where it is open. It ends in order at SIGINT or SIGTERM.
 * @throws StartError with a sentence that says what is in the way.
 */
export async function serve(config: Config): Promise<void> {
  const server = await startSeedServer(config);
  // Whoever started us may want to stop us as soon as the line below is out.
  endOnSignals(() => server.close());
  process.stdout.write(`Matinee is open at ${server.url}\n`);
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
