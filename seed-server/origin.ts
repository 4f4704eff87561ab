import SimplePeer from 'simple-peer';
import * as v from 'valibot';
import wrtc from 'wrtc';
import { WebSocket } from 'ws';
import { systemClock } from '../peer/clock.ts';
import { chooseCrypto } from '../peer/crypto/choose.ts';
import type { SimplePeerLike } from '../peer/transport/simple-peer-channel.ts';
import type { IceServer } from '../signaling/messages.ts';
import { createLog } from './log.ts';
import { Collector } from './origin/collector.ts';
import { OriginPeer } from './origin/origin-peer.ts';
import { followParent } from './origin-child.ts';
import { originEnvironment } from './origin-messages.ts';

/** The program of the origin's process, started by origin-process.ts. */
const env = v.parse(originEnvironment, process.env);
const log = createLog(env.LOG_LEVEL).child({ part: 'origin' });

/** How long goodbyes get to leave. */
const LINGER_MS = 300;

const BYTES_PER_MBIT = 1_000_000 / 8;

const [minPort, maxPort] = env.ORIGIN_UDP_PORTS.split('-').map(Number);
const portRange = minPort && maxPort ? { min: minPort, max: maxPort } : null;

const collector = new Collector(systemClock);

const origin = new OriginPeer({
  crypto: await chooseCrypto(),
  clock: systemClock,
  random: Math.random,
  signalingUrl: env.SIGNALING_URL,
  originKey: env.ORIGIN_KEY,
  dataDir: env.DATA_DIR,
  sendBytesPerSec: env.ORIGIN_MBIT > 0 ? env.ORIGIN_MBIT * BYTES_PER_MBIT : null,
  maxPeers: env.ORIGIN_PEERS,
  openSocket: (url) => new WebSocket(url),
  createPeer,
  onError: (error) => log.warn({ err: error }, 'a member or the store caused an error'),
});

followParent({
  counts: () => origin.counts,
  onSpent: (sizeBytes) => origin.spent(sizeBytes),
  onChanged: (room) => origin.changed(room),
  onStop: async () => {
    origin.close();
    collector.close();
    await new Promise((resolve) => setTimeout(resolve, LINGER_MS));
  },
});

function createPeer(isInitiator: boolean, iceServers: readonly IceServer[]): SimplePeerLike {
  // portRange is wrtc's own, from before it was forked: CHANGELOG.md, "RTCConfiguration".
  const config = { iceServers: [...iceServers] as RTCIceServer[], ...(portRange && { portRange }) };
  const peer = new SimplePeer({ initiator: isInitiator, wrtc, config });
  peer.once('close', () => collector.soon());
  // The package's types leave out the fields we stand on (bufferSize).
  return peer as unknown as SimplePeerLike;
}
