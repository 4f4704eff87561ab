/** What our own pages may load and do: nothing that is not named here, and nothing from elsewhere but WebSockets and WebRTC. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  // Safari's 'self' has no ws: in it. The signaling server may run elsewhere.
  "connect-src 'self' ws: wss:",
  // MediaSource is a blob: address.
  'media-src blob:',
  "worker-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

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

/** Headers of every answer. */
export const SECURITY_HEADERS = {
  'content-security-policy': CONTENT_SECURITY_POLICY,
  'permissions-policy': PERMISSIONS_POLICY,
  // A room's id is in its path: other sites need not learn it.
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  // Nobody who opened us, or whom we open, can reach into our window.
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
};
