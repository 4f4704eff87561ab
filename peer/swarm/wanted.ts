import { pieceCount, pieceStart } from '../manifest/geometry.ts';
import type { PageReference } from '../manifest/head.ts';
import type { Manifest } from '../manifest/manifest.ts';

/** How far ahead of the playhead media is wanted: what a seek or a closed tab throws away at most. */
export const WINDOW_MS = 60_000;
export const WINDOW_BYTES = 48 * 1024 * 1024;

/** Where so little is missing, the next page of the manifest is wanted however far it is. */
const LITTLE_PIECES = 64;

/** A missing piece, and in how many milliseconds it is needed at the playhead (never negative). */
export interface Wanted {
  segment: number;
  piece: number;
  inMs: number;
}

export interface Wants {
  /** In the order they are needed. */
  pieces: Wanted[];
  /** Manifest pages without which no more can be said. */
  pages: PageReference[];
}

export interface Window {
  manifest: Manifest;
  playheadMs: number;
  /** Whether a piece is held or being checked. */
  isHere(segment: number, piece: number): boolean;
  /** How many pieces of a segment are held. */
  heldCount(segment: number): number;
  /** How far it reaches: at most so much time, and so many bytes. */
  windowMs: number;
  windowBytes: number;
  /** How far ahead the manifest's pages are wanted. */
  pagesMs: number;
}

/** What is missing of the window after the playhead. */
export function wantedPieces(window: Window): Wants {
  const { manifest, playheadMs } = window;
  const wants: Wants = { pieces: [], pages: [] };
  const page = manifest.pageAt(playheadMs);
  if (!page) return wants;
  const first = manifest.segmentAt(playheadMs);
  wantSegment(window, 0, wants);
  if (first === null) {
    if (!manifest.hasPage(page)) wants.pages.push(page);
    return wants;
  }
  let passedBytes = 0;
  for (let segment = first; passedBytes < window.windowBytes; segment = manifest.filmFrom(segment + 1)) {
    const entry = manifest.entry(segment);
    if (entry && entry.startMs > playheadMs + window.windowMs) break;
    if (!wantSegment(window, segment, wants)) break;
    passedBytes += entry?.sizeBytes ?? 0;
  }
  return wants;
}

/** Adds what is missing of one segment; false where the manifest does not tell of it (yet). */
function wantSegment(window: Window, segment: number, wants: Wants): boolean {
  const { manifest, playheadMs, pagesMs } = window;
  const entry = manifest.entry(segment);
  if (!entry) {
    const page = manifest.pageOf(segment);
    if (!page || manifest.hasPage(page)) return false;
    const isSoon = page.startMs <= playheadMs + pagesMs;
    if (isSoon || wants.pieces.length < LITTLE_PIECES) wants.pages.push(page);
    return false;
  }
  const pieces = pieceCount(entry.sizeBytes);
  if (window.heldCount(segment) === pieces) return true;
  for (let piece = 0; piece < pieces; piece++) {
    if (window.isHere(segment, piece)) continue;
    const atMs = entry.startMs + (entry.durationMs * pieceStart(entry.sizeBytes, piece)) / entry.sizeBytes;
    wants.pieces.push({ segment, piece, inMs: Math.max(0, atMs - playheadMs) });
  }
  return true;
}
