import { chooseCrypto } from '../../../peer/crypto/choose.ts';
import { asMatineeError, MatineeError } from '../../../peer/errors.ts';
import {
  type HostedRoomKey,
  MAX_KEY_FILE_CHARS,
  parseHostKey,
  proveHostKey,
} from '../../../peer/host/host-key-file.ts';
import { formatRoomLink, parseRoomLink } from '../../../peer/room-link.ts';
import { forgetRoom, hostedRooms, keepRoom } from './hosted-rooms.ts';
import { texts } from './texts.ts';

/** The list of rooms that this browser hosts, as the home page shows it. */
export class YourRooms {
  list: HostedRoomKey[] = $state.raw(hostedRooms());
  /** What went wrong last, in a sentence. */
  problem: string | null = $state(null);

  /** Keeps the key of a room made here. */
  add(room: HostedRoomKey): void {
    this.problem = keepRoom(room) ? null : texts.keyNotKept;
    // Where nothing can be kept, this page still has it, to be saved as a file.
    this.list = this.problem === null ? hostedRooms() : [room, ...this.list];
  }

  /** Forgets a room that is gone. */
  remove(link: string): void {
    forgetRoom(link);
    this.list = this.list.filter((room) => room.link !== link);
  }

  /** Takes over the room whose key is in this file. */
  async import(file: File): Promise<void> {
    await this.#try(async () => {
      const room = await readKeyFile(file);
      this.add(room);
    });
  }

  /** Removes a room from the server, for everyone and for good. */
  async takeDown(room: HostedRoomKey): Promise<void> {
    await this.#try(async () => {
      const { takeDownRoom } = await import('./take-down-room.ts');
      await takeDownRoom(room);
      this.remove(room.link);
    });
  }

  async #try(task: () => Promise<void>): Promise<void> {
    this.problem = null;
    try {
      await task();
    } catch (error) {
      this.problem = texts.errorText(asMatineeError(error, 'INTERNAL', texts.broken));
    }
  }
}

async function readKeyFile(file: File): Promise<HostedRoomKey> {
  if (file.size > MAX_KEY_FILE_CHARS) throw new MatineeError('REQUEST_MALFORMED', texts.keyFileTooLong);
  const room = parseHostKey(await file.text());
  await proveHostKey(await chooseCrypto(), room);
  // The same server may have another name here.
  return { ...room, link: formatRoomLink(location.origin, parseRoomLink(room.link)) };
}
