import type { SyncView } from '../room-session.ts';
import { texts } from './texts.ts';

/** What the page says of where the room is, in a sentence. */
export function togetherText({ isOnOwn, mayControl, said }: SyncView): string {
  if (isOnOwn) return texts.onOwn;
  if (said?.waitsFor) return texts.waitsFor(said.waitsFor);
  if (said && !said.isPlaying) return texts.pausedBy(said.name, said.isMine);
  if (said && said.speedPercent !== 100) return texts.atSpeed(said.speedPercent);
  return mayControl ? texts.together : texts.hostControls;
}
