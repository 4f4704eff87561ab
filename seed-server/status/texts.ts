/** Everything the status page says. */
export const texts = {
  title: 'Matinee: this server',
  members: 'Members',
  rooms: 'Rooms with members',
  channelRate: 'Film sent over data channels',
  httpRate: 'HTTP, both ways',
  viewerRate: 'Film received by viewers, as they say',
  errors: 'Failures a second',
  loopDelay: 'Event loop delay (99 of 100)',
  memory: 'Memory',
  renew: (everyS: number) => `Keep it fresh: load it anew every ${everyS} s`,
  stopRenewing: 'Leave it as it is',
  atMost: (value: string) => `at most ${value}`,
  rate: (bytesPerSec: number) => `${((bytesPerSec * 8) / 1e6).toFixed(2)} Mbit/s`,
  milliseconds: (seconds: number) => `${(seconds * 1000).toFixed(0)} ms`,
  megabytes: (bytes: number) => `${(bytes / 1e6).toFixed(0)} MB`,
  clockTime: (atMs: number) => `${new Date(atMs).toISOString().slice(11, 16)} UTC`,
  facts(now: Record<string, number>): string[] {
    const is = (name: string) => now[`matinee_${name}`] ?? 0;
    const origin = is('origin_up') === 1 ? 'The origin is there.' : 'The origin is away.';
    const fromServerBytes = is('received_from_origin') + is('received_from_http');
    const allBytes = fromServerBytes + is('received_from_peers');
    const offload =
      allBytes === 0 ? 'unknown yet' : `${(100 * (1 - fromServerBytes / allBytes)).toFixed(0)} %`;
    return [
      `${origin} It was started ${is('origin_starts')} times and has ${is('origin_members')} members connected.`,
      `${is('stored_rooms')} rooms on disk. ${is('joins_total')} joins since the start.`,
      `Share that viewers gave each other, as they say: ${offload}.`,
    ];
  },
} as const;
