import * as v from 'valibot';
import { type Bytes, toBase64url } from '../../../peer/bytes.ts';
import { systemClock } from '../../../peer/clock.ts';
import { chooseCrypto } from '../../../peer/crypto/choose.ts';
import type { Crypto } from '../../../peer/crypto/crypto.ts';
import { deriveRoomKeys } from '../../../peer/crypto/keys.ts';
import { fetchRules, hostCommands, type RulesReading } from '../../../peer/host/host-commands.ts';
import type { HostedRoom } from '../../../peer/host/new-room.ts';
import { isWatched, openRules } from '../../../peer/manifest/rules.ts';
import { createPeer, signalingUrl } from '../member/browser-network.ts';
import { GivingMember } from '../member/giving-member.ts';
import { networkInformation, watchNetwork } from '../member/network.ts';
import type { FromGiveaway, ToGiveaway } from './give-messages.ts';

/** How long the server may take to say whether there are rules. */
const RULES_WITHIN_MS = 10_000;

/** How soon it is asked again whether the room has come to this film. */
const LOOK_AGAIN_MS = 5_000;

/** Why nothing is given, whatever the person wants: the host's rules forbid it, or the room watches another film. */
export type Hindrance = 'forbidden' | 'unwatched';

const roomAnswer = v.object({ rules: v.number() });

function readingOf(roomId: Bytes, joinToken: Bytes): RulesReading {
  return {
    clock: systemClock,
    fetch: (...args) => fetch(...args),
    server: location.origin,
    roomId,
    joinToken,
  };
}

/** The host's signed rules, or null where there are none. @throws where the server does not say. */
async function readRules(reading: RulesReading): Promise<Bytes | null> {
  const { server, roomId, joinToken } = reading;
  const signal = AbortSignal.timeout(RULES_WITHIN_MS);
  const headers = { authorization: `Bearer ${toBase64url(joinToken)}` };
  const url = `${server}/api/rooms/${toBase64url(roomId)}`;
  // Whether there are any is asked first: a browser's console shows each 404 as an error.
  const response = await fetch(url, { headers, cache: 'no-store', signal });
  const { rules } = v.parse(roomAnswer, await response.json());
  if (rules === 0) return null;
  return await fetchRules(reading);
}

function hindranceOf({ isForbidden, isWatched: isFilmWatched }: GivingMember): Hindrance | null {
  if (isForbidden) return 'forbidden';
  return isFilmWatched ? null : 'unwatched';
}

/** Gives viewers what the host's worker tells at a port. Loaded only where something is given. */
export class PageGiving {
  readonly #port: MessagePort;
  readonly #onHindrance: (hindrance: Hindrance | null) => void;
  #member: GivingMember | null = null;
  #limitBytesPerSec: number | null = 0;
  /** What comes while the room is being joined waits for it. */
  #turn: Promise<void> = Promise.resolve();
  readonly #reads = new Map<number, (data: Bytes | null) => void>();
  #lastRead = 0;
  readonly #end = new AbortController();
  #isClosed = false;
  #cancelLooking: () => void = () => undefined;

