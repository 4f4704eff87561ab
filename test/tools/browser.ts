import { homedir } from 'node:os';
import { join } from 'node:path';
import { type Browser, chromium, type LaunchOptions } from 'playwright-core';
import { firstExecutable, isExecutable, placesOnPath } from './executables.ts';
import { once } from './once.ts';
import { isBrowserPackaged, packagedBrowser } from './packaged-browser.ts';
import { signalGroup } from './process-group.ts';
import { tell } from './tell.ts';

/**
 * What Playwright turns off (a second such flag takes the place of the first), and two pages of the address bar that nobody sees here:
 * Chromium makes them anew for each window, and they cost more than most pages that are tested.
 */
const DISABLED_FEATURES = [
  'AimEnabled',
  'AvoidCorsURLLoaderRestartOnRedirect',
  'AvoidUnnecessaryBeforeUnloadCheckSync',
  'DestroyProfileOnBrowserClose',
  'HttpsFirstBalancedModeAutoEnable',
  'HttpsUpgrades',
  'LensOverlay',
  'MediaRouter',
  'NetworkTimeServiceQuerying',
  'OptimizationHints',
  'PaintHolding',
  'PreconnectToSearch',
  'ThirdPartyStoragePartitioning',
  'WebUIOmniboxAimPopup',
  'WebUIOmniboxPopup',
];

const flags = [
  `--disable-features=${DISABLED_FEATURES.join(',')}`,
  '--no-sandbox',
  '--disable-gpu',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run',
  '--autoplay-policy=no-user-gesture-required',
];

/**
 * Path of the Chromium-like browser to test with: `MATINEE_BROWSER` (a path, or `npm` for the packaged
 * one), else an installed one, else one that ships inside an npm package. Says once which it is. Rejects
 * with what to install where there is none: tests never skip for want of a browser.
 */
export const findBrowser: () => Promise<string> = once(async () => {
  const { MATINEE_BROWSER: wish = '' } = process.env;
  const path = await chooseBrowser(wish);
  tell(`Browser for the tests: ${path}`);
  return path;
});

/** A headless browser of its own process, for the caller to close; contexts are the tests' to make. */
export async function launchBrowser(options: LaunchOptions = {}): Promise<Browser> {
  const executablePath = options.executablePath ?? (await findBrowser());
  const args = [...flags, ...(options.args ?? [])];
  return chromium.launch({ headless: true, ...options, executablePath, args });
}

/** A browser that can be stopped in the middle of everything, as a laptop is when its lid closes. */
export interface SleepyBrowser {
  browser: Browser;
  /** Stops all its processes where they are. Until it wakes nothing may be asked of its pages. */
  sleep(): void;
  wake(): void;
  close(): Promise<void>;
}

/** As launchBrowser; for the caller to close, awake or not. */
export async function launchSleepyBrowser(): Promise<SleepyBrowser> {
  const server = await chromium.launchServer({
    headless: true,
    executablePath: await findBrowser(),
    args: [...flags],
  });
  const { pid } = server.process();
  if (pid === undefined) throw new Error('The browser has no process.');
  const signal = (name: NodeJS.Signals) => void signalGroup(pid, name);
  return {
    browser: await chromium.connect(server.wsEndpoint()),
    sleep: () => signal('SIGSTOP'),
    wake: () => signal('SIGCONT'),
    async close() {
      signal('SIGCONT');
      await server.close();
    },
  };
}

async function chooseBrowser(wish: string): Promise<string> {
  if (wish === 'npm') return packagedOrAdvice();
  if (wish !== '') return wishedBrowser(wish);
  return (await firstExecutable(installedPlaces())) ?? packagedOrAdvice();
}

async function wishedBrowser(path: string): Promise<string> {
  if (await isExecutable(path)) return path;
  throw new Error(
    `MATINEE_BROWSER names ${path}, which is no program: correct it, or unset it to search for one.`,
  );
}

async function packagedOrAdvice(): Promise<string> {
  const advice =
    'Install Chrome, Chromium or Edge (Debian: apt-get install chromium), or set MATINEE_BROWSER.';
  if (!isBrowserPackaged()) throw new Error(`No browser was found to test with. ${advice}`);
  try {
    return await packagedBrowser();
  } catch (cause) {
    throw new Error(`No browser is installed and npm could not bring one. ${advice} (${cause})`, { cause });
  }
}

function installedPlaces(): string[] {
  if (process.platform === 'darwin') return macPlaces();
  if (process.platform === 'win32') return windowsPlaces();
  return placesOnPath([
    'chromium',
    'chromium-browser',
    'google-chrome',
    'google-chrome-stable',
    'microsoft-edge',
    'microsoft-edge-stable',
  ]);
}

function macPlaces(): string[] {
  const apps = ['Google Chrome', 'Chromium', 'Microsoft Edge'];
  const folders = ['/Applications', join(homedir(), 'Applications')];
  return apps.flatMap((app) => folders.map((folder) => join(folder, `${app}.app/Contents/MacOS/${app}`)));
}

function windowsPlaces(): string[] {
  const programs = ['Google/Chrome/Application/chrome.exe', 'Chromium/Application/chrome.exe'];
  const folders = ['ProgramFiles', 'ProgramFiles(x86)', 'LocalAppData']
    .map((name) => process.env[name])
    .filter((folder) => folder !== undefined);
  return [...programs, 'Microsoft/Edge/Application/msedge.exe'].flatMap((program) =>
    folders.map((folder) => join(folder, program)),
  );
}
