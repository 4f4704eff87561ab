import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';
import type { SimplePeerLike } from '../../peer/transport/simple-peer-channel.ts';

/** What IPv4 and UDP add to each datagram. */
const HEADER_BYTES = 28;

const LOOPBACK = '127.0.0.1';

export interface LineParts {
  /** Null: as fast as the machine. */
  upBytesPerSec: number | null;
  /** What the modem keeps; what comes beyond it is lost, as on a real line. */
  queueBytes: number;
  /** One way, to wherever. */
  delayMs: number;
}

interface Packet {
  atMs: number;
  deliver(): void;
}

/** A machine's line out: all its connections share one queue, as in a modem at home. */
export class ShapedLine {
  /** Packets it was given, and those of them that found its queue full. */
  packetCount = 0;
  lostCount = 0;
  /** What it carried, IP headers included. */
  carriedBytes = 0;
  /** Lines to which nothing gets through, as between networks that cannot reach each other. */
  readonly cutOff = new Set<ShapedLine>();
  readonly #parts: LineParts;
  #freeAtMs = 0;
  #packets: Packet[] = [];
  #timer: NodeJS.Timeout | null = null;

  constructor(parts: LineParts) {
    this.#parts = parts;
  }

  /** A packet for this other line: `deliver` is called when it is there, if it is not lost. */
  carry(to: ShapedLine, sizeBytes: number, deliver: () => void): void {
    if (this.cutOff.has(to) || to.cutOff.has(this)) return;
    const { upBytesPerSec, queueBytes, delayMs } = this.#parts;
    const nowMs = performance.now();
    const waitMs = Math.max(0, this.#freeAtMs - nowMs);
    const wholeBytes = sizeBytes + HEADER_BYTES;
    this.packetCount += 1;
    if (upBytesPerSec !== null && (waitMs * upBytesPerSec) / 1000 + wholeBytes > queueBytes) {
      this.lostCount += 1;
      return;
    }
    this.carriedBytes += wholeBytes;
    this.#freeAtMs = nowMs + waitMs + (upBytesPerSec === null ? 0 : (wholeBytes * 1000) / upBytesPerSec);
    this.#packets.push({ atMs: this.#freeAtMs + delayMs, deliver });
    this.#timer ??= this.#wakeFor(this.#freeAtMs + delayMs - nowMs);
  }

  close(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#packets = [];
  }

  #wakeFor(inMs: number): NodeJS.Timeout {
    return setTimeout(() => this.#deliverDue(), Math.max(0, inMs));
  }

  #deliverDue(): void {
    const nowMs = performance.now();
    while (this.#packets[0] && this.#packets[0].atMs <= nowMs) this.#packets.shift()?.deliver();
    const next = this.#packets[0];
    this.#timer = next ? this.#wakeFor(next.atMs - nowMs) : null;
  }
}

/**
 * Puts lines of a given speed between real WebRTC peers of this machine, in user space: each ICE candidate is replaced by
 * the address of a relay in this process, which passes the datagrams on as the sender's line would. Needs no privileges.
 * A peer in another process counts as `far`, as long as those it talks to are in this one.
 */
export class ShapedLines {
  readonly #far: ShapedLine;
  /** Whose a real address is. */
  readonly #owners = new Map<string, ShapedLine>();
  /** The relay's addresses, by the real one behind them. */
  readonly #doors = new Map<string, Promise<number>>();
  readonly #doorPorts = new Set<number>();
  readonly #sockets: Socket[] = [];

  constructor(far: ShapedLine) {
    this.#far = far;
  }

  /** The peer, reached by others through this line only, and reaching others by it. */
  shape(peer: SimplePeerLike, line: ShapedLine): SimplePeerLike {
    return new ShapedPeer(peer, {
      outgoing: (data) => this.#rewrite(data, line),
      incoming: (data) => this.#rewrite(data, this.#far),
    });
  }

  close(): void {
    for (const socket of this.#sockets) socket.close();
  }

  /** The signal with relay addresses in the place of real ones; null where nothing is left of it. */
  async #rewrite(data: unknown, owner: ShapedLine): Promise<unknown> {
    const { type, sdp, candidate } = data as Signal;
    if (sdp !== undefined) return { type, sdp: await this.#rewriteLines(sdp, owner) };
    if (candidate === undefined) return data;
    const text = await this.#rewriteCandidate(candidate.candidate, owner);
    return text === null ? null : { type, candidate: { ...candidate, candidate: text } };
  }

  async #rewriteLines(sdp: string, owner: ShapedLine): Promise<string> {
    const lines: string[] = [];
    for (const line of sdp.split('\r\n')) {
      const isCandidate = line.startsWith('a=candidate:');
      const text = isCandidate ? await this.#rewriteCandidate(line, owner) : line;
      if (text !== null) lines.push(text);
    }
    return lines.join('\r\n');
  }

