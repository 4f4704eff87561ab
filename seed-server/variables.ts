import * as v from 'valibot';
import { trustedProxiesText } from '../signaling/client-address.ts';
import { iceServersText } from '../signaling/ice-servers.ts';
import { turnSecretText, turnTtlText, turnUrlsText } from '../signaling/turn.ts';

/** How much is logged; pino's levels. */
export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;

/** Longer ones, percent-encoded, would not fit every proxy's headers. */
const MAX_PASSWORD_CHARS = 200;

/** Each connection of the origin takes two threads of one process: more than 8,192 is beyond what one should have. */
const MAX_ORIGIN_PEERS = 4096;

/** Ports that one of the origin's connections takes: one for each address of the machine, so that fewer would be no use. */
const MIN_UDP_PORTS = 10;

const amount = v.pipe(v.string(), v.regex(/^\d{1,9}(\.\d{1,9})?$/), v.transform(Number));

const path = v.pipe(
  v.string(),
  v.check((text) => !text.includes('\0')),
);

const portRange = v.pipe(
  v.string(),
  v.regex(/^\d{1,5}-\d{1,5}$/),
  v.transform((text) => {
    const [min = 0, max = 0] = text.split('-').map(Number);
    return { min, max };
  }),
  v.check(({ min, max }) => min >= 1 && max <= 65_535 && max - min + 1 >= MIN_UDP_PORTS),
);

/**
 * Each variable of the configuration: how it is read, the end of the sentence "NAME must be ...", what holds where it
 * is not set, and what it is for. The help is printed from here, and a test holds the README to it.
 */
export const VARIABLES = {
  PORT: {
    schema: v.pipe(v.string(), v.regex(/^\d{1,5}$/), v.transform(Number), v.maxValue(65_535)),
    expected: 'a number from 0 (any free port) to 65535',
    fallback: '8080',
    about: 'the port to listen at',
  },
  HOST: {
    schema: v.pipe(v.string(), v.regex(/^[A-Za-z0-9.:_-]+$/)),
    expected: 'a name or address of this machine, such as localhost or 192.168.1.5',
    fallback: 'all addresses',
    about: 'the address to listen at',
  },
  DATA_DIR: {
    schema: path,
    expected: 'the path of a folder',
    fallback: './data',
    about: 'where rooms are kept',
  },
  ORIGIN_MBIT: {
    schema: amount,
    expected: 'a number of Mbit/s such as 40 or 2.5; 0 means no limit',
    fallback: 'no limit',
    about: 'Mbit/s that the film takes at most to all viewers together, by data channels and HTTP',
  },
  ORIGIN_PEERS: {
    schema: v.pipe(
      v.string(),
      v.regex(/^\d{1,4}$/),
      v.transform(Number),
      v.minValue(1),
      v.maxValue(MAX_ORIGIN_PEERS),
    ),
    expected: `a number of connections from 1 to ${MAX_ORIGIN_PEERS}`,
    fallback: '64',
    about: 'data channels of the origin at once, over all rooms',
  },
  ORIGIN_UDP_PORTS: {
    schema: portRange,
    expected: `a range of at least ${MIN_UDP_PORTS} ports such as 40000-40999`,
    fallback: 'any',
    about:
      'UDP ports of the origin, for a firewall to let in; an open channel takes one for each address of the machine',
  },
  ICE_SERVERS: {
    schema: iceServersText,
    expected: 'a JSON array such as [{"urls": "stun:stun.example.org"}]',
    fallback: 'none',
    about: 'STUN and TURN servers for browsers and origin, as JSON',
  },
  STUN_PORT: {
    schema: v.pipe(v.string(), v.regex(/^\d{1,5}$/), v.transform(Number), v.maxValue(65_535)),
    expected: 'a UDP port from 1 to 65535, or 0 for none',
    fallback: '3478, or none where ICE_SERVERS or TURN_URLS name others',
    about: 'UDP port of the built-in STUN server, which tells browsers behind routers their own address',
  },
  TURN_URLS: {
    schema: turnUrlsText,
    expected: 'TURN addresses with commas between, such as turn:turn.example.org:3478',
    fallback: 'none',
    about: 'TURN servers that share TURN_SECRET with this one (coturn: use-auth-secret)',
  },
  TURN_SECRET: {
    schema: turnSecretText,
    expected: 'a secret of 8 to 200 characters',
    fallback: 'none',
    about: 'makes the passwords for TURN_URLS, which last for TURN_TTL_S',
  },
  TURN_TTL_S: {
    schema: turnTtlText,
    expected: 'a number of seconds from 60 to 604800',
    fallback: '43200',
    about: 'how long a TURN password lasts, in seconds',
  },
  MAX_STORE_GB: {
    schema: amount,
    expected: 'a number of gigabytes such as 50 or 0.5; 0 means no limit',
    fallback: 'no limit',
    about: 'what all rooms together may take',
  },
  MAX_ROOM_GB: {
    schema: amount,
    expected: 'a number of gigabytes such as 10 or 0.5; 0 means no limit',
    fallback: 'no limit',
    about: 'what one room may take',
  },
  ROOM_DAYS: {
    schema: amount,
    expected: 'a number of days such as 30 or 0.5; 0 means for ever',
    fallback: 'for ever',
    about: 'rooms that had no upload and no member for so many days are removed',
  },
  HOST_PASSWORD: {
    schema: v.pipe(v.string(), v.maxLength(MAX_PASSWORD_CHARS)),
    expected: `at most ${MAX_PASSWORD_CHARS} characters long`,
    fallback: 'none',
    about: 'who makes a room must say it; viewers need none',
  },
  TLS_CERT: {
    schema: path,
    expected: 'the path of a certificate file (PEM), and TLS_KEY that of its key',
    fallback: 'plain http',
    about: 'certificate, with its chain, for https; read again when the file changes',
  },
  TLS_KEY: {
    schema: path,
    expected: 'the path of the key file (PEM) of TLS_CERT',
    fallback: 'plain http',
    about: 'the key of TLS_CERT',
  },
  TRUST_PROXY: {
    schema: trustedProxiesText,
    expected: 'a list of addresses and CIDR blocks such as 10.0.0.0/8, or the word loopback',
    fallback: 'none',
    about: 'reverse proxies whose X-Forwarded-For is believed',
  },
  METRICS_TOKEN: {
    schema: v.pipe(v.string(), v.regex(/^[\x21-\x7e]{16,200}$/)),
    expected: '16 to 200 characters without spaces, all ASCII',
    fallback: 'this machine only',
    about: 'who says it may read /metrics and /status from elsewhere',
  },
  LOG_LEVEL: {
    schema: v.picklist(LOG_LEVELS),
    expected: `one of ${LOG_LEVELS.join(', ')}`,
    fallback: 'warn',
    about: 'info logs every request; ids are shortened, secrets never appear',
  },
};

export type VariableName = keyof typeof VARIABLES;
