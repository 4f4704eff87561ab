import * as v from 'valibot';
import { type Bytes, fromBase64url, toBase64url } from '../../peer/bytes.ts';
import type { Clock } from '../../peer/clock.ts';
import type { Crypto } from '../../peer/crypto/crypto.ts';
import { MatineeError } from '../../peer/errors.ts';
import { openHead } from '../../peer/manifest/head.ts';
import { MAKE_ROOM } from '../../peer/room/origin-dial.ts';
import { OriginRoom } from '../../peer/room/origin-room.ts';
import type { PieceSource } from '../../peer/swarm/piece-store.ts';
import type { SendBudget } from '../../peer/swarm/send-budget.ts';
import type { Uplink } from '../../peer/swarm/uplink.ts';
import { Connector, type ConnectorParts, MAX_RETRY_MS } from '../../peer/transport/connector.ts';
import { isRelayText, Relays } from '../../peer/transport/relays.ts';
import type { ReadStore } from '../store/read-store.ts';
import { DiskPieces } from './disk-pieces.ts';
import { TURN_MS } from './places.ts';

export interface ServedRoomParts extends Pick<ConnectorParts, 'createPeer' | 'admit'> {
  room: string;
  store: ReadStore;
  crypto: Crypto;
  clock: Clock;
  budget: SendBudget;
  uplink: Uplink;
  originId: string;
  sendSignal(to: string, text: string): void;
  /** So many bytes of a piece are about to be sent. */
  onSend(sizeBytes: number): void;
  /** The place that `admit` gave this member is free again. */
  onFree(id: string): void;
  /** The room was taken down: this one is over, and closed by its owner. */
  onGone(): void;
  onError(error: unknown): void;
}

/** Members of one room that are reached through the broker at most: each may queue three megabytes here. */
const MAX_RELAYS = 256;

/** Nothing is stored of a room before its first manifest. */
const NOTHING: PieceSource = { pieceBytes: () => 0, read: async () => false };

/** One room as the origin serves it: what the store holds of it, and the connections to its members. */
export class ServedRoom {
  readonly #parts: ServedRoomParts;
  readonly #origin: OriginRoom;
  readonly #connector: Connector;
  readonly #relays: Relays;
  readonly #stored = new Set<number>();
  #pieces: DiskPieces | null = null;
  #video: string | null = null;
  #isReadingDue = false;
  #reading: Promise<void> = Promise.resolve();

