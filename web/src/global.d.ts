/// <reference types="svelte" />

import type { RoomSession, Stats } from './room-session.ts';

declare global {
  interface Window {
    /** For people who look behind the curtain, the tests and the benchmarks. On the room page, once the room is open. */
    matinee?: { stats(): Stats; thumbnailAt: RoomSession['thumbnailAt'] };
  }
}
