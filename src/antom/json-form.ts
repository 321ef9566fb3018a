import { isUtf8 } from 'node:buffer';
import { type Json, parseTokens, STRING } from './json-tokens.ts';

/** How programs lay JSON out: without spaces, as Python's `json.dumps`, or indented. */
export const LAYOUTS = {
  COMPACT: { comma: ',', colon: ':', indent: '' },
  SPACED: { comma: ', ', colon: ': ', indent: '' },
  INDENTED_2: { comma: ',', colon: ': ', indent: '  ' },
  INDENTED_4: { comma: ',', colon: ': ', indent: '    ' },
  INDENTED_TAB: { comma: ',', colon: ': ', indent: '\t' },
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
 * The same JSON in the forms in which programs write it, those with the fewest differences first. Numbers, and all
 * that a form does not speak of, stay as they came. Nothing for what is no JSON, is deeper than 64, or grows too large.
 */
export function* jsonForms(body: Buffer): Generator<OtherForm, void, undefined> {
  if (!isUtf8(body)) return;
  const received = body.toString('utf8');
  const parsed = parseTokens(received);
  if (parsed === null) return;
  const { json, tokens, depth } = parsed;
  const fits = received.length * 6 + tokens * (depth * 4 + 2) <= LARGEST_CHARACTERS;
  for (const form of formsOf(received)) {
    if (form.layout === null) {
      const text = received.replaceAll(STRING, (token) => rewritten(token, form));
      if (text !== received && text.isWellFormed()) yield { form, text };
      continue;
    }
    if (!fits) continue;
    const text = write(json, form as Written, '');
    if (text !== received && text.isWellFormed()) yield { form, text };
  }
}

type Written = JsonForm & { readonly layout: Layout };

const differences = ({ layout, sorted, slash, unicode }: JsonForm): number =>
  Number(layout !== null) + Number(sorted) + Number(slash !== null) + Number(unicode !== null);

/** Only those that can make a difference to this text; keys are sorted only where all is laid out again. */
const formsOf = (text: string): readonly JsonForm[] => {
  const slashes = text.includes('/') ? (['PLAIN', 'ESCAPED'] as const) : [];
  const unicodes = /\P{ASCII}|\\u/u.test(text) ? (['PLAIN', 'ESCAPED', 'ESCAPED_UPPER'] as const) : [];
  const forms = [null, ...(Object.keys(LAYOUTS) as Layout[])].flatMap((layout) =>
    (layout === null ? [false] : [false, true]).flatMap((sorted) =>
      [null, ...slashes].flatMap((slash) => [null, ...unicodes].map((unicode) => ({ layout, sorted, slash, unicode }))),
    ),
  );
  return forms.filter((form) => differences(form) > 0).sort((a, b) => differences(a) - differences(b));
};

const write = (json: Json, form: Written, margin: string): string => {
  if (typeof json === 'string') return rewritten(json, form);
  const [open, close] = json.kind === 'array' ? '[]' : '{}';
  const { comma, colon, indent } = LAYOUTS[form.layout];
  const inner = margin + indent;
  const items =
    json.kind === 'array'
      ? json.items.map((item) => write(item, form, inner))
      : membersOf(json.members, form).map(([key, value]) => rewritten(key, form) + colon + write(value, form, inner));
  if (items.length === 0) return `${open}${close}`;
  return indent === ''
    ? `${open}${items.join(comma)}${close}`
    : `${open}\n${inner}${items.join(`${comma}\n${inner}`)}\n${margin}${close}`;
};

type Members = readonly (readonly [key: string, value: Json])[];

const membersOf = (members: Members, { sorted }: JsonForm): Members =>
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

const rewritten = (token: string, { slash, unicode }: JsonForm): string => {
  if (token[0] !== '"' || (slash === null && unicode === null)) return token;
  return token.replaceAll(UNIT, (unit) => {
    if (unit === '/' || unit === '\\/') return slash === null ? unit : slash === 'PLAIN' ? '/' : '\\/';
    if (unicode === null || (unit.length === 2 && unit[0] === '\\')) return unit;
    const code = unit.length === 1 ? unit.charCodeAt(0) : Number.parseInt(unit.slice(2), 16);
    if (unicode === 'PLAIN') return mayStandPlain(code) ? String.fromCharCode(code) : unit;
    const digits = code.toString(16).padStart(4, '0');
    return `\\u${unicode === 'ESCAPED' ? digits : digits.toUpperCase()}`;
  });
};

const mayStandPlain = (code: number): boolean => code >= 0x20 && code !== 0x22 && code !== 0x5c;
