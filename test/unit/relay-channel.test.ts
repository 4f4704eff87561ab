import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  MAX_CHAT_LINES,
  MAX_FRAME_BYTES,
  MAX_REACTIONS,
  MAX_SEALED_CHAT_BYTES,
  MAX_SEALED_WORD_BYTES,
} from '../../peer/limits.ts';
import { RelayChannel } from '../../peer/transport/relay-channel.ts';
import { VirtualClock } from '../sim/virtual-clock.ts';

/** A relay's end whose other end takes nothing, and why it is over. */
function stuck() {
  const over: string[] = [];
  const channel = new RelayChannel(
    new VirtualClock(),
    () => undefined,
    () => over.push('told'),
  );
  channel.listen({ onFrame: () => undefined, onClose: () => over.push('closed') });
  return { channel, over };
}

const relay = suite('a channel through the broker');

relay(
  'should hold the longest chat there can be for one who just came, and all of the manifest’s head',
  () => {
    const { channel, over } = stuck();
    for (let i = 0; i < MAX_CHAT_LINES; i++) channel.send(new Uint8Array(MAX_SEALED_CHAT_BYTES + 16));
    for (let i = 0; i < MAX_REACTIONS; i++) channel.send(new Uint8Array(MAX_SEALED_WORD_BYTES + 16));
    for (let i = 0; i < 4; i++) channel.send(new Uint8Array(MAX_FRAME_BYTES));
    assert.equal(over, []);
    channel.close();
  },
);

relay('should end, and say so, rather than hold much for one who takes nothing', () => {
  const { channel, over } = stuck();
  let mostBytes = 0;
  for (let i = 0; i < 200; i++) {
    channel.send(new Uint8Array(MAX_FRAME_BYTES));
    mostBytes = Math.max(mostBytes, channel.waitingBytes);
  }
  assert.ok(mostBytes < 4_000_000, `${mostBytes} bytes`);
  assert.equal(over, ['told', 'closed']);
});

relay.run();
