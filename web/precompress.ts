import { readdir, readFile, writeFile } from 'node:fs/promises';
import { extname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import type { Plugin } from 'vite';

const TEXT_EXTENSIONS = new Set(['.html', '.js', '.css', '.svg', '.json', '.txt']);

/** Best quality: it is done once here, and read by every viewer. */
const BROTLI = { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } };
const GZIP = { level: 9 };

const toBrotli = promisify(brotliCompress);
const toGzip = promisify(gzip);

/** Writes `.br` and `.gz` beside each text file of the build, for the server to hand out as they are. */
export function precompress(): Plugin {
  let outFolder = '';
  return {
    name: 'matinee:precompress',
    apply: 'build',
    // A worker is bundled by a build of its own, whose files this one writes.
    applyToEnvironment: (environment) => environment.name === 'client',
    configResolved(config) {
      outFolder = resolve(config.root, config.build.outDir);
    },
    // Not sooner: the files of the public folder have to be there as well.
    async closeBundle(error) {
      if (!error) await compressFolder(outFolder);
    },
  };
}

async function compressFolder(folder: string): Promise<void> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile() && TEXT_EXTENSIONS.has(extname(entry.name)));
  await Promise.all(files.map((file) => compressFile(join(file.parentPath, file.name))));
}

async function compressFile(path: string): Promise<void> {
  const text = await readFile(path);
  await writeFile(`${path}.br`, await toBrotli(text, BROTLI));
  await writeFile(`${path}.gz`, await toGzip(text, GZIP));
}