  /** @param onHindrance is told what stands in the way, null: nothing, whenever that may have changed. */
  constructor(port: MessagePort, onHindrance: (hindrance: Hindrance | null) => void) {
    this.#port = port;
    this.#onHindrance = onHindrance;
    port.onmessage = ({ data }: MessageEvent<FromGiveaway>) => this.#receive(data);
    watchNetwork(window, networkInformation(), () => this.#member?.networkChanged(), this.#end.signal);
  }

  /** Bytes per second that are given at most: null without limit, 0 nothing. */
  setLimit(bytesPerSec: number | null): void {
    this.#limitBytesPerSec = bytesPerSec;
    this.#member?.giver.setLimit(bytesPerSec);
  }

  /** Leaves the room. */
  close(): void {
    this.#isClosed = true;
    this.#end.abort();
    this.#cancelLooking();
    this.#leave();
    this.#post({ type: 'end' });
    this.#port.close();
    for (const answer of this.#reads.values()) answer(null);
    this.#reads.clear();
  }

  #receive(message: FromGiveaway): void {
    if (message.type === 'piece') {
      this.#reads.get(message.id)?.(message.data);
      this.#reads.delete(message.id);
      return;
    }
    // What cannot be given is had from the server a little later: the host has nothing to do about it.
    this.#turn = this.#turn.then(() => this.#take(message)).catch(() => undefined);
  }

  async #take(message: Exclude<FromGiveaway, { type: 'piece' }>): Promise<void> {
    if (this.#isClosed) return;
    if (message.type === 'begun') await this.#begin(message.room);
    else if (message.type === 'published') await this.#member?.giver.update(message.update);
    else if (message.type === 'listed') this.#member?.giver.offer(message.segments);
    else this.#member?.giver.withdraw(message.segment);
  }

  #leave(): void {
    this.#member?.close();
    this.#member = null;
  }

  /** The member connects to nobody before it knows the rules, and leaves at once where they name another film: see #heed. */
  async #begin(room: HostedRoom): Promise<void> {
    this.#leave();
    this.#cancelLooking();
    await this.#join(await chooseCrypto(), room);
  }

  /** False where the server does not say. */
  async #isWatched(crypto: Crypto, { roomId, roomSecret, videoId }: HostedRoom): Promise<boolean> {
    try {
      const { joinToken } = await deriveRoomKeys(crypto, roomSecret, roomId);
      const envelope = await readRules(readingOf(roomId, joinToken));
      return !envelope || isWatched(await openRules(crypto, roomId, envelope), videoId);
    } catch {
      // It is asked again.
      return false;
    }
  }

  #lookAgainLater(crypto: Crypto, room: HostedRoom): void {
    this.#cancelLooking();
    if (this.#isClosed) return;
    this.#cancelLooking = systemClock.after(LOOK_AGAIN_MS, () => void this.#look(crypto, room));
  }

  async #look(crypto: Crypto, room: HostedRoom): Promise<void> {
    const isNow = await this.#isWatched(crypto, room);
    if (this.#isClosed || this.#member) return;
    // What was told meanwhile was lost on nobody.
    if (isNow) this.#post({ type: 'again' });
    else this.#lookAgainLater(crypto, room);
  }

  async #join(crypto: Crypto, room: HostedRoom): Promise<void> {
    if (this.#isClosed) return;
    const { roomId, hostKey } = room;
    const member = await GivingMember.join({
      room,
      crypto,
      clock: systemClock,
      random: () => Math.random(),
      signalingUrl: signalingUrl(location.href),
      openSocket: (url) => new WebSocket(url),
      createPeer,
      fetchRules: (joinToken) => readRules(readingOf(roomId, joinToken)),
      setLetIn: (id, isLetIn, joinToken) => {
        const commands = hostCommands({ ...readingOf(roomId, joinToken), crypto, hostKey });
        return isLetIn ? commands.letIn(id) : commands.letOut(id);
      },
      read: (segment, piece) => this.#read(segment, piece),
      onRules: () => this.#heed(member, crypto, room),
    });
    if (this.#isClosed) {
      member.close();
      return;
    }
    this.#member = member;
    member.giver.setLimit(this.#limitBytesPerSec);
  }

  #heed(member: GivingMember, crypto: Crypto, room: HostedRoom): void {
    if (member !== this.#member) return;
    this.#onHindrance(hindranceOf(member));
    if (member.isWatched) return;
    this.#leave();
    this.#lookAgainLater(crypto, room);
  }

  #read(segment: number, piece: number): Promise<Bytes | null> {
    if (this.#isClosed) return Promise.resolve(null);
    const id = ++this.#lastRead;
    this.#post({ type: 'read', id, segment, piece });
    return new Promise((resolve) => this.#reads.set(id, resolve));
  }

  #post(message: ToGiveaway): void {
    this.#port.postMessage(message);
  }
}
