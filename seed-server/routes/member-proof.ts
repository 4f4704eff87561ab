import { MatineeError } from '../../peer/errors.ts';
import { isSignedForHttp, memberIdOf } from '../../signaling/join-proof.ts';
import { Recent } from '../store/recent.ts';

/** The header by which a member says who it is: public key and signature, base64url, with a dot between them. */
export const MEMBER_HEADER = 'x-member';

const PROOF = /^([A-Za-z0-9_-]{43})\.([A-Za-z0-9_-]{86})$/;

/** A member shows the same proof with each request, and checking one takes half a millisecond. Each kept takes some 400 bytes. */
const MAX_KEPT = 5000;

/** Who members prove to be over HTTP. The proof is good for one room and for ever: it says who comes, not that they may. */
export class MemberProofs {
  readonly #kept = new Recent<string>(MAX_KEPT);

  /** The id of the member that this header's value proves. @throws MatineeError SIGNATURE_WRONG. */
  memberOf(room: string, proof: string): string {
    const name = `${room} ${proof}`;
    const kept = this.#kept.get(name);
    if (kept !== undefined) return kept;
    const [, publicKey = '', signature = ''] = PROOF.exec(proof) ?? [];
    if (publicKey === '' || !isSignedForHttp(room, publicKey, signature)) throw unproven();
    const member = memberIdOf(publicKey);
    this.#kept.set(name, member);
    return member;
  }
}

function unproven(): MatineeError {
  return new MatineeError(
    'SIGNATURE_WRONG',
    'The host keeps some people out of this room, so who comes must prove who they are. Reload the page.',
  );
}
