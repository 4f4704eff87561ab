import type { IncomingMessage } from 'node:http';
import type { Bytes } from '../../peer/bytes.ts';
import { MatineeError } from '../../peer/errors.ts';
import type { AddressOf } from '../../signaling/client-address.ts';
import { MAX_SMALL_BODY_BYTES, readBody } from './body.ts';

/** Bytes of bodies on their way at once: of one address, eight of the largest there can be, or a hundred of long films; and of all. */
const MAX_OF_ADDRESS_BYTES = 8 * MAX_SMALL_BODY_BYTES;
const MAX_IN_ALL_BYTES = 64 * MAX_SMALL_BODY_BYTES;

/** Bodies that must be whole before anything can be made of them: strangers may send some, so it is counted what is held of them. */
export class HeldBodies {
  readonly #addressOf: AddressOf;
  readonly #byAddress = new Map<string, number>();
  #inAllBytes = 0;

  constructor(addressOf: AddressOf) {
    this.#addressOf = addressOf;
  }

  /** A whole body. @throws MatineeError BODY_TOO_LARGE, BODY_TOO_SLOW; TOO_MANY where too much is held already. */
  async read(request: IncomingMessage, maxBytes: number): Promise<Bytes> {
    const address = this.#addressOf(request);
    let heldBytes = 0;
    const hold = (sizeBytes: number): void => {
      this.#hold(address, sizeBytes);
      heldBytes += sizeBytes;
    };
    try {
      return await readBody(request, { maxBytes, hold });
    } finally {
      this.#count(address, -heldBytes);
    }
  }

  #hold(address: string, sizeBytes: number): void {
    const ofAddressBytes = (this.#byAddress.get(address) ?? 0) + sizeBytes;
    if (ofAddressBytes > MAX_OF_ADDRESS_BYTES || this.#inAllBytes + sizeBytes > MAX_IN_ALL_BYTES)
      throw new MatineeError('TOO_MANY', 'The server is receiving too much at once. Try again in a moment.');
    this.#count(address, sizeBytes);
  }

  #count(address: string, sizeBytes: number): void {
    this.#inAllBytes += sizeBytes;
    const left = (this.#byAddress.get(address) ?? 0) + sizeBytes;
    if (left > 0) this.#byAddress.set(address, left);
    else this.#byAddress.delete(address);
  }
}
