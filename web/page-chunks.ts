/** What is asked of a module here. */
interface Modules {
  getModuleInfo(id: string): { importedIds: readonly string[] } | null;
}

/** What takes part in a room is needed by a host's page that gives, too. */
const MEMBER = /[\\/](peer|signaling|member|node_modules)[\\/]/;

/** The pages' own modules, which stay what they are. */
const PAGE = /\.html$|[\\/]main\.ts$/;

/** What runs before the room page's own script (early-script.ts). */
const EARLY = /[\\/]early-socket\.ts$/;

/**
 * A few files for all that the room's page needs before the first picture, as groups of rolldown's `codeSplitting`. Left to itself it cuts that
 * in some twenty, by which part that comes later uses it too, and each costs a request.
 */
export function pageChunks(home: string, room: string) {
  let ids: { home: Set<string>; room: Set<string> } | null = null;
  const isNeeded = (id: string, modules: Modules): { home: boolean; room: boolean } => {
    ids ??= { home: neededAtOnce(home, modules), room: neededAtOnce(room, modules) };
    return { home: ids.home.has(id), room: ids.room.has(id) };
  };
  const group = (chunk: string, priority: number, isIn: (id: string, isOfHome: boolean) => boolean) => ({
    priority,
    name(id: string, modules: Modules): string | null {
      const { home, room } = isNeeded(id, modules);
      return room && isIn(id, home) ? chunk : null;
    },
  });
  return [
    // Else it would come with what imports it, after all the rest.
    group('early-socket', 4, (id) => EARLY.test(id)),
    group('shared', 3, (_, isOfHome) => isOfHome),
    group('member', 2, (id) => MEMBER.test(id)),
    group('room-parts', 1, (id) => !PAGE.test(id)),
  ];
}

/** A page's own module, and all that it imports but by import(). */
function neededAtOnce(page: string, modules: Modules): Set<string> {
  const found = new Set([page]);
  for (const id of found)
    for (const imported of modules.getModuleInfo(id)?.importedIds ?? []) found.add(imported);
  return found;
}
