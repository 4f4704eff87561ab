import { SvelteMap } from 'svelte/reactivity';

/** The languages the pages speak, by their own names. English is always there; another is fetched by who wants it. */
export const LANGUAGES = { en: 'English', de: 'Deutsch' } as const;

export type Language = keyof typeof LANGUAGES;

type Loaders<T> = Record<Exclude<Language, 'en'>, () => Promise<T>>;

/** Loads one collection of texts in a language; calling what it resolves with puts it in use. */
type Load = (language: Language) => Promise<() => void>;

const LANGUAGE_KEY = 'matinee.language';

const loads: Load[] = [];
let spoken: Language = 'en';
let wanted: Language = 'en';

/**
 * Whatever reads a text while the page is drawn reads this too, and is drawn anew with the next change. Svelte's
 * createSubscriber would do, but makes and ends an effect for each text that is drawn.
 */
const changes = new SvelteMap([['count', 0]]);

function watchLanguage(): number {
  return changes.get('count') ?? 0;
}

/** Texts that are those of the language spoken, whenever one is read. */
export function translated<T extends object>(english: T, others: Loaders<T>): T {
  let words = english;
  const load: Load = async (language) => {
    const loaded = language === 'en' ? english : await others[language]();
    return () => {
      words = loaded;
    };
  };
  loads.push(load);
  // Came with a part of the page that was loaded later.
  if (wanted !== 'en') void speak(wanted);
  return new Proxy(english, {
    get: (_, key) => {
      watchLanguage();
      return Reflect.get(words, key);
    },
  });
}

/** The language spoken now. */
export function language(): Language {
  watchLanguage();
  return spoken;
}

/** Speaks this language from now on. Never rejects: where its texts cannot be had, the one before stays. */
export async function speak(next: Language): Promise<void> {
  wanted = next;
  const uses = await Promise.all(loads.map((load) => load(next))).catch(() => null);
  if (!uses || wanted !== next) return;
  for (const use of uses) use();
  spoken = next;
  document.documentElement.lang = next;
  changes.set('count', watchLanguage() + 1);
}

/** The language chosen at an earlier visit, else the first of the browser's that we have. */
export function chosenLanguage(): Language {
  const wishes = [rememberedLanguage(), ...navigator.languages];
  return wishes.map(asLanguage).find((wish) => wish !== null) ?? 'en';
}

/** Keeps the choice for the next visit, where the browser lets us. */
export function rememberLanguage(choice: Language): void {
  try {
    localStorage.setItem(LANGUAGE_KEY, choice);
  } catch {
    // Blocked storage costs the same choice at the next visit.
  }
}

function rememberedLanguage(): string {
  try {
    return localStorage.getItem(LANGUAGE_KEY) ?? '';
  } catch {
    return '';
  }
}

/** Of "de-AT" the "de", where that is spoken here. */
function asLanguage(tag: string): Language | null {
  const [name = ''] = tag.toLowerCase().split('-');
  return Object.hasOwn(LANGUAGES, name) ? (name as Language) : null;
}
