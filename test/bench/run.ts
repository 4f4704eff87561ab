import { describeChatDelay, measureChatDelay } from './chat-delay.ts';
import { benchOriginPath } from './origin-path.ts';
import { describe } from './report.ts';

const benches = [
  async () => describe(await benchOriginPath()),
  async () => describeChatDelay(await measureChatDelay()),
];
for (const bench of benches) process.stdout.write(`${await bench()}\n`);
// The native WebRTC library keeps threads that would hold the process.
process.exit(0);
