/** What one can choose. */
export const SPEEDS = [0.5, 0.75, 1, 1.25, 1.5, 2] as const;

/** A film that catches up with the room is so much faster or slower than was chosen. */
const NEAR = 0.06;

/** The speed of the list that this one is, give or take what catching up takes; 1 where there is none. */
export function speedNear(rate: number): number {
  return SPEEDS.find((speed) => Math.abs(speed - rate) < NEAR) ?? 1;
}

/** The next faster speed of the list (`direction` 1) or slower one (-1); the last of them stays. */
export function nextSpeed(rate: number, direction: 1 | -1): number {
  const further = SPEEDS.filter((speed) => (speed - rate) * direction > 0.01);
  const next = direction > 0 ? further.at(0) : further.at(-1);
  return next ?? (direction > 0 ? SPEEDS[SPEEDS.length - 1] : SPEEDS[0]) ?? 1;
}
