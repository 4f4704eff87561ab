import { type Bytes, toBase64url } from '../bytes.ts';
import { MatineeError } from '../errors.ts';
import type { ServerRequest } from './send.ts';

/** Milliseconds for the very first request: a person is waiting to hear whether the address is right. */
const FIRST_TIMEOUT_MS = 5000;

/** Milliseconds for the server's part of the work. */
const TIMEOUT_MS = 30_000;

/** Bytes a millisecond that a request can count on, at least: 0.25 Mbit/s, times the three that go at once. */
const MIN_BYTES_PER_MS = 32;

/** The requests by which a host makes, fills and removes a room: PROTOCOL.md, "HTTP". */
export interface RoomRequests {
  /** @param record the signed room record. */
  createRoom(record: Bytes): ServerRequest;
  /** @param update the encoded manifest update. */
  publish(update: Bytes): ServerRequest;
  /** @param pieces of its ciphertext, all of them. */
  storeSegment(segment: number, pieces: readonly Bytes[]): ServerRequest;
  /** Which segments are stored: see readStored. */
  listStored(joinToken: Bytes): ServerRequest;
  /** @param command the signed take-down. */
  takeDown(command: Bytes): ServerRequest;
}

/**
 * The requests for one room and video at the server whose origin is given.
 * @param hostPassword what the server asks hosts for; null where it asks for nothing.
 */
export function roomRequests(
  origin: string,
  roomId: Bytes,
  videoId: Bytes,
  hostPassword: string | null = null,
): RoomRequests {
  const room = `${origin}/api/rooms/${toBase64url(roomId)}`;
  const video = `${room}/videos/${toBase64url(videoId)}`;
  return {
    createRoom: (body) => ({
      method: 'PUT',
      url: room,
      body,
      // Headers are ASCII, passwords need not be.
      headers: hostPassword === null ? {} : { 'x-host-password': encodeURIComponent(hostPassword) },
      timeoutMs: FIRST_TIMEOUT_MS,
    }),
    publish: (update) => put(`${video}/manifest`, new Blob([update])),
    storeSegment: (segment, pieces) => put(`${video}/segments/${segment}`, new Blob([...pieces])),
    listStored: (joinToken) => ({
      method: 'GET',
      url: `${video}/segments`,
      body: null,
      headers: { authorization: `Bearer ${toBase64url(joinToken)}` },
      timeoutMs: TIMEOUT_MS,
    }),
    takeDown: (body) => ({ method: 'DELETE', url: room, body, timeoutMs: FIRST_TIMEOUT_MS }),
  };
}

function put(url: string, body: Blob): ServerRequest {
  return { method: 'PUT', url, body, timeoutMs: TIMEOUT_MS + body.size / MIN_BYTES_PER_MS };
}

/**
 * The origin in a server's address, such as `http://localhost:8080`; a path is dropped.
 * @throws MatineeError REQUEST_MALFORMED where the text is no http address.
 */
export function serverOrigin(address: string): string {
  const url = URL.canParse(address) ? new URL(address) : null;
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return url.origin;
  throw new MatineeError(
    'REQUEST_MALFORMED',
    `“${address}” is not the address of a server. It looks like https://example.org or http://localhost:8080.`,
  );
}
