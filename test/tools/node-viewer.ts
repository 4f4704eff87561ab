import SimplePeer from 'simple-peer';
import wrtc from 'wrtc';
import { WebSocket } from 'ws';
import { toBase64url } from '../../peer/bytes.ts';
import { systemClock } from '../../peer/clock.ts';
import { chooseCrypto } from '../../peer/crypto/choose.ts';
import type { RoomEntry } from '../../peer/room-link.ts';
import type { SimplePeerLike } from '../../peer/transport/simple-peer-channel.ts';
import { Member } from '../../web/src/member/member.ts';
import { plainFetcher } from '../../web/src/room/plain-fetcher.ts';

/** How long anything is waited for: no promise, only when to give up on a busy machine. */
const PATIENCE_MS = 60_000;

/** Not everything that changes is told: what is waited for is looked at so often besides. */
const LOOK_EVERY_MS = 200;

/** A member of a room as the page has it, without a page: real sockets, real data channels, and the film fetched but not shown. */
export class NodeViewer {
  readonly member: Member;
  readonly #onNews: Set<() => void>;

  private constructor(member: Member, onNews: Set<() => void>) {
    this.member = member;
    this.#onNews = onNews;
  }

  /**
   * Joins the room; resolves at once. It fetches from the film's start on.
   * @param server address of the server, as a link has it.
   */
  static async join(server: string, room: RoomEntry, name: string): Promise<NodeViewer> {
    const onNews = new Set<() => void>();
    const tellNews = (): void => {
      for (const tell of onNews) tell();
    };
    const url = new URL('/signal', server);
    url.protocol = 'ws:';
    const { roomId, roomSecret } = room;
    const member = await Member.join({
      link: { roomId, roomSecret },
      name,
      crypto: await chooseCrypto(),
      clock: systemClock,
      random: Math.random,
      signalingUrl: url.href,
      openSocket: (address) => new WebSocket(address),
      createPeer: (initiator, iceServers) =>
        new SimplePeer({
          initiator,
          wrtc,
          config: { iceServers: [...iceServers] } as never,
        }) as unknown as SimplePeerLike,
      makePlain: (token, prove) => plainFetcher(toBase64url(roomId), token, server, prove),
      onChange: tellNews,
      onPiece: tellNews,
    });
    member.setPeersAllowed(true);
    return new NodeViewer(member, onNews);
  }

  /** Whether a data channel to the origin is open. */
  get hasOrigin(): boolean {
    return [...this.member.viewer.links].some(
      ({ remote }) => remote.kind === 'origin' && remote.isRelayed !== true,
    );
  }

  /** Bytes of the film that came, by whatever way. */
  get receivedBytes(): number {
    const { fromOriginBytes, fromPeersBytes, fromHttpBytes } = this.member.viewer.traffic();
    return fromOriginBytes + fromPeersBytes + fromHttpBytes;
  }

  /** Calls whenever something may have changed. Returns what ends it. */
  follow(tell: () => void): () => void {
    this.#onNews.add(tell);
    return () => this.#onNews.delete(tell);
  }

  /** Resolves once it is so; rejects, naming `what`, where that takes a minute. */
  async until(what: string, isSo: (viewer: NodeViewer) => boolean): Promise<void> {
    if (isSo(this)) return;
    await new Promise<void>((resolve, reject) => {
      const end = (settle: () => void) => {
        clearTimeout(timer);
        clearInterval(looking);
        unfollow();
        settle();
      };
      const giveUp = () => reject(new Error(`it never was so: ${what}. ${this.#describe()}`));
      const timer = setTimeout(() => end(giveUp), PATIENCE_MS);
      const look = () => {
        if (isSo(this)) end(resolve);
      };
      const looking = setInterval(look, LOOK_EVERY_MS);
      const unfollow = this.follow(look);
    });
  }

  close(): void {
    this.member.close();
  }

  #describe(): string {
    const { signaling, isOriginBusy, refusal, viewer } = this.member;
    const links = [...viewer.links].map(({ remote, route }) => `${remote.kind} ${route}`);
    return JSON.stringify({
      signaling,
      isOriginBusy,
      refusal: refusal?.code,
      links,
      bytes: this.receivedBytes,
    });
  }
}
