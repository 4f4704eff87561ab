import type { Door } from './door.ts';
import { MAX_REMEMBERED, SIGNALING_LIMITS, type SignalingLimits } from './limits.ts';
import { Rates } from './rate.ts';
import { Refusal } from './refusal.ts';

/** Who may connect, by the addresses of those who are connected: before anything of theirs is read. */
export class Gate {
  readonly #limits: SignalingLimits;
  readonly #rates: Rates;
  readonly #openCounts = new Map<string, number>();
  #openCount = 0;

  constructor(limits: SignalingLimits) {
    this.#limits = limits;
    this.#rates = new Rates(limits.burstPerAddress, limits.perSecPerAddress, MAX_REMEMBERED);
  }

  /** Whether one more may connect from this address; it counts if so, until `leave`. */
  canEnter(address: string, nowMs: number): boolean {
    const openHere = this.#openCounts.get(address) ?? 0;
    const { connections, connectionsPerAddress } = this.#limits;
    if (this.#openCount >= connections || openHere >= connectionsPerAddress) return false;
    if (!this.#rates.canTake(address, nowMs)) return false;
    this.#openCounts.set(address, openHere + 1);
    this.#openCount += 1;
    return true;
  }

  /** Somebody who had entered from this address is gone. */
  leave(address: string): void {
    const openHere = (this.#openCounts.get(address) ?? 0) - 1;
    if (openHere > 0) this.#openCounts.set(address, openHere);
    else this.#openCounts.delete(address);
    this.#openCount -= 1;
  }
}

/**
 * The same door, through which no room's members come faster than its limits say. Strangers are not counted: else
 * whoever knows a room's id could keep its members out.
 * @param nowMs milliseconds of a clock that never goes backwards.
 */
export function slowDoor(door: Door, limits: SignalingLimits, nowMs: () => number): Door {
  const { joinBurstPerRoom, joinsPerSecPerRoom } = limits;
  const rates = new Rates(joinBurstPerRoom, joinsPerSecPerRoom, MAX_REMEMBERED);
  return {
    mayMeet: (room) => door.mayMeet(room),
    async admit(room, token, member) {
      const admission = await door.admit(room, token, member);
      if (admission !== 'ok' || rates.canTake(room, nowMs())) return admission;
      throw new Refusal('TOO_MANY', 'Too many people join this room right now. Try again in a moment.');
    },
  };
}

/** All limits, some of them other than the usual. */
export function limitsWith(changes: Partial<SignalingLimits> = {}): SignalingLimits {
  return { ...SIGNALING_LIMITS, ...changes };
}
