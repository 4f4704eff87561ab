import { type Bytes, toBase64url } from '../../peer/bytes.ts';
import type { Giver } from '../../peer/room/giver.ts';
import type { OriginRoom } from '../../peer/room/origin-room.ts';
import type { Viewer } from '../../peer/room/viewer.ts';
import { allocatePieceFrame, decodeFrame, encodeFrame, PIECE_HEADER_BYTES } from '../../peer/wire/frame.ts';
import type { PeerKind } from '../../peer/wire/link.ts';
import { type Bodies, type Message, type MessageName, WIRE_VERSION } from '../../peer/wire/messages.ts';
import type { VirtualChannel } from '../sim/virtual-channel.ts';
import type { VirtualRoom } from '../sim/virtual-room.ts';

export interface BarePeerParts {
  room: VirtualRoom;
  /** Whom it talks to. */
  target: Viewer | OriginRoom | Giver;
  id: string;
  kind?: PeerKind;
  /** What its first hello says besides the usual. */
  hello?: Partial<Bodies['hello']>;
  /** What comes from the target. */
  onMessage?(message: Message): void;
}

/** A peer that does only what a test tells it: it says hello, and then anything. */
export class BarePeer {
  readonly id: string;
  readonly #channel: VirtualChannel;
  readonly #theirs: VirtualChannel;
  /** What the target said in its goodbye; null while it said none. */
  goodbye: string | null = null;
  isClosed = false;
  receivedBytes = 0;

  constructor({ room, target, id, kind = 'member', hello = {}, onMessage }: BarePeerParts) {
    this.id = id;
    const [mine, theirs] = room.line({ bytesPerSec: Number.POSITIVE_INFINITY });
    this.#channel = mine;
    this.#theirs = theirs;
    mine.listen({
      onFrame: (frame) => {
        const message = decodeFrame(frame);
        this.receivedBytes += frame.byteLength;
        if (message.name === 'goodbye') this.goodbye = message.body.code;
        onMessage?.(message);
      },
      onClose: () => {
        this.isClosed = true;
      },
    });
    target.connect(theirs, { id, kind });
    this.send('hello', { v: WIRE_VERSION, role: kind, card: null, ...hello });
  }

  send<N extends Exclude<MessageName, 'piece'>>(name: N, body: Bodies[N]): void {
    this.#channel.send(encodeFrame(name, body));
  }

  sendPiece(segment: number, piece: number, data: Uint8Array): void {
    this.#channel.send(pieceFrame(segment, piece, data));
  }

  /** Hands a frame to the target in this very moment: what its handler throws is thrown here. */
  strike(frame: Bytes): void {
    this.#theirs.deliver(frame);
  }

  close(): void {
    this.#channel.close();
  }
}

/** The frame of a piece. */
export function pieceFrame(segment: number, piece: number, data: Uint8Array): Bytes {
  const frame = allocatePieceFrame(segment, piece, data.byteLength);
  frame.set(data, PIECE_HEADER_BYTES);
  return frame;
}

/** An id like a member's, that nobody has. */
export function madeUpId(number: number): string {
  const bytes = new Uint8Array(16);
  new DataView(bytes.buffer).setUint32(0, number);
  return toBase64url(bytes.fill(255, 4));
}
