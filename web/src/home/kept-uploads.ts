import type { Bytes } from '../../../peer/bytes.ts';
import type { Clock } from '../../../peer/clock.ts';
import type { FileIdentity } from '../../../peer/host/file-identity.ts';
import type { KeptUpload, UploadJournal, UploadRecord } from '../../../peer/host/upload-journal.ts';
import type { SegmentEntry } from '../../../peer/manifest/page.ts';
import type { HostChoices } from './host-messages.ts';

/**
 * Uploads that are under way, or stopped half-way, in the browser's database: what is needed to go on with them. Written by
 * the host's worker, read by any home page.
 */

const DATABASE = 'matinee.uploads';
const UPLOADS = 'uploads';
const BATCHES = 'batches';

/** What an upload is recognised by and shown with. */
export interface UploadFacts {
  title: string;
  durationMs: number;
  file: FileIdentity;
  /** Milliseconds since 1970, as the file system says. */
  modifiedAtMs: number;
  /** Opens the file again where the browser has such handles; null: the person has to choose it. */
  handle: FileSystemFileHandle | null;
  /** What the host chose, but for the server's password. */
  choices: Partial<Omit<HostChoices, 'hostPassword' | 'roomPassword'>>;
  /** The subtitles that were dropped beside the video, as extras; left out: none. */
  subtitles?: readonly Bytes[];
}

export interface StoredUpload {
  /** The same as long as it goes on under the same key. */
  readonly id: string;
  readonly record: UploadRecord;
  readonly facts: UploadFacts;
}

/** One upload as a list shows it. */
export interface UploadInList extends StoredUpload {
  /** How much of the film was signed, milliseconds. */
  readonly listedMs: number;
  /** When something was noted of it last, milliseconds since 1970. */
  readonly notedAtMs: number;
}

interface Batch {
  id: string;
  firstSegment: number;
  entries: readonly SegmentEntry[];
  /** By number, as in a KeptUpload; left out: none. */
  extras?: ReadonlyMap<number, Bytes>;
  /** Milliseconds since 1970; left out by pages from before this was noted. */
  notedAtMs?: number;
}

/** All that are kept, finished ones not among them. Rejects where the browser refuses its database. */
export async function listUploads(): Promise<UploadInList[]> {
  return await withDatabase(async (database) => {
    const uploads: StoredUpload[] = await all(database, UPLOADS);
    return await Promise.all(
      uploads.map(async (upload) => {
        const batches = await batchesOf(database, upload.id);
        const notedAtMs = batches.at(-1)?.notedAtMs ?? upload.record.createdAtMs;
        return { ...upload, listedMs: listedMs(batches), notedAtMs };
      }),
    );
  });
}

/** One of them with all that was signed; null where it is not there (any more). */
export async function readUpload(id: string): Promise<{ stored: StoredUpload; kept: KeptUpload } | null> {
  return await withDatabase(async (database) => {
    const stored: StoredUpload | undefined = await done(read(database, UPLOADS).get(id));
    if (!stored) return null;
    const batches = await batchesOf(database, id);
    const entries = batches.flatMap((batch) => batch.entries);
    const confirmedCount = entries.length - (batches.at(-1)?.entries.length ?? 0);
    const extras = new Map(batches.flatMap((batch) => [...(batch.extras ?? [])]));
    return { stored, kept: { ...stored.record, entries, confirmedCount, extras } };
  });
}

/** Forgets an upload. */
export async function forgetUpload(id: string): Promise<void> {
  await withDatabase((database) => write(database, (stores) => remove(stores, id)));
}

/** The journal of one upload. `onBegin` is told its id before anything is kept under it. */
export class DatabaseJournal implements UploadJournal {
  readonly #facts: UploadFacts;
  readonly #idOf: (record: UploadRecord) => string;
  readonly #onBegin: (id: string) => Promise<void>;
  readonly #clock: Pick<Clock, 'wallMs'>;
  #id: string | null;

  /** @param id the upload it goes on with; null: a new one. */
  constructor(
    facts: UploadFacts,
    id: string | null,
    idOf: (record: UploadRecord) => string,
    onBegin: (id: string) => Promise<void>,
    clock: Pick<Clock, 'wallMs'>,
  ) {
    this.#clock = clock;
    this.#facts = facts;
    this.#id = id;
    this.#idOf = idOf;
    this.#onBegin = onBegin;
  }

  async begin(record: UploadRecord): Promise<void> {
    const [before, id] = [this.#id, this.#idOf(record)];
    await this.#onBegin(id);
    this.#id = id;
    await withDatabase((database) =>
      write(database, (stores) => {
        if (before !== null) remove(stores, before);
        stores.uploads.put({ id, record, facts: this.#facts } satisfies StoredUpload);
      }),
    );
  }

  async list(
    firstSegment: number,
    entries: readonly SegmentEntry[],
    extras: ReadonlyMap<number, Bytes>,
  ): Promise<void> {
    const id = this.#id;
    if (id === null) return;
    const notedAtMs = this.#clock.wallMs();
    await withDatabase((database) =>
      write(database, (stores) => {
        stores.batches.put({ id, firstSegment, entries, extras, notedAtMs } satisfies Batch);
      }),
    );
  }

  async end(): Promise<void> {
    if (this.#id !== null) await forgetUpload(this.#id);
    this.#id = null;
  }
}

interface Stores {
  uploads: IDBObjectStore;
  batches: IDBObjectStore;
}

async function withDatabase<T>(task: (database: IDBDatabase) => Promise<T>): Promise<T> {
  const database = await openDatabase();
  try {
    return await task(database);
  } finally {
    database.close();
  }
}

async function openDatabase(): Promise<IDBDatabase> {
  const request = indexedDB.open(DATABASE, 1);
  request.onupgradeneeded = () => {
    request.result.createObjectStore(UPLOADS, { keyPath: 'id' });
    request.result.createObjectStore(BATCHES, { keyPath: ['id', 'firstSegment'] });
  };
  return await done(request);
}

/** Resolves once it is on disk, not only on its way: what was noted must outlive a crash of the machine too. */
async function write(database: IDBDatabase, change: (stores: Stores) => void): Promise<void> {
  const transaction = database.transaction([UPLOADS, BATCHES], 'readwrite', { durability: 'strict' });
  const finished = new Promise<void>((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(transaction.error);
  });
  change({ uploads: transaction.objectStore(UPLOADS), batches: transaction.objectStore(BATCHES) });
  await finished;
}

function remove({ uploads, batches }: Stores, id: string): void {
  uploads.delete(id);
  batches.delete(rangeOf(id));
}

/** In order of their first segments. */
function batchesOf(database: IDBDatabase, id: string): Promise<Batch[]> {
  return done(read(database, BATCHES).getAll(rangeOf(id)));
}

function all<T>(database: IDBDatabase, store: string): Promise<T[]> {
  return done(read(database, store).getAll());
}

function read(database: IDBDatabase, store: string): IDBObjectStore {
  return database.transaction(store).objectStore(store);
}

function rangeOf(id: string): IDBKeyRange {
  return IDBKeyRange.bound([id, 0], [id, Number.POSITIVE_INFINITY]);
}

function listedMs(batches: readonly Batch[]): number {
  const last = batches.at(-1)?.entries.at(-1);
  return last ? last.startMs + last.durationMs : 0;
}

function done<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
