/** Why the server cannot start: a sentence for whoever starts it. */
export class StartError extends Error {
  override readonly name = 'StartError';
}
