import type { IncomingMessage } from 'node:http';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { clientAddress, countedAddress, NO_PROXIES, trustedProxies } from '../../signaling/client-address.ts';

/** As node:http has it, of which only these two are looked at. */
function request(remoteAddress: string, forwarded?: string): IncomingMessage {
  const headers = forwarded === undefined ? {} : { 'x-forwarded-for': forwarded };
  return { socket: { remoteAddress }, headers } as unknown as IncomingMessage;
}

const counting = suite('addresses as they are counted');

const COUNTED: [string, string][] = [
  ['192.0.2.7', '192.0.2.7'],
  ['::ffff:192.0.2.7', '192.0.2.7'],
  ['::FFFF:192.0.2.7', '192.0.2.7'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:DB8:1:2::9', '2001:db8:1:2::/64'],
  ['2001:db8:1::9', '2001:db8:1:0::/64'],
  ['2001:0db8:0001:0002:ffff::', '2001:db8:1:2::/64'],
  ['::1', '0:0:0:0::/64'],
  ['fe80::1%eth0', 'fe80:0:0:0::/64'],
  ['64:ff9b:1:2:3:4:192.0.2.7', '64:ff9b:1:2::/64'],
  ['64:ff9b::192.0.2.7', '64:ff9b:0:0::/64'],
];

for (const [address, counted] of COUNTED) {
  counting(`should be ${counted} for ${address}`, () => assert.is(countedAddress(address), counted));
}

counting.run();

const proxies = suite('who is believed to speak for others');

proxies('should be nobody unless told', () => {
  const addressOf = clientAddress(NO_PROXIES);
  assert.is(addressOf(request('127.0.0.1', '198.51.100.1')), '127.0.0.1');
  assert.is(clientAddress(trustedProxies([]))(request('::1', '198.51.100.1')), '0:0:0:0::/64');
});

proxies('should be those on the list, and what they say from its end on', () => {
  const addressOf = clientAddress(trustedProxies(['loopback', '10.0.0.0/8', '2001:db8::1']));
  assert.is(addressOf(request('127.0.0.1', '198.51.100.1')), '198.51.100.1');
  assert.is(addressOf(request('::ffff:127.0.0.1', '198.51.100.1')), '198.51.100.1');
  assert.is(addressOf(request('::1', '2001:db8:5:6:7::1')), '2001:db8:5:6::/64');
  assert.is(addressOf(request('127.0.0.1', '1.1.1.1, 198.51.100.1, 10.9.9.9')), '198.51.100.1');
  assert.is(addressOf(request('2001:db8::1', '198.51.100.1,10.1.1.1')), '198.51.100.1');
  assert.is(addressOf(request('11.0.0.1', '198.51.100.1')), '11.0.0.1');
});

proxies('should not be believed beyond what makes sense', () => {
  const addressOf = clientAddress(trustedProxies(['loopback']));
  for (const forwarded of [
    undefined,
    '',
    ' , ',
    'unknown',
    'x'.repeat(5000),
    '198.51.100.1:80',
    '198.51.100.1, ',
  ]) {
    assert.is(addressOf(request('127.0.0.1', forwarded)), '127.0.0.1');
  }
  assert.is(addressOf(request('127.0.0.1', '198.51.100.1, nonsense, 127.0.0.5')), '127.0.0.5');
});

proxies.run();
