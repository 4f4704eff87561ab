import { randomBytes } from 'node:crypto';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as pause } from 'node:timers/promises';
import SimplePeer from 'simple-peer';
import wrtc from 'wrtc';
import { WebSocket } from 'ws';
import type { Bytes } from '../../peer/bytes.ts';
import { systemClock } from '../../peer/clock.ts';
import { chooseCrypto } from '../../peer/crypto/choose.ts';
import { hostVideo } from '../../peer/host/host-video.ts';
import type { OpenedVideo, PackagedSegment } from '../../peer/host/package.ts';
import type { Viewer } from '../../peer/room/viewer.ts';
import { parseRoomLink, type RoomLink } from '../../peer/room-link.ts';
import type { SimplePeerLike } from '../../peer/transport/simple-peer-channel.ts';
import { Member } from '../../web/src/member/member.ts';
import { VirtualPlayer } from '../sim/virtual-player.ts';
import { startBuiltServer } from '../tools/running-server.ts';
import { ShapedLine, ShapedLines } from '../tools/shaped-lines.ts';

const VIEWERS = 4;
const BYTES_PER_MBIT = 125_000;
const BITRATE_MBIT = 1.5;
const UPLINK_MBIT = 1.5 * BITRATE_MBIT;
/** A little more than what the film's window takes, so that it is the viewers' lines that are full. */
const ORIGIN_MBIT = 2.25 * BITRATE_MBIT;

/** Round trips of 40 ms; modems that keep half a second. */
const DELAY_MS = 20;
const QUEUE_BYTES = (UPLINK_MBIT * BYTES_PER_MBIT) / 2;

/** Nobody's window is full before the end: it takes twice the bitrate a minute to get a minute ahead. */
const SEGMENT_MS = 2000;
const SEGMENT_COUNT = 90;
const SEGMENT_BYTES = (BITRATE_MBIT * BYTES_PER_MBIT * SEGMENT_MS) / 1000;

const LINE_EVERY_MS = 500;
const IDLE_MS = 15_000;
const START_MS = 6_000;
const LOADED_MS = 30_000;
const PATIENCE_MS = 30_000;

/** Where the lines carry less than this share of what they could, they are not full: then the figures mean nothing. */
const LEAST_LOAD = 0.7;

/** What the room promises: 95 % of all deliveries within so many milliseconds. */
const GOAL_MS = 300;

const LOOP_RESOLUTION_MS = 5;

/** Milliseconds from say() until another member shows the line. */
export interface Delays {
  count: number;
  p50: number;
  p95: number;
  max: number;
}

export interface ChatDelayReport {
  idle: Delays;
  /** The first seconds of media, before the lines have been measured. */
  starting: Delays;
  loaded: Delays;
  /** Of `loaded`: between members who are not connected to each other. */
  indirect: Delays;
  /** Per viewer, while loaded. */
  receivedMbit: number[];
  sentMbit: number[];
  /** How much of what they could the viewers' lines carried, headers and acknowledgements included: 0 to 1. */
  load: number;
  /** Share of packets that the lines lost while loaded. */
  lostShare: number;
  /** How long this process held up its own timers, 99th percentile: it runs all viewers and lines, so this is in the delays. */
  loopDelayMs: number;
}

/**
 * How long chat takes through lines that are full of media: a real seed server, real data channels, and between them lines
 * of 1.5 times the film's bitrate (see shaped-lines.ts), with four viewers in this process, in a ring.
 * The baseline is the same room before the film is uploaded. @throws where the lines were not full.
 */
export async function measureChatDelay(): Promise<ChatDelayReport> {
  const server = await startBuiltServer({ env: { ORIGIN_MBIT: String(ORIGIN_MBIT), LOG_LEVEL: 'warn' } });
  const film = new GatedFilm();
  const stopped = new AbortController();
  try {
    const { link, whole } = await host(film, server.url, stopped.signal);
    const room = new Room();
    try {
      await room.open(link, server.url);
      return await measure(room, async () => {
        film.open();
        await whole;
      });
    } finally {
      room.close();
    }
  } finally {
    stopped.abort();
    await server.stop();
  }
}

