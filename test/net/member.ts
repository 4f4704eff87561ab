import { createInterface } from 'node:readline';
import SimplePeer from 'simple-peer';
import wrtc from 'wrtc';
import { WebSocket } from 'ws';
import { toBase64url } from '../../peer/bytes.ts';
import { systemClock } from '../../peer/clock.ts';
import { chooseCrypto } from '../../peer/crypto/choose.ts';
import { parseRoomLink } from '../../peer/room-link.ts';
import type { SimplePeerLike } from '../../peer/transport/simple-peer-channel.ts';
import { Member } from '../../web/src/room/member.ts';
import { plainFetcher } from '../../web/src/room/plain-fetcher.ts';

/**
 * A viewer without a page: joins the room of a link, fetches the film from its start, and says its state on stdout
 * as a line of JSON whenever that changes. Each line on stdin is said in the chat. It ends with its stdin.
 */
const [link = ''] = process.argv.slice(2);
const { roomId, roomSecret } = parseRoomLink(link);
const url = new URL('/signal', link);
url.protocol = 'ws:';
url.hash = '';

let said = '';
let member: Member | null = null;
member = await Member.join({
  link: { roomId, roomSecret },
  name: 'viewer',
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
  makePlain: (token, prove) => plainFetcher(toBase64url(roomId), token, link, prove),
  onChange: tell,
  onPiece: tell,
});
member.setPeersAllowed(true);
const timer = setInterval(tell, 100);

function tell(): void {
  if (!member) return;
  const { viewer } = member;
  const links = [...viewer.links].map(({ remote, route }) => ({ kind: remote.kind, route }));
  const { fromOriginBytes, fromPeersBytes, fromHttpBytes } = viewer.traffic();
  const chat = viewer.lines.map(({ text }) => text);
  const state = JSON.stringify({ links, chat, fromOriginBytes, fromPeersBytes, fromHttpBytes });
  if (state === said) return;
  said = state;
  process.stdout.write(`${state}\n`);
}

createInterface(process.stdin)
  .on('line', (text) => void member?.viewer.say(text))
  .on('close', () => {
    clearInterval(timer);
    member?.close();
    setTimeout(() => process.exit(0), 200);
  });
