import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MAX_SIGNAL_CHARS, ORIGIN } from '../../signaling/messages.ts';
import { joinOf, memberKey, RawClient, refusedWith, until, withServer } from '../tools/signaling-fixture.ts';

const malformed = suite('malformed messages');

/** What these are refused for comes before anybody looks at the signature. */
const NONCE = 'A'.repeat(43);

const BAD_TEXTS: [string, string | Buffer][] = [
  ['no JSON', '{'],
  ['no object', '[]'],
  ['an unknown type', '{"type":"shout"}'],
  ['a field too many', JSON.stringify({ ...joinOf(memberKey(1))(NONCE), name: 'x' })],
  ['a room id that is a path', JSON.stringify(joinOf(memberKey(1), '../../../../etc/passwd1')(NONCE))],
  ['bytes', Buffer.from(JSON.stringify(joinOf(memberKey(1))(NONCE)))],
  ['a signal before the join', JSON.stringify({ type: 'signal', to: ORIGIN, data: 'x' })],
  ['a question before the join', JSON.stringify({ type: 'more', known: [] })],
];

for (const [what, text] of BAD_TEXTS) {
  malformed(
    `should refuse ${what}`,
    withServer(async ({ url }) => {
      const client = await RawClient.open(url);
      client.socket.send(text);
      await refusedWith(client, 'REQUEST_MALFORMED');
    }),
  );
}

malformed(
  'should refuse a second join',
  withServer(async ({ url, signaling }) => {
    const { client } = await RawClient.join(url, memberKey(1));
    client.send(joinOf(memberKey(2)));
    await refusedWith(client, 'REQUEST_MALFORMED');
    await until(() => signaling.counts().connections === 0);
    assert.is(signaling.counts().members, 0);
  }),
);

malformed(
  'should refuse a signal that is too long',
  withServer(async ({ url }) => {
    const { client, id } = await RawClient.join(url, memberKey(1));
    client.send({ type: 'signal', to: id, data: 'x'.repeat(MAX_SIGNAL_CHARS + 1) });
    await refusedWith(client, 'REQUEST_MALFORMED');
  }),
);

malformed(
  'should cut a connection whose message is too big to be any',
  withServer(async ({ url }) => {
    const { client } = await RawClient.join(url, memberKey(1));
    client.socket.send('x'.repeat(64 * 1024));
    assert.is(await client.closed, 1009);
  }),
);

malformed(
  'should cut a connection whose message comes in more fragments than any client makes of one',
  withServer(async ({ url }) => {
    const { client } = await RawClient.join(url, memberKey(1));
    const text = JSON.stringify({ type: 'signal', to: 'z'.repeat(22), data: '?'.repeat(100) });
    for (const char of text) client.socket.send(char, { fin: false });
    client.socket.send('', { fin: true });
    const outcome = await client.next('absent').then(
      () => 'answered',
      () => client.closed,
    );
    assert.is(outcome, 1008);
  }),
);

malformed.run();
