import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type NetworkInformation, watchNetwork } from '../../web/src/member/network.ts';

class Information extends EventTarget implements NetworkInformation {
  type: string;

  constructor(type: string) {
    super();
    this.type = type;
  }

  become(type: string): void {
    this.type = type;
    this.dispatchEvent(new Event('change'));
  }
}

const watching = suite('watching the network');

watching('should tell when the device is online again, and when it is on another kind of network', () => {
  const page = new EventTarget();
  const information = new Information('wifi');
  const listening = new AbortController();
  let count = 0;
  watchNetwork(page, information, () => (count += 1), listening.signal);
  page.dispatchEvent(new Event('online'));
  assert.is(count, 1);
  information.become('cellular');
  assert.is(count, 2);
  listening.abort();
  page.dispatchEvent(new Event('online'));
  information.become('wifi');
  assert.is(count, 2);
});

watching('should tell nothing of a new estimate of the same network, nor of having none', () => {
  const page = new EventTarget();
  const information = new Information('wifi');
  let count = 0;
  watchNetwork(page, information, () => (count += 1), new AbortController().signal);
  information.become('wifi');
  information.become('none');
  page.dispatchEvent(new Event('offline'));
  assert.is(count, 0);
});

watching('should do with a browser that says nothing of its network', () => {
  const page = new EventTarget();
  let count = 0;
  watchNetwork(page, null, () => (count += 1), new AbortController().signal);
  page.dispatchEvent(new Event('online'));
  assert.is(count, 1);
});

watching.run();
