import type { IncomingHttpHeaders } from 'node:http';
import type { Crypto } from '../../peer/crypto/crypto.ts';
import { MatineeError } from '../../peer/errors.ts';
import { standingOf } from '../../peer/manifest/rules.ts';
import type { Admission, Door } from '../../signaling/door.ts';
import type { Rates } from '../../signaling/rate.ts';
import type { HostingRules } from '../hosting.ts';
import { isRoomId, isVideoId, segmentNumber } from '../store/paths.ts';
import type { Store } from '../store/store.ts';
import type { HeldBodies } from './held-bodies.ts';
import { MEMBER_HEADER, type MemberProofs } from './member-proof.ts';
import type { CountRequest } from './request-limits.ts';

/** What changed of a room: the film it shows, or who may be in it (also because it is gone). */
export type RoomChange = 'content' | 'members';

/** What the routes under /api are made of. */
export interface Api {
  store: Store;
  crypto: Crypto;
  door: Door;
  hosting: HostingRules;
  proofs: MemberProofs;
  bodies: HeldBodies;
  /** Requests of a room's members, from wherever they come: one room cannot take the server from the others. */
  roomReads: Rates;
  /** Counts a request among those of a kind that is not plain from its route. */
  countRequest: CountRequest;
  /** Resolves when the line out may carry so many bytes of film more. */
  spendLine(sizeBytes: number): Promise<void>;
  /** Something about this room was stored or removed. */
  onChange(room: string, change: RoomChange): void;
}

/** What Fastify found in a route's path. */
export interface RoomParams {
  room: string;
}
export interface VideoParams extends RoomParams {
  video: string;
}
export interface PageParams extends VideoParams {
  hash: string;
}
export interface SegmentParams extends VideoParams {
  n: string;
}

export const BYTES_TYPE = 'application/octet-stream';

const BEARER = /^Bearer +([A-Za-z0-9_-]{43})$/i;

/**
 * Passes only those who may have the room's film: who has its token and, where the host's rules keep anybody out, proves
 * to be somebody else.
 * @throws MatineeError REQUEST_MALFORMED, ROOM_UNKNOWN, TOKEN_WRONG, SIGNATURE_WRONG, REMOVED, ROOM_LOCKED, TOO_MANY.
 */
export async function mustBeMember(api: Api, room: string, headers: IncomingHttpHeaders): Promise<void> {
  await mustHaveToken(api, room, headers.authorization);
  const rules = await api.store.rules(room);
  if (!rules || (rules.removed.length === 0 && rules.lockedTo === null)) return;
  const member = api.proofs.memberOf(room, String(headers[MEMBER_HEADER] ?? ''));
  mustBeAdmitted(standingOf(rules, member));
}

/**
 * Passes whoever has the room's token and, where it is said who comes (`member`, an id that the caller has made sure of), is
 * not kept out by the host's rules.
 * @throws MatineeError REQUEST_MALFORMED, ROOM_UNKNOWN, TOKEN_WRONG, REMOVED, ROOM_LOCKED, TOO_MANY.
 */
export async function mustHaveToken(
  { door, roomReads }: Api,
  room: string,
  authorization?: string,
  member: string | null = null,
): Promise<void> {
  const token = BEARER.exec(authorization ?? '')?.[1] ?? '';
  mustBeAdmitted(await door.admit(roomId(room), token, member));
  // Only now: strangers must not use up what members may ask.
  if (!roomReads.canTake(room, performance.now()))
    throw new MatineeError('TOO_MANY', 'Too many requests for this room. Try again in a moment.');
}

function mustBeAdmitted(admission: Admission): void {
  if (admission === 'no-room') {
    throw new MatineeError(
      'ROOM_UNKNOWN',
      'There is no such room, or it has been taken down. Ask the host for a new link.',
    );
  }
  if (admission === 'bad-token') {
    throw new MatineeError(
      'TOKEN_WRONG',
      'This link does not open the room. Ask the host to send the whole link.',
    );
  }
  if (admission === 'removed') throw new MatineeError('REMOVED', 'The host has removed this member.');
  if (admission === 'locked') throw new MatineeError('ROOM_LOCKED', 'The host has locked this room.');
}

/** The room id itself. @throws MatineeError REQUEST_MALFORMED where it is none. */
export function roomId(text: string): string {
  return checked(text, isRoomId(text), 'room id');
}

/** The member id itself. @throws MatineeError REQUEST_MALFORMED where it is none. */
export function memberId(text: string): string {
  // Like a room's, 16 bytes.
  return checked(text, isRoomId(text), 'member id');
}

/** The video id itself. @throws MatineeError REQUEST_MALFORMED where it is none. */
export function videoId(text: string): string {
  return checked(text, isVideoId(text), 'video id');
}

/** @throws MatineeError REQUEST_MALFORMED where it is no segment's number. */
export function segmentOf(text: string): number {
  return segmentNumber(checked(text, segmentNumber(text) !== null, 'segment number')) ?? 0;
}

/** The error for what is not stored. */
export function notFound(what: string): MatineeError {
  return new MatineeError('NOT_FOUND', `This ${what} is not stored here.`);
}

function checked(text: string, isRight: boolean, what: string): string {
  if (isRight) return text;
  throw new MatineeError('REQUEST_MALFORMED', `This is not a ${what}. Check the address.`);
}
