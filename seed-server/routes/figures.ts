import { createHash, timingSafeEqual } from 'node:crypto';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { MatineeError } from '../../peer/errors.ts';
import type { Metrics } from '../metrics.ts';
import type { History } from '../status/history.ts';
import { RENEW, STATUS_STYLE, statusPage } from '../status/page.ts';

export interface Figures {
  metrics: Metrics;
  history: History;
  /** Who says it may read from elsewhere; null: only this machine may. */
  token: string | null;
}

/** /metrics for Prometheus, and /status for people. */
export function addFigureRoutes(app: FastifyInstance, { metrics, history, token }: Figures): void {
  app.addHook('onRequest', async (request, reply) => {
    void reply.header('cache-control', 'no-store');
    if (mayRead(request, token)) return;
    // Browsers then ask their person: any name, and the token for the password.
    if (token !== null) void reply.header('www-authenticate', 'Basic realm="Matinee", charset="UTF-8"');
    throw new MatineeError(
      'FIGURES_GUARDED',
      'These figures are for whoever runs the server: ask from its own machine, or with METRICS_TOKEN.',
    );
  });
  app.get('/metrics', async (_request, reply) => {
    void reply.type(metrics.registry.contentType);
    return await metrics.registry.metrics();
  });
  app.get('/status', async ({ query }, reply) => {
    void reply.type('text/html; charset=utf-8');
    return statusPage(await metrics.now(), history, { doesRenew: RENEW in Object(query) });
  });
  app.get('/status.css', async (_request, reply) => {
    void reply.type('text/css; charset=utf-8');
    return STATUS_STYLE;
  });
}

/** With the token, as Bearer or as a Basic password; or from this machine, and not through a proxy on it. */
function mayRead({ headers, socket }: FastifyRequest, token: string | null): boolean {
  const said = secretIn(headers.authorization ?? '');
  if (token !== null && said !== null) return isSame(said, token);
  const isForwarded = 'x-forwarded-for' in headers || 'forwarded' in headers || 'via' in headers;
  return !isForwarded && /^(::1|(::ffff:)?127\.\d+\.\d+\.\d+)$/.test(socket.remoteAddress ?? '');
}

function secretIn(authorization: string): string | null {
  const [, scheme = '', value = ''] = /^(Bearer|Basic) +(\S+)$/i.exec(authorization) ?? [];
  if (scheme.toLowerCase() === 'bearer') return value;
  if (scheme.toLowerCase() !== 'basic') return null;
  const text = Buffer.from(value, 'base64').toString();
  return text.slice(text.indexOf(':') + 1);
}

function isSame(a: string, b: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}
