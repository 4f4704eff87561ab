import { canEncodeAudio, canEncodeVideo } from 'mediabunny';
import type { Abilities } from '../../../peer/host/package-plan.ts';

/** What this browser can encode; nothing where it has no WebCodecs, as on plain http. */
export async function machineAbilities(): Promise<Abilities> {
  const [encodesVideo, encodesAudio] = await Promise.all([
    canEncodeVideo('avc', { width: 1280, height: 720 }),
    canEncodeAudio('opus', { numberOfChannels: 2, sampleRate: 48_000 }),
  ]);
  return { encodesVideo, encodesAudio };
}

/** Loads the decoders of sound that no browser, or not every one, decodes: only where a file has such. */
export async function loadDecoders(codecs: ReadonlySet<string>): Promise<void> {
  if (codecs.has('ac3') || codecs.has('eac3')) (await import('@mediabunny/ac3')).registerAc3Decoder();
  if (codecs.has('dts')) (await import('@mediabunny/dts')).registerDtsDecoder();
}
