import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** What the page and the server are made of. */
const SOURCES = ['peer', 'seed-server', 'signaling', 'web', 'build.js', 'tsconfig.json', 'package-lock.json'];
const CONFIGS = ['web/vite.config.ts', 'seed-server/vite.config.ts'];
const STAMP = 'dist/sources';

/** Builds the page into web/dist and the server into dist, unless both are there and of these very sources: `npm run build`. */
process.chdir(import.meta.dirname);
const sources = digest(SOURCES.flatMap(filesOf));
if (!existsSync('web/dist') || !existsSync(STAMP) || readFileSync(STAMP, 'utf8') !== sources) {
  say('Building the page and the server ...');
  const startMs = performance.now();
  rmSync(STAMP, { force: true });
  // Imported here: it takes as long as all the rest where nothing is to be built.
  const { build } = await import('vite');
  for (const configFile of CONFIGS) await build({ configFile, logLevel: 'warn' });
  writeFileSync(STAMP, sources);
  say(`Built in ${((performance.now() - startMs) / 1000).toFixed(1)} s.`);
}

/** @param {string} path of a file or folder; of a folder all files but what is built. */
function filesOf(path) {
  if (statSync(path).isFile()) return [path];
  const names = readdirSync(path).filter((name) => name !== 'dist');
  return names.flatMap((name) => filesOf(join(path, name)));
}

/** @param {string[]} paths */
function digest(paths) {
  const hash = createHash('sha256');
  for (const path of paths.sort()) hash.update(`${path}\n`).update(readFileSync(path)).update('\n');
  return hash.digest('hex');
}

/** On stderr: the first line of stdout is the server's. @param {string} sentence */
function say(sentence) {
  process.stderr.write(`${sentence}\n`);
}
