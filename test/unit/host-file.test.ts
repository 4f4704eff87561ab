import { appendFile, rm, truncate, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MatineeError } from '../../peer/errors.ts';
import { BLOCK_BYTES } from '../../peer/host/block-reader.ts';
import { readExactly } from '../../peer/host/package-source.ts';
import { openFile } from '../../seed-server/host-file.ts';
import { temporaryFolder } from '../tools/temporary-folder.ts';

const files = suite('the file of the host command');

const SIZE_BYTES = 4 * BLOCK_BYTES;

/** What reading its last block says after something happened to the file. */
async function readAfter(happens: (path: string) => Promise<void>): Promise<string> {
  const folder = await temporaryFolder();
  const path = join(folder.path, 'film.ts');
  await writeFile(path, new Uint8Array(SIZE_BYTES));
  const { source, close } = await openFile(path);
  try {
    await readExactly(source, 0, 10);
    await happens(path);
    await readExactly(source, SIZE_BYTES - 10, SIZE_BYTES);
    return 'read';
  } catch (error) {
    assert.instance(error, MatineeError);
    const { code, message } = error as MatineeError;
    return `${code} ${message}`;
  } finally {
    await close();
    await folder.remove();
  }
}

files('should be read as it was opened, or not at all', async () => {
  assert.is(await readAfter(async () => undefined), 'read');
  // Its name is gone, and what was opened is still there.
  if (process.platform !== 'win32') assert.is(await readAfter((path) => rm(path)), 'read');
  assert.match(await readAfter((path) => appendFile(path, 'more')), /^FILE_UNREADABLE .*still being written/);
  assert.match(await readAfter((path) => truncate(path, SIZE_BYTES - 5)), /^FILE_UNREADABLE .*changed/);
  const others = async (path: string): Promise<void> => {
    await writeFile(path, new Uint8Array(SIZE_BYTES).fill(1));
    // Whatever the clock of the file system can tell apart.
    await utimes(path, 1, 1);
  };
  assert.match(await readAfter(others), /^FILE_UNREADABLE .*changed/);
});

files.run();
