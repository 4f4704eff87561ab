import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { chooseCrypto } from '../../peer/crypto/choose.ts';
import { readConfig } from '../../seed-server/config.ts';
import { MadeRoom } from '../tools/made-room.ts';
import { joinOf, memberKey, RawClient } from '../tools/signaling-fixture.ts';
import { temporaryFolder } from '../tools/temporary-folder.ts';

const MAIN = fileURLToPath(new URL('../../seed-server/main.ts', import.meta.url));

/** The program as `npm start` runs it, in its own process. */
function start(env: Record<string, string>): ChildProcess {
  return spawn(process.execPath, ['--import', import.meta.resolve('tsx'), MAIN], {
    env: { ...process.env, HOST: '127.0.0.1', PORT: '0', LOG_LEVEL: 'silent', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

interface Outcome {
  exitCode: number | null;
  stdout: string;
  stderr: string;
}

async function outcomeOf(child: ChildProcess): Promise<Outcome> {
  const exit = once(child, 'exit');
  const [stdout, stderr] = await Promise.all(
    [child.stdout, child.stderr].map((out) => (out ? text(out) : '')),
  );
  const [exitCode] = await exit;
  return { exitCode, stdout: stdout ?? '', stderr: stderr ?? '' };
}

async function inFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const { path, remove } = await temporaryFolder();
  try {
    await body(path);
  } finally {
    await remove();
  }
}

const server = suite('the seed server');

server('should say in one line where it is open, serve a room there, and end when asked', () =>
  inFolder(async (folder) => {
    const child = start({ DATA_DIR: join(folder, 'made', 'on', 'the', 'way') });
    const outcome = outcomeOf(child);
    try {
      const [chunk] = (await once(child.stdout ?? process.stdin, 'data')) as [Buffer];
      const url = /^Matinee is open at (http:\/\/127\.0\.0\.1:\d+)\n$/.exec(String(chunk))?.[1] ?? '';
      assert.is((await fetch(`${url}/api/health`)).status, 200);
      const made = await MadeRoom.create(await chooseCrypto());
      const headers = { 'content-type': 'application/octet-stream' };
      const put = await fetch(`${url}/api/rooms/${made.room}`, {
        method: 'PUT',
        body: await made.record(),
        headers,
      });
      assert.is(put.status, 201);
      const member = await RawClient.open(`${url.replace('http', 'ws')}/signal`);
      member.send(joinOf(memberKey(1), made.room, made.token));
      const welcome = await member.next('welcome');
      if (!welcome.isOriginHere) await member.next('originHere');
      child.kill('SIGTERM');
      const { exitCode, stdout } = await outcome;
      assert.is(exitCode, 0);
      assert.is(stdout, `Matinee is open at ${url}\n`);
      assert.is(await member.closed, 1001);
    } finally {
      child.kill('SIGKILL');
      await outcome;
    }
  }),
);

server('should say what is in the way where it cannot start', () =>
  inFolder(async (folder) => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as AddressInfo;
    const noFolder = join(folder, 'a-file');
    await writeFile(noFolder, '');
    try {
      const outcomes = await Promise.all([
        outcomeOf(start({ DATA_DIR: folder, PORT: String(port) })),
        outcomeOf(start({ DATA_DIR: noFolder })),
        outcomeOf(start({ DATA_DIR: folder, PORT: 'eighty' })),
      ]);
      assert.equal(
        outcomes.map(({ exitCode }) => exitCode),
        [1, 1, 1],
      );
      assert.equal(
        outcomes.map(({ stdout }) => stdout),
        ['', '', ''],
      );
      const sentences = outcomes.map(({ stderr }) => stderr);
      assert.is(
        sentences[0],
        `Port ${port} is in use already. Set PORT to another one, or stop what uses it.\n`,
      );
      assert.match(
        sentences[1] ?? '',
        /^The data folder .* cannot be written \(\w+\)\. Set DATA_DIR to .*\.\n$/,
      );
      assert.is(sentences[2], 'PORT must be a number from 0 (any free port) to 65535.\n');
    } finally {
      taken.close();
    }
  }),
);

server.run();

const config = suite('the configuration');

config('should have sensible values where nothing is set', () => {
  assert.equal(readConfig({ PORT: '', HOST: '' }), {
    port: 8080,
    host: null,
    dataDir: './data',
    originMbit: null,
    originPeers: 64,
    originUdpPorts: null,
    iceServers: [],
    turn: null,
    maxStoreBytes: Number.POSITIVE_INFINITY,
    maxRoomBytes: Number.POSITIVE_INFINITY,
    roomDays: Number.POSITIVE_INFINITY,
    hostPassword: null,
    trustedProxies: [],
    tls: null,
    metricsToken: null,
    logLevel: 'warn',
    stunPort: 3478,
    isStunAsked: false,
  });
});

config('should be read from the environment', () => {
  const env = {
    PORT: '0',
    HOST: '::1',
    DATA_DIR: '/var/lib/matinee',
    ORIGIN_MBIT: '2.5',
    ORIGIN_PEERS: '4096',
    ORIGIN_UDP_PORTS: '40000-40999',
    TURN_URLS: 'turn:turn.example.org:3478, turns:turn.example.org?transport=tcp',
    TURN_SECRET: 'a shared secret',
    TURN_TTL_S: '600',
    TLS_CERT: '/etc/cert.pem',
    TLS_KEY: '/etc/key.pem',
    METRICS_TOKEN: 'a-token-for-figures',
    ICE_SERVERS: '[{"urls":["turn:turn.example.org"],"username":"u","credential":"c"}]',
    MAX_STORE_GB: '0.5',
    MAX_ROOM_GB: '0.25',
    ROOM_DAYS: '30',
    STUN_PORT: '3479',
    HOST_PASSWORD: 'öpen sesame',
    TRUST_PROXY: 'loopback, 10.0.0.0/8 2001:db8::1',
    LOG_LEVEL: 'warn',
    UNRELATED: 'x',
  };
  assert.equal(readConfig(env), {
    port: 0,
    host: '::1',
    dataDir: '/var/lib/matinee',
    originMbit: 2.5,
    originPeers: 4096,
    originUdpPorts: { min: 40_000, max: 40_999 },
    turn: {
      urls: ['turn:turn.example.org:3478', 'turns:turn.example.org?transport=tcp'],
      secret: 'a shared secret',
      ttlS: 600,
    },
    tls: { certFile: '/etc/cert.pem', keyFile: '/etc/key.pem' },
    metricsToken: 'a-token-for-figures',
    iceServers: [{ urls: ['turn:turn.example.org'], username: 'u', credential: 'c' }],
    maxStoreBytes: 500_000_000,
    maxRoomBytes: 250_000_000,
    roomDays: 30,
    hostPassword: 'öpen sesame',
    trustedProxies: ['loopback', '10.0.0.0/8', '2001:db8::1'],
    logLevel: 'warn',
    stunPort: 3479,
    isStunAsked: true,
  });
  const none = readConfig({ ORIGIN_MBIT: '0', MAX_STORE_GB: '0', MAX_ROOM_GB: '0', ROOM_DAYS: '0' });
  assert.is(none.originMbit, null);
  const unlimited = [none.maxStoreBytes, none.maxRoomBytes, none.roomDays];
  assert.ok(unlimited.every((most) => most === Number.POSITIVE_INFINITY));
});

const WRONG: [string, string][] = [
  ['PORT', '65536'],
  ['PORT', '-1'],
  ['PORT', '80.5'],
  ['HOST', 'http://localhost'],
  ['ORIGIN_MBIT', '-1'],
  ['ORIGIN_MBIT', '1e3'],
  ['ORIGIN_MBIT', 'fast'],
  ['ORIGIN_PEERS', '0'],
  ['ORIGIN_PEERS', '4097'],
  ['ORIGIN_PEERS', '2.5'],
  ['ICE_SERVERS', 'stun:stun.example.org'],
  ['ICE_SERVERS', '[{}]'],
  ['MAX_STORE_GB', '1,5'],
  ['MAX_ROOM_GB', 'much'],
  ['ROOM_DAYS', '-1'],
  ['HOST_PASSWORD', 'x'.repeat(201)],
  ['TRUST_PROXY', 'proxy.example.org'],
  ['TRUST_PROXY', '10.0.0.0/33'],
  ['TRUST_PROXY', '10.0.0.0/8/8'],
  ['LOG_LEVEL', 'loud'],
  ['ORIGIN_UDP_PORTS', '40000'],
  ['ORIGIN_UDP_PORTS', '40000-40005'],
  ['ORIGIN_UDP_PORTS', '40000-70000'],
  ['TURN_URLS', 'https://turn.example.org'],
  ['TURN_SECRET', 'short'],
  ['TURN_TTL_S', '59'],
  ['METRICS_TOKEN', 'too short'],
];

for (const [name, value] of WRONG) {
  config(`should name ${name} where it is ${value}`, () => {
    assert.throws(() => readConfig({ [name]: value }), new RegExp(`^${name} must be .*\\.$`));
  });
}

config.run();
