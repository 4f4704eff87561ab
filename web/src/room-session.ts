import type { Bytes } from '../../peer/bytes.ts';
import type { Cheer } from '../../peer/chat/chat.ts';
import type { Doing, Present } from '../../peer/chat/presence.ts';
import type { Emoji } from '../../peer/chat/reaction.ts';
import type { HostCommands } from '../../peer/host/host-commands.ts';
import type { IntoRoom } from '../../peer/host/host-video.ts';

/** What the room page sees of the engine: one session per open room, one snapshot to draw from. */

/** Who I am connected to. */
export interface PeerView {
  id: string;
  /** 'giver': a page of the host's that gives what it uploads; nobody sits there. */
  kind: 'origin' | 'member' | 'giver';
  /** The name they chose; null until they said it, and for the origin and givers. */
  name: string | null;
  /** Whether they have shown that they are the room's host. */
  isHost: boolean;
  bytesReceived: number;
  bytesSent: number;
  /** Over the last seconds. */
  receivedBytesPerSec: number;
  sentBytesPerSec: number;
  /** A data channel, one through a TURN server, or the signaling server in between. */
  route: 'direct' | 'turn' | 'broker';
  roundTripMs: number | null;
}

export interface ChatLine {
  id: string;
  /** The member who signed it. */
  from: string;
  /** Whether that is the room's host, which is proven too. */
  isHost: boolean;
  name: string;
  text: string;
  sentAtMs: number;
  isMine: boolean;
  /** The line it answers: its id, and who said what where that line is still here. */
  reply: { id: string; line: { from: string; name: string; text: string } | null } | null;
  /** The place in the film that it is about; `isHere`: of the film that is watched now, so one can go there. */
  moment: { atMs: number; isHere: boolean } | null;
  reactions: LineReaction[];
}

/** How often an emoji was given to a line. */
export interface LineReaction {
  emoji: Emoji;
  count: number;
  isMine: boolean;
  /** Of those whose name is known. */
  names: string[];
}

/** A line about a place in the film that is watched: for the timeline. */
export interface TimeMark {
  /** Milliseconds from the start of the film. */
  atMs: number;
  /** The line's id, who said it, and what. */
  id: string;
  name: string;
  text: string;
}

/** A part of the film of which something is, or was, here: the shares of it that the server and other viewers gave, 0 to 1 each. */
export interface FilmPart {
  startMs: number;
  durationMs: number;
  serverShare: number;
  friendShare: number;
}

/** What `window.matinee.stats()` returns: a plain object, documented in the README. */
export interface Stats {
  bytesReceived: { origin: number; peers: number; http: number };
  bytesSent: number;
  /** Connected peers, the origin included. */
  connectedPeers: number;
  isOriginConnected: boolean;
  /** The best way there is to anybody: a data channel, one through a TURN server, or HTTP and signaling alone. */
  connection: 'none' | 'direct' | 'turn' | 'server';
  /** To the film's first frame, from opening the page, or from when the room came to that film; null before it. */
  startupMs: number | null;
  stallCount: number;
  stallMs: number;
  /** Seconds of media buffered ahead of the playhead. */
  bufferedS: number;
  /** How far the film is behind the room's place, negative: ahead; null while it has none, or the person watches on their own. */
  syncSkewMs: number | null;
  rejectedPieces: number;
  /** Subtitles and pictures of the host that cannot be understood; the film plays without them. */
  malformedExtras: number;
  /** Signals of other viewers that were changed on their way, or that nobody here signed. */
  rejectedSignals: number;
  /** Bytes of ciphertext held now, for playing again and for others: in memory, and in this tab's own file. */
  heldBytes: { memory: number; disk: number };
  /** Why that file is not used, or no longer; null where nothing went wrong, or the browser has no such files. */
  diskError: string | null;
}

/** The host's rules, ids as base64url. */
export interface RulesView {
  isOriginOnly: boolean;
  isLocked: boolean;
  muted: string[];
  removed: string[];
  /** Whether oneself is among the muted: nobody sees what one writes. */
  isSelfMuted: boolean;
}

/** Where the room is, as far as the page tells. */
export interface SyncView {
  /** The person watches on their own, not where the room is. */
  isOnOwn: boolean;
  /** Who may play, pause and seek for the room, as the host wants. */
  control: 'everyone' | 'host';
  /** Whether oneself may now. */
  mayControl: boolean;
  /** The room waits for members whose film stands still. */
  doesWait: boolean;
  /** What was said last of where the room is; null where nobody did. */
  said: {
    name: string;
    isMine: boolean;
    isPlaying: boolean;
    speedPercent: number;
    /** The name of the member it waits for. */
    waitsFor: string | null;
  } | null;
}

/** One film of the room's list. */
export interface FilmView {
  /** Base64url. */
  id: string;
  title: string;
  /** The one that the room is to watch. */
  isCurrent: boolean;
}

