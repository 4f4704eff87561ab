import { chmod, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cached } from './cache-folder.ts';
import { installPackages } from './npm-package.ts';
import { runProgram } from './run-program.ts';

// The last version that runs on Node 20 (147 and later want 22.17).
const version = '143.0.4';

/** Whether a Chromium that ships inside an npm package exists for this kind of machine. */
export function isBrowserPackaged(): boolean {
  return process.platform === 'linux' && process.arch === 'x64';
}

/**
 * Path of a Chromium that came inside an npm package, with the libraries and fonts that a bare Linux lacks;
 * fetched (about 70 MB) where it is not in the cache yet. Rejects with npm's words.
 */
export async function packagedBrowser(): Promise<string> {
  const folder = await cached(`browser-${version}`, async (path) => {
    await unpack(path);
    await writeFile(join(path, 'fonts', 'fonts.conf'), fontsConfig);
    await writeFile(join(path, 'start'), startScript);
    await chmod(join(path, 'start'), 0o755);
  });
  return join(folder, 'start');
}

async function unpack(folder: string): Promise<void> {
  const installFolder = join(folder, 'package');
  await mkdir(folder, { recursive: true });
  await installPackages(installFolder, [`@sparticuz/chromium@${version}`]);
  // The package unpacks into the temporary folder, and its own NSS libraries only when it sees Lambda.
  const env = { ...process.env, TMPDIR: folder, AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs22.x' };
  const script = "import('@sparticuz/chromium').then(({ default: chromium }) => chromium.executablePath())";
  await runProgram(process.execPath, ['--eval', script], { cwd: installFolder, env });
  await rename(join(folder, 'al2023', 'lib'), join(folder, 'lib'));
  await rm(installFolder, { recursive: true });
}

// The system's own libraries come first where they are complete: they fit its C library for sure.
const startScript = `#!/bin/sh
here=$(dirname "$0")
if ldd "$here/chromium" | grep -q 'not found'; then
  export LD_LIBRARY_PATH="$here/lib\${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
fi
export FONTCONFIG_FILE="$here/fonts/fonts.conf"
exec "$here/chromium" "$@"
`;

const fontsConfig = `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir>/usr/share/fonts</dir>
  <dir>/usr/local/share/fonts</dir>
  <dir prefix="relative">fonts</dir>
  <cachedir prefix="xdg">fontconfig</cachedir>
</fontconfig>
`;
