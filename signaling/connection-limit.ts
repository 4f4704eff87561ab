import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { countedAddress, type IsTrustedProxy } from './client-address.ts';

/** HTTP connections at once. */
export interface ConnectionLimits {
  perAddress: number;
  inAll: number;
}

/**
 * A browser opens six, so this is for forty behind one NAT. Each is a file handle and up to some 300 kB while a segment
 * is sent, so all together take 1.2 GB at the very worst.
 */
export const CONNECTION_LIMITS: ConnectionLimits = { perAddress: 256, inAll: 4096 };

/**
 * Cuts HTTP connections beyond these before anything of them is read. Those that become WebSockets count no longer:
 * signaling has limits of its own. A trusted proxy may open as many as fit in all: it speaks for many.
 */
export function limitConnections(server: Server, isTrusted: IsTrustedProxy, limits: ConnectionLimits): void {
  const counts = new Map<string, number>();
  /** By both ends' port: over TLS an upgrade comes with another socket than the connection did. */
  const addresses = new Map<string, string>();
  const release = (name: string): void => {
    const address = addresses.get(name);
    if (address === undefined) return;
    addresses.delete(name);
    const left = (counts.get(address) ?? 0) - 1;
    if (left > 0) counts.set(address, left);
    else counts.delete(address);
  };
  server.on('connection', (socket: Socket) => {
    const { remoteAddress = '' } = socket;
    const address = countedAddress(remoteAddress);
    const openCount = counts.get(address) ?? 0;
    const hasPlace = isTrusted(remoteAddress) || openCount < limits.perAddress;
    if (!hasPlace || addresses.size >= limits.inAll) return void socket.destroy();
    counts.set(address, openCount + 1);
    const name = nameOf(socket);
    addresses.set(name, address);
    socket.once('close', () => release(name));
  });
  server.on('upgrade', ({ socket }) => release(nameOf(socket)));
}

function nameOf({ remoteAddress, remotePort, localPort }: Socket): string {
  return `${remoteAddress} ${remotePort} ${localPort}`;
}
