import puppeteer, { type Browser } from 'puppeteer-core';
import { firstExecutable, placesOnPath } from './executables.ts';

/** Path of the Firefox to test with: `MATINEE_FIREFOX`, else an installed one; null where there is none. */
export async function findFirefox(): Promise<string | null> {
  const { MATINEE_FIREFOX: wish = '' } = process.env;
  if (wish !== '') return wish;
  const places = placesOnPath(['firefox-esr', 'firefox']);
  return firstExecutable([...places, '/Applications/Firefox.app/Contents/MacOS/firefox']);
}

/** What a headless Firefox can be told to be; a desktop by day that plays unasked, where it is told nothing. */
export interface FirefoxWay {
  /** The system wants dark pages. */
  isDark?: boolean;
  /** Its screen is touched, and there is no mouse. */
  isTouched?: boolean;
  /** No film with sound starts before the person does something, which is how Firefox comes. */
  mustAskToPlay?: boolean;
}

/** A finger, and a mouse that can hover: as Firefox has them in its preferences. */
const [COARSE, FINE_AND_HOVER] = [1, 6];

/** A headless Firefox with a fresh profile, driven by WebDriver BiDi, for the caller to close. */
export function launchFirefox(executablePath: string, way: FirefoxWay = {}): Promise<Browser> {
  const { isDark = false, isTouched = false, mustAskToPlay = false } = way;
  const pointer = isTouched ? COARSE : FINE_AND_HOVER;
  return puppeteer.launch({
    browser: 'firefox',
    executablePath,
    headless: true,
    extraPrefsFirefox: {
      'media.autoplay.default': mustAskToPlay ? 1 : 0,
      'ui.systemUsesDarkTheme': isDark ? 1 : 0,
      'ui.primaryPointerCapabilities': pointer,
      'ui.allPointerCapabilities': pointer,
      // Without a network this machine has the loopback alone, and nobody to ask for names that hide addresses.
      'media.peerconnection.ice.loopback': true,
      'media.peerconnection.ice.obfuscate_host_addresses': false,
    },
  });
}
