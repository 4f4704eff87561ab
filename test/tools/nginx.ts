import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import type { CertificateFiles } from '../../seed-server/certificate.ts';
import { rootFolder } from './cache-folder.ts';
import { firstExecutable, placesOnPath } from './executables.ts';
import { tell } from './tell.ts';

export interface Nginx {
  /** https, without a slash at the end. */
  url: string;
  /** http; leads to the other one. */
  plainUrl: string;
  /** Resolves once it has ended; rejects where it complained of something. */
  stop(): Promise<void>;
}

export interface NginxOptions {
  program: string;
  /** For its files, the caller's to remove. */
  folder: string;
  certificate: CertificateFiles;
  /** The address of the server behind it. */
  behind: string;
}

/** Path of an installed nginx; null, which it says loudly, where there is none. */
export async function findNginx(): Promise<string | null> {
  const program = await firstExecutable([...placesOnPath(['nginx']), '/usr/sbin/nginx']);
  if (program === null)
    tell(
      'SKIPPED: nginx is not installed (Debian: apt-get install nginx-light), so nothing is tried behind it.',
    );
  return program;
}

/** Starts nginx with deploy/nginx.conf, of which only ports, addresses and files are changed; resolves once it listens. */
export async function startNginx({ program, folder, certificate, behind }: NginxOptions): Promise<Nginx> {
  const [tlsPort, plainPort] = [await freePort(), await freePort()];
  const site = replaced(await readFile(join(rootFolder, 'deploy/nginx.conf'), 'utf8'), [
    [/listen \[::\]:\d+.*;/g, ''],
    [/listen 443 /g, `listen 127.0.0.1:${tlsPort} `],
    [/listen 80;/g, `listen 127.0.0.1:${plainPort};`],
    [/ssl_certificate \S+;/g, `ssl_certificate ${certificate.certFile};`],
    [/ssl_certificate_key \S+;/g, `ssl_certificate_key ${certificate.keyFile};`],
    [/http:\/\/127\.0\.0\.1:8080/g, behind],
  ]);
  await writeFile(join(folder, 'nginx.conf'), aroundSite(folder, site));
  const args = ['-p', folder, '-c', join(folder, 'nginx.conf'), '-e', 'stderr'];
  const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  const ended = once(child, 'exit');
  let log = '';
  await new Promise<void>((resolve, reject) => {
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      log += text;
      // Its sockets are open by then.
      if (/using the "\w+" event method/.test(log)) resolve();
    });
    ended.then(() => reject(new Error(`nginx did not start: ${log}`)), reject);
  });
  return {
    url: `https://localhost:${tlsPort}`,
    plainUrl: `http://localhost:${plainPort}`,
    async stop() {
      child.kill('SIGTERM');
      await ended;
      const complaints = log.split('\n').filter((line) => /\[(warn|error|crit|alert|emerg)\]/.test(line));
      if (complaints.length > 0) throw new Error(`nginx complained:\n${complaints.join('\n')}`);
    },
  };
}

/** What Debian's nginx.conf has around a site, as far as it matters, for one process of our own user. */
function aroundSite(folder: string, site: string): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (kind) => `${kind}_temp_path ${join(folder, kind)};`,
  );
  return [
    'daemon off;',
    'master_process off;',
    `pid ${join(folder, 'nginx.pid')};`,
    'error_log stderr notice;',
    'events { worker_connections 768; }',
    `http {\naccess_log off;\n${temporary.join('\n')}\n${site}\n}\n`,
  ].join('\n');
}

/** @throws Error where a pattern is nowhere. */
function replaced(text: string, changes: readonly (readonly [RegExp, string])[]): string {
  return changes.reduce((before, [pattern, instead]) => {
    if (before.search(pattern) < 0) throw new Error(`deploy/nginx.conf has nothing like ${pattern}`);
    return before.replace(pattern, instead);
  }, text);
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
