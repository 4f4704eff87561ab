/** What the host's worker and its courier tell each other: requests by number, each answered once. */

export type ToCourier =
  | { type: 'send'; id: number; request: CourierRequest }
  | { type: 'cancel'; id: number };

export interface CourierRequest {
  url: string;
  method: string;
  headers: [string, string][];
  body: Uint8Array<ArrayBuffer>;
}

export type FromCourier =
  | { type: 'answer'; id: number; status: number; text: string }
  /** No answer came; the browser's own words for it. */
  | { type: 'failed'; id: number; reason: string };
