import { access } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import fastifyStatic from '@fastify/static';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { withDecoders } from './security-headers.ts';

/** Where the build puts files whose name has a hash of their content. */
const HASHED_FOLDER = `assets${sep}`;

const NOT_BUILT = 'The web app is not built yet. Run `npm run build`, then start the server again.\n';

/**
 * Serves the built web app: the home page at /, a room's page at /r/<room id>, and the files they need, compressed
 * where the build left a .br or .gz beside them. Two entry pages, so that a viewer never loads the host's code.
 */
export async function addPages(app: FastifyInstance, webFolder: string): Promise<void> {
  if (!(await isBuilt(webFolder))) {
    for (const path of ['/', '/r/:room']) {
      app.get(path, (_request, reply) => reply.code(503).type('text/plain; charset=utf-8').send(NOT_BUILT));
    }
    return;
  }
  await app.register(fastifyStatic, {
    root: webFolder,
    preCompressed: true,
    index: false,
    cacheControl: false,
    setHeaders: (reply, path) => setFileHeaders(reply, relative(webFolder, path)),
  });
  app.route({ method: ['GET', 'HEAD'], url: '/', handler: (_, reply) => reply.sendFile('index.html') });
  app.route({ method: ['GET', 'HEAD'], url: '/r/:room', handler: (_, reply) => reply.sendFile('room.html') });
}

/** The host's worker, which alone loads decoders. */
const HOST_WORKER = new RegExp(`^assets\\${sep}host\\.worker-[^${sep}]*\\.js(?:\\.br|\\.gz)?$`);

function setFileHeaders(reply: FastifyReply, path: string): void {
  const policy = reply.getHeader('content-security-policy');
  if (HOST_WORKER.test(path) && typeof policy === 'string')
    reply.header('content-security-policy', withDecoders(policy));
  const isHashed = path.startsWith(HASHED_FOLDER);
  reply.header('cache-control', isHashed ? 'public, max-age=31536000, immutable' : 'no-cache');
}

async function isBuilt(webFolder: string): Promise<boolean> {
  try {
    await Promise.all(['index.html', 'room.html'].map((page) => access(join(webFolder, page))));
    return true;
  } catch {
    // Whatever keeps us from reading the pages: building them is the way out.
    return false;
  }
}
