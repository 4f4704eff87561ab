import { isMobileDataSpared, watchMobileData } from '../member/mobile-data.ts';
import type { PeersChoice } from '../member/peers-choice.ts';
import type { Hindrance, PageGiving } from './give-through-page.ts';
import { givingLimit, type UploadNow } from './giving-limit.ts';
import type { HostingControl } from './host-worker.ts';

const IDLE: UploadNow = {
  bytesPerSec: null,
  isPaused: false,
  isStuck: false,
  isSpared: false,
  limitBytesPerSec: null,
};

/** Whether this page gives viewers itself what it uploads, as the host wants, and doing it while the upload lasts. */
export class Giving {
  /** What the host said, now or at an earlier visit; null: nothing, which is a yes once it was told. */
  choice: PeersChoice | null = $state(null);
  /** Why nothing is given, whatever the host says; null: nothing stands in the way. */
  hindrance: Hindrance | null = $state(null);
  /** Something is given, or is about to be. */
  isGiving: boolean = $state(false);
  isWanted = $derived(this.choice !== 'no');

  /** Whether this browser can connect to viewers at all. */
  readonly isPossible = 'RTCPeerConnection' in window;

  /** The upload whose room is open; null while there is none. */
  #upload: HostingControl | null = null;
  /** The one of which something is given, or is about to be. */
  #given: HostingControl | null = null;
  #giving: PageGiving | null = null;
  #wasTold = false;
  #isWatched = true;
  #now: UploadNow = IDLE;
  readonly #unwatch: (() => void) | null;
  readonly #onChoose: (choice: PeersChoice) => void;

  /** @param onChoose is told what the host says at the switch that is drawn of this. */
  constructor(choice: PeersChoice | null, onChoose: (choice: PeersChoice) => void) {
    this.choice = choice;
    this.#onChoose = onChoose;
    this.#unwatch = watchMobileData((isOn) => this.note({ isSpared: isOn && isMobileDataSpared() }));
  }

  /** The room of this upload is open: viewers come. */
  begin(upload: HostingControl): void {
    this.#upload = upload;
    this.#apply();
  }

  /** The upload is over, however it ended: the server has all, or nothing is wanted any more. */
  end(): void {
    this.#upload = null;
    const { isSpared, limitBytesPerSec } = this.#now;
    this.#now = { ...IDLE, isSpared, limitBytesPerSec };
    this.hindrance = null;
    this.#apply();
  }

  /** The page has said what it shows to others. Nobody is connected before. */
  noticeShown(): void {
    this.#wasTold = true;
    this.#apply();
  }

  /** Whether the room watches what is uploaded: to all others what is given would be of no use. It does until this is said. */
  setWatched(isWatched: boolean): void {
    this.#isWatched = isWatched;
    this.#apply();
  }

  /** The host said so at the switch. */
  choose(isWanted: boolean): void {
    const choice = isWanted ? 'yes' : 'no';
    this.follow(choice);
    this.#onChoose(choice);
  }

  /** The host said so, here or elsewhere. */
  follow(choice: PeersChoice): void {
    this.choice = choice;
    this.#apply();
  }

  /** How the upload does: what is given depends on it. */
  note(now: Partial<UploadNow>): void {
    this.#now = { ...this.#now, ...now };
    this.#giving?.setLimit(givingLimit(this.#now));
  }

  close(): void {
    this.#unwatch?.();
    this.end();
  }

  #apply(): void {
    const mayGive = this.isPossible && this.isWanted && this.#isWatched && this.#wasTold;
    const upload = mayGive ? this.#upload : null;
    if (upload === this.#given) return;
    this.#given = upload;
    this.isGiving = upload !== null;
    this.#giving?.close();
    this.#giving = null;
    if (upload) void this.#give(upload);
  }

  async #give(upload: HostingControl): Promise<void> {
    // Where the code cannot be loaded, viewers have all from the server.
    const loaded = await import('./give-through-page.ts').catch(() => null);
    if (!loaded || this.#given !== upload || this.#giving) return;
    const { port1, port2 } = new MessageChannel();
    this.#giving = new loaded.PageGiving(port1, (hindrance) => (this.hindrance = hindrance));
    this.#giving.setLimit(givingLimit(this.#now));
    upload.give(port2);
  }
}
