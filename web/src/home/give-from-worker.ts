import type { Giveaway } from '../../../peer/host/giveaway.ts';
import type { FromGiveaway, ToGiveaway } from './give-messages.ts';

/** Tells the page at this port what there is to give, and answers what it reads, until it says that it is over. */
export function giveFromWorker(giveaway: Giveaway, port: MessagePort): void {
  const tell = (message: FromGiveaway): void => port.postMessage(message);
  const listener = {
    begun: (room) => tell({ type: 'begun', room }),
    published: (update) => tell({ type: 'published', update }),
    listed: (segments) => tell({ type: 'listed', segments }),
    stored: (segment) => tell({ type: 'stored', segment }),
  } satisfies Parameters<Giveaway['listen']>[0];
  port.onmessage = ({ data }: MessageEvent<ToGiveaway>) => {
    if (data.type === 'end') {
      giveaway.unlisten(listener);
      port.close();
      return;
    }
    if (data.type === 'again') {
      giveaway.listen(listener);
      return;
    }
    const piece = giveaway.read(data.segment, data.piece);
    port.postMessage(
      { type: 'piece', id: data.id, data: piece } satisfies FromGiveaway,
      piece ? [piece.buffer] : [],
    );
  };
  giveaway.listen(listener);
}
