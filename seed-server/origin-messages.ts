import * as v from 'valibot';
import { LOG_LEVELS } from './variables.ts';

/** What the main process tells the origin's process, over Node's channel between the two. */
export const toOrigin = v.variant('type', [
  /** Something about this room was stored or removed: read it again. */
  v.object({ type: v.literal('changed'), room: v.string() }),
  /** So many bytes of film went out by HTTP: they count against what the origin may send. */
  v.object({ type: v.literal('spent'), sizeBytes: v.number() }),
]);
export type ToOrigin = v.InferOutput<typeof toOrigin>;

/** What the origin's process has counted since it started. */
export const originCounts = v.object({
  /** Members connected now, and rooms they are in. */
  members: v.number(),
  rooms: v.number(),
  /** Bytes of pieces sent over data channels. */
  sentBytes: v.number(),
});
export type OriginCounts = v.InferOutput<typeof originCounts>;

/** What the origin's process tells the main one. */
export const fromOrigin = v.variant('type', [v.object({ type: v.literal('counts'), counts: originCounts })]);
export type FromOrigin = v.InferOutput<typeof fromOrigin>;

/** The environment that the origin's process is started with. */
export const originEnvironment = v.object({
  /** ws: address of the signaling server. */
  SIGNALING_URL: v.string(),
  /** The secret by which it proves to the signaling server that it is the origin. */
  ORIGIN_KEY: v.string(),
  DATA_DIR: v.string(),
  /** Mbit/s that it sends at most to all together; 0: no limit. */
  ORIGIN_MBIT: v.pipe(v.string(), v.transform(Number), v.number()),
  /** Connections at once at most. */
  ORIGIN_PEERS: v.pipe(v.string(), v.transform(Number), v.integer(), v.minValue(1)),
  /** UDP ports of those connections, as "min-max"; empty: any. */
  ORIGIN_UDP_PORTS: v.string(),
  LOG_LEVEL: v.picklist(LOG_LEVELS),
});
/** As text, which is all that an environment can hold. */
export type OriginEnvironment = v.InferInput<typeof originEnvironment>;
