/** Browsers write subtitles so high that this share of the film's smaller side makes one line, or a little less. */
const LINE_SHARE = 0.058;

/** At which line from the lower edge (negative) a text of so many lines begins that is to end above controls of this height, px. */
export function lineAbove(controlsPx: number, smallerSidePx: number, lineCount: number): number {
  return -Math.ceil(controlsPx / (LINE_SHARE * Math.max(1, smallerSidePx))) - lineCount;
}

/** Holds what a track shows above the controls; returns the undo. */
export function liftSubtitles(track: TextTrack, controlsPx: number, smallerSidePx: number): () => void {
  const before = new Map<VTTCue, VTTCue['line']>();
  const lift = (): void => {
    for (const cue of track.activeCues ?? []) {
      if (!(cue instanceof VTTCue) || before.has(cue)) continue;
      const line = lineAbove(controlsPx, smallerSidePx, cue.text.split('\n').length);
      before.set(cue, cue.line);
      // On a large picture they stand above anyway.
      if (typeof cue.line === 'number') cue.line = Math.min(cue.line, line);
    }
  };
  lift();
  track.addEventListener('cuechange', lift);
  return () => {
    track.removeEventListener('cuechange', lift);
    for (const [cue, line] of before) cue.line = line;
  };
}
