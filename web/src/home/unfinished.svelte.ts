import { systemClock } from '../../../peer/clock.ts';
import { asMatineeError } from '../../../peer/errors.ts';
import { KEPT_FOR_MS } from '../../../peer/host/upload-journal.ts';
import { type ChosenFile, openHandle } from './file-handle.ts';
import type { Hosting } from './hosting.svelte.ts';
import { forgetUpload, listUploads, type UploadInList } from './kept-uploads.ts';
import { texts } from './texts.ts';
import { LETS_GO_WITHIN_MS, untilIdle } from './upload-lock.ts';

/** Uploads that stopped half-way, as a page shows them: those under way in some tab are not among them. */
export class Unfinished {
  readonly #isOurs: (upload: UploadInList) => boolean;
  #watching = new AbortController();

  list: UploadInList[] = $state.raw([]);
  /** What went wrong last, in a sentence. */
  problem: string | null = $state(null);

  /** @param isOurs which are shown here. */
  constructor(isOurs: (upload: UploadInList) => boolean) {
    this.#isOurs = isOurs;
  }

  /** Looks which there are now, and goes on looking until those under way have ended. Never rejects. */
  async refresh(): Promise<void> {
    this.#watching.abort();
    this.#watching = new AbortController();
    const { signal } = this.#watching;
    // A browser without a database, or that refuses it, has nothing kept.
    const kept = (await listUploads().catch(() => [])).filter(this.#isOurs);
    if (signal.aborted) return;
    // What is shown stays while it is looked at again: a file may just be on its way into its input.
    this.list = this.list.filter(({ id }) => kept.some((one) => one.id === id));
    for (const { id } of kept) void this.#look(id, signal);
  }

  /** The one whose file this is by its name, size and date; null where there is none. */
  find({ file }: ChosenFile): UploadInList | null {
    return (
      this.list.find(
        ({ facts }) =>
          facts.file.name === file.name &&
          facts.file.sizeBytes === file.size &&
          facts.modifiedAtMs === file.lastModified,
      ) ?? null
    );
  }

  /** Its file, by the handle that is kept; null where the person has to choose it. `mayAsk`: in answer to a click. */
  async open({ facts: { handle } }: UploadInList, mayAsk: boolean): Promise<ChosenFile | null> {
    const file = handle && (await openHandle(handle, mayAsk));
    return file ? { file, handle, subtitles: [] } : null;
  }

  /** Goes on with it here, where nothing else is on its way: then it has not stopped any more, until it does again. */
  goOn(hosting: Hosting, { id }: UploadInList, chosen: ChosenFile): void {
    if (hosting.isBusy) return;
    this.#hide(id);
    hosting.goOn(id, chosen);
  }

  /** Forgets it, and removes its room from the server. */
  async giveUp({ id, record }: UploadInList): Promise<void> {
    this.problem = null;
    try {
      const { giveUpUpload } = await import('./give-up-upload.ts');
      await giveUpUpload(record);
      await forgetUpload(id);
      this.#hide(id);
    } catch (error) {
      this.problem = texts.errorText(asMatineeError(error, 'INTERNAL', texts.broken));
    }
  }

  close(): void {
    this.#watching.abort();
  }

  /** Shows it once it is under way nowhere; until then not, unless it has only just stopped. */
  async #look(id: string, signal: AbortSignal): Promise<void> {
    const stopHiding = systemClock.after(LETS_GO_WITHIN_MS, () => this.#hide(id));
    // Not where it is looked for anew, or nobody looks any more.
    const isIdle = await untilIdle(id, signal).then(
      () => true,
      () => false,
    );
    stopHiding();
    if (isIdle) await this.#show(id, signal);
  }

  /** It has ended meanwhile, or stopped: then it is read anew, for it went on since. */
  async #show(id: string, signal: AbortSignal): Promise<void> {
    const upload = (await listUploads().catch(() => [])).find((one) => one.id === id);
    if (signal.aborted) return;
    const isDone = !upload || (await isOver(upload));
    // What cannot be forgotten now is at the next look.
    if (upload && isDone) await forgetUpload(id).catch(() => undefined);
    if (signal.aborted) return;
    if (isDone) this.#hide(id);
    else if (this.list.every((one) => one.id !== id)) this.list = [...this.list, upload];
    else this.list = this.list.map((one) => (one.id === id ? upload : one));
  }

  #hide(id: string): void {
    this.list = this.list.filter((upload) => upload.id !== id);
  }
}

/** Whether nobody will go on with it: it lies here too long already, or its room is gone. */
async function isOver({ notedAtMs, listedMs, record }: UploadInList): Promise<boolean> {
  if (systemClock.wallMs() - notedAtMs > KEPT_FOR_MS) return true;
  // Before anything was listed its room may be still to be made.
  if (listedMs === 0) return false;
  const loaded = await import('./room-gone.ts').catch(() => null);
  return loaded !== null && (await loaded.isRoomGone(record.room));
}
