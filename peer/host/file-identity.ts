import { areEqual, type Bytes, concat } from '../bytes.ts';
import type { Crypto } from '../crypto/crypto.ts';
import { MatineeError } from '../errors.ts';
import { readExactly, type VideoSource } from './package-source.ts';

/** Places of a file that are looked at: its head, its tail and some between, evenly spread. */
const SAMPLE_COUNT = 8;
const SAMPLE_BYTES = 64 * 1024;

/** What a file is recognised by when it is chosen again. */
export interface FileIdentity {
  /** For people: a copy under another name is the same film. */
  readonly name: string;
  readonly sizeBytes: number;
  /** SHA-256 over a few places of it. */
  readonly digest: Bytes;
}

/** Reads half a megabyte of the file, whatever its size. @throws MatineeError FILE_UNREADABLE. */
export async function identifyFile(crypto: Crypto, source: VideoSource): Promise<FileIdentity> {
  const { name, sizeBytes } = source;
  const samples = sampleRanges(sizeBytes).map(([start, end]) => readExactly(source, start, end));
  return { name, sizeBytes, digest: await crypto.sha256(concat(...(await Promise.all(samples)))) };
}

/** @throws MatineeError FILE_OTHER where it is another file than the upload began with. */
export function mustBeSameFile(before: FileIdentity, now: FileIdentity): void {
  if (before.sizeBytes === now.sizeBytes && areEqual(before.digest, now.digest)) return;
  throw new MatineeError(
    'FILE_OTHER',
    `This is not the file that the upload began with. Choose “${before.name}” as it was then, or start a new room with this one.`,
  );
}

/** Start inclusive, end exclusive; a small file is read whole. */
function sampleRanges(sizeBytes: number): [number, number][] {
  if (sizeBytes <= SAMPLE_COUNT * SAMPLE_BYTES) return [[0, sizeBytes]];
  const lastStart = sizeBytes - SAMPLE_BYTES;
  return Array.from({ length: SAMPLE_COUNT }, (_, i) => {
    const start = Math.floor((lastStart * i) / (SAMPLE_COUNT - 1));
    return [start, start + SAMPLE_BYTES];
  });
}
