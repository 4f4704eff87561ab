import { MatineeError } from '../../peer/errors.ts';
import { codeOf } from './durable.ts';

/** A file system that turned read-only (Linux does that to a failing disk), lost rights, a failing disk. */
const NOT_WRITABLE = ['EROFS', 'EACCES', 'EPERM', 'EIO'];

/**
 * Runs a task that writes to the store; resolves to what it does.
 * @throws MatineeError STORE_READ_ONLY where the disk cannot be written; else what the task throws.
 */
export async function writing<T>(task: () => Promise<T>): Promise<T> {
  try {
    return await task();
  } catch (error) {
    if (!NOT_WRITABLE.includes(codeOf(error) ?? '')) throw error;
    throw new MatineeError(
      'STORE_READ_ONLY',
      'The server cannot write to its disk at the moment. What it has stored is safe. Tell whoever runs it, and try again.',
      { cause: error },
    );
  }
}
