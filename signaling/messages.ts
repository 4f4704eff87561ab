import * as v from 'valibot';

/** The origin's address in every room. It is no valid member id, so nobody can take it. */
export const ORIGIN = 'origin';

/** Characters of one signal at most: a sealed offer with a dozen candidates has about 5,000. */
export const MAX_SIGNAL_CHARS = 32 * 1024;

/** Bytes of one ws message at most, either way. */
export const MAX_MESSAGE_BYTES = 48 * 1024;

const base64url = (chars: number) => v.pipe(v.string(), v.regex(new RegExp(`^[A-Za-z0-9_-]{${chars}}$`)));

/** A room's id: 16 bytes, base64url. */
export const roomId = base64url(22);

/** A member's id: the first 16 bytes of SHA-256("matinee/1 member" || its public key), base64url. */
export const memberId = base64url(22);

const address = v.union([memberId, v.literal(ORIGIN)]);
const signalText = v.pipe(v.string(), v.minLength(1), v.maxLength(MAX_SIGNAL_CHARS));

/** A terabyte at most: a number that does not break sums. */
const reportedBytes = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(1e12));

/** What a client may send, as JSON. */
export const fromClient = v.variant('type', [
  /**
   * First message of a member. `token` is the join token (32 bytes), `publicKey` the member's Ed25519 key, and
   * `signature` its own over "matinee/1 join" || 0 || nonce of the hello || room id: only who holds the key takes its id.
   */
  v.strictObject({
    type: v.literal('join'),
    room: roomId,
    token: base64url(43),
    publicKey: base64url(43),
    signature: base64url(86),
  }),
  /** First message of the origin peer, which is present in every room. `key` is the secret it shares with the signaling server. */
  v.strictObject({ type: v.literal('serve'), key: v.pipe(v.string(), v.minLength(16), v.maxLength(200)) }),
  /** Passes `data` on, unread. From the origin, `room` says in which room `to` is. */
  v.strictObject({ type: v.literal('signal'), to: address, data: signalText, room: v.optional(roomId) }),
  /** Bytes of pieces that this member received since it said so last, by source: for the operator's figures, and believed by nobody else. */
  v.strictObject({
    type: v.literal('report'),
    origin: reportedBytes,
    peers: reportedBytes,
    http: reportedBytes,
  }),
  /** Asks for members to connect to, besides those in `known`. */
  v.strictObject({ type: v.literal('more'), known: v.pipe(v.array(memberId), v.maxLength(64)) }),
]);
export type FromClient = v.InferOutput<typeof fromClient>;

export const iceServer = v.object({
  urls: v.union([v.string(), v.array(v.string())]),
  username: v.optional(v.string()),
  credential: v.optional(v.string()),
});

/** What the server sends, as JSON. */
export const fromServer = v.variant('type', [
  /** First message on every connection, sent at once: 32 random bytes for the join to be signed over, so that none can be replayed. */
  v.object({ type: v.literal('hello'), nonce: base64url(43) }),
  /** Answers join: your id, members to dial, whether an origin is there, and the ICE servers to use. */
  v.object({
    type: v.literal('welcome'),
    id: memberId,
    members: v.array(memberId),
    isOriginHere: v.boolean(),
    iceServers: v.array(iceServer),
  }),
  /** Answers serve. */
  v.object({ type: v.literal('serving'), iceServers: v.array(iceServer) }),
  /** Newer ICE servers: the passwords given before will not last much longer. */
  v.object({ type: v.literal('iceServers'), iceServers: v.array(iceServer) }),
  /** Answers more. */
  v.object({ type: v.literal('members'), members: v.array(memberId) }),
  /** Somebody signals you. To the origin, `room` says from which room. */
  v.object({ type: v.literal('signal'), from: address, data: signalText, room: v.optional(roomId) }),
  /** The origin peer came (back): dial it. */
  v.object({ type: v.literal('originHere') }),
  /** Whom you signalled is not there. */
  v.object({ type: v.literal('absent'), id: address, room: v.optional(roomId) }),
  /** What went wrong; the server closes the connection after it. */
  v.object({ type: v.literal('error'), code: v.string(), message: v.string() }),
]);
export type FromServer = v.InferOutput<typeof fromServer>;
export type IceServer = v.InferOutput<typeof iceServer>;
