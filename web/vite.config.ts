import { join } from 'node:path';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vite';
import { precompress } from './precompress.ts';

const root = import.meta.dirname;

export default defineConfig({
  root,
  plugins: [svelte(), precompress()],
  resolve: {
    // The package's entry needs Node's streams and buffers; its own prebuilt bundle carries them.
    alias: { 'simple-peer': 'simple-peer/simplepeer.min.js' },
  },
  // noble is imported on demand inside the worker too, which takes chunks.
  worker: { format: 'es' },
  build: {
    // Two pages, so that a viewer never loads what only the host needs.
    rolldownOptions: { input: [join(root, 'index.html'), join(root, 'room.html')] },
    // A data: address would need its own permission in the content security policy.
    assetsInlineLimit: 0,
    // Whatever plays here knows modulepreload.
    modulePreload: { polyfill: false },
  },
});
