import type { FastifyInstance } from 'fastify';
import { type Api, mustBeMember, type RoomParams, roomId } from './api.ts';
import { readBody } from './body.ts';

/** Registering, asking for and taking down a room. */
export function addRoomRoutes(app: FastifyInstance, api: Api): void {
  const path = '/api/rooms/:room';

  app.put<{ Params: RoomParams }>(path, async (request, reply) => {
    const room = roomId(request.params.room);
    const isNew = await api.store.putRecord(room, await readBody(request.raw));
    if (isNew) api.onChange(room);
    return reply.code(isNew ? 201 : 200).send();
  });

  app.get<{ Params: RoomParams }>(path, async (request) => {
    const { room } = request.params;
    await mustBeMember(api, room, request.headers.authorization);
    return { videos: await api.store.listVideos(room) };
  });

  app.delete<{ Params: RoomParams }>(path, async (request, reply) => {
    const room = roomId(request.params.room);
    await api.store.removeRoom(room, await readBody(request.raw));
    api.onChange(room);
    return reply.code(204).send();
  });
}