/** What the host can do, and nobody else. */
export interface HostDesk extends HostCommands {
  /** What an upload needs to bring a film into the room, at the end of its list. `present` is what is watched now. */
  intoRoom(present: { id: string; title: string } | null): Promise<IntoRoom>;
  /** Removes the room and all it holds from the server. @throws MatineeError as the commands. */
  takeDown(): Promise<void>;
}

export interface RoomSnapshot {
  /** The line to the signaling server. 'refused' is final: `problem` says why. */
  signaling: 'connecting' | 'connected' | 'reconnecting' | 'refused';
  /** What is wrong right now, in a sentence for people; null where all is well. `isFatal`: nothing will play without a new try. */
  problem: { code: string; message: string; isFatal: boolean } | null;
  /** null until the manifest is here. uploadedMs < durationMs while the host still uploads. */
  video: {
    id: string;
    title: string;
    durationMs: number;
    uploadedMs: number;
    isDone: boolean;
    widthPx: number;
    heightPx: number;
  } | null;
  /** What the room has, in order; empty where it has one film and no list. */
  films: FilmView[];
  sync: SyncView;
  /** The browser refused to start by itself: show one obvious button that calls play(). */
  isPlayRefused: boolean;
  /** The player waits for data. */
  isWaiting: boolean;
  peers: PeerView[];
  chat: ChatLine[];
  /** Lines about places in the film that is watched, in the order of those. */
  timeMarks: TimeMark[];
  /** Names of those who are typing now, oneself left out. */
  typing: string[];
  /** What the host has decided for the room, as far as everybody may know. */
  rules: RulesView;
  /** Those who said lately that they are here, and what they do; oneself left out. */
  present: Present[];
  /** My own name. */
  name: string;
  /** My own id, whether I am the host, and what the others are told that I do. */
  self: { id: string; isHost: boolean; doing: Doing };
  stats: Stats;
}

export interface RoomSession {
  /** Calls back with each new snapshot, at once and then at most five times a second; returns the undo. */
  subscribe(listener: (snapshot: RoomSnapshot) => void): () => void;
  snapshot(): RoomSnapshot;
  /** Puts the film into this element. Once per session. */
  attach(video: HTMLVideoElement): void;
  /** Starts playback from a click, after the browser refused. */
  play(): Promise<void>;
  /** Watches on one's own from now on, or where the room is again. */
  setOnOwn(isOnOwn: boolean): void;
  /**
   * Sends a chat line (1 to MAX_CHAT_CHARS characters). Resolves once it is in the log and on its way. `reply`: the id of the
   * line it answers; `atMs`: the place in this film that it is about.
   */
  say(text: string, about?: { reply?: string | null; atMs?: number | null }): Promise<void>;
  /** Gives a line one's reaction in place of the one before; null takes it back. */
  react(lineId: string, emoji: Emoji | null): void;
  /** Lets an emoji float over everybody's picture; nothing happens where that comes too often. */
  cheer(emoji: Emoji): void;
  /** Calls back for each emoji that is to float, one's own too; returns the undo. */
  listenToCheers(listener: (cheer: Cheer) => void): () => void;
  /** The person is typing: others are told now and then. */
  typed(): void;
  /** Where the film is here, milliseconds; null before there is one. */
  placeMs(): number | null;
  /** The parts of this film of which something came, and from whom. */
  filmParts(): FilmPart[];
  /** The subtitle tracks of this film in the media element, which may have empty ones of films before besides. */
  subtitles(): TextTrack[];
  /**
   * A small picture of the film at a place; null where there is none, or not yet. Its address is good until a few others
   * were asked for, or the room is at another film.
   */
  thumbnailAt(atMs: number): Promise<{ url: string } | null>;
  /** Goes to a place in the film, milliseconds; where that is not uploaded yet, to the last that is. Nowhere before the film is known. */
  seekTo(atMs: number): void;
  rename(name: string): void;
  setUploadLimit(bytesPerSec: number | null): void;
  /** Whether this member may be connected to other viewers, who then see its network address. Not before it is said here. */
  setPeersAllowed(areAllowed: boolean): void;
  /** Opens what the host commands with; null for all who have not the host's key. */
  readonly openHostDesk: (() => Promise<HostDesk>) | null;
  /** Ids of the members known here, oneself among them: connected, named by the server, or heard in the chat. */
  knownMembers(): string[];
  /** Leaves the room: closes every connection and frees everything. */
  close(): void;
}

/** openRoom(href, name, secret): see room/open-room.ts. @throws MatineeError LINK_INCOMPLETE, LINK_MALFORMED, PLAYBACK_UNSUPPORTED. */
export type OpenRoom = (href: string, name: string, secret: Bytes | null) => Promise<RoomSession>;
