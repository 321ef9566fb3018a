/** Objects and lists in one another; APO's notifications have four levels at most. */
export const DEEPEST = 64;
/** Objects, lists and commas in all, at any depth: nearly what the text holds of values. */
export const MOST_VALUES = 10_000;

/** JSON beyond the limits. */
export interface Excess {
  readonly problem: string;
  /** The same JSON, where every object and list inside the outermost is `{}`. */
  readonly shallow: string;
}

/**
 * Null for JSON within the limits. It looks at the text alone, for brackets cost more to parse than to look through;
 * most texts hold few, and are known to be small at once. Never throws; what is no JSON may be either.
 */
export const excessOf = (text: string): Excess | null => {
  // A value takes two characters: itself, and what divides it from the next.
  if (text.length <= 2 * MOST_VALUES && opened(text, '{') + opened(text, '[') <= DEEPEST) return null;
  const { deepest, values, shallow } = measure(text);
  if (deepest > DEEPEST) return { problem: `The body is nested more than ${DEEPEST} levels deep.`, shallow };
  return values > MOST_VALUES ? { problem: `The body holds more than ${MOST_VALUES} values.`, shallow } : null;
};

/** How many there are, also in strings; counted no further than is of interest. */
const opened = (text: string, bracket: string): number => {
  let count = 0;
  for (let at = text.indexOf(bracket); at >= 0 && count <= DEEPEST; at = text.indexOf(bracket, at + 1)) count += 1;
  return count;
};

const QUOTE = 0x22;
const COMMA = 0x2c;
const BACKSLASH = 0x5c;
const [LIST, LIST_END, OBJECT, OBJECT_END] = [0x5b, 0x5d, 0x7b, 0x7d];

interface Measured {
  readonly deepest: number;
  readonly values: number;
  readonly shallow: string;
}

const measure = (text: string): Measured => {
  let [depth, deepest, values, outermost, from] = [0, 0, 1, 1, 0];
  const shallow: string[] = [];
  for (let at = 0; at < text.length; at += 1) {
    switch (text.charCodeAt(at)) {
      case QUOTE:
        at = endOfString(text, at);
        break;
      case LIST:
      case OBJECT:
        depth += 1;
        values += 1;
        deepest = Math.max(deepest, depth);
        if (depth === 2) shallow.push(text.slice(from, at), '{}');
        break;
      case LIST_END:
      case OBJECT_END:
        depth -= 1;
        if (depth === 1) from = at + 1;
        break;
      case COMMA:
        values += 1;
        if (depth === 1) outermost += 1;
        break;
    }
  }
  if (depth < 2) shallow.push(text.slice(from));
  return { deepest, values, shallow: outermost > MOST_VALUES ? '{}' : shallow.join('') };
};

/** Where a string ends that begins here. */
const endOfString = (text: string, begin: number): number => {
  let at = begin + 1;
  while (at < text.length && text.charCodeAt(at) !== QUOTE) at += text.charCodeAt(at) === BACKSLASH ? 2 : 1;
  return at;
};
