/** Before anything was measured: a viewer's share of a small home uplink, 2 Mbit/s. */
const FIRST_GUESS_BYTES_PER_SEC = 250_000;

/** A sample's weight per second of waiting it covers: a slow change is seen within a few seconds. */
const WEIGHT_PER_SEC = 1;

/** What a peer delivers while it owes us something. */
export class Throughput {
  #bytesPerSec = FIRST_GUESS_BYTES_PER_SEC;
  #busySinceMs: number | null = null;
  #sampleBytes = 0;

  get bytesPerSec(): number {
    return this.#bytesPerSec;
  }

  /** The peer owes us something from now on. */
  asked(nowMs: number): void {
    this.#busySinceMs ??= nowMs;
  }

  /** A piece came; `isIdle`: the peer owes us nothing more. */
  received(nowMs: number, sizeBytes: number, isIdle: boolean): void {
    this.#sampleBytes += sizeBytes;
    const spentS = (nowMs - (this.#busySinceMs ?? nowMs)) / 1000;
    // Pieces come in bursts: a sample must cover some time to mean anything.
    if (spentS >= 0.05) {
      const weight = Math.min(0.5, Math.max(0.1, spentS * WEIGHT_PER_SEC));
      this.#bytesPerSec += (this.#sampleBytes / spentS - this.#bytesPerSec) * weight;
      this.#busySinceMs = nowMs;
      this.#sampleBytes = 0;
    }
    if (isIdle) this.#busySinceMs = null;
  }
}
