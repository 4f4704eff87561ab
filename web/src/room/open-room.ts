import { type Bytes, toBase64url } from '../../../peer/bytes.ts';
import { systemClock } from '../../../peer/clock.ts';
import { chooseCrypto } from '../../../peer/crypto/choose.ts';
import type { Crypto, SigningKey } from '../../../peer/crypto/crypto.ts';
import { MatineeError } from '../../../peer/errors.ts';
import { signBadge } from '../../../peer/room/badge.ts';
import { parseRoomLink, type RoomEntry } from '../../../peer/room-link.ts';
import { canConnect, createPeer, signalingUrl } from '../member/browser-network.ts';
import { Member } from '../member/member.ts';
import { networkInformation, watchNetwork } from '../member/network.ts';
import type { HostDesk, RoomSession } from '../room-session.ts';
import { takeSocket } from './early-socket.ts';
import { leaveKeyWhenAway, tabStorage, takeMemberKey } from './identity.ts';
import { ownHostKey } from './own-host-key.ts';
import { pieceSpill, sweepPieceFiles } from './piece-spill.ts';
import { plainFetcher } from './plain-fetcher.ts';
import { mediaSourceClass } from './player.ts';
import { Session } from './session.ts';

/** How long after joining the files of tabs that crashed are looked for. */
const SWEEP_AFTER_MS = 20_000;

/**
 * Joins the room behind a link; resolves at once, connecting goes on behind and shows in the snapshots.
 * `secret` opens it in place of the link's own, where a password is mixed into it; null: the link is enough.
 * @throws MatineeError LINK_INCOMPLETE, LINK_MALFORMED, PLAYBACK_UNSUPPORTED.
 */
export async function openRoom(href: string, name: string, secret: Bytes | null): Promise<RoomSession> {
  const { roomId, roomSecret } = parseRoomLink(href);
  if (!mediaSourceClass() || !canConnect) {
    throw new MatineeError(
      'PLAYBACK_UNSUPPORTED',
      'This browser lacks what a room needs (WebRTC data channels and Media Source). Use a current Chrome, Edge, Firefox or Safari.',
    );
  }
  const listening = new AbortController();
  const [crypto, hostKey] = await Promise.all([chooseCrypto(), ownHostKey(roomId)]);
  const room = toBase64url(roomId);
  const memberKey = await takeMemberKey(crypto, room, tabStorage());
  leaveKeyWhenAway(room, memberKey, tabStorage(), listening.signal);
  let session: Session | null = null;
  const member = await Member.join({
    link: { roomId, roomSecret: secret ?? roomSecret },
    name,
    memberKey,
    badge: hostKey && (await signBadge(crypto, hostKey, memberKey.publicKey, systemClock.wallMs())),
    crypto,
    clock: systemClock,
    random: Math.random,
    signalingUrl: signalingUrl(href),
    openSocket: takeSocket,
    createPeer,
    makePlain: (joinToken, prove) => plainFetcher(room, joinToken, href, prove),
    spill: pieceSpill(),
    onChange: () => session?.changed(),
    onPiece: () => session?.fed(),
    onExtra: (data) => session?.extraCame(data),
    onFilm: () => session?.filmChanged(),
    onSync: () => session?.synced(),
  });
  const entry = { roomId, roomSecret: secret ?? roomSecret };
  session = new Session(
    member,
    systemClock,
    () => listening.abort(),
    () => document.visibilityState === 'visible',
    hostKey && (() => openDesk(crypto, entry, hostKey)),
  );
  rejoinWhenBack(member, session, listening.signal);
  sweepLater(listening.signal);
  return session;
}

async function openDesk(crypto: Crypto, entry: RoomEntry, hostKey: SigningKey): Promise<HostDesk> {
  const { openHostDesk } = await import('./host-desk.ts');
  return openHostDesk(crypto, entry, hostKey);
}

/** Gives back what crashed tabs left on the disk, once the first picture has long had its bytes. */
function sweepLater(signal: AbortSignal): void {
  // Where storage is refused there is nothing to sweep.
  const cancel = systemClock.after(SWEEP_AFTER_MS, () => void sweepPieceFiles().catch(() => undefined));
  signal.addEventListener('abort', cancel);
}

/** Sockets of a phone that slept look open and are not, and neither are those of who has gone to another network. */
function rejoinWhenBack(member: Member, session: Session, signal: AbortSignal): void {
  const shown = (): void => {
    if (document.visibilityState !== 'visible') return;
    session.shown();
    member.cameBack();
  };
  document.addEventListener('visibilitychange', shown, { signal });
  watchNetwork(window, networkInformation(), () => member.networkChanged(), signal);
}
