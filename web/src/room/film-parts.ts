import type { Manifest } from '../../../peer/manifest/manifest.ts';
import type { Provenance } from '../../../peer/swarm/provenance.ts';
import type { FilmPart } from '../room-session.ts';

/** The parts of a film of which something came, with the shares that each giver gave. */
export function filmParts({ segments }: Provenance, manifest: Manifest): FilmPart[] {
  return [...segments].flatMap(([segment, { server, friend }]) => {
    const entry = manifest.entry(segment);
    // Segment 0 is no part of the film: it only begins the file.
    if (!entry || entry.durationMs === 0) return [];
    const { startMs, durationMs, sizeBytes } = entry;
    // What was given up and fetched again counts in its old shares.
    const wholeBytes = Math.max(sizeBytes, server + friend);
    return [{ startMs, durationMs, serverShare: server / wholeBytes, friendShare: friend / wholeBytes }];
  });
}
