#!/usr/bin/env node
import { existsSync } from 'node:fs';

const built = new URL('../dist/cli.js', import.meta.url);
if (existsSync(built)) {
  process.setSourceMapsEnabled(true);
  await import(built.href);
} else {
  // The sources are TypeScript, which tsx runs wherever the command is called from.
  const { register } = await import('tsx/esm/api');
  register();
  await import('./cli.ts');
}
