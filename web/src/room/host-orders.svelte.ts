import { type Bytes, fromBase64url } from '../../../peer/bytes.ts';
import { asMatineeError } from '../../../peer/errors.ts';
import type { HostDesk } from '../room-session.ts';
import type { RoomView } from './room-view.svelte.ts';
import { texts } from './texts.ts';

/** What the host asks of the server, one order at a time, wherever on the page it is given. */
export class HostOrders {
  static readonly #ofRoom = new WeakMap<RoomView, HostOrders>();
  readonly #room: RoomView;

  isWorking: boolean = $state(false);
  /** Why the last order came to nothing. */
  problem: string | null = $state(null);
  /** Who is to be removed, while it is asked whether to lock the room too. */
  leaving: { id: string; name: string } | null = $state(null);
  /** Names of those removed here: nobody tells them any more. */
  removedNames: Record<string, string> = $state({});

  /** The orders of this room. */
  static of(room: RoomView): HostOrders {
    const orders = HostOrders.#ofRoom.get(room) ?? new HostOrders(room);
    HostOrders.#ofRoom.set(room, orders);
    return orders;
  }

  private constructor(room: RoomView) {
    this.#room = room;
  }

  /** Gives an order at the host's desk; what goes wrong is in `problem`. */
  async give(order: (desk: HostDesk) => Promise<unknown>): Promise<void> {
    const open = this.#room.session?.openHostDesk;
    if (!open || this.isWorking) return;
    this.isWorking = true;
    this.problem = null;
    try {
      await order(await open());
    } catch (error) {
      this.problem = texts.errorText(asMatineeError(error, 'INTERNAL', texts.broken));
    } finally {
      this.isWorking = false;
    }
  }

  toggleMute(id: string, isMuted: boolean): Promise<void> {
    return this.give((desk) => (isMuted ? desk.unmute(idBytes(id)) : desk.mute(idBytes(id))));
  }

  /** Removes somebody, once it is said whether to lock the room too; at once where it is locked: nobody comes back then. */
  async askToRemove(id: string, name: string): Promise<void> {
    this.leaving = { id, name };
    if (this.#room.snapshot?.rules.isLocked) await this.removeLeaving(false);
  }

  /** Removes who was asked about, and locks the room to all others seen so far where that is wanted. */
  async removeLeaving(isLocking: boolean): Promise<void> {
    if (!this.leaving) return;
    const { id, name } = this.leaving;
    this.leaving = null;
    this.removedNames[id] = name;
    const others = (this.#room.session?.knownMembers() ?? []).filter((known) => known !== id);
    await this.give((desk) =>
      isLocking ? desk.removeAndLock(idBytes(id), others.map(idBytes)) : desk.remove(idBytes(id)),
    );
  }

  letBackIn(id: string): Promise<void> {
    return this.give((desk) => desk.unremove(idBytes(id)));
  }

  setLocked(isLocked: boolean): Promise<void> {
    const known = this.#room.session?.knownMembers() ?? [];
    return this.give((desk) => (isLocked ? desk.lock(known.map(idBytes)) : desk.unlock()));
  }
}

function idBytes(id: string): Bytes {
  return fromBase64url(id) ?? new Uint8Array(0);
}
