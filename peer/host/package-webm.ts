import { NullTarget, Output, WebMOutputFormat } from 'mediabunny';
import type { Cut } from './package-cut.ts';
import { interleaved, type TrackSetups, type WrittenSegment } from './package-tracks.ts';
import { endedCluster } from './webm-cluster.ts';

/**
 * Writes a cut as WebM: its init segment (EBML header, the Segment's head with Tracks) and clusters, as the WebM byte stream of
 * Media Source Extensions wants it. A fresh file per segment and the same bytes each time, as in package-mp4.ts.
 */
export async function writeWebmSegment(setups: TrackSetups, cut: Cut): Promise<WrittenSegment> {
  const initParts: Uint8Array[] = [];
  const mediaParts: Uint8Array[] = [];
  const tracks = [...(setups.audio ? [cut.audio] : []), ...(setups.video ? [cut.video] : [])];
  const format = new WebMOutputFormat({
    appendOnly: true,
    // One cluster, or as few as its 16-bit times allow.
    minimumClusterDuration: Number.POSITIVE_INFINITY,
    onEbmlHeader: (header) => initParts.push(header),
    onSegmentHeader: (header) => initParts.push(header),
    onCluster: (cluster) => mediaParts.push(...endedCluster(cluster, tracks)),
  });
  await interleaved(new Output({ format, target: new NullTarget() }), setups, cut);
  return { init: initParts, media: mediaParts };
}
