import * as v from 'valibot';
import type { IceServer } from '../signaling/messages.ts';
import { TURN_TTL_S, type TurnSettings } from '../signaling/turn.ts';
import { StartError } from './start-error.ts';
import { STUN_PORT } from './stun.ts';
import { type LOG_LEVELS, VARIABLES, type VariableName } from './variables.ts';

const BYTES_PER_GB = 1_000_000_000;

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
  /** UDP ports of those connections, both included; null: any. */
  originUdpPorts: { min: number; max: number } | null;
  iceServers: IceServer[];
  /** UDP port of our own STUN server; null: there is none. */
  stunPort: number | null;
  /** Whether that port was asked for, so that it must be had. */
  isStunAsked: boolean;
  /** Null where no TURN server shares a secret with us. */
  turn: TurnSettings | null;
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
  /** Files of the certificate and its key; null: plain http. */
  tls: { certFile: string; keyFile: string } | null;
  /** Who says it may read figures from elsewhere; null: nobody may. */
  metricsToken: string | null;
  logLevel: (typeof LOG_LEVELS)[number];
}

type Values = { [N in VariableName]?: v.InferOutput<(typeof VARIABLES)[N]['schema']> };

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
    originUdpPorts: values.ORIGIN_UDP_PORTS ?? null,
    iceServers: values.ICE_SERVERS ?? [],
    stunPort: stunPortOf(values),
    isStunAsked: values.STUN_PORT !== undefined,
    turn: turnOf(values),
    maxStoreBytes: values.MAX_STORE_GB ? values.MAX_STORE_GB * BYTES_PER_GB : Number.POSITIVE_INFINITY,
    maxRoomBytes: values.MAX_ROOM_GB ? values.MAX_ROOM_GB * BYTES_PER_GB : Number.POSITIVE_INFINITY,
    roomDays: values.ROOM_DAYS || Number.POSITIVE_INFINITY,
    hostPassword: values.HOST_PASSWORD ?? null,
    trustedProxies: values.TRUST_PROXY ?? [],
    tls: tlsOf(values),
    metricsToken: values.METRICS_TOKEN ?? null,
    logLevel: values.LOG_LEVEL ?? 'warn',
  };
}

/** Others that the operator names are as good as ours, and one of them may have our port. */
function stunPortOf({
  STUN_PORT: port,
  ICE_SERVERS: others = [],
  TURN_URLS: turns = [],
}: Values): number | null {
  const hasOthers = others.length + turns.length > 0;
  return (port ?? (hasOthers ? 0 : STUN_PORT)) || null;
}

function turnOf({ TURN_URLS: urls, TURN_SECRET: secret, TURN_TTL_S: ttlS }: Values): TurnSettings | null {
  mustGoTogether({ TURN_URLS: urls, TURN_SECRET: secret });
  return urls && secret ? { urls, secret, ttlS: ttlS ?? TURN_TTL_S } : null;
}

function tlsOf({ TLS_CERT: certFile, TLS_KEY: keyFile }: Values): Config['tls'] {
  mustGoTogether({ TLS_CERT: certFile, TLS_KEY: keyFile });
  return certFile && keyFile ? { certFile, keyFile } : null;
}

/** @throws StartError where one of them is set and another is not. */
function mustGoTogether(variables: Record<string, unknown>): void {
  const names = Object.keys(variables);
  const missing = names.filter((name) => variables[name] === undefined);
  if (missing.length === 0 || missing.length === names.length) return;
  throw new StartError(
    `${names.join(' and ')} go together: set ${missing.join(' and ')} too, or none of them.`,
  );
}

function readVariables(env: Readonly<Record<string, string | undefined>>): Values {
  const entries = Object.fromEntries(
    Object.entries(VARIABLES).map(([name, { schema }]) => [name, v.optional(schema)]),
  ) as { [N in VariableName]: v.OptionalSchema<(typeof VARIABLES)[N]['schema'], undefined> };
  const set = Object.fromEntries(Object.entries(env).filter(([, text]) => text !== ''));
  const parsed = v.safeParse(v.object(entries), set);
  if (parsed.success) return parsed.output as Values;
  const wrong = new Set(parsed.issues.map((issue) => issue.path?.[0]?.key));
  const sentences = Object.entries(VARIABLES)
    .filter(([name]) => wrong.has(name))
    .map(([name, { expected }]) => `${name} must be ${expected}.`);
  throw new StartError(sentences.join('\n'));
}
