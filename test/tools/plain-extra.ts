import { decodeExtra, type Extra } from '../../peer/extras/extra.ts';

/** The extra that a segment's plaintext is; null where it is a part of the film. */
export function plainExtra(plaintext: Uint8Array): Extra | null {
  try {
    return decodeExtra(plaintext);
  } catch {
    return null;
  }
}
