import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { areEqual, type Bytes, concat, fromBase64url } from '../../peer/bytes.ts';
import type { Clock } from '../../peer/clock.ts';
import { chooseCrypto } from '../../peer/crypto/choose.ts';
import { MatineeError } from '../../peer/errors.ts';
import type { HostedRoom, HostOptions, HostProgress } from '../../peer/host/host-video.ts';
import type { OpenedVideo, PackagedSegment } from '../../peer/host/package.ts';
import type { KeptUpload, UploadJournal, UploadRecord } from '../../peer/host/upload-journal.ts';
import { piecesOf } from '../../peer/manifest/geometry.ts';
import { Manifest } from '../../peer/manifest/manifest.ts';
import { decodeManifestUpdate } from '../../peer/manifest/manifest-writer.ts';
import { describeSegment, type SegmentEntry } from '../../peer/manifest/page.ts';
import { openRoomRecord, type RoomRecord } from '../../peer/manifest/room-record.ts';
import { verifyTakeDown } from '../../peer/manifest/take-down.ts';

export const crypto = await chooseCrypto();

/** What a disturbed server does to a request instead of serving it. */
export type Disturbance = 'cut the request' | 'cut the answer' | 'stay silent' | Answer;

export interface Answer {
  status: number;
  text: string;
}

/** One request as it came in. `kind` tells the route; `segment` is the number in it. */
export interface SeenRequest {
  kind: 'room' | 'take-down' | 'manifest' | 'segment';
  segment: number | null;
  /** Segments listed, for a manifest that was accepted. */
  listedCount?: number;
}

interface StoredRoom {
  record: RoomRecord;
  recordBytes: Bytes;
  manifest: Manifest;
  segments: Map<number, Bytes>;
}

/**
 * A small upload server by PROTOCOL.md that verifies all it gets with the viewers' own code, and can be told to
 * fail. It keeps what it has across stop() and start().
 */
export class TestServer {
  readonly rooms = new Map<string, StoredRoom>();
  readonly seen: SeenRequest[] = [];
  /** Called for each request; what it returns is done to it. May wait, for a slow server. */
  disturb: (request: SeenRequest) => Promise<Disturbance | null> | Disturbance | null = () => null;
  #server: Server | null = null;
  #port = 0;

  get address(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  async start(): Promise<this> {
    this.#server = createServer((request, response) => {
      this.#serve(request, response).catch((error: unknown) => response.destroy(error as Error));
    });
    this.#server.listen(this.#port, '127.0.0.1');
    await once(this.#server, 'listening');
    this.#port = (this.#server.address() as AddressInfo).port;
    return this;
  }

  /** Stops at once, cutting what is on its way, as a crash would. */
  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = null;
    if (!server) return;
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    await closed;
  }

  /** The only room there is. */
  get room(): StoredRoom {
    const [room, ...more] = this.rooms.values();
    if (!room || more.length > 0) throw new Error(`There are ${this.rooms.size} rooms.`);
    return room;
  }

  /** How many requests came of a kind. */
  count(kind: SeenRequest['kind']): number {
    return this.seen.filter((request) => request.kind === kind).length;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const seen = see(request);
    this.seen.push(seen);
    const disturbance = await this.disturb(seen);
    if (disturbance === 'stay silent') return;
    if (disturbance === 'cut the request') {
      request.once('data', () => request.socket.destroy());
      return;
    }
    const body = await readBody(request);
    if (disturbance !== null && disturbance !== 'cut the answer') return reply(response, disturbance);
    const answer = await this.#handle(seen, new URL(request.url ?? '', this.address).pathname, body);
    if (disturbance === 'cut the answer') return cutAnswer(response);
    reply(response, answer);
  }

  async #handle(seen: SeenRequest, path: string, body: Bytes): Promise<Answer> {
    const roomText = path.split('/')[3] ?? '';
    const roomId = fromBase64url(roomText) ?? new Uint8Array();
    try {
      if (seen.kind === 'room') return await this.#putRoom(roomText, roomId, body);
      const room = this.rooms.get(roomText);
      if (!room) return refuse(404, 'ROOM_UNKNOWN');
      if (seen.kind === 'manifest') return await putManifest(room, seen, body);
      if (seen.kind === 'segment') return await putSegment(room, seen.segment ?? -1, body);
      await verifyTakeDown(crypto, room.record.publicKey, roomId, body);
      this.rooms.delete(roomText);
      return { status: 204, text: '' };
    } catch (error) {
      if (error instanceof MatineeError) return refuse(400, error.code);
      throw error;
    }
  }

  async #putRoom(roomText: string, roomId: Bytes, recordBytes: Bytes): Promise<Answer> {
    const known = this.rooms.get(roomText);
    if (known) return areEqual(known.recordBytes, recordBytes) ? ok(200) : refuse(409, 'ROOM_TAKEN');
    const record = await openRoomRecord(crypto, roomId, recordBytes);
    this.rooms.set(roomText, {
      record,
      recordBytes,
      manifest: new Manifest(crypto, roomId),
      segments: new Map(),
    });
    return ok(201);
  }
}

