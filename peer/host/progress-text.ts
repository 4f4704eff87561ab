import type { HostProgress } from './host-progress.ts';

/** An upload's progress in one line: percent, megabytes, speed and time left, and what is wrong if anything is. */
export function progressText(progress: HostProgress, bytesPerSec: number | null): string {
  const { phase, uploadedBytes, totalBytes, problem } = progress;
  if (phase === 'done') return `All ${megabytes(uploadedBytes)} are stored.`;
  const parts = [
    `${percent(progress)} %`,
    `${megabytes(uploadedBytes)} of ${megabytes(totalBytes)}`,
    problem ?? speedText(progress, bytesPerSec),
  ];
  return parts.filter((part) => part !== '').join(', ');
}

/** Whole percent; 100 is for the end alone. */
function percent({ uploadedBytes, totalBytes }: HostProgress): number {
  return totalBytes === 0 ? 0 : Math.min(99, Math.floor((uploadedBytes / totalBytes) * 100));
}

function speedText({ uploadedBytes, totalBytes }: HostProgress, bytesPerSec: number | null): string {
  if (bytesPerSec === null || bytesPerSec <= 0) return '';
  const leftS = Math.ceil((totalBytes - uploadedBytes) / bytesPerSec);
  return `${megabytes(bytesPerSec)}/s, ${durationText(leftS)} left`;
}

/** "12.3 MB". */
export function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}

function durationText(lengthS: number): string {
  const [hours, minutes] = [Math.floor(lengthS / 3600), Math.floor(lengthS / 60) % 60];
  if (hours > 0) return `${hours} h ${minutes} min`;
  return minutes > 0 ? `${minutes} min ${lengthS % 60} s` : `${lengthS} s`;
}
