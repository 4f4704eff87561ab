import { runMatinee } from './matinee.ts';

/** The command `matinee`. */
process.exitCode = await runMatinee(process.argv.slice(2));
