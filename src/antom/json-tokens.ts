/** JSON with every scalar as the text that it came as: no number is read, so none changes. */
export type Json =
  | string
  | { readonly kind: 'array'; readonly items: readonly Json[] }
  | { readonly kind: 'object'; readonly members: readonly (readonly [key: string, value: Json])[] };

export interface Parsed {
  readonly json: Json;
  readonly tokens: number;
  readonly depth: number;
  /** Characters of the text. */
  readonly length: number;
}

/** A string with its quotation marks. */
export const STRING = /"[^"\\]*(?:\\.[^"\\]*)*"/g;
const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\],:]|[^\s{}[\],:"]+/g;
const DEEPEST = 64;

/** Null for what is no JSON, or deeper than 64. */
export const parseTokens = (text: string): Parsed | null => {
  if (!isJson(text)) return null;
  const tokens = text.match(TOKEN) ?? [];
  const depth = depthOf(tokens);
  if (depth > DEEPEST) return null;
  return { json: read(tokens[Symbol.iterator]()), tokens: tokens.length, depth, length: text.length };
};

const isJson = (text: string): boolean => {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
};

const depthOf = (tokens: readonly string[]): number => {
  let depth = 0;
  let deepest = 0;
  for (const token of tokens) {
    if (token === '{' || token === '[') deepest = Math.max(deepest, ++depth);
    else if (token === '}' || token === ']') depth -= 1;
  }
  return deepest;
};

/** The text is known to be JSON: what has to come comes. */
const read = (tokens: Iterator<string>, first = next(tokens)): Json => {
  if (first === '[') {
    const items: Json[] = [];
    for (let token = next(tokens); token !== ']'; token = next(tokens))
      if (token !== ',') items.push(read(tokens, token));
    return { kind: 'array', items };
  }
  if (first === '{') {
    const members: (readonly [string, Json])[] = [];
    for (let token = next(tokens); token !== '}'; token = next(tokens)) {
      if (token === ',') continue;
      // The colon.
      next(tokens);
      members.push([token, read(tokens)]);
    }
    return { kind: 'object', members };
  }
  return first;
};

const next = (tokens: Iterator<string>): string => {
  const { value, done } = tokens.next();
  return done === true ? '' : value;
};
