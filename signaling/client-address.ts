import type { IncomingMessage } from 'node:http';
import { BlockList, isIP, isIPv6 } from 'node:net';
import * as v from 'valibot';

/** Whether whoever connects from this address says truly for whom: a reverse proxy of ours. */
export type IsTrustedProxy = (address: string) => boolean;

/** The address that a request counts for: see `clientAddress`. */
export type AddressOf = (request: IncomingMessage) => string;

/** Nobody is believed: requests count for whoever is connected to us. */
export const NO_PROXIES: IsTrustedProxy = () => false;

const MAPPED_IPV4 = /^::ffff:(\d{1,3}(?:\.\d{1,3}){3})$/;
const IPV4_TAIL = /\d{1,3}(?:\.\d{1,3}){3}$/;
const IPV6_GROUPS = 8;

/** Groups of 16 bits in a /64: what a household or a server is given, so that one of them cannot count as many. */
const NETWORK_GROUPS = 4;

/** Schema: addresses, CIDR blocks and the word loopback, with commas or spaces between them; for `trustedProxies`. */
export const trustedProxiesText = v.pipe(
  v.string(),
  v.transform((text) => text.split(/[\s,]+/).filter((part) => part !== '')),
  v.check((parts) => parts.every((part) => proxyNetwork(part) !== null)),
);

/** Believes the proxies in this list of addresses, CIDR blocks and `loopback`; parts that are none of these are left out. */
export function trustedProxies(parts: readonly string[]): IsTrustedProxy {
  const list = new BlockList();
  const networks = parts.flatMap((part) => (part === 'loopback' ? ['127.0.0.0/8', '::1'] : [part]));
  for (const { address, prefix } of networks.map(proxyNetwork).filter((network) => network !== null)) {
    list.addSubnet(address, prefix, familyOf(address));
  }
  return (address) => isIP(address) !== 0 && list.check(address, familyOf(address));
}

/**
 * The address that a request comes from, IPv4 or the /64 of IPv6, to count by. X-Forwarded-For is read from its end,
 * where each proxy writes whom it serves, and only as far as those who wrote it are trusted: the rest anybody can make up.
 */
export function clientAddress(isTrusted: IsTrustedProxy): AddressOf {
  return ({ socket, headers }) => {
    let address = plainAddress(socket.remoteAddress ?? '');
    const forwarded = String(headers['x-forwarded-for'] ?? '').split(',');
    while (isTrusted(address)) {
      const before = plainAddress(forwarded.pop()?.trim() ?? '');
      if (isIP(before) === 0) break;
      address = before;
    }
    return countedAddress(address);
  };
}

/** An address as it is counted: IPv4 whole, IPv6 by its /64. */
export function countedAddress(address: string): string {
  const plain = plainAddress(address);
  return isIPv6(plain) ? `${networkOf(plain)}::/64` : plain;
}

/** Without a zone, in lower case, and as IPv4 where it is one in IPv6's clothes. */
function plainAddress(address: string): string {
  const [bare = ''] = address.toLowerCase().split('%', 1);
  return MAPPED_IPV4.exec(bare)?.[1] ?? bare;
}

function networkOf(address: string): string {
  const [left = '', right = ''] = address.split('::');
  const [head, tail] = [groupsOf(left), groupsOf(right)];
  const zeros = Array.from({ length: IPV6_GROUPS - head.length - tail.length }, () => '0');
  const network = [...head, ...zeros, ...tail].slice(0, NETWORK_GROUPS);
  return network.map((group) => Number.parseInt(group, 16).toString(16)).join(':');
}

function groupsOf(text: string): string[] {
  return text === '' ? [] : text.replace(IPV4_TAIL, '0:0').split(':');
}

function proxyNetwork(part: string): { address: string; prefix: number } | null {
  if (part === 'loopback') return { address: '::1', prefix: 128 };
  const [address = '', prefixText, ...more] = part.split('/');
  const bits = { 0: 0, 4: 32, 6: 128 }[isIP(address)] ?? 0;
  const isPrefix = prefixText === undefined || (/^\d{1,3}$/.test(prefixText) && Number(prefixText) <= bits);
  if (bits === 0 || !isPrefix || more.length > 0) return null;
  return { address, prefix: prefixText === undefined ? bits : Number(prefixText) };
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIPv6(address) ? 'ipv6' : 'ipv4';
}
