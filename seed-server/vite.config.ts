import { join } from 'node:path';
import { defineConfig } from 'vite';

const root = import.meta.dirname;
const PROGRAMS = ['main.ts', 'cli.ts', 'host.ts', 'origin.ts'];

export default defineConfig({
  root,
  publicDir: false,
  // With the packages in a few files: to find and read their thousands is most of what start-up takes. wrtc is native.
  ssr: { noExternal: true, external: ['wrtc'] },
  build: {
    ssr: true,
    outDir: join(root, '../dist'),
    emptyOutDir: true,
    target: 'node20',
    sourcemap: true,
    rolldownOptions: {
      checks: { pluginTimings: false },
      input: PROGRAMS.map((name) => join(root, name)),
      output: {
        // Beside each other: what a program finds by its own address is there from every file.
        entryFileNames: '[name].js',
        chunkFileNames: '[name]-[hash].js',
        // Node reads the maps as it starts; the sources are at hand.
        sourcemapExcludeSources: true,
      },
    },
  },
});
