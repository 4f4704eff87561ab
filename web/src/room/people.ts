import type { Doing } from '../../../peer/chat/presence.ts';
import type { PeerView, RoomSnapshot } from '../room-session.ts';
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

/** Somebody in the room, as the list of people shows them. */
export interface PersonHere {
  id: string;
  name: string;
  isSelf: boolean;
  isHost: boolean;
  /** Null where they did not say it yet. */
  doing: Doing | null;
}

/** Who is in the room: oneself first, then the host, then those connected and those who said lately that they are here. */
export function whoIsHere({ self, name, present, peers, rules }: RoomSnapshot): PersonHere[] {
  const others = new Map<string, PersonHere>();
  for (const { id, kind, name, isHost } of peers) {
    if (kind === 'member')
      others.set(id, { id, name: name ?? texts.member(id), isSelf: false, isHost, doing: null });
  }
  for (const { from: id, name, isHost, doing } of present) {
    const shown = others.get(id)?.name ?? (name || texts.member(id));
    others.set(id, { id, name: shown, isSelf: false, isHost, doing });
  }
  others.delete(self.id);
  for (const id of rules.removed) others.delete(id);
  const byRank = (a: PersonHere, b: PersonHere): number =>
    Number(b.isHost) - Number(a.isHost) || a.name.localeCompare(b.name);
  return [{ ...self, name, isSelf: true }, ...[...others.values()].sort(byRank)];
}

/** What a peer is called where it is drawn: by its name, or by what it is. */
export function peerName({ kind, name }: PeerView): string {
  if (kind === 'origin') return texts.origin;
  return kind === 'giver' ? texts.giver : (name ?? texts.unnamed);
}

/** Names that can be meant by an @ before them: of those connected and those heard in the chat, and one's own. */
export function knownNames({ peers, chat, name }: RoomSnapshot): string[] {
  const connected = peers.flatMap((peer) => peer.name ?? []);
  return [...new Set([name, ...connected, ...chat.map((line) => line.name)])];
}
