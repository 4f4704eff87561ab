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
  const addresses = new Map<object, string>();
  const release = (socket: object): void => {
    const address = addresses.get(socket);
    if (address === undefined) return;
    addresses.delete(socket);
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
    addresses.set(socket, address);
    socket.once('close', () => release(socket));
  });
  server.on('upgrade', (_request, socket) => release(socket));
}
