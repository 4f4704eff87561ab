/** iPhones can give the whole screen to a film alone. */
interface PhoneVideo extends HTMLVideoElement {
  webkitEnterFullscreen?(): void;
}

/** Gives the whole screen to the page, so that the chat can stay, or takes it back; to the film alone where the browser has no more. */
export async function toggleFullScreen(video: PhoneVideo): Promise<void> {
  const page = document.documentElement;
  if (!document.fullscreenElement && !page.requestFullscreen) {
    video.webkitEnterFullscreen?.();
    return;
  }
  const change = document.fullscreenElement ? document.exitFullscreen() : page.requestFullscreen();
  // Refused where there was no click or key before.
  await change.catch(() => undefined);
}

/** Calls back whenever the page fills the screen or no longer does; returns the undo. */
export function hearFullScreen(onChange: (isFull: boolean) => void): () => void {
  const hear = (): void => onChange(document.fullscreenElement === document.documentElement);
  document.addEventListener('fullscreenchange', hear);
  return () => document.removeEventListener('fullscreenchange', hear);
}
