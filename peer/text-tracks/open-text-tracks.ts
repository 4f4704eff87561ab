import type { VideoSource } from '../host/package-source.ts';
import { fromFirstPacket } from '../host/transport-tables.ts';
import { FileView, unlessMalformed } from './file-view.ts';
import { openMatroskaText } from './matroska-text.ts';
import { openMp4Text } from './mp4-text.ts';
import type { TextTracks } from './text-tracks.ts';
import { openTransportText } from './transport-text.ts';

const NONE: TextTracks = { names: [], pictures: [], unread: [], read: async () => [] };

/**
 * The text tracks of a film's file, from a few places of it, whatever its size; none where its index cannot be understood: what goes
 * with a film is never worth losing it for.
 * @throws MatineeError FILE_UNREADABLE.
 */
export async function openTextTracks(source: VideoSource): Promise<TextTracks> {
  const view = new FileView((await fromFirstPacket(source)).source);
  const opened = await unlessMalformed(
    NONE,
    async () =>
      (await openMatroskaText(view)) ?? (await openMp4Text(view)) ?? (await openTransportText(view)),
  );
  if (!opened) return NONE;
  const { names, pictures, unread } = opened;
  const none = names.map(() => []);
  return { names, pictures, unread, read: (signal) => unlessMalformed(none, () => opened.read(signal)) };
}
