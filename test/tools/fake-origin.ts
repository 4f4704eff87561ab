import { connect } from 'node:net';
import { followParent } from '../../seed-server/origin-child.ts';

/**
 * Stands in for the origin's program: says over a TCP connection (to the port in SIGNALING_URL) that it is here and
 * what it is told. Without a port it ends at once; told of the room `crash` it dies, of `cling` it will not stop when asked kindly.
 */
const { SIGNALING_URL: port } = process.env;
if (port === '0') process.exit(1);
const socket = connect(Number(port), '127.0.0.1');
const say = (line: string): void => void socket.write(`${line}\n`);
let isClinging = false;

followParent({
  onSpent: () => {},
  counts: () => ({ members: 0, rooms: 0, sentBytes: 0 }),
  onChanged(room) {
    say(`changed ${room}`);
    if (room === 'crash') process.kill(process.pid, 'SIGKILL');
    if (room === 'cling') isClinging = true;
  },
  async onStop() {
    say('stopping');
    if (isClinging) await new Promise(() => {});
    await new Promise<void>((resolve) => socket.end(resolve));
  },
});
say(`here ${process.pid}`);
