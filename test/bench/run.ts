import { describe } from './report.ts';

/**
 * All of them, or those that are named: npm run bench -- signaling. Each is loaded when it is its turn: what all of them stand on (browsers'
 * drivers, containers, servers) is a heap that the garbage collector went through several times a second beside what is measured; so the origin, which minds most, comes first.
 */
const benches = new Map([
  [
    'origin',
    async () => (await (await import('./origin-path.ts')).benchOriginPath()).map(describe).join('\n'),
  ],
  ['packaging', async () => describe(await (await import('./package-copy.ts')).benchPackaging())],
  [
    'packaging-browser',
    async () => describe(await (await import('./package-in-browser.ts')).benchPackagingInBrowser()),
  ],
  [
    'chat',
    async () => {
      const { describeChatDelay, measureChatDelay } = await import('./chat-delay.ts');
      return describeChatDelay(await measureChatDelay());
    },
  ],
  [
    'first-frame',
    async () => {
      const { describeFirstFrame, measureFirstFrame } = await import('./first-frame.ts');
      return describeFirstFrame(await measureFirstFrame());
    },
  ],
  [
    'start-up',
    async () => {
      const { benchStartUp, describeStartUp } = await import('./start-up.ts');
      return describeStartUp(await benchStartUp());
    },
  ],
  [
    'idle',
    async () => {
      const { describeIdleViewers, measureIdleViewers } = await import('./idle-viewers.ts');
      return describeIdleViewers(await measureIdleViewers());
    },
  ],
  ['reactions', async () => describe(await (await import('./reactions.ts')).measureReactions())],
  [
    'signaling',
    async () => {
      const { benchSignaling, describeSignaling } = await import('./signaling-load.ts');
      return describeSignaling(await benchSignaling());
    },
  ],
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
