import { areEqual, type Bytes, toBase64url } from '../bytes.ts';
import type { Clock } from '../clock.ts';
import type { Crypto, SigningKey } from '../crypto/crypto.ts';
import { MatineeError } from '../errors.ts';
import {
  type HostWishes,
  type ListedVideo,
  MAX_LOCKED_TO,
  MAX_MUTED,
  MAX_REMOVED,
  MAX_RULES_BYTES,
  MAX_VIDEOS,
  NO_RULES,
  names,
  openRules,
  signRules,
} from '../manifest/rules.ts';
import type { Control } from '../sync/playback-record.ts';
import { shown, withMoved, withNext, withoutVideo, withReplaced, withVideo } from './playlist.ts';
import { type HttpIo, NotNow, send } from './send.ts';

/** Milliseconds until one answer is given up. */
const TIMEOUT_MS = 10_000;

/** Tries to get one change in where others (the host on another device) change the rules at the same time. */
const MAX_TRIES = 5;

/** What the rules of a room are read with. */
export interface RulesReading extends HttpIo {
  /** Origin of the server, for example `https://example.org`. */
  server: string;
  roomId: Bytes;
  /** Also the host is a member. */
  joinToken: Bytes;
}

export interface HostCommandsParts extends RulesReading {
  crypto: Crypto;
  /** Signs the rules. Without the room's own key the server refuses every one of them. */
  hostKey: SigningKey;
}

/** What a host can tell its room, over the server that keeps its rules. */
export interface HostCommands {
  /** The newest rules as the server has them; NO_RULES where there are none. @throws as `change`. */
  read(): Promise<HostWishes>;
  /**
   * Makes a change to the newest rules, whatever they are by then, and publishes it; resolves with the new rules once they are
   * stored. A change that returns the very rules it got publishes nothing. The number and the moment are seen to here.
   * @throws MatineeError SIGNATURE_WRONG where the key is not the room's; SERVER_UNREACHABLE; the server's other refusals.
   */
  change(alter: (rules: HostWishes) => HostWishes): Promise<HostWishes>;
  /** Keeps a member out, whatever link it has. */
  remove(member: Bytes): Promise<HostWishes>;
  /** The same, and lets in nobody but these from now on: else whoever has the link comes back as somebody new. */
  removeAndLock(member: Bytes, toMembers: readonly Bytes[]): Promise<HostWishes>;
  unremove(member: Bytes): Promise<HostWishes>;
  /** Hides what a member writes from now on. */
  mute(member: Bytes): Promise<HostWishes>;
  unmute(member: Bytes): Promise<HostWishes>;
  /** Lets in nobody but these from now on; the host itself must be among them. */
  lock(toMembers: readonly Bytes[]): Promise<HostWishes>;
  unlock(): Promise<HostWishes>;
  /** Lets one more in where the room is locked. */
  letIn(member: Bytes): Promise<HostWishes>;
  /** Takes one off the list of those whom a locked room lets in. */
  letOut(member: Bytes): Promise<HostWishes>;
  /** Whether viewers are to fetch from the origin alone, without connections to each other. */
  setOriginOnly(isOriginOnly: boolean): Promise<HostWishes>;
  /** Who may play, pause and seek for the room. */
  setControl(control: Control): Promise<HostWishes>;
  /** Whether the room waits for members whose film stands still. */
  setWaiting(doesWait: boolean): Promise<HostWishes>;
  /**
   * Puts a video at the end of the room's list: to be said before it is uploaded there. `present` is what the room has, for
   * one without a list so far: it is watched on.
   */
  addVideo(video: ListedVideo, present: ListedVideo | null): Promise<HostWishes>;
  /** Puts a video in the place of another, or into the list of a room that has none: to be said before it is uploaded. */
  replaceVideo(before: Bytes, video: ListedVideo): Promise<HostWishes>;
  /** Has everybody watch this one of the list, from its start, as soon as its manifest is stored. */
  showVideo(video: Bytes): Promise<HostWishes>;
  /** Has everybody go on to the one after this, where this is what is watched; at the end of the list nothing changes. */
  showNext(after: Bytes): Promise<HostWishes>;
  /** Moves a video of the list by so many places, down where positive. */
  moveVideo(video: Bytes, by: number): Promise<HostWishes>;
  /** Removes a video from the list and the server. Where it is watched the next one starts, else the one before. @throws MatineeError REQUEST_MALFORMED for the last one. */
  removeVideo(video: Bytes): Promise<HostWishes>;
}

/** The commands of one room's host. */
export function hostCommands(parts: HostCommandsParts): HostCommands {
  const change: HostCommands['change'] = (alter) => changeRules(parts, alter);
  return {
    read: () => readRules(parts),
    change,
    remove: (member) => change((rules) => ({ ...rules, removed: withMember(rules.removed, member) })),
    removeAndLock: (member, toMembers) =>
      change((rules) => ({ ...rules, removed: withMember(rules.removed, member), lockedTo: [...toMembers] })),
    unremove: (member) => change((rules) => ({ ...rules, removed: without(rules.removed, member) })),
    mute: (member) => change((rules) => ({ ...rules, muted: withMember(rules.muted, member) })),
    unmute: (member) => change((rules) => ({ ...rules, muted: without(rules.muted, member) })),
    lock: (toMembers) => change((rules) => ({ ...rules, lockedTo: [...toMembers] })),
    unlock: () => change((rules) => ({ ...rules, lockedTo: null })),
    letIn: (member) => change((rules) => withLockedTo(rules, (list) => withMember(list, member))),
    letOut: (member) => change((rules) => withLockedTo(rules, (list) => without(list, member))),
    setOriginOnly: (isOriginOnly) => change((rules) => ({ ...rules, isOriginOnly })),
    setControl: (control) => change((rules) => ({ ...rules, control })),
    setWaiting: (doesWait) => change((rules) => ({ ...rules, doesWait })),
    addVideo: (video, present) => change((rules) => withVideo(rules, video, present)),
    replaceVideo: (before, video) => change((rules) => withReplaced(rules, before, video)),
    showVideo: (video) => change((rules) => shown(rules, video)),
    showNext: (after) => change((rules) => withNext(rules, after)),
    moveVideo: (video, by) => change((rules) => withMoved(rules, video, by)),
    removeVideo: (video) => change((rules) => withoutVideo(rules, video)),
  };
}

