import type { FastifyInstance } from 'fastify';
import { MAX_RULES_BYTES } from '../../peer/manifest/rules.ts';
import { type Api, BYTES_TYPE, mustHaveToken, notFound, type RoomParams, roomId } from './api.ts';

/** Changing and fetching the host's rules. */
export function addRulesRoutes(app: FastifyInstance, api: Api): void {
  const path = '/api/rooms/:room/rules';

  app.put<{ Params: RoomParams }>(path, async (request, reply) => {
    const room = roomId(request.params.room);
    const isNew = await api.store.putRules(room, await api.bodies.read(request.raw, MAX_RULES_BYTES));
    if (isNew) api.onChange(room, 'members');
    return reply.code(204).send();
  });

  app.get<{ Params: RoomParams }>(path, async (request, reply) => {
    const { room } = request.params;
    await mustHaveToken(api, room, request.headers.authorization);
    const rules = await api.store.readRules(room);
    if (!rules) throw notFound('list of rules');
    return reply.type(BYTES_TYPE).send(Buffer.from(rules.buffer));
  });
}