  /** @throws MatineeError REQUEST_MALFORMED where `room` is no room id. */
  constructor(parts: ServedRoomParts) {
    const { room, crypto, clock, budget, uplink, originId } = parts;
    const roomId = fromBase64url(room);
    if (!roomId) throw new MatineeError('REQUEST_MALFORMED', 'not a room id');
    this.#parts = parts;
    this.#origin = new OriginRoom({
      crypto,
      clock,
      roomId,
      budget,
      uplink,
      source: {
        pieceBytes: (segment, piece) => (this.#pieces ?? NOTHING).pieceBytes(segment, piece),
        read: (segment, piece, into) => {
          parts.onSend(into.byteLength);
          return (this.#pieces ?? NOTHING).read(segment, piece, into);
        },
      },
      stored: this.#stored,
      onLinkClosed: () => this.#closeFilesIfIdle(),
      onError: parts.onError,
    });
    this.#connector = new Connector({
      ...parts,
      admit: (id) => (this.#origin.isOut(id) ? { retryInMs: MAX_RETRY_MS } : parts.admit(id)),
      selfId: originId,
      randomBytes: (countBytes) => crypto.randomBytes(countBytes),
      // The origin has no key to seal with; its own addresses are the server's.
      seal: async (_, text) => text,
      unseal: async (_, text) => text,
      onChannel: (id, channel) => this.#origin.connect(channel, { id, kind: 'member' }),
      onFailure: () => undefined,
      // It dials nobody, so nobody is busy to it.
      onBusy: () => undefined,
      onBadSignal: (_, error) => {
        if (!isNonsense(error)) parts.onError(error);
      },
    });
    this.#relays = new Relays({
      clock,
      randomBytes: (countBytes) => crypto.randomBytes(countBytes),
      sendSignal: parts.sendSignal,
      admit: () => this.#relays.count < MAX_RELAYS,
      onChannel: (id, channel) => this.#origin.connect(channel, { id, kind: 'member', isRelayed: true }),
      onEnd: () => undefined,
    });
    this.refresh();
  }

  /** Members connected now. */
  get linkCount(): number {
    return this.#origin.linkCount;
  }

  /** A member signals. Answered once what is stored has been read, so that it is greeted with all of it. */
  receive(from: string, text: string): void {
    if (isRelayText(text)) this.#relays.receive(from, text);
    else this.#connector.receive(from, text);
  }

  /** Signaling does not know the member any more: a connection that is not open yet never will be. */
  absent(id: string): void {
    this.#relays.lost(id);
    if (!this.#connector.channel(id)) this.#connector.hangUp(id);
  }

  /** Closes a member's connection, which had its turn, for one who waits. */
  makeRoom(id: string): void {
    if (this.#connector.channel(id)) this.#origin.part(id, MAKE_ROOM);
    else this.#connector.turnAway(id, { retryInMs: TURN_MS });
  }

  /** Reads the store again: something came. News while a reading waits its turn needs no further one. */
  refresh(): void {
    if (this.#isReadingDue) return;
    this.#isReadingDue = true;
    this.#reading = this.#reading
      .then(() => {
        this.#isReadingDue = false;
        return this.#read();
      })
      .catch(this.#parts.onError);
  }

  close(): void {
    this.#origin.close('CLOSED');
    this.#connector.close();
    this.#relays.close();
    this.#pieces?.close();
  }

  async #read(): Promise<void> {
    const { store, room, onGone } = this.#parts;
    if (!(await store.readRecord(room))) {
      onGone();
      return;
    }
    const rules = await store.readRules(room);
    if (rules) await this.#origin.obey(rules);
    const served = await this.#videoToServe();
    if (!served) return;
    const { video, head } = served;
    if (this.#video !== null && this.#video !== video) this.#endVideo();
    this.#video = video;
    this.#pieces ??= new DiskPieces(this.#origin.manifest, store.segmentsFolder(room, video), this.#stored);
    const stored = await store.storedSegments(room, video);
    const pages = await this.#readPages(video, head);
    await this.#origin.update(head, pages, stored);
  }

  #endVideo(): void {
    this.#origin.endVideo();
    this.#pieces?.close();
    this.#pieces = null;
  }

  /** The video that the host's rules name, else the one that is served, else the first, of those whose manifest is stored. */
  async #videoToServe(): Promise<{ video: string; head: Bytes } | null> {
    const { store, room } = this.#parts;
    const named = this.#origin.rules?.current;
    const videos = await store.listVideos(room);
    const first = [...(named ? [toBase64url(named)] : []), ...(this.#video === null ? [] : [this.#video])];
    for (const video of [...first, ...videos]) {
      const head = await store.readHead(room, video);
      if (head) return { video, head };
    }
    return null;
  }

  /** The pages that this head lists and that we have not read before. */
  async #readPages(video: string, envelope: Bytes): Promise<Bytes[]> {
    const { store, room, crypto } = this.#parts;
    const head = await openHead(crypto, fromBase64url(room) ?? new Uint8Array(), envelope);
    const missing = head.pages.filter((page) => !this.#origin.manifest.hasPage(page));
    const pages = await Promise.all(missing.map((page) => store.readPage(room, video, page.hash)));
    return pages.filter((page) => page !== null);
  }

  #closeFilesIfIdle(): void {
    if (this.#origin.linkCount === 0) this.#pieces?.close();
  }
}

/** What a member says that is no signal, or says again, is its own matter: told each time, it would fill the log. */
function isNonsense(error: unknown): boolean {
  return error instanceof SyntaxError || error instanceof MatineeError || v.isValiError(error);
}
