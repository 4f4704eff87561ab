/** What the host's worker, its page and its couriers tell each other. */

/** From the host's worker to its page: a courier is to answer at this port; it is not needed any more. */
export type CourierWish =
  | { type: 'courier'; id: number; port: MessagePort }
  | { type: 'courierEnds'; id: number };

/** From the page: this one could not be loaded. */
export interface CourierLost {
  type: 'courierLost';
  id: number;
}

/** From the page to a courier, first and once: where it is asked. */
export interface CourierPlace {
  port: MessagePort;
}

/** Requests by number, each answered once. */
export type ToCourier =
  | { type: 'send'; id: number; request: CourierRequest }
  | { type: 'cancel'; id: number };

export interface CourierRequest {
  url: string;
  method: string;
  headers: [string, string][];
  body: Blob;
}

export type FromCourier =
  | { type: 'answer'; id: number; status: number; text: string }
  /** No answer came; the browser's own words for it. */
  | { type: 'failed'; id: number; reason: string };
