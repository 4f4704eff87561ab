#!/usr/bin/env node
import { register } from 'tsx/esm/api';

// The sources are TypeScript, which tsx runs wherever the command is called from.
register();
await import('./cli.ts');
