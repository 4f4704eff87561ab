import { isLanguageTag, MAX_LABEL_CHARS } from '../extras/extra.ts';
import type { SubtitleName } from '../extras/subtitle-name.ts';
import { plainName } from '../plain-text.ts';
import { plainTitle } from '../plain-title.ts';

/** What a file says of a text track. */
export interface TrackFacts {
  /** ISO 639-2 or BCP 47. */
  language: string;
  /** Empty where it has none. */
  title: string;
  isForced: boolean;
  isForHardOfHearing: boolean;
  /** Whether it is to be shown unasked. */
  isDefault: boolean;
  /** What its format is called; left out where nobody has to know. */
  format?: string;
}

/** What people are told of a text track; its title only where that says more than the language. */
export function textTrackName({
  language,
  title,
  isForced,
  isForHardOfHearing,
  isDefault,
  format = '',
}: TrackFacts): SubtitleName {
  const tag = languageTag(language);
  const plain = plainName(title);
  const words = [
    isLanguageName(plain, tag) ? '' : plain,
    isForced && !/forced/i.test(plain) ? 'forced' : '',
    isForHardOfHearing && !/\b(sdh|cc)\b/i.test(plain) ? 'SDH' : '',
    format,
  ];
  const label = plainTitle(words.filter((word) => word !== '').join(', '), MAX_LABEL_CHARS);
  return { language: tag, label, isDefault };
}

/** Codes with which a file says that it does not know, or that there is no language. */
const NO_LANGUAGE = ['und', 'mis', 'mul', 'zxx', 'qaa'];

/** "ger", "deu", "de" and "de_DE" as BCP 47; "und" where it is no language. */
function languageTag(code: string): string {
  try {
    const [tag = 'und'] = Intl.getCanonicalLocales(code.trim().replaceAll('_', '-'));
    return isLanguageTag(tag) && !NO_LANGUAGE.includes(tag.split('-')[0] ?? '') ? tag : 'und';
  } catch {
    return 'und';
  }
}

/** Whether a title is the language's name, in English or its own. */
function isLanguageName(title: string, tag: string): boolean {
  if (tag === 'und') return false;
  const names = ['en', tag].map((tongue) => new Intl.DisplayNames(tongue, { type: 'language' }).of(tag));
  return names.some((name) => name?.toLowerCase() === title.toLowerCase());
}
