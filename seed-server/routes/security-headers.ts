/** What our own pages may load and do: nothing from elsewhere but WebSockets and WebRTC. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'self'",
  // Safari's 'self' has no ws: in it. The signaling server may run elsewhere.
  "connect-src 'self' ws: wss:",
  "media-src 'self' blob:",
  "img-src 'self' data: blob:",
  "worker-src 'self' blob:",
  "style-src 'self'",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join('; ');

/** Headers of every answer. */
export const SECURITY_HEADERS = {
  'content-security-policy': CONTENT_SECURITY_POLICY,
  // A room's id is in its path: other sites need not learn it.
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'cross-origin-resource-policy': 'same-origin',
};
