import { MediaQuery } from 'svelte/reactivity';

/** A phone, or anything held upright, as the style sheets say it. */
export const isUpright = new MediaQuery('(max-width: 720px), (max-aspect-ratio: 1 / 1)');
