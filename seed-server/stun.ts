import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { isIPv6 } from 'node:net';
import { countedAddress } from '../signaling/client-address.ts';
import type { IceServer } from '../signaling/messages.ts';
import { Rates } from '../signaling/rate.ts';
import { codeOf } from './store/durable.ts';

/** The port that STUN has by RFC 8489. */
export const STUN_PORT = 3478;

const HEADER_BYTES = 20;
const MAGIC_COOKIE = 0x2112a442;

const BINDING_REQUEST = 0x0001;
const BINDING_SUCCESS = 0x0101;
const BINDING_ERROR = 0x0111;

const XOR_MAPPED_ADDRESS = 0x0020;
const ERROR_CODE = 0x0009;
const UNKNOWN_ATTRIBUTES = 0x000a;

/** Attributes from here on may be left unread by who does not know them. */
const FIRST_OPTIONAL = 0x8000;

/** Error 420, "Unknown Attribute": its class and number. */
const UNKNOWN_ATTRIBUTE = Buffer.from([0, 0, 4, 20]);

/** A browser's request has 20 bytes, or some more. */
const MAX_REQUEST_BYTES = 512;

/**
 * Requests of one address at once and a second in the long run, IPv6 by /64. A browser asks a few times for each connection it
 * makes. Answers are hardly larger than requests, so sent to a forged address they do no more harm than the requests would.
 */
const BURST = 200;
const PER_SEC = 20;
const MAX_ADDRESSES = 20_000;

const IPV6_GROUPS = 8;

/** Whom a request came from. */
export interface Sender {
  address: string;
  port: number;
}

/**
 * The answer to a STUN binding request (RFC 8489), which tells its sender the address that it comes from; an error where the
 * request has attributes that must be understood. Null for all that is no binding request: nothing is said to that.
 */
export function stunAnswer(request: Uint8Array, sender: Sender): Buffer | null {
  const bytes = Buffer.from(request.buffer, request.byteOffset, request.byteLength);
  const types = attributeTypes(bytes);
  if (!types) return null;
  const transaction = bytes.subarray(4, HEADER_BYTES);
  const unknown = types.filter((type) => type < FIRST_OPTIONAL);
  if (unknown.length === 0) {
    const mapped = attribute(XOR_MAPPED_ADDRESS, xorAddress(sender, transaction));
    return message(BINDING_SUCCESS, transaction, mapped);
  }
  const listed = Buffer.alloc(2 * unknown.length);
  for (const [i, type] of unknown.entries()) listed.writeUInt16BE(type, 2 * i);
  const error = [attribute(ERROR_CODE, UNKNOWN_ATTRIBUTE), attribute(UNKNOWN_ATTRIBUTES, listed)];
  return message(BINDING_ERROR, transaction, ...error);
}

/** The types of a binding request's attributes, in order; null where it is none, or not whole. */
function attributeTypes(bytes: Buffer): number[] | null {
  if (bytes.byteLength < HEADER_BYTES || bytes.byteLength > MAX_REQUEST_BYTES) return null;
  if (bytes.readUInt16BE(0) !== BINDING_REQUEST || bytes.readUInt32BE(4) !== MAGIC_COOKIE) return null;
  if (bytes.readUInt16BE(2) !== bytes.byteLength - HEADER_BYTES || bytes.byteLength % 4 !== 0) return null;
  const types: number[] = [];
  for (let at = HEADER_BYTES; at < bytes.byteLength; ) {
    types.push(bytes.readUInt16BE(at));
    at += 4 + padded(bytes.readUInt16BE(at + 2));
    if (at > bytes.byteLength) return null;
  }
  return types;
}

/** An address and port, XORed with cookie and transaction id so that no router rewrites them on their way. */
function xorAddress({ address, port }: Sender, transaction: Buffer): Buffer {
  const plain = plainAddress(address);
  const isSix = isIPv6(plain);
  const value = Buffer.concat([Buffer.alloc(4), isSix ? bytesOfIpv6(plain) : bytesOfIpv4(plain)]);
  value.writeUInt8(isSix ? 2 : 1, 1);
  value.writeUInt16BE(port ^ (MAGIC_COOKIE >>> 16), 2);
  for (let i = 4; i < value.byteLength; i++) value[i] = (value[i] ?? 0) ^ (transaction[i - 4] ?? 0);
  return value;
}

