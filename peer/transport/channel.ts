import type { Bytes } from '../bytes.ts';

/** What the owner of a channel is told. */
export interface ChannelEvents {
  /** One whole frame, in order. */
  onFrame(frame: Bytes): void;
  /** The channel is gone, whoever closed it. Told once; nothing follows. */
  onClose(): void;
}

/** A reliable, ordered way to pass frames to one peer: a WebRTC data channel, or a simulated one. */
export interface Channel {
  /** Bytes handed to send() that have not left yet. */
  readonly waitingBytes: number;
  /** Whether it goes through a TURN server, as far as is known; left out: not. */
  readonly isTurned?: boolean;
  /** Takes what is in the frame, whose memory is the caller's again afterwards. Does nothing once closed. */
  send(frame: Bytes): void;
  /** Closes for good, after what was sent has had a moment to leave. May be called again. */
  close(): void;
  /** Names the owner. Called once, before anything can arrive. */
  listen(events: ChannelEvents): void;
}
