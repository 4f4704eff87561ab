import * as v from 'valibot';
import { trustedProxiesText } from '../signaling/client-address.ts';
import { iceServersText } from '../signaling/ice-servers.ts';
import type { IceServer } from '../signaling/messages.ts';
import { StartError } from './start-error.ts';

/** How much is logged; pino's levels. */
export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
const BYTES_PER_GB = 1_000_000_000;

/** Longer ones, percent-encoded, would not fit every proxy's headers. */
const MAX_PASSWORD_CHARS = 200;

/** Each connection of the origin takes two threads of one process: more than 8,192 is beyond what one should have. */
const MAX_ORIGIN_PEERS = 4096;

/** What the environment says, checked. */
export interface Config {
  /** 0: any free one. */
  port: number;
  /** Null: every address of this machine, IPv6 and IPv4. */
  host: string | null;
  dataDir: string;
  /** Mbit/s that the origin sends at most to all together; null: no limit. */
  originMbit: number | null;
  /** Connections that the origin has at once at most, over all rooms. */
  originPeers: number;
  iceServers: IceServer[];
  /** Bytes that all rooms together may take; Infinity: no limit. */
  maxStoreBytes: number;
  /** Bytes that one room may take; Infinity: no limit of its own. */
  maxRoomBytes: number;
  /** Days that a room is kept without a change or a member; Infinity: for ever. */
  roomDays: number;
  /** What hosts must say to make a room; null: nothing. */
  hostPassword: string | null;
  /** Addresses, CIDR blocks and `loopback`: the proxies whose X-Forwarded-For is believed. */
  trustedProxies: string[];
  logLevel: (typeof LOG_LEVELS)[number];
}

const amount = v.pipe(v.string(), v.regex(/^\d{1,9}(\.\d{1,9})?$/), v.transform(Number));

/** Each variable: how it is read, and the end of the sentence "NAME must be ...". */
const VARIABLES = {
  PORT: {
    schema: v.pipe(v.string(), v.regex(/^\d{1,5}$/), v.transform(Number), v.maxValue(65_535)),
    expected: 'a number from 0 (any free port) to 65535',
  },
  HOST: {
    schema: v.pipe(v.string(), v.regex(/^[A-Za-z0-9.:_-]+$/)),
    expected: 'a name or address of this machine, such as localhost or 192.168.1.5',
  },
  DATA_DIR: {
    schema: v.pipe(
      v.string(),
      v.check((path) => !path.includes('\0')),
    ),
    expected: 'the path of a folder',
  },
  ORIGIN_MBIT: { schema: amount, expected: 'a number of Mbit/s such as 40 or 2.5; 0 means no limit' },
  ORIGIN_PEERS: {
    schema: v.pipe(
      v.string(),
      v.regex(/^\d{1,4}$/),
      v.transform(Number),
      v.minValue(1),
      v.maxValue(MAX_ORIGIN_PEERS),
    ),
    expected: `a number of connections from 1 to ${MAX_ORIGIN_PEERS}`,
  },
  ICE_SERVERS: {
    schema: iceServersText,
    expected: 'a JSON array such as [{"urls": "stun:stun.example.org"}]',
  },
  MAX_STORE_GB: { schema: amount, expected: 'a number of gigabytes such as 50 or 0.5; 0 means no limit' },
  MAX_ROOM_GB: { schema: amount, expected: 'a number of gigabytes such as 10 or 0.5; 0 means no limit' },
  ROOM_DAYS: { schema: amount, expected: 'a number of days such as 30 or 0.5; 0 means for ever' },
  HOST_PASSWORD: {
    schema: v.pipe(v.string(), v.maxLength(MAX_PASSWORD_CHARS)),
    expected: `at most ${MAX_PASSWORD_CHARS} characters long`,
  },
  TRUST_PROXY: {
    schema: trustedProxiesText,
    expected: 'a list of addresses and CIDR blocks such as 10.0.0.0/8, or the word loopback',
  },
  LOG_LEVEL: { schema: v.picklist(LOG_LEVELS), expected: `one of ${LOG_LEVELS.join(', ')}` },
};

type Name = keyof typeof VARIABLES;
type Values = { [N in Name]?: v.InferOutput<(typeof VARIABLES)[N]['schema']> };

/**
 * The configuration in an environment; an empty variable counts as unset.
 * @throws StartError with a sentence for each variable that is wrong.
 */
export function readConfig(env: Readonly<Record<string, string | undefined>>): Config {
  const values = readVariables(env);
  return {
    port: values.PORT ?? 8080,
    host: values.HOST ?? null,
    dataDir: values.DATA_DIR ?? './data',
    originMbit: values.ORIGIN_MBIT || null,
    originPeers: values.ORIGIN_PEERS ?? 64,
    iceServers: values.ICE_SERVERS ?? [],
    maxStoreBytes: values.MAX_STORE_GB ? values.MAX_STORE_GB * BYTES_PER_GB : Number.POSITIVE_INFINITY,
    maxRoomBytes: values.MAX_ROOM_GB ? values.MAX_ROOM_GB * BYTES_PER_GB : Number.POSITIVE_INFINITY,
    roomDays: values.ROOM_DAYS || Number.POSITIVE_INFINITY,
    hostPassword: values.HOST_PASSWORD ?? null,
    trustedProxies: values.TRUST_PROXY ?? [],
    logLevel: values.LOG_LEVEL ?? 'warn',
  };
}

function readVariables(env: Readonly<Record<string, string | undefined>>): Values {
  const entries = Object.fromEntries(
    Object.entries(VARIABLES).map(([name, { schema }]) => [name, v.optional(schema)]),
  ) as { [N in Name]: v.OptionalSchema<(typeof VARIABLES)[N]['schema'], undefined> };
  const set = Object.fromEntries(Object.entries(env).filter(([, text]) => text !== ''));
  const parsed = v.safeParse(v.object(entries), set);
  if (parsed.success) return parsed.output as Values;
  const wrong = new Set(parsed.issues.map((issue) => issue.path?.[0]?.key));
  const sentences = Object.entries(VARIABLES)
    .filter(([name]) => wrong.has(name))
    .map(([name, { expected }]) => `${name} must be ${expected}.`);
  throw new StartError(sentences.join('\n'));
}
