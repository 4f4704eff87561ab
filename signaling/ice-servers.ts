import * as v from 'valibot';
import { iceServer } from './messages.ts';

/** Schema: ICE servers as text, a JSON array of {urls, username?, credential?} (W3C WebRTC, RTCIceServer). */
export const iceServersText = v.pipe(v.string(), v.parseJson(), v.array(iceServer));
