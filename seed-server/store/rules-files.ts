import { areEqual, type Bytes } from '../../peer/bytes.ts';
import { MatineeError } from '../../peer/errors.ts';
import { openRules, type Rules } from '../../peer/manifest/rules.ts';
import { replaceFile, syncFolder } from './durable.ts';
import { fileBytes } from './quota.ts';
import { Recent } from './recent.ts';
import { idBytes, type Shelf } from './shelf.ts';

/** Rooms whose rules are kept in memory: everyone who joins is checked against them. The fullest have some 150 kB there. */
const MAX_KEPT = 200;

/** The host's rules of each room. Its caller sees to it that no two uses for one room overlap. */
export class RulesFiles {
  readonly #shelf: Shelf;
  /** Also that there are none. */
  readonly #kept = new Recent<{ rules: Rules | null }>(MAX_KEPT);

  constructor(shelf: Shelf) {
    this.#shelf = shelf;
  }

  /** A room's rules, verified; null where there are none. */
  async find(room: string): Promise<Rules | null> {
    const kept = this.#kept.get(room);
    if (kept) return kept.rules;
    const { crypto, files } = this.#shelf;
    const envelope = await files.readRules(room);
    const rules = envelope && (await openRules(crypto, idBytes(room), envelope));
    this.#kept.set(room, { rules });
    return rules;
  }

  /** Forgets what is in memory: the next time it is read anew. */
  forget(room: string): void {
    this.#kept.delete(room);
  }

  /** See Store.putRules; the room is there. */
  async put(room: string, envelope: Bytes): Promise<boolean> {
    const { crypto, files, quota } = this.#shelf;
    const rules = await openRules(crypto, idBytes(room), envelope);
    const stored = await files.readRules(room);
    if (stored && areEqual(stored, envelope)) {
      // A crash may have come between its rename and the sync.
      await syncFolder(this.#shelf.paths.room(room));
      return false;
    }
    const before = await this.find(room);
    if (before && before.number >= rules.number) throw stale();
    await quota.spend(room, envelope.byteLength, () => this.#save(room, envelope));
    this.#kept.set(room, { rules });
    return true;
  }

  /** Resolves with how many bytes more are stored. */
  async #save(room: string, envelope: Bytes): Promise<number> {
    const { paths } = this.#shelf;
    const oldBytes = await fileBytes(paths.rules(room));
    await replaceFile(paths.temporary, paths.rules(room), envelope);
    await syncFolder(paths.room(room));
    return envelope.byteLength - oldBytes;
  }
}

function stale(): MatineeError {
  return new MatineeError(
    'MANIFEST_STALE',
    'The host’s rules have changed meanwhile. Read them again and make this change to the newest.',
  );
}
