import type { CourierPlace, CourierRequest, FromCourier, ToCourier } from './courier-messages.ts';

/** Makes requests for the host's worker, in a thread that can be thrown away with all it holds: see couriers.ts. */

const underWay = new Map<number, AbortController>();

self.addEventListener('message', ({ data: { port } }: MessageEvent<CourierPlace>) => {
  const tell = (message: FromCourier): void => port.postMessage(message);
  port.onmessage = ({ data }: MessageEvent<ToCourier>) => {
    if (data.type === 'cancel') underWay.get(data.id)?.abort();
    else void send(data.id, data.request, tell);
  };
});

async function send(
  id: number,
  { url, method, headers, body }: CourierRequest,
  tell: (message: FromCourier) => void,
): Promise<void> {
  const cancelled = new AbortController();
  underWay.set(id, cancelled);
  try {
    const response = await fetch(url, { method, headers, body, signal: cancelled.signal });
    tell({ type: 'answer', id, status: response.status, text: await response.text() });
  } catch (error) {
    tell({ type: 'failed', id, reason: String(error) });
  } finally {
    underWay.delete(id);
  }
}
