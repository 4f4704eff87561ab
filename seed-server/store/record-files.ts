import { randomUUID } from 'node:crypto';
import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { areEqual, type Bytes } from '../../peer/bytes.ts';
import { MatineeError } from '../../peer/errors.ts';
import { openRoomRecord, type RoomRecord } from '../../peer/manifest/room-record.ts';
import { verifyTakeDown } from '../../peer/manifest/take-down.ts';
import { makeFolders, replaceFile, syncFolder } from './durable.ts';
import { folderBytes } from './quota.ts';
import { Recent } from './recent.ts';
import { idBytes, roomUnknown, type Shelf } from './shelf.ts';

const MAX_KEPT = 1000;

/** The rooms by their records. Its caller sees to it that changes to one room do not overlap. */
export class RecordFiles {
  readonly #shelf: Shelf;
  readonly #kept = new Recent<RoomRecord>(MAX_KEPT);

  constructor(shelf: Shelf) {
    this.#shelf = shelf;
  }

  /** A room's record, verified; null where there is no such room. */
  async find(room: string): Promise<RoomRecord | null> {
    const kept = this.#kept.get(room);
    if (kept) return kept;
    const envelope = await this.#shelf.files.readRecord(room);
    if (!envelope) return null;
    const record = await openRoomRecord(this.#shelf.crypto, idBytes(room), envelope);
    // It may have been removed while it was read: only what is still there is remembered.
    if (await this.#shelf.files.readRecord(room)) this.#kept.set(room, record);
    return record;
  }

  /** @throws MatineeError ROOM_UNKNOWN. */
  async mustFind(room: string): Promise<RoomRecord> {
    const record = await this.find(room);
    if (!record) throw roomUnknown();
    return record;
  }

  /** See Store.putRecord. */
  async put(room: string, envelope: Bytes): Promise<boolean> {
    const { crypto, files, paths, quota } = this.#shelf;
    const stored = await files.readRecord(room);
    await openRoomRecord(crypto, idBytes(room), envelope);
    if (stored && areEqual(stored, envelope)) {
      // A crash may have come between its move and the sync.
      await syncFolder(paths.room(room));
      return false;
    }
    if (stored) throw new MatineeError('ROOM_TAKEN', 'There is such a room already, with another record.');
    await quota.spend(room, envelope.byteLength, async () => {
      await makeFolders(paths.room(room));
      await replaceFile(paths.temporary, paths.record(room), envelope);
      await syncFolder(paths.room(room));
      return envelope.byteLength;
    });
    return true;
  }

  /** Removes a room with all its files, by its host's command; see Store.removeRoom. */
  async remove(room: string, command: Bytes): Promise<void> {
    const { publicKey } = await this.mustFind(room);
    await verifyTakeDown(this.#shelf.crypto, publicKey, idBytes(room), command);
    await this.bury(room);
  }

  /** Removes a room with all its files, whoever may want it. */
  async bury(room: string): Promise<void> {
    const { paths, quota } = this.#shelf;
    await quota.whenCounted();
    const grave = join(paths.temporary, randomUUID());
    // Moved away as one, so that nobody ever sees half a room.
    await rename(paths.room(room), grave);
    this.#kept.delete(room);
    await syncFolder(paths.rooms);
    quota.release(room, await folderBytes(grave));
    await rm(grave, { recursive: true, force: true });
  }
}
