import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { 'module.exports' as streams } from '../../web/node-parts/readable-stream.ts';

const parts = suite('what stands for Node’s modules in the page');

const { Duplex } = streams;

parts('should keep messages that come before anybody listens, in their order', async () => {
  const stream = new Duplex();
  const heard: unknown[] = [];
  stream.push('first');
  stream.push('second');
  stream.on('data', (chunk) => heard.push(chunk));
  stream.push('third');
  assert.equal(heard, [], 'nobody is called back while still setting up');
  await Promise.resolve();
  assert.equal(heard, ['first', 'second', 'third']);
  stream.push('fourth');
  assert.equal(heard, ['first', 'second', 'third', 'fourth']);
});

parts('should say that it has ended, as simple-peer asks before it ends it again', () => {
  const stream = new Duplex();
  assert.ok(stream.push('message'));
  assert.not.ok(stream.push(null));
  stream.end();
  assert.ok(stream._readableState.ended && stream._writableState.finished);
});

parts.run();
