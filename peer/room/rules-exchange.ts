import type { Bytes } from '../bytes.ts';
import type { Crypto } from '../crypto/crypto.ts';
import { asMatineeError, type ErrorCode } from '../errors.ts';
import { openRules, peekRules, type Rules, standingOf } from '../manifest/rules.ts';
import type { Handlers, Link } from '../wire/link.ts';
import type { Bodies } from '../wire/messages.ts';

/** Goodbye code: the host has forbidden connections between members. */
export const ORIGIN_ONLY = 'ORIGIN_ONLY';

/** Why a member's link is closed by the host's rules. */
export type OutCode = Extract<ErrorCode, 'REMOVED' | 'ROOM_LOCKED'>;

export interface RulesExchangeParts {
  crypto: Crypto;
  roomId: Bytes;
  /** Everyone to tell of new rules. */
  audience(): Iterable<Link>;
  /** The rules are new. */
  onChange(rules: Rules): void;
}

/** Keeps a room's newest rules, once they are proven to be its host's, and passes them from peer to peer. */
export class RulesExchange {
  readonly handlers: Handlers = {
    rules: (link, body) => this.#receive(link, body),
  };
  readonly #parts: RulesExchangeParts;
  #rules: Rules | null = null;
  #envelope: Bytes | null = null;
  /** Checking takes a moment; what was sent first is checked first. */
  #turn: Promise<void> = Promise.resolve();
  #checkingCount = 0;
  /** The rules of each link that wait to be checked: newer ones take their place, so however many come, no more wait. */
  readonly #waiting = new WeakMap<Link, Bytes>();

  constructor(parts: RulesExchangeParts) {
    this.#parts = parts;
  }

  /** The newest rules, or null where the host made none that we know. */
  get rules(): Rules | null {
    return this.#rules;
  }

  /** Tells one peer, or everyone but the one they came from, the newest rules. */
  tell(links: Iterable<Link>, except?: Link): void {
    const envelope = this.#envelope;
    if (!envelope) return;
    for (const link of links) if (link !== except) link.send('rules', { envelope });
  }

  /**
   * Takes signed rules and tells everyone. Returns true where they are newer than what we had, false where not.
   * @throws MatineeError MANIFEST_MALFORMED, SIGNATURE_WRONG.
   */
  async adopt(envelope: Bytes, from?: Link): Promise<boolean> {
    const { crypto, roomId, audience, onChange } = this.#parts;
    // Old news costs no signature.
    if (!this.#isNewer(peekRules(envelope))) return false;
    const rules = await openRules(crypto, roomId, envelope);
    if (!this.#isNewer(rules)) return false;
    this.#rules = rules;
    this.#envelope = envelope;
    this.tell(audience(), from);
    onChange(rules);
    return true;
  }

  /** Why the rules keep this member (id as base64url) out; null where they do not. */
  whyOut(memberId: string): OutCode | null {
    const standing = this.#rules ? standingOf(this.#rules, memberId) : 'ok';
    if (standing === 'ok') return null;
    return standing === 'removed' ? 'REMOVED' : 'ROOM_LOCKED';
  }

  /** Why they forbid a connection between this member and us, who are members both, as a goodbye code; null where they do not. */
  whyApart(memberId: string): string | null {
    return this.whyOut(memberId) ?? (this.#rules?.isOriginOnly ? ORIGIN_ONLY : null);
  }

  /** Runs at once, or after the rules that have come have been checked: for what follows them in one breath. */
  afterChecks(run: () => void): void {
    if (this.#checkingCount === 0) run();
    else void this.#turn.then(run);
  }

  #isNewer({ number }: Rules): boolean {
    return number > (this.#rules?.number ?? 0);
  }

  #receive(link: Link, { envelope }: Bodies['rules']): void {
    const isWaiting = this.#waiting.has(link);
    this.#waiting.set(link, envelope);
    if (isWaiting) return;
    this.#checkingCount += 1;
    this.#turn = this.#turn
      .then(() => this.#check(link))
      .catch((error) => link.close(asMatineeError(error, 'MANIFEST_MALFORMED', 'rules not understood').code))
      .finally(() => {
        this.#checkingCount -= 1;
      });
  }

  async #check(link: Link): Promise<void> {
    const envelope = this.#waiting.get(link);
    this.#waiting.delete(link);
    // What a liar sent after its lie is not looked at.
    if (envelope && link.isOpen) await this.adopt(envelope, link);
  }
}