async function changeRules(
  parts: HostCommandsParts,
  alter: (rules: HostWishes) => HostWishes,
): Promise<HostWishes> {
  for (let tries = 1; ; tries++) {
    const before = await readRules(parts);
    const wanted = alter(before);
    if (wanted === before) return before;
    mustFit(wanted);
    const next = { ...wanted, number: before.number + 1, atMs: momentOf(before, wanted, parts.clock) };
    try {
      await publish(parts, next);
      return next;
    } catch (error) {
      const isOvertaken = error instanceof MatineeError && error.code === 'MANIFEST_STALE';
      if (!isOvertaken || tries === MAX_TRIES) throw error;
    }
  }
}

/** Muting counts from `atMs`: as long as the same are muted it stays, so that nothing they wrote since comes to light. */
function momentOf(before: HostWishes, wanted: HostWishes, clock: Clock): number {
  const areSameMuted = wanted.muted.length > 0 && wanted.muted === before.muted;
  return areSameMuted ? before.atMs : clock.wallMs();
}

/** @throws MatineeError REQUEST_MALFORMED. */
function mustFit({ removed, muted, lockedTo, videos }: HostWishes): void {
  if (videos.length > MAX_VIDEOS) {
    throw new MatineeError(
      'REQUEST_MALFORMED',
      `A room can have ${MAX_VIDEOS} films. Remove one, or make a new room.`,
    );
  }
  const doFit = removed.length <= MAX_REMOVED && muted.length <= MAX_MUTED;
  if (doFit && (lockedTo?.length ?? 0) <= MAX_LOCKED_TO) return;
  throw new MatineeError(
    'REQUEST_MALFORMED',
    `A room can have ${MAX_REMOVED} removed and ${MAX_MUTED} muted members, and be locked to ${MAX_LOCKED_TO}. Make a new room and share its link.`,
  );
}

async function publish(parts: HostCommandsParts, wishes: HostWishes): Promise<void> {
  const body = await signRules(parts.crypto, parts.hostKey, wishes);
  const request = { method: 'PUT', url: rulesUrl(parts), body, timeoutMs: TIMEOUT_MS } as const;
  try {
    await send(parts, request, new AbortController().signal);
  } catch (error) {
    throw error instanceof NotNow ? unreachable(parts, error) : error;
  }
}

async function readRules(parts: HostCommandsParts): Promise<HostWishes> {
  const { crypto, roomId } = parts;
  const envelope = await fetchRules(parts);
  if (!envelope) return NO_RULES;
  const { v: _, room: __, publicKey: ___, ...wishes } = await openRules(crypto, roomId, envelope);
  return wishes;
}

/** The signed rules, not checked yet, or null where the room has none. @throws MatineeError TOKEN_WRONG, SERVER_UNREACHABLE. */
export async function fetchRules(parts: RulesReading): Promise<Bytes | null> {
  const { clock, joinToken } = parts;
  // Called without an object: a browser's fetch refuses to be called on anything but its window or worker.
  const { fetch } = parts;
  const late = new AbortController();
  const cancelTimer = clock.after(TIMEOUT_MS, () => late.abort(new Error('no answer in time')));
  try {
    const headers = { authorization: `Bearer ${toBase64url(joinToken)}` };
    const response = await fetch(rulesUrl(parts), { headers, cache: 'no-store', signal: late.signal });
    const bytes = new Uint8Array(await response.arrayBuffer());
    if (response.ok && bytes.byteLength <= MAX_RULES_BYTES) return bytes;
    if (response.status === 404) return null;
    throw refused(parts, response.status);
  } catch (error) {
    throw error instanceof MatineeError ? error : unreachable(parts, error);
  } finally {
    cancelTimer();
  }
}

function rulesUrl({ server, roomId }: RulesReading): string {
  return `${server}/api/rooms/${toBase64url(roomId)}/rules`;
}

/** Those whom a locked room lets in, one more or one fewer; a room that is not locked lets in everybody anyway. */
function withLockedTo(rules: HostWishes, alter: (list: Bytes[]) => Bytes[]): HostWishes {
  if (!rules.lockedTo) return rules;
  const lockedTo = alter(rules.lockedTo);
  return lockedTo.length === rules.lockedTo.length ? rules : { ...rules, lockedTo };
}

function withMember(list: Bytes[], member: Bytes): Bytes[] {
  return names(list, member) ? list : [...list, member];
}

function without(list: readonly Bytes[], member: Bytes): Bytes[] {
  return list.filter((one) => !areEqual(one, member));
}

function refused({ server }: RulesReading, status: number): MatineeError {
  if (status === 403) {
    return new MatineeError('TOKEN_WRONG', 'This link does not open the room, so its rules cannot be read.');
  }
  return new MatineeError(
    'SERVER_UNREACHABLE',
    `The server at ${server} does not give the room's rules (status ${status}). Try again in a moment.`,
  );
}

function unreachable({ server }: RulesReading, cause: unknown): MatineeError {
  return new MatineeError(
    'SERVER_UNREACHABLE',
    `The server at ${server} does not answer. Check that you are online, then try again.`,
    { cause },
  );
}
