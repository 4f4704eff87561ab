/** How many name colours the chat's style sheet has. */
const HUES = 6;

/** The colour of a member's name, 0 to 5: always the same for the same member, so that lines can be told apart. */
export function nameHue(memberId: string): number {
  let sum = 0;
  for (const char of memberId) sum = (sum * 31 + (char.codePointAt(0) ?? 0)) % 65521;
  return sum % HUES;
}
