import { benchOriginPath } from './origin-path.ts';
import { describe } from './report.ts';

for (const bench of [benchOriginPath]) process.stdout.write(`${describe(await bench())}\n`);
// The native WebRTC library keeps threads that would hold the process.
process.exit(0);
