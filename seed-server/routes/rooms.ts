import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { describeHosting, mustKnowPassword, PASSWORD_HEADER } from '../hosting.ts';
import { type Api, memberId, mustHaveToken, type RoomParams, roomId } from './api.ts';
import { MAX_COMMAND_BYTES } from './body.ts';

/** Registering, asking for and taking down a room. */
export function addRoomRoutes(app: FastifyInstance, api: Api): void {
  const path = '/api/rooms/:room';

  app.get('/api/hosting', async () => describeHosting(api.hosting));

  app.put<{ Params: RoomParams }>(path, async (request, reply) => {
    const room = roomId(request.params.room);
    await mustBeAllowedToHost(api, request, reply);
    const isNew = await api.store.putRecord(room, await api.bodies.read(request.raw, MAX_COMMAND_BYTES));
    if (isNew) api.onChange(room, 'content');
    return reply.code(isNew ? 201 : 200).send();
  });

  // A signaling server that runs apart asks here whom to let in: `member` is who proved to it to have that id.
  app.get<{ Params: RoomParams; Querystring: { member?: unknown } }>(path, async (request) => {
    const { room } = request.params;
    const { member } = request.query;
    const id = member === undefined ? null : memberId(String(member));
    await mustHaveToken(api, room, request.headers.authorization, id);
    const rules = await api.store.rules(room);
    return {
      videos: await api.store.listVideos(room),
      rules: rules?.number ?? 0,
      isOriginOnly: rules?.isOriginOnly ?? false,
    };
  });

  app.delete<{ Params: RoomParams }>(path, async (request, reply) => {
    const room = roomId(request.params.room);
    await api.store.removeRoom(room, await api.bodies.read(request.raw, MAX_COMMAND_BYTES));
    api.onChange(room, 'members');
    return reply.code(204).send();
  });
}

/** @throws MatineeError HOSTING_NEEDS_PASSWORD; TOO_MANY where many were tried. */
async function mustBeAllowedToHost(api: Api, request: FastifyRequest, reply: FastifyReply): Promise<void> {
  const { hostPassword } = api.hosting;
  if (hostPassword === null) return;
  const said = request.headers[PASSWORD_HEADER];
  if (said !== undefined) await api.countRequest('password', request, reply);
  mustKnowPassword(hostPassword, said === undefined ? undefined : String(said));
}
