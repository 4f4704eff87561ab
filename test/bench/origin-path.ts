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

const SEGMENTS = 32;
const SEGMENT_BYTES = 4 * 1024 * 1024;
const FILM_BYTES = SEGMENTS * SEGMENT_BYTES;
const ROUNDS = 5;
const PIECES = SEGMENT_BYTES / PIECE_BYTES;

/**
 * The origin's path from disk to data channel against a bare wrtc channel, both ends in this process, taken in
 * turns: the ratio of the medians. Both send the same bytes in messages of a piece's size.
 */
export async function benchOriginPath(): Promise<Report> {
  const raw: number[] = [];
  const ours: number[] = [];
  const origin = await makeOrigin();
  try {
    for (let round = 0; round < ROUNDS; round++) {
      raw.push(await rawMegabytesPerSec());
      ours.push(await origin.megabytesPerSec());
    }
  } finally {
    await origin.close();
  }
  return {
    name: 'origin: disk to data channel',
    unit: 'MB/s',
    ours: median(ours),
    baseline: median(raw),
    baselineName: 'bare wrtc channel',
    goal: 0.9,
  };
}

/** Sends the film's bytes over a bare data channel, its buffer kept under a megabyte. */
async function rawMegabytesPerSec(): Promise<number> {
  const [a, b] = [new wrtc.RTCPeerConnection(), new wrtc.RTCPeerConnection()];
  a.onicecandidate = ({ candidate }) => candidate && void b.addIceCandidate(candidate);
  b.onicecandidate = ({ candidate }) => candidate && void a.addIceCandidate(candidate);
  const channel = a.createDataChannel('raw');
  const opened = new Promise((resolve) => {
    channel.onopen = resolve;
  });
  const received = new Promise<void>((resolve) => {
    b.ondatachannel = ({ channel: there }) => {
      there.binaryType = 'arraybuffer';
      let count = 0;
      there.onmessage = ({ data }) => {
        count += data.byteLength;
        if (count >= FILM_BYTES) resolve();
      };
    };
  });
  await a.setLocalDescription(await a.createOffer());
  await b.setRemoteDescription(a.localDescription as RTCSessionDescription);
  await b.setLocalDescription(await b.createAnswer());
  await a.setRemoteDescription(b.localDescription as RTCSessionDescription);
  await opened;
  const message = new Uint8Array(PIECE_BYTES);
  const startMs = performance.now();
  for (let sent = 0; sent < FILM_BYTES; sent += PIECE_BYTES) {
    while (channel.bufferedAmount > 1 << 20) await new Promise((resolve) => setTimeout(resolve, 1));
    channel.send(message);
  }
  await received;
  const spentMs = performance.now() - startMs;
  a.close();
  b.close();
  return FILM_BYTES / 1000 / spentMs;
}

/** A real origin room over real files, and a receiver that asks for everything and only counts. */
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
    megabytesPerSec: () => receiveAll(origin),
    close: async () => {
      origin.close('CLOSED');
      pieces?.close();
      await folder.remove();
    },
  };
}

async function receiveAll(origin: OriginRoom): Promise<number> {
  const sender = new SimplePeer({ initiator: true, wrtc, config: { iceServers: [] } });
  const receiver = new SimplePeer({ wrtc, config: { iceServers: [] } });
  sender.on('signal', (data) => receiver.signal(data));
  receiver.on('signal', (data) => sender.signal(data));
  for (const peer of [sender, receiver]) peer.on('error', (error) => process.stderr.write(`${error}\n`));
  const isOpen = [sender, receiver].map((peer) => new Promise((resolve) => peer.once('connect', resolve)));
  await Promise.all(isOpen);
  const channel = new SimplePeerChannel(sender as unknown as SimplePeerLike, systemClock);
  origin.connect(channel, { id: 'A'.repeat(22), kind: 'member' });
  receiver.send(encodeFrame('hello', { v: WIRE_VERSION, role: 'member', card: null }));

  let askedSegments = 0;
  const ask = (): void => {
    if (askedSegments >= SEGMENTS) return;
    const numbers = Array.from({ length: PIECES }, (_, piece) => piece);
    receiver.send(encodeFrame('request', { segment: askedSegments++, pieces: numbers, inMs: 0, others: 0 }));
  };
  const startMs = performance.now();
  let receivedPieces = 0;
  const received = new Promise<void>((resolve) => {
    let count = 0;
    receiver.on('data', (frame: Bytes) => {
      if (frame.byteLength < PIECE_BYTES) return;
      count += PIECE_BYTES;
      receivedPieces += 1;
      receiver.send(encodeFrame('got', { pieces: receivedPieces }));
      // Two segments are always asked for ahead, as a viewer's pipeline would.
      if (count % SEGMENT_BYTES === 0) ask();
      if (count >= FILM_BYTES) resolve();
    });
  });
  for (let i = 0; i < 2; i++) ask();
  await received;
  const spentMs = performance.now() - startMs;
  channel.close();
  receiver.destroy();
  return FILM_BYTES / 1000 / spentMs;
}
