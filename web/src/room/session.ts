import { areEqual, type Bytes, toBase64url } from '../../../peer/bytes.ts';
import type { Cheer } from '../../../peer/chat/chat.ts';
import type { Doing } from '../../../peer/chat/presence.ts';
import type { Emoji } from '../../../peer/chat/reaction.ts';
import type { Clock } from '../../../peer/clock.ts';
import { MatineeError } from '../../../peer/errors.ts';
import { MAX_CHAT_CHARS } from '../../../peer/limits.ts';
import { type ListedVideo, NO_RULES } from '../../../peer/manifest/rules.ts';
import { plainName } from '../../../peer/plain-text.ts';
import type { VideoInfo } from '../../../peer/video-info.ts';
import type { Link } from '../../../peer/wire/link.ts';
import type { Member } from '../member/member.ts';
import type {
  FilmPart,
  FilmView,
  HostDesk,
  PeerView,
  RoomSession,
  RoomSnapshot,
  RulesView,
  Stats,
  SyncView,
} from '../room-session.ts';
import { ChatView } from './chat-view.ts';
import { isAlone } from './company.ts';
import { doingOf } from './doing.ts';
import type { FilmExtras } from './film-extras.ts';
import { filmParts } from './film-parts.ts';
import { isOnOwnAtStart, rememberOnOwn } from './own-way.ts';
import { Player } from './player.ts';
import { RateMeter } from './rate-meter.ts';
import { texts } from './texts.ts';
import { Together } from './together.ts';
import { heldAtEdge, isAtEdge, uploadedMs } from './upload-edge.ts';

/** The page is drawn anew at most this often. */
const DRAW_EVERY_MS = 200;

/** Rates and buffers change without events. */
const REFRESH_EVERY_MS = 1_000;

/** A server that has not answered for this long is worth a sentence. */
const PATIENCE_MS = 4_000;

/** Who does this is in the film. */
const IN_THE_FILM: readonly Doing[] = ['watching', 'buffering'];

type SayAbout = NonNullable<Parameters<RoomSession['say']>[1]>;

/** One open room, as the page sees it: draws snapshots from the member and its player. */
export class Session implements RoomSession {
  readonly #member: Member;
  readonly #clock: Clock;
  readonly #onClose: () => void;
  readonly #isVisible: () => boolean;
  readonly #listeners = new Set<(snapshot: RoomSnapshot) => void>();
  readonly #rates = new WeakMap<Link, { received: RateMeter; sent: RateMeter }>();
  readonly #openedMs: number;
  readonly #chat = new ChatView();
  #element: HTMLVideoElement | null = null;
  #player: Player | null = null;
  #extras: FilmExtras | null = null;
  /** Those that came before there was anything to show them in. */
  #waitingExtras: Bytes[] = [];
  #together: Together | null = null;
  /** Of the room's list, by id; null while it is being opened, or cannot be. */
  readonly #titles = new Map<string, string | null>();
  #info: VideoInfo | null = null;
  #isReadingInfo = false;
  /** Since when this film's first picture is waited for, on the page's own clock: 0, its opening, or when the room came to the film. */
  #sinceMs = 0;
  /** A film has been seen here. */
  #hasShown = false;
  #error: MatineeError | null = null;
  #cancelDraw: (() => void) | null = null;
  #cancelRefresh: () => void;

  readonly openHostDesk: (() => Promise<HostDesk>) | null;

  /** `onClose` undoes what was set up around the session; `isVisible` says whether its page is to be seen. */
  constructor(
    member: Member,
    clock: Clock,
    onClose: () => void,
    isVisible: () => boolean,
    openHostDesk: (() => Promise<HostDesk>) | null = null,
  ) {
    this.openHostDesk = openHostDesk;
    this.#member = member;
    this.#onClose = onClose;
    this.#isVisible = isVisible;
    this.#clock = clock;
    this.#openedMs = clock.nowMs();
    this.#cancelRefresh = clock.after(REFRESH_EVERY_MS, () => this.#refresh());
  }

  subscribe(listener: (snapshot: RoomSnapshot) => void): () => void {
    this.#listeners.add(listener);
    listener(this.snapshot());
    return () => this.#listeners.delete(listener);
  }

