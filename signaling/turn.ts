import { createHmac } from 'node:crypto';
import * as v from 'valibot';
import type { IceServer } from './messages.ts';

/** TURN servers that share a secret with us. */
export interface TurnSettings {
  /** turn: and turns: addresses (RFC 7065). */
  urls: string[];
  secret: string;
  /** How long a password lasts. */
  ttlS: number;
}

/** Seconds of half a day: longer than a film, shorter than what is worth stealing. */
export const TURN_TTL_S = 43_200;

const TURN_URL = /^turns?:[A-Za-z0-9.:[\]_-]+(\?transport=(udp|tcp))?$/;

/** Schema: TURN addresses with commas or spaces between them. */
export const turnUrlsText = v.pipe(
  v.string(),
  v.transform((text) => text.split(/[\s,]+/).filter((url) => url !== '')),
  v.check((urls) => urls.length > 0 && urls.every((url) => TURN_URL.test(url))),
);

/** Schema: what coturn calls static-auth-secret. */
export const turnSecretText = v.pipe(v.string(), v.minLength(8), v.maxLength(200));

/** Schema: seconds from a minute to a week. */
export const turnTtlText = v.pipe(
  v.string(),
  v.regex(/^\d{1,6}$/),
  v.transform(Number),
  v.minValue(60),
  v.maxValue(604_800),
);

/**
 * The TURN servers with a user name and password that last for the settings' `ttlS`: draft-uberti-behave-turn-rest-00,
 * section 2.2, which coturn checks with `use-auth-secret`. The name says when it ends and nothing of who got it.
 * @param nowMs milliseconds since 1970.
 */
export function turnServer({ urls, secret, ttlS }: TurnSettings, nowMs: number): IceServer {
  const username = String(Math.floor(nowMs / 1000) + ttlS);
  const credential = createHmac('sha1', secret).update(username).digest('base64');
  return { urls, username, credential };
}
