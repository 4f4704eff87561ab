import type { TrackFacts } from './package-plan.ts';
import { readHead, type VideoSource } from './package-source.ts';
import { hasSoundPackets, TABLES_WITHIN_BYTES, transportStreams } from './transport-tables.ts';

type Unlisted = Pick<TrackFacts, 'kind' | 'fileCodecId'>;

/** Kinds of streams in MPEG-TS of which mediabunny (1.61) says nothing, and how they are called. */
const TRANSPORT: Readonly<Record<number, Unlisted>> = {
  1: { kind: 'video', fileCodecId: 'MPEG-1' },
  2: { kind: 'video', fileCodecId: 'MPEG-2' },
  16: { kind: 'video', fileCodecId: 'MPEG-4 Part 2' },
  51: { kind: 'video', fileCodecId: 'H.266 (VVC)' },
  66: { kind: 'video', fileCodecId: 'AVS' },
  210: { kind: 'video', fileCodecId: 'AVS2' },
  234: { kind: 'video', fileCodecId: 'VC-1' },
  17: { kind: 'audio', fileCodecId: 'AAC (LATM)' },
  28: { kind: 'audio', fileCodecId: 'AAC' },
  131: { kind: 'audio', fileCodecId: 'Dolby TrueHD' },
};

/** What is sent as sound and called by no table. */
const UNNAMED_SOUND: Unlisted = { kind: 'audio', fileCodecId: 'sound of an unnamed kind' };

/** How streams in Ogg begin of which it says nothing. */
const OGG: readonly (Unlisted & { head: string })[] = [
  { head: '\x80theora', kind: 'video', fileCodecId: 'Theora' },
  { head: 'BBCD\0', kind: 'video', fileCodecId: 'Dirac' },
  { head: '\x7fFLAC', kind: 'audio', fileCodecId: 'FLAC' },
  { head: 'Speex   ', kind: 'audio', fileCodecId: 'Speex' },
];

/** Enough to see what kind of file it is; all streams in Ogg begin before the first one goes on. */
const HEAD_BYTES = 4096;

/**
 * Pictures and sound that a file has and its reader does not list, for not knowing their codec; of a kind of which it lists any, none. What has
 * such a picture is no sound alone, and what has such a sound is not silent.
 * @throws MatineeError FILE_UNREADABLE.
 */
export async function unlistedTracks(
  source: VideoSource,
  listed: readonly TrackFacts[],
): Promise<TrackFacts[]> {
  const isListed = (kind: TrackFacts['kind']): boolean => listed.some((track) => track.kind === kind);
  if (isListed('video') && isListed('audio')) return [];
  const head = await readHead(source, HEAD_BYTES);
  const found = transportStreams(head) ? await inTransport(source) : inOgg(head);
  return found.filter(({ kind }) => !isListed(kind)).map(factsOf);
}

async function inTransport(source: VideoSource): Promise<Unlisted[]> {
  const head = await readHead(source, TABLES_WITHIN_BYTES);
  const found = (transportStreams(head) ?? []).flatMap(({ kind }) => TRANSPORT[kind ?? 0] ?? []);
  const isNamed = found.some(({ kind }) => kind === 'audio');
  // ffmpeg's M2TS has AAC as private data.
  return isNamed || !hasSoundPackets(head) ? found : [...found, UNNAMED_SOUND];
}

function inOgg(head: Uint8Array): Unlisted[] {
  const text = String.fromCharCode(...head);
  if (!text.startsWith('OggS')) return [];
  return OGG.filter(({ head: begin }) => text.includes(begin));
}

function factsOf({ kind, fileCodecId }: Unlisted): TrackFacts {
  return {
    kind,
    codec: null,
    codecString: null,
    fileCodecId,
    language: 'und',
    title: null,
    isDefault: true,
    isEncrypted: false,
    isDecodable: false,
    widthPx: 0,
    heightPx: 0,
  };
}
