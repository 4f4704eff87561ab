/** A name or address with an optional port, as browsers send it: nothing that could end a directive. */
const HOST = /^(?:[A-Za-z0-9.-]{1,253}|\[[0-9a-fA-F:.]{2,45}\])(?::\d{1,5})?$/;

/** What our own pages may load and do: nothing that is not named here, and nothing from elsewhere but WebRTC. */
const DIRECTIVES = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  // Posters and small pictures of a film are decrypted by the page, and blob: addresses.
  "img-src 'self' blob:",
  // MediaSource is a blob: address.
  'media-src blob:',
  "worker-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
];

const CONTENT_SECURITY_POLICY = DIRECTIVES.join('; ');

/** A policy widened for the host's worker alone: decoders of Dolby and DTS sound are WebAssembly, in workers that they make of their own text. */
export function withDecoders(policy: string): string {
  return policy
    .replace("script-src 'self'", "script-src 'self' 'wasm-unsafe-eval'")
    .replace("worker-src 'self'", "worker-src 'self' blob:");
}

/** What a page of ours never asks for, so that code that got in could not ask for it either. */
const PERMISSIONS_POLICY = [
  'accelerometer',
  'camera',
  'display-capture',
  'geolocation',
  'gyroscope',
  'hid',
  'magnetometer',
  'microphone',
  'midi',
  'payment',
  'serial',
  'usb',
]
  .map((feature) => `${feature}=()`)
  .join(', ');

/** Headers of every answer but its content security policy. */
const OTHER_HEADERS = {
  'permissions-policy': PERMISSIONS_POLICY,
  // A room's id is in its path: other sites need not learn it.
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  // Nobody who opened us, or whom we open, can reach into our window.
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
};

/** Headers of every answer. @param host the Host header of the request: the page's own address, at which it signals. */
export function securityHeaders(host: string | undefined): Record<string, string> {
  // Not every browser's 'self' has WebSockets in it (Safari's had not before 15.4).
  const sockets = host !== undefined && HOST.test(host) ? ` ws://${host} wss://${host}` : '';
  return {
    ...OTHER_HEADERS,
    'content-security-policy': `${CONTENT_SECURITY_POLICY}; connect-src 'self'${sockets}`,
  };
}
