import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import SimplePeer from 'simple-peer';
import wrtc from 'wrtc';
import type { Bytes } from '../../peer/bytes.ts';
import { systemClock } from '../../peer/clock.ts';
import { chooseCrypto } from '../../peer/crypto/choose.ts';
import { roomIdOf } from '../../peer/crypto/keys.ts';
import { PIECE_BYTES } from '../../peer/limits.ts';
import { piecesOf } from '../../peer/manifest/geometry.ts';
import { ManifestWriter } from '../../peer/manifest/manifest-writer.ts';
import { describeSegment } from '../../peer/manifest/page.ts';
import { OriginRoom } from '../../peer/room/origin-room.ts';
import { SendBudget } from '../../peer/swarm/send-budget.ts';
import { Uplink } from '../../peer/swarm/uplink.ts';
import { SimplePeerChannel, type SimplePeerLike } from '../../peer/transport/simple-peer-channel.ts';
import { encodeFrame } from '../../peer/wire/frame.ts';
import { WIRE_VERSION } from '../../peer/wire/messages.ts';
import { DiskPieces } from '../../seed-server/origin/disk-pieces.ts';
import { temporaryFolder } from '../tools/temporary-folder.ts';
import { median, type Report } from './report.ts';

/** Long enough that the first tenths of a second, when neither way knows the line yet, are not what is measured. */
const SEGMENTS = 72;
const SEGMENT_BYTES = 4 * 1024 * 1024;
const FILM_BYTES = SEGMENTS * SEGMENT_BYTES;
const ROUNDS = 5;
const PIECES = SEGMENT_BYTES / PIECE_BYTES;

/** Divides the segments, so that each viewer takes as many. */
const MANY_VIEWERS = 6;

/**
 * The origin's path from disk to data channel against bare wrtc channels, both ends in this process, taken in
 * turns: the ratio of the medians. Both send the same bytes in messages of a piece's size, to one and to many at once.
 */
export async function benchOriginPath(): Promise<Report[]> {
  return [await compare(1), await compare(MANY_VIEWERS)];
}

async function compare(viewers: number): Promise<Report> {
  const raw: number[] = [];
  const ours: number[] = [];
  const origin = await makeOrigin();
  try {
    for (let round = 0; round < ROUNDS; round++) {
      raw.push(await rawMegabytesPerSec(viewers));
      ours.push(await origin.megabytesPerSec(viewers));
    }
  } finally {
    await origin.close();
  }
  return {
    name: `origin: disk to data channel, viewers at once: ${viewers}`,
    unit: 'MB/s',
    ours: median(ours),
    baseline: median(raw),
    baselineName: 'bare wrtc channels',
    goal: 0.9,
  };
}

/** Sends the film's bytes over bare data channels, an equal part over each, the buffer of each kept under a megabyte. */
async function rawMegabytesPerSec(viewers: number): Promise<number> {
  const lines = await Promise.all(Array.from({ length: viewers }, bareLine));
  const startMs = performance.now();
  await Promise.all(lines.map((line) => line.sendAll(FILM_BYTES / viewers)));
  const spentMs = performance.now() - startMs;
  for (const line of lines) line.close();
  return FILM_BYTES / 1000 / spentMs;
}

async function bareLine() {
  const [a, b] = [new wrtc.RTCPeerConnection(), new wrtc.RTCPeerConnection()];
  a.onicecandidate = ({ candidate }) => candidate && void b.addIceCandidate(candidate);
  b.onicecandidate = ({ candidate }) => candidate && void a.addIceCandidate(candidate);
  const channel = a.createDataChannel('raw');
  const opened = new Promise((resolve) => {
    channel.onopen = resolve;
  });
  let receivedBytes = 0;
  let onReceived = (): void => undefined;
  b.ondatachannel = ({ channel: there }) => {
    there.binaryType = 'arraybuffer';
    there.onmessage = ({ data }) => {
      receivedBytes += data.byteLength;
      onReceived();
    };
  };
  await a.setLocalDescription(await a.createOffer());
  await b.setRemoteDescription(a.localDescription as RTCSessionDescription);
  await b.setLocalDescription(await b.createAnswer());
  await a.setRemoteDescription(b.localDescription as RTCSessionDescription);
  await opened;
  return {
    async sendAll(sizeBytes: number): Promise<void> {
      const received = new Promise<void>((resolve) => {
        onReceived = () => receivedBytes >= sizeBytes && resolve();
      });
      const message = new Uint8Array(PIECE_BYTES);
      for (let sent = 0; sent < sizeBytes; sent += PIECE_BYTES) {
        while (channel.bufferedAmount > 1 << 20) await new Promise((resolve) => setTimeout(resolve, 1));
        channel.send(message);
      }
      await received;
    },
    close(): void {
      a.close();
      b.close();
    },
  };
}

