import type { Member } from '../member/member.ts';

/**
 * Those whom signaling names may be here until they would have said so, or be connected. After that they have left, or are no people
 * but the host's uploading page.
 */
const NAMED_COUNT_MS = 15_000;

/** Whether nobody else is in the room, as far as is known. @param openedForMs how long this member has been here, milliseconds. */
export function isAlone({ viewer, named }: Pick<Member, 'viewer' | 'named'>, openedForMs: number): boolean {
  if (openedForMs < NAMED_COUNT_MS && named.length > 0) return false;
  if (viewer.chat.people.length > 0) return false;
  return ![...viewer.links].some((link) => link.remote.kind === 'member' && !viewer.isGiver(link));
}
