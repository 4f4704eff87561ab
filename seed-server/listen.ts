import type { AddressInfo } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { StartError } from './start-error.ts';
import { codeOf } from './store/durable.ts';

/** All addresses, IPv6 and (as Node sets it up) IPv4 alike; and those of machines without IPv6. */
const ANY_ADDRESSES = ['::', '0.0.0.0'];
const NO_IPV6 = ['EAFNOSUPPORT', 'EADDRNOTAVAIL'];

/** Where a server can be reached. */
export interface OpenAt {
  host: string;
  port: number;
}

/**
 * Starts listening. Resolves with where this machine itself reaches it: localhost where it listens on all addresses.
 * @param host null: all addresses.
 * @throws StartError where the address cannot be had.
 */
export async function listen(app: FastifyInstance, host: string | null, port: number): Promise<OpenAt> {
  try {
    await listenOnFirst(app, host === null ? ANY_ADDRESSES : [host], port);
  } catch (error) {
    throw cannotListen(error, host, port);
  }
  const isAny = host === null || ANY_ADDRESSES.includes(host);
  return { host: isAny ? 'localhost' : host, port: (app.server.address() as AddressInfo).port };
}

/** The address as URLs have it. */
export function authority({ host, port }: OpenAt): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

async function listenOnFirst(app: FastifyInstance, hosts: readonly string[], port: number): Promise<void> {
  const [host = '', ...others] = hosts;
  try {
    await app.listen({ host, port });
  } catch (error) {
    if (others.length === 0 || !NO_IPV6.includes(codeOf(error) ?? '')) throw error;
    await listenOnFirst(app, others, port);
  }
}

function cannotListen(error: unknown, host: string | null, port: number): StartError {
  const sentences: Record<string, string> = {
    EADDRINUSE: `Port ${port} is in use already. Set PORT to another one, or stop what uses it.`,
    EACCES: `Port ${port} needs rights that this user lacks. Set PORT to one above 1023.`,
    EADDRNOTAVAIL: `This machine has no address ${host}. Set HOST to one it has, or leave it unset.`,
    ENOTFOUND: `There is no address for ${host}. Set HOST to one of this machine's, or leave it unset.`,
  };
  const sentence = sentences[codeOf(error) ?? ''] ?? `Cannot listen on port ${port}: ${String(error)}.`;
  return new StartError(sentence, { cause: error });
}
