import { Readable } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import { MAX_SEGMENT_BYTES } from '../../peer/limits.ts';
import {
  type Api,
  BYTES_TYPE,
  mustBeMember,
  notFound,
  roomId,
  type SegmentParams,
  segmentOf,
  type VideoParams,
  videoId,
} from './api.ts';
import { bodyChunks } from './body.ts';
import { parseRange } from './byte-range.ts';

/** Uploading segments, asking which are there, and fetching them. */
export function addSegmentRoutes(app: FastifyInstance, api: Api): void {
  const base = '/api/rooms/:room/videos/:video/segments';
  addStoring(app, api, `${base}/:n`);
  addFetching(app, api, `${base}/:n`);

  app.get<{ Params: VideoParams }>(base, async (request) => {
    const { room, video } = request.params;
    await mustBeMember(api, room, request.headers);
    return { stored: asRuns(await api.store.storedSegments(room, videoId(video))) };
  });
}

function addStoring(app: FastifyInstance, api: Api, path: string): void {
  app.put<{ Params: SegmentParams }>(path, async (request, reply) => {
    const room = roomId(request.params.room);
    const video = videoId(request.params.video);
    const body = bodyChunks(request.raw, MAX_SEGMENT_BYTES);
    const isNew = await api.store.putSegment(room, video, segmentOf(request.params.n), body);
    if (isNew) api.onChange(room, 'content');
    return reply.code(204).send();
  });
}

function addFetching(app: FastifyInstance, api: Api, path: string): void {
  app.get<{ Params: SegmentParams }>(path, async (request, reply) => {
    const { room } = request.params;
    await mustBeMember(api, room, request.headers);
    const video = videoId(request.params.video);
    const segment = segmentOf(request.params.n);
    const sizeBytes = await api.store.segmentBytes(room, video, segment);
    if (sizeBytes === null) throw notFound('segment');
    reply.type(BYTES_TYPE).header('accept-ranges', 'bytes');
    // Ciphertext under this name never changes. Whoever asked for it may keep it, nobody on the way.
    reply.header('cache-control', 'private, max-age=86400, immutable').header('vary', 'authorization');
    const range = parseRange(request.headers.range, sizeBytes);
    if (range === 'unsatisfiable') {
      return reply.code(416).header('content-range', `bytes */${sizeBytes}`).send();
    }
    const { first, last } = range ?? { first: 0, last: sizeBytes - 1 };
    if (range) reply.code(206).header('content-range', `bytes ${first}-${last}/${sizeBytes}`);
    reply.header('content-length', last - first + 1);
    return reply.send(paced(api.store.readSegment(room, video, segment, first, last), api.spendLine));
  });
}

/** A file's bytes as the line may carry them. */
function paced(file: Readable, spendLine: Api['spendLine']): Readable {
  const chunks = async function* (): AsyncGenerator<Buffer> {
    for await (const chunk of file as AsyncIterable<Buffer>) {
      await spendLine(chunk.byteLength);
      yield chunk;
    }
  };
  return Readable.from(chunks(), { objectMode: false });
}

/** Rising numbers as [first, count] for each run without a gap. */
export function asRuns(numbers: readonly number[]): [number, number][] {
  const runs: [number, number][] = [];
  for (const number of numbers) {
    const run = runs.at(-1);
    if (run && run[0] + run[1] === number) run[1] += 1;
    else runs.push([number, 1]);
  }
  return runs;
}
