import { runMatinee } from './matinee.ts';

/** The seed server: `npm start`. */
process.exitCode = await runMatinee(['serve', ...process.argv.slice(2)]);
