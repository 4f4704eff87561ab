import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { limitsWith } from '../../signaling/gate.ts';
import type { FromClient } from '../../signaling/messages.ts';
import { seededRandom } from '../sim/seeded-random.ts';
import { joinOf, memberKey, RawClient, until, withServer } from '../tools/signaling-fixture.ts';
import { tell } from '../tools/tell.ts';

const { MATINEE_FUZZ: wish = '', MATINEE_SEED: seed = '1' } = process.env;

/** `MATINEE_FUZZ=100000` for the long form. */
const MESSAGES = Number(wish) || 3_000;

/** Connections at once, and what each says at most before it is left. */
const PARALLEL = 16;
const PER_CONNECTION = 6;

/** Milliseconds after which one is cut that does not answer its refusal: too long a message leaves it unread. */
const REFUSING_MS = 50;

/** Bytes that the process may have grown by in the end, its own share as client included. */
const MAX_GROWTH_BYTES = 150_000_000;

type Random = () => number;

/** Signed for another connection. Making keys and signatures takes longer than all else here, so there are few. */
const STALE_JOIN = joinOf(memberKey(3))('A'.repeat(43));
const KEYS = Array.from({ length: 4 * PARALLEL }, (_, i) => memberKey(1_000 + i));

/** Values that are of the wrong kind nearly everywhere. */
const ODD_VALUES: readonly unknown[] = [
  null,
  true,
  -1,
  1e308,
  '',
  '\u0000',
  '../../x',
  'z'.repeat(70_000),
  [],
  [[[[[[]]]]]],
  {},
  { __proto__: null, constructor: 1 },
];

function pick<T>(items: readonly T[], random: Random): T {
  return items[Math.floor(random() * items.length)] as T;
}

/** What a member might say, after its join. */
function validMessage(random: Random): FromClient {
  const id = 'b'.repeat(22);
  return pick<FromClient>(
    [
      { type: 'signal', to: id, data: 'x'.repeat(Math.floor(random() * 200) + 1) },
      { type: 'signal', to: 'origin', data: 'offer' },
      { type: 'more', known: [id] },
      { type: 'serve', key: 'k'.repeat(32) },
      STALE_JOIN,
    ],
    random,
  );
}

/** A message with one field spoilt, or its text. */
function spoilt(message: FromClient, random: Random): string | Buffer {
  const fields = Object.keys(message);
  const field = pick(fields, random);
  const oddValue = pick(ODD_VALUES, random);
  const text = JSON.stringify(message);
  const at = Math.floor(random() * text.length);
  const ways: (() => string | Buffer)[] = [
    () => text,
    () => JSON.stringify({ ...message, [field]: oddValue }),
    () => JSON.stringify({ ...message, [`x${field}`]: oddValue }),
    () => text.slice(0, at),
    () => text.slice(0, at) + String.fromCharCode(Math.floor(random() * 0xffff)) + text.slice(at),
    () => text.slice(at) + text.slice(0, at),
    () => Buffer.from(text),
    () => Buffer.from(Array.from({ length: 40 }, () => Math.floor(random() * 256))),
    () => '['.repeat(5_000),
  ];
  return pick(ways, random)();
}

/** One connection's worth; resolves with how many messages it said. */
async function talk(url: string, random: Random): Promise<number> {
  const client = await RawClient.open(url);
  if (random() < 0.7) client.send(joinOf(pick(KEYS, random)));
  const count = 1 + Math.floor(random() * PER_CONNECTION);
  for (let n = 0; n < count; n++) client.socket.send(spoilt(validMessage(random), random));
  // Said in order, so the server has seen all before this; most connections are refused long before.
  client.socket.send('over');
  await client.closed;
  return count;
}

/** Why connections were refused, and how often. */
const refusals = new Map<string, number>();

const fuzz = suite('signaling messages that make no sense');

fuzz(
  `should do no harm: ${MESSAGES} of them`,
  withServer(
    async ({ url, signaling }) => {
      const random = seededRandom(Number(seed));
      const [a, b] = [await RawClient.join(url, memberKey(1)), await RawClient.join(url, memberKey(2))];
      const [beforeBytes, startMs] = [process.memoryUsage().rss, performance.now()];
      let saidCount = 0;
      const keepTalking = async (): Promise<void> => {
        while (saidCount < MESSAGES) {
          const count = await talk(url, random);
          saidCount += count;
        }
      };
      await Promise.all(Array.from({ length: PARALLEL }, keepTalking));
      await until(() => signaling.counts().connections === 2);
      assert.is(signaling.counts().members, 2, 'nobody who was refused is still in a room');
      const grownBytes = process.memoryUsage().rss - beforeBytes;
      const told = JSON.stringify(Object.fromEntries(refusals));
      const spentS = ((performance.now() - startMs) / 1000).toFixed(0);
      if (wish) tell(`${saidCount} messages in ${spentS} s: ${told}, ${grownBytes} bytes more`);
      assert.ok(grownBytes < MAX_GROWTH_BYTES, `${grownBytes} bytes more`);
      assert.not.ok(refusals.has('INTERNAL'), told);
      for (const code of ['REQUEST_MALFORMED', 'TOKEN_WRONG', 'SIGNATURE_WRONG'])
        assert.ok(refusals.has(code), told);
      a.client.send({ type: 'signal', to: b.id, data: 'still here?' });
      assert.is((await b.client.next('signal')).data, 'still here?');
      await Promise.all([a.client.close(), b.client.close()]);
    },
    {
      limits: limitsWith({
        connectionsPerAddress: 1e6,
        burstPerAddress: 1e9,
        joinBurstPerRoom: 1e9,
      }),
      refusingMs: REFUSING_MS,
      tally: {
        joined: () => undefined,
        reported: () => undefined,
        refused: (code) => void refusals.set(code, (refusals.get(code) ?? 0) + 1),
      },
    },
  ),
);

fuzz.run();
