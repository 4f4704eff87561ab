import { isMobileDataSpared, rememberSparing, watchMobileData } from '../member/mobile-data.ts';
import type { RoomSession } from '../room-session.ts';

/** How much this person lets be uploaded: a limit of their choice, and nothing on mobile data unless they allow it. */
export class UploadRule {
  #session: RoomSession | null = null;
  #unwatch: (() => void) | null;
  /** Bytes per second; null without limit, 0 nothing. */
  limitBytesPerSec: number | null = $state(null);
  /** Whether this device is on mobile data; null where the browser does not say. */
  isOnMobileData: boolean | null = $state(null);
  isSpared: boolean = $state(isMobileDataSpared());

  /** Whether it is mobile data that keeps anything from being uploaded now. */
  isHeldBack = $derived(this.isSpared && this.isOnMobileData === true);

  constructor() {
    this.#unwatch = watchMobileData((isOn) => {
      this.isOnMobileData = isOn;
      this.#apply();
    });
  }

  /** From now on it is this session that keeps to the rule. */
  holdFor(session: RoomSession): void {
    this.#session = session;
    this.#apply();
  }

  limit(bytesPerSec: number | null): void {
    this.limitBytesPerSec = bytesPerSec;
    this.#apply();
  }

  spare(isSpared: boolean): void {
    this.isSpared = isSpared;
    rememberSparing(isSpared);
    this.#apply();
  }

  close(): void {
    this.#unwatch?.();
  }

  #apply(): void {
    this.#session?.setUploadLimit(this.isHeldBack ? 0 : this.limitBytesPerSec);
  }
}