  /** RFC 8839, section 5.1: foundation, component, transport, priority, address, port. One way is enough: IPv4 and UDP. */
  async #rewriteCandidate(text: string, owner: ShapedLine): Promise<string | null> {
    const fields = text.split(' ');
    const [, , transport = '', , address = '', port = ''] = fields;
    if (text === '' || (address === LOOPBACK && this.#doorPorts.has(Number(port)))) return text;
    if (transport.toLowerCase() !== 'udp' || address.includes(':')) return null;
    fields[4] = LOOPBACK;
    fields[5] = String(await this.#door(address, Number(port), owner));
    return fields.join(' ');
  }

  #door(address: string, port: number, owner: ShapedLine): Promise<number> {
    const key = `${address} ${port}`;
    const door = this.#doors.get(key) ?? this.#open(address, port, owner);
    this.#doors.set(key, door);
    this.#owners.set(key, owner);
    return door;
  }

  /** What comes in here goes to the real address, from a socket of its own for each sender; what comes back to that goes to the sender. */
  async #open(address: string, port: number, owner: ShapedLine): Promise<number> {
    const door = await this.#socket();
    const backs = new Map<string, Promise<Socket>>();
    door.on('message', (data, from) => {
      const key = `${from.address} ${from.port}`;
      const back = backs.get(key) ?? this.#back(door, from, owner);
      backs.set(key, back);
      const sender = this.#owners.get(key) ?? this.#far;
      sender.carry(owner, data.byteLength, () => void back.then((it) => it.send(data, port, address)));
    });
    const doorPort = door.address().port;
    this.#doorPorts.add(doorPort);
    return doorPort;
  }

  async #back(door: Socket, to: RemoteInfo, owner: ShapedLine): Promise<Socket> {
    const back = await this.#socket();
    back.on('message', (data) => {
      const receiver = this.#owners.get(`${to.address} ${to.port}`) ?? this.#far;
      owner.carry(receiver, data.byteLength, () => door.send(data, to.port, to.address));
    });
    return back;
  }

  async #socket(): Promise<Socket> {
    const socket = createSocket('udp4');
    this.#sockets.push(socket);
    socket.bind(0, LOOPBACK);
    await once(socket, 'listening');
    return socket;
  }
}

interface Signal {
  type: string;
  sdp?: string;
  candidate?: { candidate: string };
}

interface Rewriting {
  outgoing(data: unknown): Promise<unknown>;
  incoming(data: unknown): Promise<unknown>;
}

/** A simple-peer whose signals are rewritten on their way in and out, in order. */
class ShapedPeer implements SimplePeerLike {
  readonly #peer: SimplePeerLike;
  readonly #rewriting: Rewriting;
  #turnOut: Promise<unknown> = Promise.resolve();
  #turnIn: Promise<unknown> = Promise.resolve();

  constructor(peer: SimplePeerLike, rewriting: Rewriting) {
    this.#peer = peer;
    this.#rewriting = rewriting;
  }

  get destroyed(): boolean {
    return this.#peer.destroyed;
  }

  get bufferSize(): number {
    return this.#peer.bufferSize;
  }

  send(data: Uint8Array): void {
    this.#peer.send(data);
  }

  destroy(): unknown {
    return this.#peer.destroy();
  }

  signal(data: unknown): void {
    const rewritten = this.#rewriting.incoming(data);
    this.#turnIn = this.#turnIn.then(async () => {
      const signal = await rewritten;
      if (signal !== null && !this.#peer.destroyed) this.#peer.signal(signal);
    });
  }

  on(event: string, listener: (value: never) => void): unknown {
    if (event !== 'signal') return this.#peer.on(event, listener);
    return this.#peer.on(event, (data: unknown) => {
      const rewritten = this.#rewriting.outgoing(data);
      this.#turnOut = this.#turnOut.then(async () => {
        const signal = await rewritten;
        if (signal !== null) listener(signal as never);
      });
    });
  }
}