/** IPv4 that came in through an IPv6 socket is IPv4; a zone is this machine's own matter. */
function plainAddress(address: string): string {
  return address.replace(/%.*$/, '').replace(/^::ffff:(?=\d+\.)/i, '');
}

function bytesOfIpv4(address: string): Buffer {
  return Buffer.from(address.split('.').map(Number));
}

function bytesOfIpv6(address: string): Buffer {
  const [left = '', right] = address.split('::');
  const groups = (text: string): string[] => (text === '' ? [] : text.split(':'));
  const [head, tail] = [groups(left), groups(right ?? '')];
  const zeros = Array.from({ length: IPV6_GROUPS - head.length - tail.length }, () => '0');
  const bytes = Buffer.alloc(2 * IPV6_GROUPS);
  for (const [i, group] of [...head, ...zeros, ...tail].entries())
    bytes.writeUInt16BE(Number.parseInt(group, 16), 2 * i);
  return bytes;
}

function message(type: number, transaction: Buffer, ...attributes: Buffer[]): Buffer {
  const body = Buffer.concat(attributes);
  const head = Buffer.alloc(4);
  head.writeUInt16BE(type, 0);
  head.writeUInt16BE(body.byteLength, 2);
  return Buffer.concat([head, transaction, body]);
}

function attribute(type: number, value: Buffer): Buffer {
  const bytes = Buffer.alloc(4 + padded(value.byteLength));
  bytes.writeUInt16BE(type, 0);
  bytes.writeUInt16BE(value.byteLength, 2);
  value.copy(bytes, 4);
  return bytes;
}

function padded(sizeBytes: number): number {
  return Math.ceil(sizeBytes / 4) * 4;
}

/** Answers binding requests at a UDP port of all addresses of this machine, until it is closed. */
export interface StunServer {
  port: number;
  close(): Promise<void>;
}

/** Opens it. @param port 0: any free one. Rejects with the system's error where the port cannot be had. */
export async function openStun(port: number): Promise<StunServer> {
  const socket = await bound(port);
  const rates = new Rates(BURST, PER_SEC, MAX_ADDRESSES);
  socket.on('message', (request: Buffer, sender: RemoteInfo) => {
    if (!rates.canTake(countedAddress(sender.address), performance.now())) return;
    const answer = stunAnswer(request, sender);
    // What cannot be sent is asked for again.
    if (answer) socket.send(answer, sender.port, sender.address, () => {});
  });
  socket.on('error', () => {});
  return {
    port: socket.address().port,
    async close() {
      const closed = once(socket, 'close');
      socket.close();
      await closed;
    },
  };
}

/** IPv6 and IPv4 alike, or IPv4 alone on machines without IPv6. */
async function bound(port: number): Promise<Socket> {
  try {
    return await boundAs('udp6', port);
  } catch (error) {
    if (codeOf(error) !== 'EAFNOSUPPORT') throw error;
    return await boundAs('udp4', port);
  }
}

async function boundAs(type: 'udp4' | 'udp6', port: number): Promise<Socket> {
  const socket = createSocket(type);
  try {
    const listening = once(socket, 'listening');
    socket.bind(port);
    await listening;
    return socket;
  } catch (error) {
    socket.close();
    throw error;
  }
}

/** The STUN server at this port under the name that a page was asked for by (its Host header); none for names that lead nobody else here. */
export function stunServerAt(host: string | undefined, port: number): IceServer[] {
  const name = /^(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9.-]+)(?::\d+)?$/.exec(host ?? '')?.[1] ?? '';
  const isOwn = name === '' || /^(localhost|127\.[\d.]+|\[::1\])$/i.test(name);
  return isOwn ? [] : [{ urls: `stun:${name}:${port}` }];
}
