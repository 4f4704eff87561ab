import * as v from 'valibot';
import { type Bytes, concat, utf8 } from './bytes.ts';
import { count, decodeCbor, encodeCbor } from './cbor.ts';
import type { Crypto } from './crypto/crypto.ts';
import { MAX_DURATION_MS } from './limits.ts';
import { plainTitle } from './plain-title.ts';

const MAX_TITLE_CHARS = 200;

/** Characters of a title in a room's list of videos, and bytes of it sealed: three for each, and the seal. */
const MAX_LISTED_TITLE_CHARS = 120;
export const MAX_SEALED_TITLE_BYTES = 400;

const videoInfo = v.strictObject({
  title: v.pipe(v.string(), v.maxLength(MAX_TITLE_CHARS)),
  mime: v.pipe(v.string(), v.maxLength(200), v.startsWith('video/')),
  durationMs: count(MAX_DURATION_MS),
  widthPx: count(65535),
  heightPx: count(65535),
  hasAudio: v.boolean(),
  sourceBytes: count(Number.MAX_SAFE_INTEGER),
});

/** What viewers are told of a video before its first piece. Travels sealed: the servers cannot read it. */
export type VideoInfo = v.InferOutput<typeof videoInfo>;

/** The description sealed with the video's info key and bound to the video's id. */
export async function sealInfo(
  crypto: Crypto,
  infoKey: Bytes,
  videoId: Bytes,
  info: VideoInfo,
): Promise<Bytes> {
  const title = plainTitle(info.title, MAX_TITLE_CHARS);
  return crypto.seal(infoKey, encodeCbor({ ...info, title }), videoId);
}

/** @throws MatineeError SEAL_BROKEN, or MANIFEST_MALFORMED where the host sealed nonsense. */
export async function openInfo(
  crypto: Crypto,
  infoKey: Bytes,
  videoId: Bytes,
  sealed: Bytes,
): Promise<VideoInfo> {
  const plain = await crypto.open(infoKey, sealed, videoId);
  const info = decodeCbor(videoInfo, plain, 'MANIFEST_MALFORMED', 'video description');
  return { ...info, title: plainTitle(info.title) };
}

/** The title for the room's list of videos, sealed with the video's info key and bound to the video's id and this use. */
export async function sealTitle(
  crypto: Crypto,
  infoKey: Bytes,
  videoId: Bytes,
  title: string,
): Promise<Bytes> {
  return crypto.seal(infoKey, utf8(plainTitle(title, MAX_LISTED_TITLE_CHARS)), titleContext(videoId));
}

/** @throws MatineeError SEAL_BROKEN. */
export async function openTitle(
  crypto: Crypto,
  infoKey: Bytes,
  videoId: Bytes,
  sealed: Bytes,
): Promise<string> {
  return plainTitle(new TextDecoder().decode(await crypto.open(infoKey, sealed, titleContext(videoId))));
}

function titleContext(videoId: Bytes): Bytes {
  return concat(videoId, utf8(' title'));
}