async function putManifest({ manifest }: StoredRoom, seen: SeenRequest, body: Bytes): Promise<Answer> {
  const { head, pages } = decodeManifestUpdate(body);
  await manifest.adoptHead(head);
  for (const page of pages) await manifest.adoptPage(page);
  seen.listedCount = manifest.head?.segmentCount ?? 0;
  return { status: 204, text: '' };
}

async function putSegment({ manifest, segments }: StoredRoom, number: number, body: Bytes): Promise<Answer> {
  const entry = manifest.entry(number);
  const { pieceHashes } = await describeSegment(crypto, 0, 0, piecesOf([body]));
  if (!entry || !areEqual(entry.pieceHashes, pieceHashes)) return refuse(409, 'SEGMENT_MISMATCH');
  segments.set(number, body);
  return { status: 204, text: '' };
}

function see({ method, url = '' }: IncomingMessage): SeenRequest {
  const segment = /\/segments\/(\d+)$/.exec(url)?.[1];
  if (segment !== undefined) return { kind: 'segment', segment: Number(segment) };
  if (url.endsWith('/manifest')) return { kind: 'manifest', segment: null };
  return { kind: method === 'DELETE' ? 'take-down' : 'room', segment: null };
}

async function readBody(request: IncomingMessage): Promise<Bytes> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return concat(...chunks);
}

function ok(status: number): Answer {
  return { status, text: '{}' };
}

/** A failure as PROTOCOL.md words it. */
export function refuse(status: number, code: string): Answer {
  return { status, text: JSON.stringify({ code, message: `The server says ${code}.` }) };
}

function reply(response: ServerResponse, { status, text }: Answer): void {
  response.writeHead(status).end(text);
}

function cutAnswer(response: ServerResponse): void {
  response.writeHead(200, { 'content-length': 100 });
  response.write('half', () => response.destroy());
}

/** A video of random segments, the init segment first. Counts how many were asked for, and whether it was stopped. */
export class RandomVideo implements OpenedVideo {
  readonly made: PackagedSegment[] = [];
  hasStopped = false;
  readonly info;
  readonly #sizesBytes: readonly number[];

  constructor(sizesBytes: readonly number[]) {
    this.#sizesBytes = sizesBytes;
    this.info = {
      title: 'Random',
      mime: 'video/mp4; codecs="avc1.64001f"',
      durationMs: 2000 * (sizesBytes.length - 1),
      widthPx: 1280,
      heightPx: 720,
      hasAudio: false,
      sourceBytes: sizesBytes.reduce((sum, size) => sum + size, 1234),
    };
  }

  async *segments(signal: AbortSignal): AsyncGenerator<PackagedSegment, void, undefined> {
    try {
      for (const [number, sizeBytes] of this.#sizesBytes.entries()) {
        signal.throwIfAborted();
        const segment = randomSegment(number, sizeBytes);
        this.made.push(segment);
        yield segment;
      }
    } finally {
      this.hasStopped = true;
    }
  }

  close(): void {
    this.hasStopped = true;
  }
}

/** The same, but the segments are the same ones each time: as a file is packaged. */
export class FixedVideo extends RandomVideo {
  readonly #segments: readonly PackagedSegment[];

