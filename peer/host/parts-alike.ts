import type { InputAudioTrack, InputVideoTrack } from 'mediabunny';
import { MatineeError } from '../errors.ts';
import { codecName } from './codec-names.ts';
import { CONVERT_IT, type PackagingPlan } from './package-plan.ts';

/** The picture and the sound that are taken of a recording, or of a part of it. */
export interface TakenTracks {
  video: InputVideoTrack | null;
  audio: InputAudioTrack | null;
}

/** What a decoder is told once, at the beginning, in words. */
interface Kind {
  video: string | null;
  audio: string | null;
}

/**
 * Looks whether a part that a recording goes on with is of the kind that it begins with, as far as its decoders are told only once. A size of pictures is
 * told with each key frame. Where there is no sound in it, none is heard.
 * @throws MatineeError CODEC_UNSUPPORTED where it is of another.
 */
export async function mustBeAlike(
  beginning: TakenTracks,
  later: TakenTracks,
  plan: PackagingPlan,
): Promise<void> {
  const [first, next] = [await kindOf(beginning, plan), await kindOf(later, plan)];
  const hasSameSound = next.audio === null || next.audio === first.audio;
  if (next.video === first.video && hasSameSound) return;
  throw unlike(first, said(next));
}

/** The error for a part in which there is something that cannot be understood, as where the codec changes. */
export async function partUnlikeError(
  beginning: TakenTracks,
  plan: PackagingPlan,
  cause: unknown,
): Promise<MatineeError> {
  return unlike(await kindOf(beginning, plan), 'something else', cause);
}

function unlike(first: Kind, rest: string, cause?: unknown): MatineeError {
  return new MatineeError(
    'CODEC_UNSUPPORTED',
    `This recording was put together of several that are not alike: it begins with ${said(first)}, and goes on with ${rest}. A room plays one kind to the end. ${CONVERT_IT}`,
    { cause },
  );
}

async function kindOf({ video, audio }: TakenTracks, plan: PackagingPlan): Promise<Kind> {
  return {
    video: video && codecName(await video.getCodec(), null),
    audio: audio && (await soundKind(audio, plan.audio?.how === 'copy')),
  };
}

/** What is decoded here may change its rate. */
async function soundKind(track: InputAudioTrack, isCopied: boolean): Promise<string> {
  const name = codecName(await track.getCodec(), null);
  if (!isCopied) return name;
  const channels = await track.getNumberOfChannels();
  return `${name} (${(await track.getSampleRate()) / 1000} kHz, ${channels} channel${channels === 1 ? '' : 's'})`;
}

function said({ video, audio }: Kind): string {
  return [video ?? 'no picture that is known here', audio ?? 'no sound'].join(' and ');
}
