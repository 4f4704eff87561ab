import { readdir, readFile, stat, truncate, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Bytes } from '../../peer/bytes.ts';
import { MatineeError } from '../../peer/errors.ts';
import { newRoom } from '../../peer/host/new-room.ts';
import { KEPT_FOR_MS, type UploadRecord } from '../../peer/host/upload-journal.ts';
import { piecesOf } from '../../peer/manifest/geometry.ts';
import { describeSegment, type SegmentEntry } from '../../peer/manifest/page.ts';
import { FileJournal, readKeptUpload } from '../../seed-server/file-journal.ts';
import { mustAgree, stoppedAtPercent } from '../../seed-server/host-resume.ts';
import { readNotes, type StoredUpload, type UploadFacts } from '../../seed-server/kept-upload.ts';
import { removeOldUploads, takeUploadPlace } from '../../seed-server/upload-place.ts';
import { temporaryFolder } from '../tools/temporary-folder.ts';
import { crypto, present, rejection } from './host-rig.ts';

const SERVER = 'http://localhost:8080';
const SUBTITLES = crypto.randomBytes(300);

const facts: UploadFacts = {
  server: SERVER,
  file: { name: 'film.mkv', sizeBytes: 1e6, digest: crypto.randomBytes(32) },
  durationMs: 20_000,
  audioTrack: 1,
  mayLeaveOutSound: false,
  subtitles: [SUBTITLES],
};
const record: UploadRecord = {
  room: await newRoom(crypto, SERVER),
  createdAtMs: 1_790_000_000_000,
  info: crypto.randomBytes(200),
};

/** The init segment, the subtitles, and film of two seconds each, with one extra in it. */
const entries: SegmentEntry[] = [];
for (let number = 0; number < 8; number++) {
  const isFilm = number > 1 && number !== 4;
  const startMs = entries.reduce((sum, { durationMs }) => sum + durationMs, 0);
  entries.push(
    await describeSegment(crypto, startMs, isFilm ? 2000 : 0, piecesOf([crypto.randomBytes(40_000)])),
  );
}
const MADE = crypto.randomBytes(100);

function inFile(body: (path: string) => Promise<void>): () => Promise<void> {
  return async () => {
    const { path, remove } = await temporaryFolder();
    try {
      await body(join(path, 'upload'));
    } finally {
      await remove();
    }
  };
}

/** Notes an upload of three batches; resolves with the sizes of the file after each note. */
async function noteAll(path: string): Promise<number[]> {
  const journal = FileJournal.create(path, facts);
  const sizes: number[] = [];
  const note = async (task: Promise<void>): Promise<void> => {
    await task;
    sizes.push((await stat(path)).size);
  };
  await note(journal.begin(record));
  assert.not.ok(journal.isKeeping, 'nothing was signed yet');
  await note(journal.list(0, entries.slice(0, 3), new Map([[1, SUBTITLES]])));
  await note(journal.list(3, entries.slice(3, 5), new Map([[4, MADE]])));
  await note(journal.list(5, entries.slice(5, 7), new Map()));
  assert.ok(journal.isKeeping);
  await journal.close();
  return sizes;
}

function read(bytes: Uint8Array): StoredUpload {
  return readNotes(new Uint8Array(bytes) as Bytes);
}

function isDamaged(error: unknown): boolean {
  return error instanceof MatineeError;
}

const notes = suite('the notes of an upload');

notes(
  'should tell what was noted, to their owner alone',
  inFile(async (path) => {
    await noteAll(path);
    if (process.platform !== 'win32') assert.is((await stat(path)).mode & 0o777, 0o600);
    const stopped = present(await readKeptUpload(path));
    assert.equal(stopped.facts, facts);
    const extras = new Map([[4, MADE]]);
    assert.equal(stopped.kept, { ...record, entries: entries.slice(0, 7), confirmedCount: 5, extras });
    assert.is(stoppedAtPercent(stopped), 40);
  }),
);

notes(
  'should lose no more than the note that was cut off, wherever that was, and take the next in its place',
  inFile(async (path) => {
    const sizes = await noteAll(path);
    const whole = await readFile(path);
    const [begun = 0] = sizes;
    for (let length = begun; length <= whole.byteLength; length += length % 7 === 0 ? 1 : 13) {
      const { kept } = read(whole.subarray(0, length));
      const noteCount = sizes.filter((size) => size <= length).length - 1;
      assert.is(kept.entries.length, [0, 3, 5, 7][noteCount], `${length}`);
      // The file is as long as it was to be, and what should be in it is not.
      const [start = 0, end = length] = [sizes[noteCount], sizes[noteCount + 1]];
      if (length > start && length - start < 4) continue;
      const zeroed = Buffer.concat([whole.subarray(0, length), Buffer.alloc(end - length)]);
      assert.equal(read(zeroed).kept.entries, kept.entries, `${length}`);
    }
    await truncate(path, (sizes[2] ?? 0) + 20);
    const journal = await FileJournal.reopen(path, present(await readKeptUpload(path)));
    await journal.list(5, entries.slice(5, 8), new Map());
    await journal.close();
    assert.equal(present(await readKeptUpload(path)).kept.entries, entries);
  }),
);

