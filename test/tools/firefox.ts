import puppeteer, { type Browser } from 'puppeteer-core';
import { firstExecutable, placesOnPath } from './executables.ts';

/** Path of the Firefox to test with: `MATINEE_FIREFOX`, else an installed one; null where there is none. */
export async function findFirefox(): Promise<string | null> {
  const { MATINEE_FIREFOX: wish = '' } = process.env;
  if (wish !== '') return wish;
  const places = placesOnPath(['firefox-esr', 'firefox']);
  return firstExecutable([...places, '/Applications/Firefox.app/Contents/MacOS/firefox']);
}

/** A headless Firefox with a fresh profile, driven by WebDriver BiDi, for the caller to close. */
export function launchFirefox(executablePath: string): Promise<Browser> {
  return puppeteer.launch({
    browser: 'firefox',
    executablePath,
    headless: true,
    extraPrefsFirefox: {
      'media.autoplay.default': 0,
      // Without a network this machine has the loopback alone, and nobody to ask for names that hide addresses.
      'media.peerconnection.ice.loopback': true,
      'media.peerconnection.ice.obfuscate_host_addresses': false,
    },
  });
}
