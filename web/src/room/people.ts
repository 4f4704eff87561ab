import type { RoomSnapshot } from '../room-session.ts';
import { texts } from './texts.ts';

/** Somebody the host can mute or remove. */
export interface Person {
  id: string;
  name: string;
  isMuted: boolean;
}

/** Those connected and those heard in the chat, oneself and the removed left out; by the name they gave last. */
export function peopleOf({ peers, chat, rules }: RoomSnapshot): Person[] {
  const names = new Map<string, string>();
  for (const { from, name, isMine } of chat) if (!isMine) names.set(from, name);
  for (const { id, kind, name } of peers) {
    if (kind === 'member') names.set(id, name ?? names.get(id) ?? texts.member(id));
  }
  for (const id of rules.removed) names.delete(id);
  return [...names].map(([id, name]) => ({ id, name, isMuted: rules.muted.includes(id) }));
}

/** Names that can be meant by an @ before them: of those connected and those heard in the chat, and one's own. */
export function knownNames({ peers, chat, name }: RoomSnapshot): string[] {
  const connected = peers.flatMap((peer) => peer.name ?? []);
  return [...new Set([name, ...connected, ...chat.map((line) => line.name)])];
}