notes(
  'should be refused where something in them was changed, or is missing between',
  inFile(async (path) => {
    const sizes = await noteAll(path);
    const whole = await readFile(path);
    for (const at of [10, 60, (sizes[0] ?? 0) + 50, (sizes[1] ?? 0) + 100]) {
      const changed = Buffer.from(whole);
      changed[at] = (changed[at] ?? 0) ^ 1;
      assert.throws(() => read(changed), isDamaged, `${at}`);
    }
    const gap = Buffer.concat([whole.subarray(0, sizes[0]), whole.subarray(sizes[1])]);
    assert.throws(() => read(gap), isDamaged);
    for (const length of [0, 3, 36, 500]) assert.throws(() => read(crypto.randomBytes(length)), isDamaged);
    assert.throws(() => read(whole.subarray(0, (sizes[0] ?? 0) - 1)), isDamaged);
    await writeFile(path, 'no notes');
    assert.ok(isDamaged(await rejection(readKeptUpload(path))));
  }),
);

notes(
  'should be gone at the end, and make place for those of another upload',
  inFile(async (path) => {
    await noteAll(path);
    const journal = FileJournal.create(path, { ...facts, audioTrack: null });
    await journal.begin(record);
    const stopped = present(await readKeptUpload(path));
    assert.is(stopped.facts.audioTrack, null);
    assert.equal(stopped.kept.entries, []);
    await journal.end();
    assert.is(await readKeptUpload(path), null);
  }),
);

notes(
  'should agree with what is asked for when the upload goes on',
  inFile(async (path) => {
    await noteAll(path);
    const stopped = present(await readKeptUpload(path));
    const nothing = { audioTrack: null, mayLeaveOutSound: false, subtitles: null, roomPassword: null };
    await mustAgree(crypto, stopped, nothing);
    await mustAgree(crypto, stopped, { ...nothing, audioTrack: 1, subtitles: [SUBTITLES] });
    const others: [object, string][] = [
      [{ audioTrack: 0 }, '--audio'],
      [{ mayLeaveOutSound: true }, '--without-sound'],
      [{ subtitles: [MADE] }, 'the subtitle files'],
      [{ roomPassword: 'secret' }, 'the room password'],
    ];
    for (const [asked, name] of others) {
      const error = await rejection(mustAgree(crypto, stopped, { ...nothing, ...asked }));
      assert.match(String(error), `something else for ${name}. Leave that out`);
    }
    const room = await newRoom(crypto, SERVER, 'secret');
    const locked = { ...stopped, kept: { ...stopped.kept, room } };
    await mustAgree(crypto, locked, { ...nothing, roomPassword: 'secret' });
    assert.ok(await rejection(mustAgree(crypto, locked, { ...nothing, roomPassword: 'other' })));
  }),
);

notes.run();

const old = suite('what is kept of uploads that nobody went on with');

old('should go after thirty days, but for what is under way', async () => {
  const { path: folder, remove } = await temporaryFolder();
  const note = async (name: string, ageMs: number) => {
    const place = await takeUploadPlace(folder, SERVER, { ...facts.file, digest: crypto.randomBytes(32) });
    const journal = FileJournal.create(place.journal, { ...facts, file: { ...facts.file, name } });
    await journal.begin(record);
    await journal.close();
    const at = new Date(nowMs - ageMs);
    await utimes(place.journal, at, at);
    return place;
  };
  const nowMs = Date.now();
  try {
    await (await note('old', KEPT_FOR_MS + 60_000)).release();
    await (await note('young', KEPT_FOR_MS - 60_000)).release();
    const underWay = await note('under way', 2 * KEPT_FOR_MS);
    await writeFile(join(folder, 'not ours'), '');
    await removeOldUploads(folder, nowMs);
    const left = await readdir(folder);
    const names = await Promise.all(
      left.map(
        async (one) => (await readKeptUpload(join(folder, one, 'upload')).catch(() => null))?.facts.file.name,
      ),
    );
    assert.equal(names.sort(), ['under way', 'young', undefined]);
    await underWay.release();
  } finally {
    await remove();
  }
});

old.run();
