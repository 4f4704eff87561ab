import { join } from 'node:path';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vite';
import { earlyScript } from './early-script.ts';
import { pageChunks } from './page-chunks.ts';
import { precompress } from './precompress.ts';

const root = import.meta.dirname;
const [home, room] = [join(root, 'index.html'), join(root, 'room.html')];
const earlySocket = join(root, 'src/room/early-socket.ts');
const nodePart = (name: string): string => join(root, 'node-parts', `${name}.ts`);

export default defineConfig({
  root,
  plugins: [svelte(), earlyScript(room, earlySocket), precompress()],
  resolve: {
    // simple-peer stands on Node's modules. Its own bundle carries them whole, a third of what a viewer loads before the first
    // frame; here it gets the little that it uses of them in a page.
    alias: Object.fromEntries(
      ['buffer', 'debug', 'randombytes', 'readable-stream'].map((name) => [name, nodePart(name)]),
    ),
  },
  // noble is imported on demand inside the worker too, which takes chunks.
  worker: { format: 'es' },
  build: {
    // Two pages, so that a viewer never loads what only the host needs.
    rolldownOptions: {
      input: [home, room],
      output: { codeSplitting: { groups: pageChunks(home, room) } },
      checks: { pluginTimings: false },
    },
    // A data: address would need its own permission in the content security policy.
    assetsInlineLimit: 0,
    // Whatever plays here knows modulepreload.
    modulePreload: { polyfill: false },
  },
});