/** The report as a line for people. */
export function describeChatDelay(report: ChatDelayReport): string {
  const { idle, starting, loaded, indirect, receivedMbit, sentMbit, load, lostShare, loopDelayMs } = report;
  const verdict = loaded.p95 < GOAL_MS ? 'reached' : 'missed';
  const ratios = [loaded.p50 / idle.p50, loaded.p95 / idle.p95, loaded.max / idle.max];
  return [
    `chat under full media load: ${inWords(loaded)}; no media: ${inWords(idle)}: ratios ${ratios.map((ratio) => ratio.toFixed(2)).join(' / ')} (goal p95 < ${GOAL_MS} ms: ${verdict})`,
    `  members not connected to each other: ${inWords(indirect)}; first ${START_MS / 1000} s of media: ${inWords(starting)}`,
    `  per viewer, Mbit/s: received ${listed(receivedMbit)}, sent ${listed(sentMbit)}; lines of ${UPLINK_MBIT} full to ${(load * 100).toFixed(0)} %, packets lost ${(lostShare * 100).toFixed(2)} %; timers late by ${loopDelayMs.toFixed(1)} ms (p99)`,
  ].join('\n');
}

function inWords({ count, p50, p95, max }: Delays): string {
  return `p50 ${p50.toFixed(0)}, p95 ${p95.toFixed(0)}, max ${max.toFixed(0)} ms (${count})`;
}

function listed(values: readonly number[]): string {
  return values.map((value) => value.toFixed(2)).join(' ');
}

async function measure(room: Room, startMedia: () => Promise<void>): Promise<ChatDelayReport> {
  await room.untilConnected();
  const idle = await room.talk(IDLE_MS);
  await startMedia();
  const starting = await room.talk(START_MS);
  const before = room.count();
  const loop = monitorEventLoopDelay({ resolution: LOOP_RESOLUTION_MS });
  loop.enable();
  const loaded = await room.talk(LOADED_MS);
  loop.disable();
  const after = room.count();
  const report = {
    idle: summary(idle),
    starting: summary(starting),
    loaded: summary(loaded),
    indirect: summary(loaded.filter((delivery) => delivery.isIndirect)),
    ...ratesBetween(before, after),
    // The histogram counts the timer's own interval.
    loopDelayMs: loop.percentile(99) / 1e6 - LOOP_RESOLUTION_MS,
  };
  checkLoad(report);
  return report;
}

/** @throws where the lines were not full of media. */
function checkLoad(report: ChatDelayReport): void {
  const { receivedMbit, load } = report;
  if (load >= LEAST_LOAD && Math.min(...receivedMbit) > BITRATE_MBIT) return;
  throw new Error(`Chat was measured, but the lines were not full of media:\n${describeChatDelay(report)}`);
}

/** What went through the lines so far. */
interface Counts {
  atMs: number;
  receivedBytes: number[];
  sentBytes: number[];
  carriedBytes: number;
  packets: number;
  lostPackets: number;
}

function ratesBetween(
  before: Counts,
  after: Counts,
): Pick<ChatDelayReport, 'receivedMbit' | 'sentMbit' | 'load' | 'lostShare'> {
  const seconds = (after.atMs - before.atMs) / 1000;
  const mbit = (from: number[], to: number[]): number[] =>
    to.map((bytes, i) => (bytes - (from[i] ?? 0)) / BYTES_PER_MBIT / seconds);
  return {
    receivedMbit: mbit(before.receivedBytes, after.receivedBytes),
    sentMbit: mbit(before.sentBytes, after.sentBytes),
    load: (after.carriedBytes - before.carriedBytes) / (VIEWERS * UPLINK_MBIT * BYTES_PER_MBIT * seconds),
    lostShare: (after.lostPackets - before.lostPackets) / Math.max(1, after.packets - before.packets),
  };
}

/** Nearest rank. */
function summary(deliveries: readonly Delivery[]): Delays {
  const sorted = deliveries.map(({ delayMs }) => delayMs).sort((a, b) => a - b);
  const quantile = (share: number): number => sorted[Math.ceil(share * sorted.length) - 1] ?? Number.NaN;
  return { count: sorted.length, p50: quantile(0.5), p95: quantile(0.95), max: quantile(1) };
}

