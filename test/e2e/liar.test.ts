import SimplePeer from 'simple-peer';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import wrtc from 'wrtc';
import { WebSocket } from 'ws';
import type { Bytes } from '../../peer/bytes.ts';
import { systemClock } from '../../peer/clock.ts';
import { chooseCrypto } from '../../peer/crypto/choose.ts';
import { pieceCount } from '../../peer/manifest/geometry.ts';
import { parseRoomLink } from '../../peer/room-link.ts';
import type { SimplePeerLike } from '../../peer/transport/simple-peer-channel.ts';
import { PIECE_HEADER_BYTES } from '../../peer/wire/frame.ts';
import { MESSAGES } from '../../peer/wire/messages.ts';
import { Member } from '../../web/src/member/member.ts';
import { launchBrowser } from '../tools/browser.ts';
import { lightClip } from '../tools/clips.ts';
import { startBuiltServer } from '../tools/running-server.ts';
import { hostFromCommandLine } from './host-cli.ts';
import { PATIENCE_MS, playback, playOn, stats, untilBuffered, untilEnded, visit } from './pages.ts';

/** A member as the page has it, on a real connection, that bends every piece it sends. */
class Liar {
  readonly member: Member;
  lieCount = 0;
  #onPiece: () => void = () => undefined;

  static async join(link: string, server: string): Promise<Liar> {
    const { roomId, roomSecret } = parseRoomLink(link);
    let liar: Liar | null = null;
    const member = await Member.join({
      link: { roomId, roomSecret },
      name: 'the liar',
      crypto: await chooseCrypto(),
      clock: systemClock,
      random: Math.random,
      signalingUrl: `${server.replace('http', 'ws')}/signal`,
      openSocket: (url) => new WebSocket(url),
      createPeer: (isInitiator) => spoiling(isInitiator, () => liar?.count()),
      onChange: () => liar?.news(),
      onPiece: () => liar?.news(),
    });
    member.setPeersAllowed(true);
    liar = new Liar(member);
    return liar;
  }

  private constructor(member: Member) {
    this.member = member;
  }

  count(): void {
    this.lieCount += 1;
  }

  news(): void {
    this.#onPiece();
  }

  /** Resolves once it holds the whole film: from then on there is nothing it could not lie about. */
  async untilItHoldsAll(): Promise<void> {
    this.member.viewer.setPlayhead(0);
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error('The liar did not get the film.')), PATIENCE_MS);
      this.#onPiece = () => {
        if (!this.#holdsAll()) return;
        clearTimeout(timer);
        this.#onPiece = () => undefined;
        resolve();
      };
      this.#onPiece();
    });
  }

  #holdsAll(): boolean {
    const { viewer } = this.member;
    const count = viewer.manifest.head?.segmentCount ?? 0;
    for (let segment = 0; segment < count; segment++) {
      const entry = viewer.manifest.entry(segment);
      if (!entry) return false;
      for (let piece = 0; piece < pieceCount(entry.sizeBytes); piece++)
        if (!viewer.hasPiece(segment, piece)) return false;
    }
    return count > 0;
  }
}

/** A real connection whose pieces arrive with one bit changed. */
function spoiling(isInitiator: boolean, onLie: () => void): SimplePeerLike {
  // The package's types leave out the fields we stand on (bufferSize).
  const peer = new SimplePeer({
    initiator: isInitiator,
    wrtc,
    config: { iceServers: [] },
  }) as unknown as SimplePeerLike;
  const send = peer.send.bind(peer);
  peer.send = (frame: Bytes) => {
    if (frame[0] !== MESSAGES.piece.type) return send(frame);
    const bent = frame.slice();
    const at = PIECE_HEADER_BYTES + ((bent.byteLength - PIECE_HEADER_BYTES) >> 1);
    bent[at] = (bent[at] ?? 0) ^ 1;
    onLie();
    return send(bent);
  };
  return peer;
}

const liars = suite('a lying peer in a real room');

liars('should be dropped after its first wrong piece, while the film plays on without a stall', async () => {
  const clip = await lightClip(16);
  const server = await startBuiltServer();
  const browser = await launchBrowser();
  let liar: Liar | null = null;
  try {
    const link = await hostFromCommandLine(clip.path, server.url);
    liar = await Liar.join(link, server.url);
    await liar.untilItHoldsAll();
    const { page, errors } = await visit(browser, link, { rate: 0.25 });
    await page.getByTestId('peers-yes').click();
    await page.waitForFunction(() => (window.matinee?.stats().rejectedPieces ?? 0) >= 1);
    await untilBuffered(page, clip.durationS / 2);
    await playOn(page, 1);
    await untilEnded(page, clip.durationS * 1000 + PATIENCE_MS);
    const { rejectedPieces, stallCount, connectedPeers, isOriginConnected } = await stats(page);
    assert.is(rejectedPieces, 1);
    assert.is(stallCount, 0);
    assert.equal([connectedPeers, isOriginConnected], [1, true], 'the server alone is left');
    const left = [...liar.member.viewer.links].map(({ remote }) => remote.kind);
    assert.equal(left, ['origin'], 'and the liar has nobody but the server');
    assert.ok(liar.lieCount >= 1);
    assert.equal([(await playback(page)).error, errors], [null, []]);
  } finally {
    liar?.member.close();
    await browser.close();
    await server.stop();
  }
});

liars.run();