  constructor(sizesBytes: readonly number[]) {
    super(sizesBytes);
    this.#segments = sizesBytes.map((sizeBytes, number) => randomSegment(number, sizeBytes));
  }

  override async *segments(signal: AbortSignal): AsyncGenerator<PackagedSegment, void, undefined> {
    for (const segment of this.#segments) {
      signal.throwIfAborted();
      this.made.push(segment);
      yield segment;
    }
  }
}

/** Keeps what an upload notes, as a browser's database does. */
export class MemoryJournal implements UploadJournal {
  #record: UploadRecord | null = null;
  #batches: (readonly SegmentEntry[])[] = [];
  #extras = new Map<number, Bytes>();

  /** What a crash would leave now. */
  get kept(): KeptUpload | null {
    if (!this.#record) return null;
    const entries = this.#batches.flat();
    const confirmedCount = entries.length - (this.#batches.at(-1)?.length ?? 0);
    return { ...this.#record, entries, confirmedCount, extras: new Map(this.#extras) };
  }

  async begin(record: UploadRecord): Promise<void> {
    this.#record = record;
    this.#batches = [];
    this.#extras.clear();
  }

  async list(
    firstSegment: number,
    entries: readonly SegmentEntry[],
    extras: ReadonlyMap<number, Bytes>,
  ): Promise<void> {
    if (firstSegment !== this.#batches.flat().length) throw new Error('There is a gap in the journal.');
    this.#batches.push(entries);
    for (const [number, data] of extras) this.#extras.set(number, data);
  }

  async end(): Promise<void> {
    this.#record = null;
    this.#batches = [];
  }
}

function randomSegment(number: number, sizeBytes: number): PackagedSegment {
  const data = new Uint8Array(sizeBytes);
  data.set(crypto.randomBytes(Math.min(65536, sizeBytes)));
  const isInit = number === 0;
  return { number, startMs: isInit ? 0 : (number - 1) * 2000, durationMs: isInit ? 0 : 2000, parts: [data] };
}

/** As many sizes as asked for, an init segment's first. */
export function sizes(segmentCount: number, sizeBytes = 100_000): number[] {
  return [800, ...new Array<number>(segmentCount - 1).fill(sizeBytes)];
}

/**
 * A clock on which waits of up to `quickMs` are over at once and its own time jumps by as much; longer ones
 * (the time-outs of requests, unless told otherwise) take as long as they do.
 */
export function quickClock(quickMs = 1000): Clock {
  let jumpedMs = 0;
  return {
    nowMs: () => performance.now() + jumpedMs,
    wallMs: () => Date.now(),
    after(delayMs, run) {
      const isQuick = delayMs <= quickMs;
      const timer = setTimeout(
        () => {
          if (isQuick) jumpedMs += delayMs;
          run();
        },
        isQuick ? 1 : delayMs,
      );
      return () => clearTimeout(timer);
    },
  };
}

/** What a host was told. */
export interface Told {
  rooms: HostedRoom[];
  progress: HostProgress[];
}

/** Options for hosting on a test server, and what comes of it. */
export function hosting(
  video: OpenedVideo,
  server: string,
  more: Partial<HostOptions> = {},
): { options: HostOptions; told: Told } {
  const told: Told = { rooms: [], progress: [] };
  const options: HostOptions = {
    video,
    server,
    crypto,
    clock: quickClock(),
    fetch,
    random: () => 0.5,
    signal: new AbortController().signal,
    onRoom: (room) => told.rooms.push(room),
    onProgress: (progress) => told.progress.push(progress),
    ...more,
  };
  return { options, told };
}

/** The error a promise rejects with. */
export async function rejection(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error('It should have failed.');
}

/** The value, which a test relies on. */
export function present<T>(value: T | null | undefined): T {
  if (value === null || value === undefined) throw new Error('There is nothing.');
  return value;
}

/** Something to wait for that a test brings about. */
export function gate(): { opened: Promise<void>; open(): void } {
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open: () => open() };
}

/** A port of this machine where nobody listens. */
export async function deafAddress(): Promise<string> {
  const server = await new TestServer().start();
  const { address } = server;
  await server.stop();
  return address;
}
