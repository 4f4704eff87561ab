/** What we use of the Network Information API, which few browsers have and TypeScript does not know. */
export interface NetworkInformation extends EventTarget {
  /** 'wifi', 'cellular' and others; undefined where the browser does not say (on desktops). */
  readonly type?: string;
}

/** What the browser says of how this device is connected; null where it says nothing. */
export function networkInformation(): NetworkInformation | null {
  return (navigator as Navigator & { connection?: NetworkInformation }).connection ?? null;
}

/**
 * Calls back, until `signal` aborts, when this device is online again, or changes from one kind of network to another without having been
 * offline. Only the kind counts: 'change' is told of every new estimate of the same line too.
 */
export function watchNetwork(
  page: EventTarget,
  information: NetworkInformation | null,
  onChange: () => void,
  signal: AbortSignal,
): void {
  page.addEventListener('online', onChange, { signal });
  let type = information?.type;
  const compare = (): void => {
    if (information?.type === type) return;
    type = information?.type;
    // Offline: there is nothing to connect by.
    if (type !== 'none') onChange();
  };
  information?.addEventListener('change', compare, { signal });
}