/** Uploads the film; `link` is there once its first segment is, `whole` resolves when all is stored. */
async function host(
  video: OpenedVideo,
  server: string,
  signal: AbortSignal,
): Promise<{ link: RoomLink; whole: Promise<unknown> }> {
  const crypto = await chooseCrypto();
  return new Promise((resolve, reject) => {
    const whole = hostVideo({
      video,
      server,
      crypto,
      clock: systemClock,
      fetch,
      random: Math.random,
      signal,
      onRoom: (room) => resolve({ link: parseRoomLink(room.link), whole }),
      onProgress: () => undefined,
    });
    whole.catch(reject);
  });
}

/** A film of noise, of which no more than the first segment is to be had until it is opened. */
class GatedFilm implements OpenedVideo {
  readonly info = {
    title: 'noise',
    mime: 'video/mp4; codecs="avc1.64001f"',
    durationMs: SEGMENT_COUNT * SEGMENT_MS,
    widthPx: 1280,
    heightPx: 720,
    hasAudio: false,
    sourceBytes: SEGMENT_COUNT * SEGMENT_BYTES,
  };
  #open: () => void = () => undefined;
  readonly #opened = new Promise<void>((resolve) => {
    this.#open = resolve;
  });

  open(): void {
    this.#open();
  }

  async *segments(): AsyncGenerator<PackagedSegment, void, undefined> {
    yield { number: 0, startMs: 0, durationMs: 0, parts: [noise(900)] };
    for (let number = 1; number <= SEGMENT_COUNT; number++) {
      if (number === 2) await this.#opened;
      const startMs = (number - 1) * SEGMENT_MS;
      yield { number, startMs, durationMs: SEGMENT_MS, parts: [noise(SEGMENT_BYTES)] };
    }
  }

  close(): void {
    this.open();
  }
}

function noise(sizeBytes: number): Bytes {
  return new Uint8Array(randomBytes(sizeBytes));
}

interface Delivery {
  delayMs: number;
  /** Between members who are not connected to each other. */
  isIndirect: boolean;
}

interface Said {
  by: Seat;
  atMs: number;
}

/** One viewer, its line, and the lines of chat it has shown. */
interface Seat {
  member: Member;
  player: VirtualPlayer;
  line: ShapedLine;
  lines: Viewer['lines'];
  shown: Set<string>;
}

/** Four who watch and talk, each behind a line of its own, in a ring: those opposite each other cannot connect. */
class Room {
  readonly #lines: ShapedLines;
  readonly #far: ShapedLine;
  readonly #seats: Seat[] = [];
  readonly #said = new Map<string, Said>();
  #deliveries: Delivery[] = [];
  #missing = 0;
  #onChange: () => void = () => undefined;

  constructor() {
    // The server limits itself: its line only adds the way.
    this.#far = new ShapedLine({ upBytesPerSec: null, queueBytes: QUEUE_BYTES, delayMs: DELAY_MS });
    this.#lines = new ShapedLines(this.#far);
  }

  /** Everybody joins; connecting goes on behind. */
  async open(link: RoomLink, server: string): Promise<void> {
    for (let i = 0; i < VIEWERS; i++) await this.#join(link, server, `viewer ${i}`);
  }

