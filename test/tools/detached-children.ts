import { signalGroup } from './process-group.ts';

// A detached child outlives its parent and hears no Ctrl-C of the terminal: it has to be taken along.
const groupIds = new Set<number>();
const endings = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;
const listeners = Object.entries(endings).map(([signal, code]) => ({
  signal,
  end: () => process.exit(code),
}));

/** From now on this process does not end without killing that group. */
export function takeAlong(groupId: number): void {
  if (groupIds.size === 0) listen();
  groupIds.add(groupId);
}

/** The group has ended by itself. */
export function leaveBehind(groupId: number): void {
  if (groupIds.delete(groupId) && groupIds.size === 0) stopListening();
}

function killAll(): void {
  for (const groupId of groupIds) signalGroup(groupId, 'SIGKILL');
}

function listen(): void {
  process.on('exit', killAll);
  for (const { signal, end } of listeners) process.on(signal, end);
}

function stopListening(): void {
  process.off('exit', killAll);
  for (const { signal, end } of listeners) process.off(signal, end);
}