  snapshot(): RoomSnapshot {
    const { viewer, signaling } = this.#member;
    const figures = this.#player?.figures();
    return {
      signaling,
      problem: this.#problem(),
      video: this.#video(),
      isPlayRefused: figures?.isPlayRefused ?? false,
      isWaiting: figures?.isWaiting ?? true,
      peers: [...viewer.links].map((link) => this.#peer(link)),
      ...this.#chat.show(viewer.chat, this.#member.selfId, viewer.manifest.head?.video ?? null),
      rules: this.#rules(),
      films: this.#films(),
      sync: this.#sync(),
      present: viewer.chat.people,
      name: viewer.name,
      self: { id: this.#member.selfId, isHost: this.openHostDesk !== null, doing: this.#doing() },
      stats: this.#stats(),
    };
  }

  attach(video: HTMLVideoElement): void {
    this.#element = video;
    this.#startPlayer(video);
    if (this.#waitingExtras.length > 0) void this.#showExtras(video);
  }

  /** Something that goes with the film came. */
  extraCame(data: Bytes): void {
    this.#waitingExtras.push(data);
    if (this.#element) void this.#showExtras(this.#element);
  }

  /** The room is at another film: it starts in the same place. */
  filmChanged(): void {
    this.#hasShown ||= typeof this.#player?.figures().startupMs === 'number';
    // Who has seen nothing yet waits since the page was opened, whatever film comes of it.
    if (this.#hasShown) this.#sinceMs = performance.now();
    this.#dropExtras();
    this.#together?.close();
    this.#player?.close();
    this.#player = null;
    this.#info = null;
    if (this.#element) this.#startPlayer(this.#element);
  }

  #startPlayer(video: HTMLVideoElement): void {
    const { viewer } = this.#member;
    try {
      viewer.sync.follow();
      const player = new Player(video, {
        viewer,
        nowMs: () => performance.now(),
        sinceMs: this.#sinceMs,
        onChange: () => this.changed(),
        placeToBegin: () => this.#together?.placeToBegin() ?? 0,
        onEnded: () => void this.#goOn(),
        onError: (error) => this.#fail(error),
      });
      this.#player = player;
      void player.play();
      this.#together = new Together({
        video,
        player,
        sync: viewer.sync,
        clock: this.#clock,
        isHost: this.openHostDesk !== null,
        doesWait: () => viewer.rules?.doesWait ?? false,
        isAlone: () => isAlone(this.#member, this.#clock.nowMs() - this.#openedMs),
        watchingCount: () => 1 + viewer.chat.people.filter(({ doing }) => IN_THE_FILM.includes(doing)).length,
        isAtEdge: (placeMs) => this.#isAtEdge(placeMs),
        isVisible: this.#isVisible,
        // Who watched another film on their own comes along to the next.
        isOnOwn: this.#together === null && isOnOwnAtStart(),
        onChange: () => this.#syncChanged(),
      });
      this.changed();
    } catch (error) {
      this.#fail(error);
    }
  }

  subtitles(): TextTrack[] {
    return this.#extras?.subtitles ?? [];
  }

  async thumbnailAt(atMs: number): Promise<{ url: string } | null> {
    const url = this.#extras?.thumbnailAt(atMs) ?? null;
    return url === null ? null : { url };
  }

  async play(): Promise<void> {
    this.#together?.play();
  }

  setOnOwn(isOnOwn: boolean): void {
    if (isOnOwn) this.#together?.stepOut();
    else this.#together?.stepIn();
  }

  /** The page is to be seen again. */
  shown(): void {
    this.#together?.shown();
  }

  /** Something was said of where the room is. */
  synced(): void {
    this.#together?.look();
    this.changed();
  }

  async say(text: string, { reply = null, atMs = null }: SayAbout = {}): Promise<void> {
    const line = text.trim();
    if (line.length === 0) return;
    if (line.length > MAX_CHAT_CHARS) {
      throw new MatineeError(
        'FRAME_MALFORMED',
        `A line may have ${MAX_CHAT_CHARS} characters. Send it in parts.`,
      );
    }
    const { chat, manifest } = this.#member.viewer;
    const video = manifest.head?.video;
    await chat.say(line, { reply, moment: video && atMs !== null ? { video, atMs } : null });
  }

  react(lineId: string, emoji: Emoji | null): void {
    void this.#member.viewer.chat.react(lineId, emoji).catch((error) => this.#fail(error));
  }

  cheer(emoji: Emoji): void {
    void this.#member.viewer.chat.cheer(emoji).catch((error) => this.#fail(error));
  }

  listenToCheers(listener: (cheer: Cheer) => void): () => void {
    return this.#member.viewer.chat.listenToCheers(listener);
  }

  typed(): void {
    void this.#member.viewer.chat.typed().catch((error) => this.#fail(error));
  }

  filmParts(): FilmPart[] {
    const { provenance, manifest } = this.#member.viewer;
    return filmParts(provenance, manifest);
  }

  placeMs(): number | null {
    if (!this.#element || !this.#info) return null;
    return Math.round(this.#element.currentTime * 1000);
  }

  seekTo(atMs: number): void {
    const video = this.#video();
    if (!this.#element || !video) return;
    const placeMs = this.#element.currentTime * 1000;
    this.#element.currentTime = heldAtEdge(video, placeMs, atMs) / 1000;
  }

  rename(name: string): void {
    const plain = plainName(name);
    if (plain !== '') void this.#member.viewer.rename(plain).catch((error) => this.#fail(error));
  }

  setPeersAllowed(areAllowed: boolean): void {
    this.#member.setPeersAllowed(areAllowed);
  }

  setUploadLimit(bytesPerSec: number | null): void {
    this.#member.viewer.setUploadLimit(bytesPerSec);
    this.changed();
  }

  knownMembers(): string[] {
    const { viewer, named, selfId } = this.#member;
    const connected = [...viewer.links].filter(({ remote }) => remote.kind === 'member');
    const ids = [...connected.map(({ remote }) => remote.id), ...viewer.lines.map(({ from }) => from)];
    return [...new Set([selfId, ...ids, ...named])];
  }

  close(): void {
    this.#cancelDraw?.();
    this.#cancelRefresh();
    this.#listeners.clear();
    this.#together?.close();
    this.#player?.close();
    this.#dropExtras();
    this.#member.close();
    this.#onClose();
  }

  /** Something changed: reads the description once it can be, feeds the player, and draws soon. */
  changed(): void {
    if (!this.#info && !this.#isReadingInfo && this.#player && this.#member.viewer.manifest.head)
      void this.#readInfo();
    this.#player?.feed();
    this.#cancelDraw ??= this.#clock.after(DRAW_EVERY_MS, () => this.#draw());
  }

  /** What shows them comes with the first one. Where it cannot be loaded the film plays without. */
  async #showExtras(video: HTMLVideoElement): Promise<void> {
    const loaded = await import('./film-extras.ts').catch(() => null);
    if (!loaded || this.#waitingExtras.length === 0) return;
    this.#extras ??= new loaded.FilmExtras(video);
    for (const data of this.#waitingExtras) this.#extras.take(data);
    this.#waitingExtras = [];
    this.changed();
  }

  #dropExtras(): void {
    this.#extras?.close();
    this.#extras = null;
    this.#waitingExtras = [];
  }

  /** A piece came. */
  fed(): void {
    this.#player?.feed();
  }

  #draw(): void {
    this.#cancelDraw = null;
    if (this.#listeners.size === 0) return;
    const snapshot = this.snapshot();
    for (const listener of this.#listeners) listener(snapshot);
  }

  #refresh(): void {
    this.#member.viewer.chat.be(this.#doing());
    this.changed();
    this.#cancelRefresh = this.#clock.after(REFRESH_EVERY_MS, () => this.#refresh());
  }

  #doing(): Doing {
    const { startupMs = null, isWaiting = true } = this.#player?.figures() ?? {};
    return doingOf(startupMs, isWaiting, !this.#isVisible());
  }

  async #readInfo(): Promise<void> {
    this.#isReadingInfo = true;
    const player = this.#player;
    try {
      const info = await this.#member.viewer.videoInfo();
      // Of the film before.
      if (player !== this.#player) return;
      this.#info = info;
      if (info) await player?.open(info);
    } catch (error) {
      this.#fail(error);
    } finally {
      this.#isReadingInfo = false;
      this.changed();
    }
  }

  #fail(error: unknown): void {
    this.#error =
      error instanceof MatineeError
        ? error
        : new MatineeError('PLAYBACK_FAILED', 'Something broke in this page. Reload it.', { cause: error });
    this.changed();
  }

  #problem(): RoomSnapshot['problem'] {
    const fatal = this.#member.refusal ?? this.#error;
    if (fatal) return { code: fatal.code, message: fatal.message, isFatal: true };
    // Before all that may follow from it.
    if (this.#member.areSignalsTampered)
      return { code: 'SEAL_BROKEN', message: texts.signalsTampered, isFatal: false };
    const message = this.#passingProblem();
    return message ? { code: 'SERVER_UNREACHABLE', message, isFatal: false } : null;
  }

  /** What is wrong but being mended, in words; null where nothing is. */
  #passingProblem(): string | null {
    const { signaling, viewer, isOriginBusy } = this.#member;
    if (this.#clock.nowMs() - this.#openedMs < PATIENCE_MS) return null;
    const links = [...viewer.links];
    const friends = links.filter((link) => link.remote.kind === 'member').length;
    if (signaling !== 'connected') {
      return friends > 0 ? texts.serverAway : texts.serverSilent;
    }
    if (links.length === 0) return isOriginBusy ? texts.originBusy : texts.nobodyReached;
    return viewer.manifest.head ? null : texts.nothingUploaded;
  }

  #rules(): RulesView {
    const rules = this.#member.viewer.rules ?? NO_RULES;
    const muted = rules.muted.map(toBase64url);
    return {
      isOriginOnly: rules.isOriginOnly,
      isLocked: rules.lockedTo !== null,
      muted,
      isSelfMuted: muted.includes(this.#member.selfId),
      removed: rules.removed.map(toBase64url),
    };
  }

  #syncChanged(): void {
    rememberOnOwn(this.#together?.isOnOwn ?? false);
    this.changed();
  }

  #isAtEdge(placeMs: number): boolean {
    const video = this.#video();
    return video !== null && isAtEdge(video, placeMs);
  }

  #sync(): SyncView {
    const { sync, rules } = this.#member.viewer;
    const { playback, control, mayControl } = sync;
    return {
      isOnOwn: this.#together?.isOnOwn ?? false,
      control,
      mayControl,
      doesWait: rules?.doesWait ?? false,
      said: playback && {
        name: playback.name,
        isMine: playback.from === this.#member.selfId,
        isPlaying: playback.isPlaying,
        speedPercent: playback.speedPercent,
        waitsFor: playback.waitsFor,
      },
    };
  }

  #films(): FilmView[] {
    const { videos, current } = this.#member.viewer.rules ?? NO_RULES;
    return videos.map((listed) => ({
      id: toBase64url(listed.video),
      title: this.#titleOf(listed),
      isCurrent: current !== null && areEqual(current, listed.video),
    }));
  }

  #titleOf(listed: ListedVideo): string {
    const id = toBase64url(listed.video);
    const known = this.#titles.get(id);
    if (known === undefined) {
      this.#titles.set(id, null);
      void this.#member.viewer.openTitle(listed).then(
        (title) => {
          this.#titles.set(id, title);
          this.changed();
        },
        // Sealed with something else: it stays without a title.
        () => undefined,
      );
    }
    return known ?? texts.untitled;
  }

  /** The film is over: where the host watches, the room goes on to the next one of its list. */
  async #goOn(): Promise<void> {
    const video = this.#member.viewer.manifest.head?.video;
    if (!this.openHostDesk || !video) return;
    try {
      await (await this.openHostDesk()).showNext(video);
    } catch {
      // The server is away: the host has a button for it as well.
    }
  }

  #video(): RoomSnapshot['video'] {
    const { manifest } = this.#member.viewer;
    const head = manifest.head;
    if (!head || !this.#info) return null;
    return {
      id: toBase64url(head.video),
      title: this.#info.title,
      widthPx: this.#info.widthPx,
      heightPx: this.#info.heightPx,
      durationMs: head.durationMs,
      uploadedMs: uploadedMs(manifest, (segment) => this.#member.viewer.isToBeHad(segment)),
      isDone: head.isDone,
    };
  }

  #peer(link: Link): PeerView {
    const { viewer } = this.#member;
    const isGiver = viewer.isGiver(link);
    const nowMs = this.#clock.nowMs();
    const rates = this.#rates.get(link) ?? { received: new RateMeter(), sent: new RateMeter() };
    this.#rates.set(link, rates);
    return {
      id: link.remote.id,
      kind: isGiver ? 'giver' : link.remote.kind,
      name: isGiver ? null : viewer.nameOf(link),
      isHost: !isGiver && viewer.isHost(link),
      bytesReceived: link.mediaReceivedBytes,
      bytesSent: link.mediaSentBytes,
      receivedBytesPerSec: rates.received.update(nowMs, link.mediaReceivedBytes),
      sentBytesPerSec: rates.sent.update(nowMs, link.mediaSentBytes),
      route: link.route,
      roundTripMs: link.roundTripMs === null ? null : Math.round(link.roundTripMs),
    };
  }

  #stats(): Stats {
    const { viewer } = this.#member;
    const links = [...viewer.links];
    const traffic = viewer.traffic();
    const figures = this.#player?.figures();
    return {
      bytesReceived: {
        origin: traffic.fromOriginBytes,
        peers: traffic.fromPeersBytes,
        http: traffic.fromHttpBytes,
      },
      bytesSent: traffic.sentBytes,
      connectedPeers: links.length,
      connection: connectionOf(links),
      isOriginConnected: links.some((link) => link.remote.kind === 'origin'),
      startupMs: figures?.startupMs ?? null,
      stallCount: figures?.stallCount ?? 0,
      stallMs: figures?.stallMs ?? 0,
      bufferedS: figures?.bufferedS ?? 0,
      syncSkewMs: rounded(this.#together?.skewMs ?? null),
      rejectedPieces: viewer.rejectedPieces,
      malformedExtras: this.#extras?.malformedCount ?? 0,
      rejectedSignals: this.#member.rejectedSignals,
      heldBytes: viewer.heldBytes,
      diskError: viewer.diskError === null ? null : String(viewer.diskError),
    };
  }
}

function rounded(ms: number | null): number | null {
  return ms === null ? null : Math.round(ms);
}

function connectionOf(links: readonly Link[]): Stats['connection'] {
  if (links.length === 0) return 'none';
  const routes = links.map(({ route }) => route);
  if (routes.includes('direct')) return 'direct';
  return routes.includes('turn') ? 'turn' : 'server';
}
