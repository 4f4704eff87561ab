import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { build, type Rolldown } from 'vite';
import { type Bytes, utf8 } from '../../peer/bytes.ts';
import { type CryptoPlatform, chooseCrypto } from '../../peer/crypto/choose.ts';
import type { Crypto } from '../../peer/crypto/crypto.ts';

const KEY = new Uint8Array(32).fill(5);
const { subtle } = globalThis.crypto;

function getRandomValues(into: Bytes): Bytes {
  return globalThis.crypto.getRandomValues(into);
}

/** The real Web Crypto, watched; `hasEd25519: false` refuses that algorithm as browsers do that lack it. */
function watchedSubtle(hasEd25519: boolean): { subtle: SubtleCrypto; calls: string[] } {
  const calls: string[] = [];
  const watched = new Proxy(subtle, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name);
      if (typeof member !== 'function') return member;
      return async (...args: unknown[]) => {
        if (!hasEd25519 && args.includes('Ed25519'))
          throw new DOMException('Unrecognized', 'NotSupportedError');
        calls.push(String(name));
        return await Reflect.apply(member, target, args);
      };
    },
  });
  return { subtle: watched, calls };
}

async function assertWorks(crypto: Crypto): Promise<void> {
  const reference = await chooseCrypto();
  const { publicKey, privateKey } = await crypto.generateSigningKey();
  const signature = await crypto.sign(privateKey, utf8('hello'));
  assert.ok(await reference.verify(publicKey, signature, utf8('hello')));
  assert.ok(await crypto.verify(publicKey, signature, utf8('hello')));
  const sealed = await crypto.seal(KEY, utf8('hello'), utf8(''));
  assert.equal(await reference.open(KEY, sealed, utf8('')), utf8('hello'));
  assert.is(crypto.randomBytes(40).byteLength, 40);
  assert.not.equal(crypto.randomBytes(40), new Uint8Array(40));
}

const choosing = suite('choosing the primitives');

choosing('should take Web Crypto for everything where it has everything', async () => {
  const watched = watchedSubtle(true);
  const crypto = await chooseCrypto({ subtle: watched.subtle, getRandomValues });
  await assertWorks(crypto);
  watched.calls.length = 0;
  await crypto.sign(KEY, utf8('hello'));
  await crypto.sha256(utf8('hello'));
  assert.equal(watched.calls, ['importKey', 'sign', 'digest']);
});

choosing('should take only Ed25519 from noble where Web Crypto lacks it', async () => {
  const watched = watchedSubtle(false);
  const crypto = await chooseCrypto({ subtle: watched.subtle, getRandomValues });
  await assertWorks(crypto);
  watched.calls.length = 0;
  await crypto.sign(KEY, utf8('hello'));
  await crypto.sha256(utf8('hello'));
  assert.equal(watched.calls, ['digest']);
});

choosing('should take everything from noble where Web Crypto is withheld', async () => {
  const platform: CryptoPlatform = { getRandomValues };
  await assertWorks(await chooseCrypto(platform));
  await assertWorks(await chooseCrypto({ subtle: undefined, getRandomValues }));
});

choosing.run();

interface Chunk {
  readonly modules: string[];
  readonly imports: string[];
}

/** The chunks that the web app's bundler makes of the choice, by file name. */
async function bundleChoice(): Promise<Map<string, Chunk>> {
  const input = fileURLToPath(new URL('../../peer/crypto/choose.ts', import.meta.url));
  const result = await build({
    configFile: false,
    logLevel: 'silent',
    build: {
      write: false,
      modulePreload: false,
      rollupOptions: { input, preserveEntrySignatures: 'strict' },
    },
  });
  assert.ok('output' in result);
  const chunks = new Map<string, Chunk>();
  for (const file of result.output) if (file.type === 'chunk') chunks.set(file.fileName, chunkOf(file));
  return chunks;
}

function chunkOf(file: Rolldown.OutputChunk): Chunk {
  const modules = Object.keys(file.modules).filter((id) => (file.modules[id]?.renderedLength ?? 0) > 0);
  return { modules, imports: file.imports };
}

/** All modules that come along when the chunk is fetched: its own and those of the chunks it imports. */
function modulesFetchedWith(
  chunks: Map<string, Chunk>,
  fileName: string,
  seen = new Set<string>(),
): string[] {
  const chunk = chunks.get(fileName);
  if (!chunk || seen.has(fileName)) return [];
  seen.add(fileName);
  return [
    ...chunk.modules,
    ...chunk.imports.flatMap((imported) => modulesFetchedWith(chunks, imported, seen)),
  ];
}

function chunkWith(chunks: Map<string, Chunk>, module: string): string {
  for (const [name, chunk] of chunks) if (chunk.modules.some((id) => id.includes(module))) return name;
  throw new Error(`no chunk has ${module}`);
}

const bundling = suite('the bundle of the choice');

bundling('should fetch nothing of noble until it is needed', async () => {
  const chunks = await bundleChoice();
  const entry = modulesFetchedWith(chunks, chunkWith(chunks, 'crypto/choose.ts'));
  assert.ok(entry.some((id) => id.includes('crypto/web-crypto.ts')));
  assert.equal(
    entry.filter((id) => id.includes('noble')),
    [],
  );
});

bundling("should fetch noble's Ed25519 without the ciphers", async () => {
  const chunks = await bundleChoice();
  const fetched = modulesFetchedWith(chunks, chunkWith(chunks, 'noble/curves/ed25519.js'));
  assert.equal(
    fetched.filter((id) => id.includes('noble/ciphers') || id.includes('noble-crypto')),
    [],
  );
});

bundling.run();
