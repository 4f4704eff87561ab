import type { InputAudioTrack, InputTrack, InputVideoTrack } from 'mediabunny';
import { heightFactor } from './field-coded.ts';
import type { OpenOptions } from './package-options.ts';
import type { TrackFacts } from './package-plan.ts';

/** What ISO base media files call tracks that are encrypted: common encryption, and Apple's of old. */
const ENCRYPTED_IDS = ['encv', 'enca', 'drmi', 'drms', 'drmt', 'resv'];

/** What is known of the video and sound tracks of a file, in its order; other tracks are left out. */
export async function factsOf(
  tracks: readonly InputTrack[],
  { abilities, loadDecoders }: Pick<OpenOptions, 'abilities' | 'loadDecoders'>,
): Promise<TrackFacts[]> {
  const known = tracks.filter((track) => track.isVideoTrack() || track.isAudioTrack());
  const codecs = await Promise.all(known.map((track) => track.getCodec()));
  await loadDecoders(new Set(codecs.filter((codec) => codec !== null)));
  const facts: TrackFacts[] = [];
  for (const track of known) facts.push(await factsOfOne(track, abilities));
  return facts;
}

async function factsOfOne(
  track: InputVideoTrack | InputAudioTrack,
  { encodesVideo, encodesAudio }: OpenOptions['abilities'],
): Promise<TrackFacts> {
  const fileCodecId = String((await track.getInternalCodecId()) ?? 'unknown');
  const { default: isDefault } = await track.getDisposition();
  const isVideo = track.isVideoTrack();
  return {
    kind: isVideo ? 'video' : 'audio',
    codec: await track.getCodec(),
    codecString: await track.getCodecParameterString(),
    fileCodecId,
    language: await track.getLanguageCode(),
    title: await track.getName(),
    isDefault,
    isEncrypted: ENCRYPTED_IDS.includes(fileCodecId.toLowerCase()),
    // Asked only where it matters: Node has nothing to decode with.
    isDecodable: (isVideo ? encodesVideo : encodesAudio) && (await track.canDecode()),
    widthPx: isVideo ? await track.getDisplayWidth() : 0,
    heightPx: isVideo ? Math.round((await track.getDisplayHeight()) * (await heightFactor(track))) : 0,
  };
}
