/** What the host's worker says when it fails. English, as all that the engine reports: a worker knows no page and no choice made there. */
export const workerTexts = {
  underWayElsewhere: 'This upload goes on in another tab of this browser.',
  keptGone:
    'Nothing of this upload is kept any more: it was finished or given up. Share the film in a new room.',
  broken:
    'Something in this page broke while it worked on the video. Try again; if it happens again, reload the page.',
} as const;
