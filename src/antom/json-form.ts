import { isUtf8 } from 'node:buffer';
import { type Json, type Parsed, parseTokens, STRING } from './json-tokens.ts';

/** How programs lay JSON out: without spaces, as Python's `json.dumps`, or indented. */
const LAYOUTS = {
  COMPACT: { comma: ',', colon: ':', indent: '' },
  SPACED: { comma: ', ', colon: ': ', indent: '' },
  INDENTED_2: { comma: ',', colon: ': ', indent: '  ' },
  INDENTED_4: { comma: ',', colon: ': ', indent: '    ' },
} as const;
export type Layout = keyof typeof LAYOUTS;

/** How a JSON text differs in form from the one that came; null is as it came. */
export interface JsonForm {
  readonly layout: Layout | null;
  readonly sorted: boolean;
  /** `/` in strings. */
  readonly slash: 'PLAIN' | 'ESCAPED' | null;
  /** What lies beyond ASCII as itself, or as `\u` with lower-case or upper-case digits. */
  readonly unicode: 'PLAIN' | 'ESCAPED' | 'ESCAPED_UPPER' | null;
}

export interface OtherForm {
  readonly form: JsonForm;
  readonly text: string;
}

/** Of the text with the largest indentation. */
const LARGEST_CHARACTERS = 1_048_576;

/**
 * The same JSON in the forms in which programs write it: bounded, each text with the fewest differences that lead to
 * it. Numbers, and all that a form does not speak of, stay as they came. Nothing for what is no JSON or deeper than 64.
 */
export function* jsonForms(body: Buffer): Generator<OtherForm, void, undefined> {
  if (!isUtf8(body)) return;
  const received = body.toString('utf8');
  const seen = new Set<string>();
  for (const strings of stringFormsOf(received)) {
    // The first is left as it came: what is no JSON reaches no regular expression, which it could make slow.
    const text = isAsItCame(strings) ? received : received.replaceAll(STRING, (token) => rewritten(token, strings));
    if (seen.has(text) || !text.isWellFormed()) continue;
    seen.add(text);
    const parsed = parseTokens(text);
    if (parsed === null) return;
    if (text !== received) yield { text, form: { ...strings, layout: null, sorted: false } };
    for (const { layout, sorted, text: laidOut } of laidOutAgain(parsed))
      yield { text: laidOut, form: { ...strings, layout, sorted } };
  }
}

type Strings = Pick<JsonForm, 'slash' | 'unicode'>;

const isAsItCame = ({ slash, unicode }: Strings): boolean => slash === null && unicode === null;

/** Only those that can make a difference to this text; first the one that makes none, then those that make one. */
const stringFormsOf = (text: string): readonly Strings[] => {
  const slashes = text.includes('/') ? (['PLAIN', 'ESCAPED'] as const) : [];
  const unicodes = /\P{ASCII}|\\u/u.test(text) ? (['PLAIN', 'ESCAPED', 'ESCAPED_UPPER'] as const) : [];
  return [
    { slash: null, unicode: null },
    ...slashes.map((slash) => ({ slash, unicode: null })),
    ...unicodes.map((unicode) => ({ slash: null, unicode })),
    ...slashes.flatMap((slash) => unicodes.map((unicode) => ({ slash, unicode }))),
  ];
};

interface LaidOut {
  readonly text: string;
  readonly layout: Layout;
  readonly sorted: boolean;
}

/** JSON in every layout; its keys are sorted only as programs do that sort them. */
function* laidOutAgain({ json, tokens, depth, length }: Parsed): Generator<LaidOut, void, undefined> {
  if (length + tokens * (depth * 4 + 2) > LARGEST_CHARACTERS) return;
  for (const layout of Object.keys(LAYOUTS) as Layout[])
    yield { layout, sorted: false, text: write(json, { layout, sorted: false }, '') };
  for (const layout of ['COMPACT', 'SPACED'] as const)
    yield { layout, sorted: true, text: write(json, { layout, sorted: true }, '') };
}

const write = (json: Json, form: Pick<LaidOut, 'layout' | 'sorted'>, margin: string): string => {
  if (typeof json === 'string') return json;
  const [open, close] = json.kind === 'array' ? '[]' : '{}';
  const { comma, colon, indent } = LAYOUTS[form.layout];
  const inner = margin + indent;
  const items =
    json.kind === 'array'
      ? json.items.map((item) => write(item, form, inner))
      : membersOf(json.members, form).map(([key, value]) => key + colon + write(value, form, inner));
  if (items.length === 0) return `${open}${close}`;
  return indent === ''
    ? `${open}${items.join(comma)}${close}`
    : `${open}\n${inner}${items.join(`${comma}\n${inner}`)}\n${margin}${close}`;
};

type Members = readonly (readonly [key: string, value: Json])[];

const membersOf = (members: Members, { sorted }: Pick<LaidOut, 'sorted'>): Members =>
  sorted
    ? members
        .map((member) => ({ member, key: JSON.parse(member[0]) as string }))
        .sort(byKey)
        .map(({ member }) => member)
    : members;

const byKey = (a: { readonly key: string }, b: { readonly key: string }): number =>
  a.key < b.key ? -1 : Number(a.key > b.key);

/** A slash, what lies beyond ASCII, and every escape; the escapes are matched so that none begins within another. */
const UNIT = /\\u[0-9a-fA-F]{4}|\\.|\/|[\u0080-\uffff]/g;

const rewritten = (token: string, { slash, unicode }: Strings): string =>
  token.replaceAll(UNIT, (unit) => {
    if (unit === '/' || unit === '\\/') return slash === null ? unit : slash === 'PLAIN' ? '/' : '\\/';
    if (unicode === null || (unit.length === 2 && unit[0] === '\\')) return unit;
    const code = unit.length === 1 ? unit.charCodeAt(0) : Number.parseInt(unit.slice(2), 16);
    if (unicode === 'PLAIN') return mayStandPlain(code) ? String.fromCharCode(code) : unit;
    const digits = code.toString(16).padStart(4, '0');
    return `\\u${unicode === 'ESCAPED' ? digits : digits.toUpperCase()}`;
  });

const mayStandPlain = (code: number): boolean => code >= 0x20 && code !== 0x22 && code !== 0x5c;
