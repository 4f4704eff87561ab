import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { SealedSegment } from '../../peer/host/seal-segment.ts';
import { together } from '../../peer/host/together.ts';
import { UploadQueue } from '../../peer/host/upload-queue.ts';
import { present, rejection } from './host-rig.ts';

const queueing = suite('the queue between packager and server');

function segment(number: number, sizeBytes = 1): SealedSegment {
  return {
    number,
    pieces: [new Uint8Array(sizeBytes)],
    entry: { startMs: 0, durationMs: 0, sizeBytes, pieceHashes: new Uint8Array(32) },
    extra: null,
  };
}

/** Resolves when all that could go on has gone on. */
function otherTasks(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

async function takeAll(queue: UploadQueue): Promise<number[]> {
  const numbers: number[] = [];
  for (let taken = await queue.takeListed(); taken; taken = await queue.takeListed()) {
    numbers.push(taken.number);
    queue.markStored(taken);
  }
  return numbers;
}

queueing('should give each segment to one uploader, and keep all of them to the end', async () => {
  const queue = new UploadQueue(new AbortController().signal);
  const takers = [takeAll(queue), takeAll(queue), takeAll(queue)];
  const isOver = [false, false, false];
  takers.forEach((taker, i) => {
    taker.then(() => {
      isOver[i] = true;
    }, assert.unreachable);
  });
  for (let number = 0; number < 40; number += 2) {
    queue.add(segment(number));
    queue.add(segment(number + 1));
    queue.markListed(present(await queue.takeUnlisted()));
    await queue.untilRoom();
    assert.equal(isOver, [false, false, false]);
  }
  queue.end();
  assert.is(await queue.takeUnlisted(), null);
  const taken = (await Promise.all(takers)).flat().sort((a, b) => a - b);
  assert.equal(
    taken,
    Array.from({ length: 40 }, (_, i) => i),
  );
  await queue.untilAllStored();
});

queueing('should not end while a batch is still being listed', async () => {
  const queue = new UploadQueue(new AbortController().signal);
  const taker = takeAll(queue);
  queue.add(segment(0));
  queue.add(segment(1));
  const batch = present(await queue.takeUnlisted());
  queue.end();
  await otherTasks();
  queue.markListed(batch);
  assert.equal(await taker, [0, 1]);
});

queueing('should have the init segment wait for the first one to be listed with it', async () => {
  const queue = new UploadQueue(new AbortController().signal);
  const taking = queue.takeUnlisted();
  queue.add(segment(0));
  await otherTasks();
  queue.add(segment(1));
  assert.equal(
    present(await taking).map(({ number }) => number),
    [0, 1],
  );
});

queueing('should end every wait when it is stopped', async () => {
  const stop = new AbortController();
  const queue = new UploadQueue(stop.signal);
  const waits = [queue.takeListed(), queue.takeUnlisted(), queue.untilAllStored()].map(rejection);
  stop.abort('enough');
  assert.equal(await Promise.all(waits), ['enough', 'enough', 'enough']);
});

queueing.run();

const side = suite('tasks that run together');

/** A task that goes on until it is stopped. */
function endless(signal: AbortSignal, onStopped: () => void): Promise<void> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => {
      onStopped();
      reject(signal.reason);
    });
  });
}

side('should all stop at the first failure, which is the one that is told', async () => {
  let stoppedCount = 0;
  const { signal } = new AbortController();
  const error = await rejection(
    together(signal, (stopped) => [
      endless(stopped, () => stoppedCount++),
      Promise.reject('the first'),
      endless(stopped, () => stoppedCount++),
    ]),
  );
  assert.is(error, 'the first');
  assert.is(stoppedCount, 2);
});

side('should stop when they are told to', async () => {
  const stop = new AbortController();
  const running = rejection(together(stop.signal, (stopped) => [endless(stopped, () => undefined)]));
  stop.abort('enough');
  assert.is(await running, 'enough');
});

side.run();