  /** Resolves when everybody is connected to whom they can be, and has what there is of the film. */
  async untilConnected(): Promise<void> {
    await this.#until('connected', () =>
      this.#seats.every(
        ({ member, line }) =>
          [...member.viewer.links].length === VIEWERS - line.cutOff.size && member.viewer.hasPiece(1, 0),
      ),
    );
  }

  /** Everybody says a line every half a second; resolves with all deliveries, once all have come. */
  async talk(forMs: number): Promise<Delivery[]> {
    this.#deliveries = [];
    const startMs = performance.now();
    const turns = this.#seats.map((seat, i) =>
      this.#speak(seat, startMs + (i * LINE_EVERY_MS) / VIEWERS, forMs),
    );
    await Promise.all(turns);
    await this.#until('told', () => this.#missing === 0);
    return this.#deliveries;
  }

  count(): Counts {
    const traffic = this.#seats.map(({ member }) => member.viewer.traffic());
    const sum = (of: (line: ShapedLine) => number): number =>
      this.#seats.reduce((all, { line }) => all + of(line), 0);
    return {
      atMs: performance.now(),
      receivedBytes: traffic.map(({ fromOriginBytes, fromPeersBytes }) => fromOriginBytes + fromPeersBytes),
      sentBytes: traffic.map(({ sentBytes }) => sentBytes),
      carriedBytes: sum((line) => line.carriedBytes),
      packets: sum((line) => line.packetCount),
      lostPackets: sum((line) => line.lostCount),
    };
  }

  close(): void {
    for (const { member, player, line } of this.#seats) {
      player.close();
      member.close();
      line.close();
    }
    this.#far.close();
    this.#lines.close();
  }

  async #join(link: RoomLink, server: string, name: string): Promise<void> {
    const upBytesPerSec = UPLINK_MBIT * BYTES_PER_MBIT;
    const line = new ShapedLine({ upBytesPerSec, queueBytes: QUEUE_BYTES, delayMs: DELAY_MS });
    const opposite = this.#seats[this.#seats.length - VIEWERS / 2];
    if (opposite) separate(opposite.line, line);
    let seat: Seat | null = null;
    const changed = (): void => {
      if (seat) this.#changed(seat);
    };
    const member = await Member.join({
      link,
      name,
      crypto: await chooseCrypto(),
      clock: systemClock,
      random: Math.random,
      signalingUrl: `${server.replace('http', 'ws')}/signal`,
      openSocket: (url) => new WebSocket(url),
      createPeer: (isInitiator) => this.#lines.shape(simplePeer(isInitiator), line),
      onChange: changed,
      onPiece: changed,
    });
    member.setPeersAllowed(true);
    const parts = { clock: systemClock, viewer: member.viewer, startAtMs: 0, onEnd: () => undefined };
    seat = { member, player: new VirtualPlayer(parts), line, lines: [], shown: new Set() };
    this.#seats.push(seat);
  }

  #changed(seat: Seat): void {
    seat.player.news();
    const { lines } = seat.member.viewer;
    if (lines !== seat.lines) this.#look(seat, lines);
    this.#onChange();
  }

  #look(seat: Seat, lines: Viewer['lines']): void {
    seat.lines = lines;
    for (const { id, text } of lines) {
      if (seat.shown.has(id)) continue;
      seat.shown.add(id);
      const said = this.#said.get(text);
      if (said && said.by !== seat) this.#arrived(seat, said);
    }
  }

  #arrived(seat: Seat, { by, atMs }: Said): void {
    const isIndirect = seat.line.cutOff.has(by.line);
    this.#deliveries.push({ delayMs: performance.now() - atMs, isIndirect });
    this.#missing -= 1;
  }

  async #speak(seat: Seat, firstMs: number, forMs: number): Promise<void> {
    for (let atMs = firstMs; atMs < firstMs + forMs; atMs += LINE_EVERY_MS) {
      await pause(Math.max(0, atMs - performance.now()));
      const text = `line ${this.#said.size}`;
      this.#said.set(text, { by: seat, atMs: performance.now() });
      this.#missing += VIEWERS - 1;
      await seat.member.viewer.say(text);
    }
  }

  async #until(what: string, isSo: () => boolean): Promise<void> {
    if (isSo()) return;
    await new Promise<void>((resolve, reject) => {
      const fail = (): void => reject(new Error(`Not all were ${what} within ${PATIENCE_MS} ms.`));
      const timer = setTimeout(fail, PATIENCE_MS);
      this.#onChange = () => {
        if (!isSo()) return;
        clearTimeout(timer);
        this.#onChange = () => undefined;
        resolve();
      };
    });
  }
}

function separate(a: ShapedLine, b: ShapedLine): void {
  a.cutOff.add(b);
  b.cutOff.add(a);
}

function simplePeer(isInitiator: boolean): SimplePeerLike {
  // The package's types leave out the fields we stand on (bufferSize).
  return new SimplePeer({
    initiator: isInitiator,
    wrtc,
    config: { iceServers: [] },
  }) as unknown as SimplePeerLike;
}
