import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { pino } from 'pino';
import * as v from 'valibot';
import { clientAddress, trustedProxies, trustedProxiesText } from './client-address.ts';
import { CONNECTION_LIMITS, limitConnections } from './connection-limit.ts';
import { iceServersText } from './ice-servers.ts';
import { MemoryBus } from './memory-bus.ts';
import { RemoteDoor } from './remote-door.ts';
import { attachSignaling } from './server.ts';
import { TURN_TTL_S, turnSecretText, turnTtlText, turnUrlsText } from './turn.ts';

const SIGNAL_PATH = '/signal';

/** A request's head must have come in after so long, ms; how often that is looked at. */
const HEAD_LIMITS = { headersTimeout: 10_000, connectionsCheckingInterval: 5000 };

const httpAddress = v.pipe(v.string(), v.regex(/^https?:\/\//), v.url());
const environment = v.object({
  PORT: v.pipe(v.optional(v.string(), '8081'), v.digits(), v.transform(Number), v.maxValue(65_535)),
  HOST: v.optional(v.string()),
  SEED_SERVER: httpAddress,
  ORIGIN_KEY: v.optional(v.pipe(v.string(), v.minLength(16), v.maxLength(200))),
  ICE_SERVERS: v.optional(iceServersText, '[]'),
  TRUST_PROXY: v.optional(trustedProxiesText, ''),
  TURN_URLS: v.optional(turnUrlsText),
  TURN_SECRET: v.optional(turnSecretText),
  TURN_TTL_S: v.optional(turnTtlText, String(TURN_TTL_S)),
});

const EXPECTED = {
  PORT: 'a number from 0 to 65535',
  HOST: 'an address of this machine, for example 127.0.0.1',
  SEED_SERVER: 'the address of the seed server, for example http://localhost:8080',
  ORIGIN_KEY: 'a secret of 16 to 200 characters, the same as the origin has',
  ICE_SERVERS: 'a JSON array, for example [{"urls": "stun:stun.example.org"}]',
  TRUST_PROXY: 'a list of addresses and CIDR blocks, or the word loopback',
  TURN_URLS: 'TURN addresses with commas between, such as turn:turn.example.org:3478',
  TURN_SECRET: 'a secret of 8 to 200 characters',
  TURN_TTL_S: 'a number of seconds from 60 to 604800',
};

const parsed = v.safeParse(environment, process.env);
if (parsed.success && !parsed.output.TURN_URLS !== !parsed.output.TURN_SECRET)
  fail('TURN_URLS and TURN_SECRET go together: set both, or none of them.');
else if (parsed.success) run(parsed.output);
else fail(wrongVariables(parsed.issues));

/** The signaling server alone: `npm run signaling`. */
function run(settings: v.InferOutput<typeof environment>): void {
  const { PORT, HOST, SEED_SERVER, ORIGIN_KEY, ICE_SERVERS, TRUST_PROXY } = settings;
  const { TURN_URLS: urls, TURN_SECRET: secret, TURN_TTL_S: ttlS } = settings;
  const isTrusted = trustedProxies(TRUST_PROXY);
  const server = createServer(HEAD_LIMITS, answerHttp);
  limitConnections(server, isTrusted, CONNECTION_LIMITS);
  const bus = new MemoryBus(Math.random, () => performance.now());
  const door = new RemoteDoor(SEED_SERVER);
  const signaling = attachSignaling({
    server,
    path: SIGNAL_PATH,
    door,
    bus,
    originKey: ORIGIN_KEY ?? null,
    iceServers: ICE_SERVERS,
    turn: urls && secret ? { urls, secret, ttlS } : null,
    random: Math.random,
    addressOf: clientAddress(isTrusted),
    // stdout has the one line that says where it is open; the log goes to stderr.
    log: pino({}, pino.destination(2)),
  });
  const stopWatching = door.watch(
    async (room) => (await bus.members(room, null, [], 1)).length > 0,
    (room) => signaling.recheck(room),
  );
  const stop = async (): Promise<void> => {
    stopWatching();
    server.close();
    await signaling.close();
    server.closeAllConnections();
  };
  server.once('error', (error) => {
    fail(`Signaling cannot listen on port ${PORT}: ${error.message}`);
    void stop();
  });
  server.listen({ port: PORT, ...(HOST ? { host: HOST } : {}) }, () => sayOpen(server.address(), HOST));
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => void stop());
}

function answerHttp(request: IncomingMessage, response: ServerResponse): void {
  const isHealth = request.url === '/health';
  response.writeHead(isHealth ? 200 : 404, { 'content-type': 'text/plain; charset=utf-8' });
  response.end(isHealth ? 'ok\n' : `This is a signaling server; it answers WebSockets at ${SIGNAL_PATH}.\n`);
}

function sayOpen(address: ReturnType<ReturnType<typeof createServer>['address']>, host = 'localhost'): void {
  if (address === null || typeof address === 'string') return;
  const name = host.includes(':') ? `[${host}]` : host;
  process.stdout.write(`Signaling is open at ws://${name}:${address.port}${SIGNAL_PATH}\n`);
}

function wrongVariables(issues: v.InferIssue<typeof environment>[]): string {
  const isKnown = (name: string | null): name is keyof typeof EXPECTED => name !== null && name in EXPECTED;
  const names = new Set(issues.map((issue) => v.getDotPath(issue)?.split('.', 1)[0] ?? null).filter(isKnown));
  return [...names].map((name) => `${name} must be ${EXPECTED[name]}.`).join('\n');
}

function fail(sentence: string): void {
  process.stderr.write(`${sentence}\n`);
  process.exitCode = 1;
}
