/**
 * What packaging a file costs: node --import { totalBytes } from '../../peer/bytes.ts';
import tsx test/bench/package-memory.ts <file>
 * Takes every segment, drops it, and prints one line of JSON. Sizes in MB (10^6 bytes); peak is of the whole process.
 */
import { open } from 'node:fs/promises';
import { basename } from 'node:path';
import { totalBytes } from '../../peer/bytes.ts';
import { openVideo, type VideoSource } from '../../peer/host/package.ts';

const MB = 1e6;

async function main(path: string): Promise<void> {
  const file = await open(path);
  try {
    const { size } = await file.stat();
    const source: VideoSource = {
      name: basename(path),
      sizeBytes: size,
      read: async (start, end) => {
        const bytes = new Uint8Array(end - start);
        const { bytesRead } = await file.read(bytes, 0, bytes.byteLength, start);
        return bytes.subarray(0, bytesRead);
      },
    };
    process.stdout.write(`${JSON.stringify(await measure(source))}\n`);
  } finally {
    await file.close();
  }
}

async function measure(source: VideoSource): Promise<Record<string, number>> {
  const idleBytes = process.memoryUsage.rss();
  const startMs = performance.now();
  const video = await openVideo(source);
  const openMs = performance.now() - startMs;
  let [count, largestBytes, firstMs] = [0, 0, 0];
  for await (const segment of video.segments(new AbortController().signal)) {
    count += 1;
    largestBytes = Math.max(largestBytes, totalBytes(segment.parts));
    if (segment.number === 1) firstMs = performance.now() - startMs;
  }
  video.close();
  const seconds = (performance.now() - startMs) / 1000;
  // maxRSS is in KiB, and the kernel's own high-water mark: nothing between two samples is missed.
  const peakBytes = process.resourceUsage().maxRSS * 1024;
  return rounded({
    fileMB: source.sizeBytes / MB,
    idleMB: idleBytes / MB,
    peakMB: peakBytes / MB,
    aboveIdleMB: (peakBytes - idleBytes) / MB,
    openMs,
    firstSegmentMs: firstMs,
    seconds,
    MBperS: source.sizeBytes / MB / seconds,
    segments: count,
    largestSegmentMB: largestBytes / MB,
  });
}

function rounded(figures: Record<string, number>): Record<string, number> {
  return Object.fromEntries(
    Object.entries(figures).map(([name, value]) => [name, Math.round(value * 10) / 10]),
  );
}

const path = process.argv[2];
if (path === undefined) {
  process.stderr.write('Which file? node --import tsx test/bench/package-memory.ts <file>\n');
  process.exitCode = 2;
} else {
  await main(path);
}
