import type { Bytes } from '../../peer/bytes.ts';
import type { Crypto } from '../../peer/crypto/crypto.ts';
import { PIECE_HEADER_BYTES } from '../../peer/wire/frame.ts';
import { MESSAGES } from '../../peer/wire/messages.ts';
import { Member } from '../../web/src/member/member.ts';
import type { ViewerPlan } from './plan.ts';
import type { VirtualBroker } from './virtual-broker.ts';
import type { VirtualClock } from './virtual-clock.ts';
import type { VirtualFilm } from './virtual-film.ts';
import { Flow, PAGE_TYPE, type VirtualHost } from './virtual-network.ts';
import type { Lobby } from './virtual-peer.ts';
import { type Playing, VirtualPlayer } from './virtual-player.ts';

export interface VirtualViewerParts {
  index: number;
  plan: ViewerPlan;
  clock: VirtualClock;
  random(): number;
  film: VirtualFilm;
  crypto: Crypto;
  host: VirtualHost;
  originHost: VirtualHost;
  lobby: Lobby;
  broker: VirtualBroker;
  pageBytes: number;
  /** The film's end was reached, or the person left. */
  onDone(): void;
}

const NOT_PLAYED: Playing = {
  startUpMs: null,
  stallCount: 0,
  stallMs: 0,
  longestStallMs: 0,
  watchedMs: 0,
  slowedMs: 0,
  isFinished: false,
};

/** A person with a browser: loads the page, joins, watches, and leaves as planned. */
export class VirtualViewer {
  readonly parts: VirtualViewerParts;
  member: Member | null = null;
  player: VirtualPlayer | null = null;
  /** When the page was asked for. */
  bornMs: number | null = null;
  goneMs: number | null = null;
  /** Ciphertext of the pieces it took. */
  acceptedBytes = 0;
  /** Pieces that it found to be wrong, by who sent them. */
  readonly rejectedFrom = new Map<VirtualHost, number>();
  /** Ciphertext that came from liars. */
  wrongBytes = 0;
  #pageLoadMs = 0;
  #isDone = false;

  constructor(parts: VirtualViewerParts) {
    const { clock, plan } = parts;
    this.parts = parts;
    parts.host.onReceive = (from, frame) => {
      if (from.spoil && frame[0] === MESSAGES.piece.type) this.#receivedWrong(from, frame);
    };
    clock.after(plan.joinMs, () => this.#loadPage());
    if (plan.leaveMs !== null) clock.after(plan.leaveMs, () => this.leave());
    if (plan.vanishMs !== null) clock.after(plan.vanishMs, () => this.#vanish());
    const { seek } = plan;
    if (seek) clock.after(seek.whenMs, () => this.player?.seek(seek.toMs));
  }

  get isPresent(): boolean {
    return this.member !== null && this.goneMs === null;
  }

  /** Viewers it is connected to. */
  get degree(): number {
    let count = 0;
    for (const link of this.member?.viewer.links ?? []) if (link.remote.kind === 'member') count += 1;
    return count;
  }

  /** What playing was like; the page load counts as start-up. */
  playing(): Playing {
    const playing = this.player?.playing() ?? NOT_PLAYED;
    const { startUpMs } = playing;
    return { ...playing, startUpMs: startUpMs === null ? null : startUpMs + this.#pageLoadMs };
  }

  /** Milliseconds it was there so far. */
  get presentMs(): number {
    return this.bornMs === null ? 0 : (this.goneMs ?? this.parts.clock.nowMs()) - this.bornMs;
  }

  /** Says goodbye and goes. */
  leave(): void {
    if (this.goneMs !== null) return;
    this.goneMs = this.parts.clock.nowMs();
    this.player?.close();
    this.member?.close();
    this.#done();
  }

  #receivedWrong(from: VirtualHost, frame: Bytes): void {
    this.wrongBytes += frame.byteLength - PIECE_HEADER_BYTES;
    const before = this.member?.viewer.rejectedPieces ?? 0;
    // It checks the piece in this very instant, but behind a promise.
    this.parts.clock.after(0, () => {
      const rejected = (this.member?.viewer.rejectedPieces ?? 0) - before;
      if (rejected > 0) this.rejectedFrom.set(from, (this.rejectedFrom.get(from) ?? 0) + rejected);
    });
  }

  #vanish(): void {
    if (this.goneMs !== null) return;
    this.parts.lobby.cut(this.parts.host);
    this.leave();
  }

  #loadPage(): void {
    if (this.goneMs !== null) return;
    const { clock, pageBytes, host, originHost } = this.parts;
    this.bornMs = clock.nowMs();
    if (pageBytes === 0) {
      void this.#join();
      return;
    }
    const page: Bytes = new Uint8Array(pageBytes).fill(PAGE_TYPE);
    const onFrame = (): void => void this.#join();
    const flow = new Flow(originHost, host, { onLeft: () => false, onFrame });
    // TCP's handshake and the request.
    clock.after(3 * host.network.delayMs(host, originHost), () => flow.send(page));
  }

  async #join(): Promise<void> {
    const { clock, random, crypto, film, host, lobby, broker, index, plan } = this.parts;
    this.#pageLoadMs = clock.nowMs() - (this.bornMs ?? 0);
    const member = await Member.join({
      link: film.link,
      name: `viewer ${index}`,
      crypto,
      clock,
      random,
      signalingUrl: 'ws://simulated',
      openSocket: () => broker.open(() => host.isCut),
      createPeer: (isInitiator) => lobby.create(host, isInitiator),
      onChange: () => this.player?.news(),
      onPiece: (segment, piece) => {
        this.acceptedBytes += film.pieceBytes(segment, piece);
        this.player?.news();
      },
    });
    if (this.goneMs !== null) {
      member.close();
      return;
    }
    member.setPeersAllowed(true);
    if (plan.uploadLimit !== null) member.viewer.setUploadLimit(plan.uploadLimit);
    member.viewer.sync.follow();
    this.member = member;
    this.player = new VirtualPlayer({
      clock,
      viewer: member.viewer,
      startAtMs: 0,
      onEnd: () => this.#ended(),
    });
  }

  #ended(): void {
    const { plan, clock } = this.parts;
    if (plan.lingerMs !== null) clock.after(plan.lingerMs, () => this.leave());
    this.#done();
  }

  #done(): void {
    if (this.#isDone) return;
    this.#isDone = true;
    this.parts.onDone();
  }
}
