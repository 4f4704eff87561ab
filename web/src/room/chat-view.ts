import { areEqual, type Bytes, toBase64url } from '../../../peer/bytes.ts';
import type { Chat } from '../../../peer/chat/chat.ts';
import type { ChatLine as Line } from '../../../peer/chat/chat-line.ts';
import type { ReactionCount } from '../../../peer/chat/line-reactions.ts';
import { language } from '../language.ts';
import type { ChatLine, LineReaction, RoomSnapshot } from '../room-session.ts';
import { texts } from './texts.ts';

type Shown = Pick<RoomSnapshot, 'chat' | 'timeMarks'>;

/** What the page shows of the chat: the very same lines until something about them changes, so that none is drawn anew for nothing. */
export class ChatView {
  #shown: Shown = { chat: [], timeMarks: [] };
  /** Of what that was made. */
  #madeOf = '';

  /** `video` is the film that is watched. */
  show(chat: Chat, selfId: string, video: Bytes | null): Shown & Pick<RoomSnapshot, 'typing'> {
    const madeOf = `${chat.version} ${video && toBase64url(video)} ${language()}`;
    if (madeOf !== this.#madeOf) this.#shown = shownOf(chat, selfId, video);
    this.#madeOf = madeOf;
    return { ...this.#shown, typing: chat.typing.map(nameOf) };
  }
}

function shownOf({ lines, reactions }: Chat, selfId: string, video: Bytes | null): Shown {
  const byId = new Map(lines.map((line) => [line.id, line]));
  const names = new Map(lines.map((line) => [line.from, nameOf(line)]));
  const isHere = (line: Line): boolean =>
    line.moment !== null && video !== null && areEqual(line.moment.video, video);
  const chat = lines.map((line): ChatLine => {
    const { id, from, isHost, text, sentAtMs, reply, moment } = line;
    return {
      id,
      from,
      isHost,
      name: nameOf(line),
      text,
      sentAtMs,
      isMine: from === selfId,
      reply: reply === null ? null : { id: reply, line: answered(byId.get(reply)) },
      moment: moment && { atMs: moment.atMs, isHere: isHere(line) },
      reactions: (reactions.get(id) ?? []).map((count) => reactionView(count, selfId, names)),
    };
  });
  const timeMarks = lines
    .flatMap((line) =>
      line.moment && isHere(line)
        ? [{ atMs: line.moment.atMs, id: line.id, name: nameOf(line), text: line.text }]
        : [],
    )
    .sort((a, b) => a.atMs - b.atMs);
  return { chat, timeMarks };
}

/** Somebody whose name has nothing in it that can be shown still needs one. */
function nameOf({ name, from }: { name: string; from: string }): string {
  return name || texts.member(from);
}

function answered(line: Line | undefined): { from: string; name: string; text: string } | null {
  return line ? { from: line.from, name: nameOf(line), text: line.text } : null;
}

function reactionView(
  { emoji, from }: ReactionCount,
  selfId: string,
  names: ReadonlyMap<string, string>,
): LineReaction {
  const known = from.flatMap((id) => (id === selfId ? [] : (names.get(id) ?? [])));
  return { emoji, count: from.length, isMine: from.includes(selfId), names: known };
}
