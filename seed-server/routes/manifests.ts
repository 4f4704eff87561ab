import type { FastifyInstance } from 'fastify';
import { fromBase64url } from '../../peer/bytes.ts';
import { MatineeError } from '../../peer/errors.ts';
import { HASH_BYTES } from '../../peer/limits.ts';
import {
  type Api,
  BYTES_TYPE,
  mustBeMember,
  notFound,
  type PageParams,
  roomId,
  type VideoParams,
  videoId,
} from './api.ts';
import { MAX_SMALL_BODY_BYTES } from './body.ts';

/** Publishing a manifest and fetching its head and pages. */
export function addManifestRoutes(app: FastifyInstance, api: Api): void {
  const base = '/api/rooms/:room/videos/:video';

  app.put<{ Params: VideoParams }>(`${base}/manifest`, async (request, reply) => {
    const room = roomId(request.params.room);
    const video = videoId(request.params.video);
    const update = await api.bodies.read(request.raw, MAX_SMALL_BODY_BYTES);
    const isNew = await api.store.putManifest(room, video, update);
    if (isNew) api.onChange(room, 'content');
    return reply.code(204).send();
  });

  app.get<{ Params: VideoParams }>(`${base}/manifest`, async (request, reply) => {
    const { room, video } = request.params;
    await mustBeMember(api, room, request.headers);
    const head = await api.store.readHead(room, videoId(video));
    if (!head) throw notFound('manifest');
    return reply.type(BYTES_TYPE).send(Buffer.from(head.buffer));
  });

  app.get<{ Params: PageParams }>(`${base}/pages/:hash`, async (request, reply) => {
    const { room, video, hash } = request.params;
    await mustBeMember(api, room, request.headers);
    const page = await api.store.readPage(room, videoId(video), pageHash(hash));
    if (!page) throw notFound('manifest page');
    return reply.type(BYTES_TYPE).send(Buffer.from(page.buffer));
  });
}

function pageHash(text: string): Uint8Array {
  const hash = fromBase64url(text);
  if (hash?.byteLength === HASH_BYTES) return hash;
  throw new MatineeError('REQUEST_MALFORMED', 'This is not the hash of a page. Check the address.');
}
