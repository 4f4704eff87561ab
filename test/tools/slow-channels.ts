/**
 * Runs in a page before its scripts: data channels deliver so many milliseconds later, each way, as over a longer line.
 * Frames keep their order.
 */
export function delayChannels(delayMs: number): void {
  const proto = RTCDataChannel.prototype;
  const { send } = proto;
  proto.send = function (this: RTCDataChannel, data: never): void {
    // A channel copies what it is given, whose memory the sender uses again.
    const copy = (data as Uint8Array).slice() as never;
    setTimeout(() => {
      if (this.readyState === 'open') send.call(this, copy);
    }, delayMs);
  };
  const handler = Object.getOwnPropertyDescriptor(proto, 'onmessage');
  if (!handler?.set) throw new Error('This browser has no onmessage to wrap.');
  Object.defineProperty(proto, 'onmessage', {
    ...handler,
    set(this: RTCDataChannel, run: ((event: MessageEvent) => void) | null) {
      handler.set?.call(this, run && ((event: MessageEvent) => setTimeout(() => run(event), delayMs)));
    },
  });
}
