import { describeChatDelay, measureChatDelay } from './chat-delay.ts';
import { describeFirstFrame, measureFirstFrame } from './first-frame.ts';
import { describeIdleViewers, measureIdleViewers } from './idle-viewers.ts';
import { benchOriginPath } from './origin-path.ts';
import { benchPackaging } from './package-copy.ts';
import { benchPackagingInBrowser } from './package-in-browser.ts';
import { measureReactions } from './reactions.ts';
import { describe } from './report.ts';
import { benchSignaling, describeSignaling } from './signaling-load.ts';
import { benchStartUp, describeStartUp } from './start-up.ts';

/** All of them, or those that are named: npm run bench -- signaling */
const benches = new Map([
  ['packaging', async () => describe(await benchPackaging())],
  ['packaging-browser', async () => describe(await benchPackagingInBrowser())],
  ['origin', async () => (await benchOriginPath()).map(describe).join('\n')],
  ['chat', async () => describeChatDelay(await measureChatDelay())],
  ['first-frame', async () => describeFirstFrame(await measureFirstFrame())],
  ['start-up', async () => describeStartUp(await benchStartUp())],
  ['idle', async () => describeIdleViewers(await measureIdleViewers())],
  ['reactions', async () => describe(await measureReactions())],
  ['signaling', async () => describeSignaling(await benchSignaling())],
]);
const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !benches.has(name));
if (unknown.length > 0) {
  process.stderr.write(
    `There is no bench ${unknown.join(', ')}: name some of ${[...benches.keys()].join(', ')}.\n`,
  );
  process.exit(1);
}
for (const [name, bench] of benches)
  if (asked.length === 0 || asked.includes(name)) process.stdout.write(`${await bench()}\n`);
// The native WebRTC library keeps threads that would hold the process.
process.exit(0);
