import { fork } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { createInterface, type Interface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { OriginProcess, type OriginProcessOptions } from '../../seed-server/origin-process.ts';

const FAKE_ORIGIN = fileURLToPath(new URL('../tools/fake-origin.ts', import.meta.url));
const FAKE_MAIN = fileURLToPath(new URL('../tools/fake-main.ts', import.meta.url));

/** One running fake origin, as heard over its connection. */
class Heard {
  readonly closed: Promise<unknown>;
  readonly #lines: AsyncIterator<string>;

  constructor(socket: Socket) {
    const reader: Interface = createInterface(socket);
    this.#lines = reader[Symbol.asyncIterator]();
    this.closed = once(reader, 'close');
    // A process that dies resets its connection; the end of the lines says so.
    socket.on('error', () => {});
  }

  async next(): Promise<string | null> {
    const { value, done } = await this.#lines.next();
    return done ? null : value;
  }
}

interface Desk {
  port: number;
  /** The next origin that connects. */
  next(): Promise<Heard>;
}

async function withDesk(body: (desk: Desk) => Promise<void>): Promise<void> {
  const server = createServer();
  const connections: Socket[] = [];
  const waiting: ((heard: Heard) => void)[] = [];
  const arrived: Heard[] = [];
  server.on('connection', (socket) => {
    connections.push(socket);
    const heard = new Heard(socket);
    const waiter = waiting.shift();
    if (waiter) waiter(heard);
    else arrived.push(heard);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    await body({
      port: (server.address() as AddressInfo).port,
      async next() {
        return arrived.shift() ?? (await new Promise<Heard>((resolve) => waiting.push(resolve)));
      },
    });
  } finally {
    for (const socket of connections) socket.destroy();
    server.close();
  }
}

function supervise({ port }: Pick<Desk, 'port'>, options: Partial<OriginProcessOptions> = {}): OriginProcess {
  return new OriginProcess({
    script: FAKE_ORIGIN,
    environment: {
      SIGNALING_URL: String(port),
      ORIGIN_KEY: '',
      DATA_DIR: '',
      ORIGIN_MBIT: '0',
      ORIGIN_PEERS: '64',
      ORIGIN_UDP_PORTS: '',
      LOG_LEVEL: 'silent',
    },
    log: { info: () => {}, warn: () => {} },
    firstDelayMs: 10,
    ...options,
  });
}

const origin = suite('the origin’s process');

origin('should hear which rooms changed, and end when asked', () =>
  withDesk(async (desk) => {
    const supervisor = supervise(desk);
    const heard = await desk.next();
    assert.is(await heard.next(), `here ${supervisor.processId}`);
    supervisor.changed('a-room');
    assert.is(await heard.next(), 'changed a-room');
    await supervisor.close();
    assert.is(supervisor.processId, null);
    assert.is(await heard.next(), 'stopping');
    assert.is(await heard.next(), null);
    supervisor.changed('nobody hears this');
  }),
);

origin('should come back when it died', () =>
  withDesk(async (desk) => {
    const supervisor = supervise(desk);
    try {
      const first = await desk.next();
      const firstHello = await first.next();
      supervisor.changed('crash');
      await first.closed;
      const second = await desk.next();
      const secondHello = await second.next();
      assert.match(secondHello ?? '', /^here \d+$/);
      assert.is.not(secondHello, firstHello);
      supervisor.changed('a-room');
      assert.is(await second.next(), 'changed a-room');
    } finally {
      await supervisor.close();
    }
  }),
);

origin('should be ended by force where it will not go', () =>
  withDesk(async (desk) => {
    const supervisor = supervise(desk, { stopWithinMs: 100 });
    const heard = await desk.next();
    await heard.next();
    supervisor.changed('cling');
    await heard.next();
    await supervisor.close();
    assert.is(await heard.next(), 'stopping');
    assert.is(await heard.next(), null);
  }),
);

origin('should be tried again and again, at growing intervals, where it dies of starting', async () => {
  const warnings: object[] = [];
  let tellThird: () => void = () => {};
  const third = new Promise<void>((resolve) => {
    tellThird = resolve;
  });
  const log = {
    info: () => {},
    warn: (details: object) => {
      warnings.push(details);
      if (warnings.length === 3) tellThird();
    },
  };
  const supervisor = supervise({ port: 0 }, { log });
  await third;
  await supervisor.close();
  const waits = warnings.map((details) => ('againInMs' in details ? details.againInMs : null));
  assert.equal(waits, [10, 20, 40]);
});

origin('should not outlive the main process', () =>
  withDesk(async (desk) => {
    const main = fork(FAKE_MAIN, [FAKE_ORIGIN, String(desk.port)], {
      execArgv: ['--import', import.meta.resolve('tsx')],
    });
    const heard = await desk.next();
    await heard.next();
    main.kill('SIGKILL');
    assert.is(await heard.next(), 'stopping');
    assert.is(await heard.next(), null);
  }),
);

origin.run();
