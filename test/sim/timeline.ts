import type { Simulation } from './simulation.ts';

/** What happened in one stretch of a run. Shares and rates are of this stretch. */
export interface Moment {
  /** Its end. */
  atS: number;
  /** Viewers there at its end, and those of them whose film stands still. */
  present: number;
  waiting: number;
  /** Media received by all, bytes per second. */
  receivedBytesPerSec: number;
  /** Of that what was there already, or wrong. */
  uselessShare: number;
  /** How much of the uplinks was used for media: the origin's, and those of the viewers present. */
  originUpShare: number;
  viewersUpShare: number;
  /** Playable media at hand, seconds: the mean and the least. */
  meanAheadS: number;
  minAheadS: number;
  meanDegree: number;
}

interface Totals {
  receivedBytes: number;
  acceptedBytes: number;
  originSentBytes: number;
  viewersSentBytes: number;
}

/** Looks at a run every so often. */
export class Timeline {
  readonly moments: Moment[] = [];
  readonly #simulation: Simulation;
  readonly #everyMs: number;
  #last: Totals = { receivedBytes: 0, acceptedBytes: 0, originSentBytes: 0, viewersSentBytes: 0 };

  constructor(simulation: Simulation, everyMs: number) {
    this.#simulation = simulation;
    this.#everyMs = everyMs;
    simulation.clock.after(everyMs, () => this.#look());
  }

  #look(): void {
    const { clock, viewers, plan } = this.#simulation;
    const stretchS = this.#everyMs / 1000;
    const totals = this.#totals();
    const more = (what: keyof Totals): number => totals[what] - this.#last[what];
    const present = viewers.filter((viewer) => viewer.isPresent);
    const aheads = present.flatMap(({ player }) => (player ? player.aheadMs / 1000 : []));
    const upBytesPerSec = sum(present.map((viewer) => viewer.parts.plan.upBytesPerSec));
    const receivedBytes = more('receivedBytes');
    this.moments.push({
      atS: clock.nowMs() / 1000,
      present: present.length,
      waiting: present.filter(({ player }) => player?.isWaiting).length,
      receivedBytesPerSec: receivedBytes / stretchS,
      uselessShare: 1 - more('acceptedBytes') / Math.max(1, receivedBytes),
      originUpShare: more('originSentBytes') / stretchS / plan.originUpBytesPerSec,
      viewersUpShare: more('viewersSentBytes') / stretchS / Math.max(1, upBytesPerSec),
      meanAheadS: sum(aheads) / Math.max(1, aheads.length),
      minAheadS: aheads.length > 0 ? Math.min(...aheads) : 0,
      meanDegree: sum(present.map((viewer) => viewer.degree)) / Math.max(1, present.length),
    });
    this.#last = totals;
    clock.after(this.#everyMs, () => this.#look());
  }

  #totals(): Totals {
    const { viewers, originHost } = this.#simulation;
    return {
      receivedBytes: sum(viewers.map(({ parts }) => parts.host.received.mediaBytes)),
      acceptedBytes: sum(viewers.map((viewer) => viewer.acceptedBytes)),
      originSentBytes: originHost.sent.mediaBytes,
      viewersSentBytes: sum(viewers.map(({ parts }) => parts.host.sent.mediaBytes)),
    };
  }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((all, one) => all + one, 0);
}
