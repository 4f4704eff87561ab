import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { readConfig } from '../../seed-server/config.ts';
import { withEnvFile } from '../../seed-server/env-file.ts';
import { VARIABLES } from '../../seed-server/variables.ts';
import { rootFolder } from '../tools/cache-folder.ts';
import { runProgram } from '../tools/run-program.ts';
import { temporaryFolder } from '../tools/temporary-folder.ts';

const BIN = join(rootFolder, 'seed-server', 'bin.js');
const NAMES = Object.keys(VARIABLES);

const listed = suite('every variable of the configuration');

listed('should be in the help, from whatever folder it is asked for', async () => {
  const { path, remove } = await temporaryFolder();
  try {
    const help = await runProgram(process.execPath, [BIN, 'help'], { cwd: path });
    for (const name of NAMES) assert.match(help, new RegExp(`^  ${name} `, 'm'));
  } finally {
    await remove();
  }
});

listed('should be in the README with what holds where it is not set, and no other', async () => {
  const readme = await readFile(join(rootFolder, 'README.md'), 'utf8');
  const table = readme.slice(readme.indexOf('## Configuration'), readme.indexOf('Limits by address'));
  const rows = [...table.matchAll(/^\| `([A-Z_]+)` \| ([^|]*) \|/gm)];
  assert.equal(rows.map(([, name]) => name).sort(), [...NAMES].sort());
  for (const [, name = '', said = ''] of rows) {
    assert.is(said.replaceAll('`', ''), VARIABLES[name as keyof typeof VARIABLES].fallback, name);
  }
});

listed.run();

const file = suite('the file .env');

async function inFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const { path, remove } = await temporaryFolder();
  try {
    await body(path);
  } finally {
    await remove();
  }
}

file('should add to the environment, which stands where both speak', () =>
  inFolder(async (folder) => {
    const path = join(folder, '.env');
    await writeFile(path, '# ours\nPORT=9000\nHOST="127.0.0.1"\nORIGIN_MBIT=40\n');
    const { port, host, originMbit } = readConfig(withEnvFile({ PORT: '9001' }, path));
    assert.equal([port, host, originMbit], [9001, '127.0.0.1', 40]);
  }),
);

file('should be no matter where there is none, and said where it cannot be read', () =>
  inFolder(async (folder) => {
    const env = { PORT: '1' };
    assert.is(withEnvFile(env, join(folder, '.env')), env);
    await mkdir(join(folder, '.env'));
    assert.throws(
      () => withEnvFile(env, join(folder, '.env')),
      /^The file .*\.env cannot be read \(EISDIR\)/,
    );
  }),
);

file('should be refused at start, with the name and the reason, where a value is wrong', () =>
  inFolder(async (folder) => {
    await writeFile(join(folder, '.env'), 'TURN_TTL_S=soon\nORIGIN_PEERS=0\n');
    const run = runProgram(process.execPath, [BIN, 'serve'], { cwd: folder });
    const sentence = await run.then(
      () => 'it started',
      (error: Error) => error.message,
    );
    assert.match(sentence, /ended with 1: /);
    assert.match(sentence, /^.*ORIGIN_PEERS must be a number of connections from 1 to 4096\.$/m);
    assert.match(sentence, /^TURN_TTL_S must be a number of seconds from 60 to 604800\.$/m);
  }),
);

file.run();

const together = suite('variables that go together');

together('should be refused one without the other', () => {
  const sentence = (env: Record<string, string>) => () => readConfig(env);
  assert.throws(
    sentence({ TLS_CERT: 'c.pem' }),
    /^TLS_CERT and TLS_KEY go together: set TLS_KEY too, or none/,
  );
  assert.throws(sentence({ TLS_KEY: 'k.pem' }), /set TLS_CERT too/);
  assert.throws(sentence({ TURN_URLS: 'turn:a' }), /set TURN_SECRET too/);
  assert.throws(sentence({ TURN_SECRET: 'a shared secret' }), /set TURN_URLS too/);
});

together.run();
