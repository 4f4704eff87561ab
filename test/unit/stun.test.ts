import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import * as fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { openStun, stunAnswer, stunServerAt } from '../../seed-server/stun.ts';
import { joinOf, memberKey, RawClient, withServer } from '../tools/signaling-fixture.ts';

const hex = (text: string): Buffer => Buffer.from(text.replace(/\s/g, ''), 'hex');

/** The transaction of all vectors in RFC 5769, with the magic cookie before it. */
const TRANSACTION = '2112a442 b7e7a701bc34d686fa87dfae';
const REQUEST = hex(`0001 0000 ${TRANSACTION}`);
const ANYBODY = { address: '192.0.2.1', port: 32853 };

const vectors = suite('STUN by the vectors of RFC 5769');

vectors('should tell an IPv4 address as section 2.2 has it', () => {
  const mapped = '0020 0008 0001 a147 e112a643';
  assert.equal(stunAnswer(REQUEST, ANYBODY), hex(`0101 000c ${TRANSACTION} ${mapped}`));
  const through = { ...ANYBODY, address: '::ffff:192.0.2.1' };
  assert.equal(stunAnswer(REQUEST, through), stunAnswer(REQUEST, ANYBODY));
});

vectors('should tell an IPv6 address as section 2.3 has it', () => {
  const sender = { address: '2001:db8:1234:5678:11:2233:4455:6677', port: 32853 };
  const mapped = '0020 0014 0002 a147 0113a9faa5d3f179bc25f4b5bed2b9d9';
  assert.equal(stunAnswer(REQUEST, sender), hex(`0101 0018 ${TRANSACTION} ${mapped}`));
  const short = stunAnswer(REQUEST, { address: '2001:db8::7%eth0', port: 1 });
  assert.equal(short, stunAnswer(REQUEST, { address: '2001:db8:0:0:0:0:0:7', port: 1 }));
});

vectors('should name what it does not understand in the request of section 2.1, which is for a peer', () => {
  const request = hex(`0001 0058 ${TRANSACTION}
    8022 0010 5354554e207465737420636c69656e74
    0024 0004 6e0001ff
    8029 0008 932ff9b151263b36
    0006 0009 6576746a3a68367659202020
    0008 0014 9aeaa70cbfd8cb56781ef2b5b2d3f249c1b571a2
    8028 0004 e57a3bcf`);
  const answer = hex(`0111 0014 ${TRANSACTION} 0009 0004 00000414 000a 0006 0024 0006 0008 0000`);
  assert.equal(stunAnswer(request, ANYBODY), answer);
});

vectors.run();

const strict = suite('what is no binding request');

strict('should not be answered', () => {
  const software = '8022 0003 61626300';
  assert.ok(stunAnswer(hex(`0001 0008 ${TRANSACTION} ${software}`), ANYBODY), 'this one is');
  for (const [what, text] of [
    ['another method', `0003 0000 ${TRANSACTION}`],
    ['an answer', `0101 0000 ${TRANSACTION}`],
    ['an indication', `0011 0000 ${TRANSACTION}`],
    ['RFC 3489, without the cookie', '0001 0000 00000000 b7e7a701bc34d686fa87dfae'],
    ['cut', `0001 0008 ${TRANSACTION} 8022 0003`],
    ['longer than it says', `0001 0000 ${TRANSACTION} ${software}`],
    ['shorter than it says', `0001 000c ${TRANSACTION} ${software}`],
    ['not a multiple of four', `0001 0005 ${TRANSACTION} 80220001 61`],
    ['an attribute that goes beyond the end', `0001 0008 ${TRANSACTION} 8022 0005 61626300`],
    ['half an attribute', `0001 0004 ${TRANSACTION} 8022 0004`],
    ['nothing', ''],
  ] as const) {
    assert.is(stunAnswer(hex(text), ANYBODY), null, what);
  }
  const large = Buffer.concat([hex(`0001 0200 ${TRANSACTION} 8022 01fc`), Buffer.alloc(508)]);
  assert.is(stunAnswer(large, ANYBODY), null, 'too large');
});

strict('should never break it, nor be answered with much more than came', async () => {
  const bodies = fc.uint8Array({ maxLength: 120 });
  await fc.assert(
    fc.property(bodies, fc.nat(0xffff), fc.boolean(), (body, length, isHonest) => {
      const head = Buffer.concat([REQUEST.subarray(0, 2), Buffer.alloc(2), REQUEST.subarray(4)]);
      head.writeUInt16BE(isHonest ? body.byteLength : length, 2);
      const request = Buffer.concat([head, body]);
      for (const address of [ANYBODY.address, '2001:db8::1']) {
        const answer = stunAnswer(request, { address, port: 1 });
        assert.ok((answer?.byteLength ?? 0) <= request.byteLength + 24);
      }
    }),
    { numRuns: 5000 },
  );
});

strict.run();

const server = suite('the STUN server');

/** Somebody at an address of this machine who counts what comes back. */
async function asker(
  address: string,
): Promise<{ socket: Socket; answers: Buffer[]; ask(port: number, to: string): void }> {
  const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
  const answers: Buffer[] = [];
  socket.on('message', (answer) => void answers.push(answer));
  socket.bind(0, address);
  await once(socket, 'listening');
  return { socket, answers, ask: (port, to) => socket.send(REQUEST, port, to) };
}

server('should tell everybody where they come from, and one address only so often', async () => {
  const stun = await openStun(0);
  const asking = await Promise.all(['127.0.0.1', '::1', '127.0.0.2', '127.0.0.3'].map(asker));
  try {
    for (const { socket, answers, ask } of asking.slice(0, 3)) {
      const { address, port } = socket.address();
      const answered = once(socket, 'message');
      ask(stun.port, address.includes(':') ? '::1' : '127.0.0.1');
      await answered;
      assert.equal(answers, [stunAnswer(REQUEST, { address, port })]);
    }
    const [flooder, , , other] = asking;
    const heard = other && once(other.socket, 'message');
    for (let i = 0; i < 600; i++) {
      flooder?.ask(stun.port, '127.0.0.1');
      // What a socket holds unread is little: it must be read between.
      if (i % 20 === 0) await new Promise(setImmediate);
    }
    other?.ask(stun.port, '127.0.0.1');
    await heard;
    const count = flooder?.answers.length ?? 0;
    assert.ok(count > 1 && count < 400, `${count} answers to 600 requests at once`);
  } finally {
    for (const { socket } of asking) socket.close();
    await stun.close();
  }
});

server('should be named after what the page was asked for by', () => {
  const at = (host: string | undefined) => stunServerAt(host, 3478).map(({ urls }) => urls);
  assert.equal(at('watch.example.org'), ['stun:watch.example.org:3478']);
  assert.equal(at('10.0.0.7:8080'), ['stun:10.0.0.7:3478']);
  assert.equal(at('[2001:db8::1]:443'), ['stun:[2001:db8::1]:3478']);
  for (const host of [undefined, '', 'localhost:8080', '127.0.0.1', '[::1]:8080', 'a b', 'x?y', 'a:b:c'])
    assert.equal(at(host), []);
});

server(
  'should be told to members in their welcome',
  withServer(
    async ({ url }) => {
      const client = await RawClient.openWith(url, joinOf(memberKey(1)), {
        headers: { host: 'home.example:1' },
      });
      const { iceServers } = await client.next('welcome');
      assert.equal(iceServers, [{ urls: 'stun:home.example:9' }, { urls: 'stun:stun.example.org' }]);
      await client.close();
    },
    { iceServersAt: (host) => stunServerAt(host, 9) },
  ),
);

server.run();
