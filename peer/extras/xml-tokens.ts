/** What a document of XML is made of, in its order. Names are without their prefix. */
export type XmlToken =
  | { kind: 'open'; name: string; attributes: ReadonlyMap<string, string>; isEmpty: boolean }
  | { kind: 'close'; name: string }
  | { kind: 'text'; text: string };

/** No honest document of subtitles has one longer. */
const MAX_TAG_CHARS = 10_000;

const ATTRIBUTE = /([^\s=/"'<>]+)\s*=\s*(?:"([^"]*)"|'([^']*)')/g;

const NAMED: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

/**
 * Reads a document of XML once, from its start to its end, as far as it is well formed. There are no entities but the five that XML has
 * and numbers: what a document type declares is skipped, so nothing grows and nothing is fetched.
 */
export function* xmlTokens(xml: string): Generator<XmlToken, void, undefined> {
  for (let at = 0; at < xml.length; ) {
    const tagAt = xml.indexOf('<', at);
    if (tagAt !== at) {
      yield { kind: 'text', text: unescaped(xml.slice(at, tagAt < 0 ? xml.length : tagAt)) };
      if (tagAt < 0) return;
    }
    const end = endOfMarkup(xml, tagAt);
    if (end === null) return;
    const token = tokenOf(xml.slice(tagAt, end));
    if (token) yield token;
    at = end;
  }
}

/** Where what begins with "<" ends (exclusive); null: nowhere. */
function endOfMarkup(xml: string, at: number): number | null {
  for (const [start, end] of [
    ['<!--', '-->'],
    ['<![CDATA[', ']]>'],
    ['<?', '?>'],
  ] as const) {
    if (!xml.startsWith(start, at)) continue;
    const endAt = xml.indexOf(end, at + start.length);
    return endAt < 0 ? null : endAt + end.length;
  }
  let quote: string | null = null;
  // A document type may have declarations in brackets.
  let depth = 0;
  for (let i = at + 1; i < xml.length && i - at <= MAX_TAG_CHARS; i++) {
    const char = xml.charAt(i);
    if (quote !== null) quote = char === quote ? null : quote;
    else if (char === '"' || char === "'") quote = char;
    else if (char === '<') depth += 1;
    else if (char === '>' && depth-- === 0) return i + 1;
  }
  return null;
}

function tokenOf(markup: string): XmlToken | null {
  if (markup.startsWith('<![CDATA[')) return { kind: 'text', text: markup.slice(9, -3) };
  if (markup.startsWith('<!') || markup.startsWith('<?')) return null;
  if (markup.startsWith('</')) return { kind: 'close', name: localName(markup.slice(2, -1).trim()) };
  const isEmpty = markup.endsWith('/>');
  const inside = markup.slice(1, isEmpty ? -2 : -1);
  const name = /^[^\s/]*/.exec(inside)?.[0] ?? '';
  const attributes = new Map<string, string>();
  for (const [, key = '', double, single] of inside.slice(name.length).matchAll(ATTRIBUTE))
    attributes.set(localName(key), unescaped(double ?? single ?? ''));
  return { kind: 'open', name: localName(name), attributes, isEmpty };
}

function localName(name: string): string {
  return name.slice(name.indexOf(':') + 1);
}

function unescaped(text: string): string {
  return text.replace(/&(?:#(\d{1,7})|#x([0-9a-f]{1,6})|([a-z]{2,4}));/gi, (whole, decimal, hex, name) => {
    if (name) return NAMED[name] ?? whole;
    const code = decimal ? Number(decimal) : Number.parseInt(hex, 16);
    return code > 0 && code <= 0x10_ffff ? String.fromCodePoint(code) : '';
  });
}
