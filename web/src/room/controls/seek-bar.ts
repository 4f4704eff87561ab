import type { StripColumn } from '../film-strip.ts';

/** Where along a box of this left edge and width, px, a place of the page is: 0 to 1. */
export function shareAt(xPx: number, { left, width }: { left: number; width: number }): number {
  return width > 0 ? Math.min(1, Math.max(0, (xPx - left) / width)) : 0;
}

/** Less of a column than this is not drawn. */
const LEAST_SHARE = 0.02;

/** The outline of all columns of which this giver brought most, each one unit wide and high. */
export function stripPath(columns: readonly StripColumn[], giver: keyof StripColumn): string {
  const isFriend = giver === 'friendShare';
  return columns
    .map(({ friendShare, serverShare }, x) => {
      const isSomething = friendShare + serverShare > LEAST_SHARE;
      return isSomething && friendShare >= serverShare === isFriend ? `M${x} 0h1v1h-1z` : '';
    })
    .join('');
}