/** A real origin room over real files, and receivers that ask for everything and only count. */
async function makeOrigin() {
  const folder = await temporaryFolder();
  const crypto = await chooseCrypto();
  const key = await crypto.generateSigningKey();
  const room = await roomIdOf(crypto, key.publicKey);
  const subject = {
    room,
    video: crypto.randomBytes(16),
    info: new Uint8Array(1),
    durationMs: SEGMENTS * 2000,
  };
  const writer = new ManifestWriter(crypto, key, subject);
  const segments = join(folder.path, 'segments');
  await mkdir(segments);
  for (let segment = 0; segment < SEGMENTS; segment++) {
    const data = new Uint8Array(SEGMENT_BYTES).fill(segment);
    await writer.append(await describeSegment(crypto, segment * 2000, 2000, piecesOf([data])));
    await writeFile(join(segments, String(segment)), data);
  }
  const { head, pages } = await writer.publish(true);
  const stored = new Set<number>();
  let pieces: DiskPieces | null = null;
  const origin = new OriginRoom({
    crypto,
    clock: systemClock,
    roomId: room,
    budget: new SendBudget(systemClock, null),
    uplink: new Uplink(systemClock),
    stored,
    source: {
      pieceBytes: (segment, piece) => pieces?.pieceBytes(segment, piece) ?? 0,
      read: (segment, piece, into) => pieces?.read(segment, piece, into) ?? Promise.resolve(false),
    },
    onLinkClosed: () => undefined,
    onError: (error) => {
      throw error;
    },
  });
  pieces = new DiskPieces(origin.manifest, segments, stored);
  const all = Array.from({ length: SEGMENTS }, (_, segment) => segment);
  await origin.update(head, pages, all);
  return {
    megabytesPerSec: (viewers: number) => receiveAll(origin, viewers),
    close: async () => {
      origin.close('CLOSED');
      pieces?.close();
      await folder.remove();
    },
  };
}

async function receiveAll(origin: OriginRoom, viewers: number): Promise<number> {
  const receivers = await Promise.all(
    Array.from({ length: viewers }, (_, nth) => connectedReceiver(origin, nth, viewers)),
  );
  const startMs = performance.now();
  await Promise.all(receivers.map((receiver) => receiver.receiveShare()));
  const spentMs = performance.now() - startMs;
  for (const receiver of receivers) receiver.close();
  return FILM_BYTES / 1000 / spentMs;
}

/** A receiver that takes every so many-th segment, beginning with its own number. */
async function connectedReceiver(origin: OriginRoom, nth: number, viewers: number) {
  const sender = new SimplePeer({ initiator: true, wrtc, config: { iceServers: [] } });
  const receiver = new SimplePeer({ wrtc, config: { iceServers: [] } });
  sender.on('signal', (data) => receiver.signal(data));
  receiver.on('signal', (data) => sender.signal(data));
  for (const peer of [sender, receiver]) peer.on('error', (error) => process.stderr.write(`${error}\n`));
  const isOpen = [sender, receiver].map((peer) => new Promise((resolve) => peer.once('connect', resolve)));
  await Promise.all(isOpen);
  const channel = new SimplePeerChannel(sender as unknown as SimplePeerLike, systemClock);
  origin.connect(channel, { id: String(nth).padStart(22, 'A'), kind: 'member' });
  receiver.send(encodeFrame('hello', { v: WIRE_VERSION, role: 'member', card: null }));

  let nextSegment = nth;
  const ask = (): void => {
    if (nextSegment >= SEGMENTS) return;
    const numbers = Array.from({ length: PIECES }, (_, piece) => piece);
    receiver.send(encodeFrame('request', { segment: nextSegment, pieces: numbers, inMs: 0, others: 0 }));
    nextSegment += viewers;
  };
  return {
    receiveShare(): Promise<void> {
      let pieces = 0;
      const received = new Promise<void>((resolve) => {
        receiver.on('data', (frame: Bytes) => {
          if (frame.byteLength < PIECE_BYTES) return;
          pieces += 1;
          receiver.send(encodeFrame('got', { pieces }));
          // Two segments are always asked for ahead, as a viewer's pipeline would.
          if (pieces % PIECES === 0) ask();
          if (pieces === (SEGMENTS / viewers) * PIECES) resolve();
        });
      });
      for (let i = 0; i < 2; i++) ask();
      return received;
    },
    close(): void {
      channel.close();
      receiver.destroy();
    },
  };
}
