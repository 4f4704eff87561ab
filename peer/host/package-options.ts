import { type Abilities, NO_WISHES, type PackagingWishes } from './package-plan.ts';

/** What may be used of the machine, and what the host chose. */
export interface OpenOptions {
  abilities: Abilities;
  wishes: PackagingWishes;
  /** Called with the codecs of the file before it is asked what can be decoded, for those that need a decoder of their own. */
  loadDecoders(codecs: ReadonlySet<string>): Promise<void>;
}

/** Copies only: Node has no WebCodecs. */
export const COPY_ONLY: OpenOptions = {
  abilities: { encodesVideo: false, encodesAudio: false },
  wishes: NO_WISHES,
  loadDecoders: async () => undefined,
};
