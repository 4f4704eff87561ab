import { areEqual, type Bytes } from '../../peer/bytes.ts';
import type { Crypto } from '../../peer/crypto/crypto.ts';
import { MatineeError } from '../../peer/errors.ts';
import { doesContinue, type ManifestHead, openHead } from '../../peer/manifest/head.ts';
import type { Manifest } from '../../peer/manifest/manifest.ts';
import type { ManifestUpdate } from '../../peer/manifest/manifest-writer.ts';

/**
 * Takes an update into a manifest. Resolves with whether it brought something new. Where it rejects, the
 * manifest may have changed halfway: if its envelope did, throw it away.
 * @throws MatineeError MANIFEST_MALFORMED, SIGNATURE_WRONG, or MANIFEST_STALE where it does not continue the manifest.
 */
export async function adoptUpdate(
  crypto: Crypto,
  room: Bytes,
  video: Bytes,
  manifest: Manifest,
  update: ManifestUpdate,
): Promise<boolean> {
  const next = await openHead(crypto, room, update.head);
  mustBeOf(video, next);
  if (manifest.head && !doesContinue(manifest.head, next)) throw stale();
  if (!(await manifest.adoptHead(update.head))) return false;
  for (const page of update.pages) await manifest.adoptPage(page);
  if (next.pages.every((page) => manifest.hasPage(page))) return true;
  throw malformed('A page that this manifest names is missing. Send all pages that changed along with it.');
}

function mustBeOf(video: Bytes, head: ManifestHead): void {
  if (!areEqual(head.video, video))
    throw malformed('This manifest is of another video than its address says.');
}

function malformed(message: string): MatineeError {
  return new MatineeError('MANIFEST_MALFORMED', message);
}

function stale(): MatineeError {
  return new MatineeError(
    'MANIFEST_STALE',
    'This manifest does not continue the one that is stored. Make a new room for another version.',
  );
}
