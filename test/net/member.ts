import { createInterface } from 'node:readline';
import { parseRoomLink } from '../../peer/room-link.ts';
import { NodeViewer } from '../tools/node-viewer.ts';

/**
 * A viewer without a page: joins the room of a link, fetches the film from its start, and says its state on stdout
 * as a line of JSON whenever that changes. Each line on stdin is said in the chat. It ends with its stdin.
 */
const [link = ''] = process.argv.slice(2);
let said = '';
const viewer = await NodeViewer.join(link, parseRoomLink(link), 'viewer');
viewer.follow(tell);
const timer = setInterval(tell, 100);

function tell(): void {
  const of = viewer.member.viewer;
  const links = [...of.links].map(({ remote, route }) => ({ kind: remote.kind, route }));
  const { fromOriginBytes, fromPeersBytes, fromHttpBytes } = of.traffic();
  const chat = of.lines.map(({ text }) => text);
  const state = JSON.stringify({ links, chat, fromOriginBytes, fromPeersBytes, fromHttpBytes });
  if (state === said) return;
  said = state;
  process.stdout.write(`${state}\n`);
}

createInterface(process.stdin)
  .on('line', (text) => void viewer.member.viewer.say(text))
  .on('close', () => {
    clearInterval(timer);
    viewer.close();
    setTimeout(() => process.exit(0), 200);
  });
