const NAMES: Record<string, string> = {
  avc: 'H.264',
  hevc: 'H.265 (HEVC)',
  vp8: 'VP8',
  vp9: 'VP9',
  av1: 'AV1',
  prores: 'ProRes',
  aac: 'AAC',
  opus: 'Opus',
  flac: 'FLAC',
  mp3: 'MP3',
  vorbis: 'Vorbis',
  ac3: 'AC-3 (Dolby Digital)',
  eac3: 'E-AC-3 (Dolby Digital Plus)',
  dts: 'DTS',
};

/** Codecs the reader has no name for, by what files call them: Matroska's CodecID or the sample entry of MP4. */
const FILE_NAMES: Record<string, string> = {
  A_TRUEHD: 'Dolby TrueHD',
  A_MLP: 'MLP',
  mlpa: 'Dolby TrueHD',
  'ac-4': 'AC-4',
  'V_MPEG4/ISO/ASP': 'MPEG-4 Part 2 (DivX, Xvid)',
  V_MPEG2: 'MPEG-2',
  V_MPEG1: 'MPEG-1',
  'V_MS/VFW/FOURCC': 'an old Windows codec',
  'V_REAL/RV40': 'RealVideo',
  V_THEORA: 'Theora',
  V_MJPEG: 'Motion JPEG',
  jpeg: 'Motion JPEG',
  mjpa: 'Motion JPEG',
  s263: 'H.263',
  h263: 'H.263',
  'A_MPEG/L2': 'MP2',
  'A_MPEG/L1': 'MP1',
  A_ALAC: 'ALAC (Apple Lossless)',
  alac: 'ALAC (Apple Lossless)',
  samr: 'AMR',
  sawb: 'AMR',
  mp4v: 'MPEG-4 Part 2 (DivX, Xvid)',
  SVQ3: 'Sorenson Video 3',
  '2': 'MPEG-2',
  '1': 'MPEG-1',
  '16': 'MPEG-4 Part 2',
};

/** What we ourselves call codecs of which the reader says nothing: unlisted-tracks.ts. */
const UNLISTED_NAMES = [
  'MPEG-1',
  'MPEG-2',
  'MPEG-4 Part 2',
  'H.266 (VVC)',
  'AVS',
  'AVS2',
  'VC-1',
  'Theora',
  'Dirac',
  'AAC',
  'AAC (LATM)',
  'Dolby TrueHD',
  'FLAC',
  'Speex',
  'sound of an unnamed kind',
];

/** A codec's name for people, from its short name or, where that is null, from what the file calls it. */
export function codecName(codec: string | null, fileCodecId: string | null): string {
  if (codec !== null) return NAMES[codec] ?? (codec.startsWith('pcm') ? 'PCM' : codec);
  const id = fileCodecId ?? 'unknown';
  return FILE_NAMES[id] ?? (UNLISTED_NAMES.includes(id) ? id : `“${id}”`);
}

/** The same, with the exact variant where only that variant is the trouble. */
export function variantName(
  codec: string | null,
  codecString: string | null,
  fileCodecId: string | null,
): string {
  const name = codecName(codec, fileCodecId);
  return codec === 'avc' || codec === 'aac' ? `a rare kind of ${name} (${codecString ?? 'unknown'})` : name;
}
