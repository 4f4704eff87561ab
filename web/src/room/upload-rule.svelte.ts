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
  /** What is uploaded now at most, all together: bytes per second, null without limit. */
  bytesPerSec = $derived(this.isHeldBack ? 0 : this.limitBytesPerSec);
  #shareKept = 0;

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

  /** This share of it, 0 to 1, is for what the page gives otherwise than as a viewer. */
  keep(share: number): void {
    this.#shareKept = share;
    this.#apply();
  }

  close(): void {
    this.#unwatch?.();
  }

  #apply(): void {
    const { bytesPerSec } = this;
    this.#session?.setUploadLimit(bytesPerSec && Math.floor(bytesPerSec * (1 - this.#shareKept)));
  }
}
