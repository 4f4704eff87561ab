/** What the name of a subtitle file tells of it. */
export interface SubtitleName {
  /** BCP 47; "und" where the name does not say. */
  language: string;
  /** What it says besides, in a word for people; empty where nothing. */
  label: string;
  /** Whether it is to be shown unasked. */
  isDefault: boolean;
}

/** What is taken for subtitles by its name, those kinds included that are refused with a sentence. */
const SUBTITLE_ENDING = /\.(?:srt|vtt|ass|ssa|ttml|dfxp|sub|idx|sup|smi)$/i;

/** Words at the end of a name that are no language. */
const REMARKS: Readonly<Record<string, string>> = {
  forced: 'forced',
  foreign: 'forced',
  sdh: 'SDH',
  cc: 'CC',
  hi: 'SDH',
  default: '',
  full: '',
  sub: '',
  subs: '',
  subtitles: '',
};

/** Languages that are looked for by their names too, in English and in themselves. */
const LANGUAGES =
  'ar bg bn bs ca cs cy da de el en es et eu fa fi fil fr ga gl gu he hi hr hu hy id is it ja ka kk kn ko lt lv mk ml mr ms nb nl no pa pl pt ro ru sk sl sq sr sv sw ta te th tr uk ur vi zh'.split(
    ' ',
  );

/** How many words at the end of a name are looked at. */
const LAST_WORDS = 4;

/** Whether a file is subtitles, or meant as such, by its name. */
export function isSubtitleName(name: string): boolean {
  return SUBTITLE_ENDING.test(name);
}

/** Reads "film.de.srt", "film.German.forced.srt", "film.pt-BR.sdh.vtt". */
export function readSubtitleName(name: string): SubtitleName {
  const [, ...words] = name.replace(SUBTITLE_ENDING, '').split(/[.\s_()[\]]+/);
  const languages: string[] = [];
  const remarks: string[] = [];
  for (const word of words
    .filter((each) => each !== '')
    .slice(-LAST_WORDS)
    .reverse()) {
    const language = languageOf(word);
    const remark = REMARKS[word.toLowerCase()];
    if (language === null && remark === undefined) break;
    if (remark !== undefined) remarks.push(word.toLowerCase());
    if (language !== null) languages.push(language);
  }
  // "hi" is Hindi, and what is written for the hard of hearing.
  const language = languages.find((each) => each !== 'hi') ?? languages[0] ?? 'und';
  const said = remarks
    .filter((word) => word !== 'hi' || language !== 'hi')
    .map((word) => REMARKS[word] ?? '');
  const label = [...new Set(said.filter((each) => each !== ''))].join(', ');
  return { language, label, isDefault: said.includes('forced') || remarks.includes('default') };
}

function languageOf(word: string): string | null {
  return byCode(word) ?? byName(word);
}

/** "de", "ger", "deu", "pt-BR". */
function byCode(word: string): string | null {
  if (!/^[a-z]{2,3}(?:-[a-z]{2,4})?$/i.test(word)) return null;
  try {
    const [code = ''] = Intl.getCanonicalLocales(word);
    return LANGUAGES.includes(code.split('-')[0] ?? '') ? code : null;
  } catch {
    return null;
  }
}

function byName(word: string): string | null {
  const wanted = word.toLowerCase();
  if (wanted.length < 4) return null;
  const named = (code: string, tongue: string): string =>
    (new Intl.DisplayNames(tongue, { type: 'language' }).of(code) ?? '').toLowerCase();
  return LANGUAGES.find((code) => named(code, 'en') === wanted || named(code, code) === wanted) ?? null;
}
