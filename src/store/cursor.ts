import { InvalidCursorError } from './store.ts';

/**
 * A cursor that is a key as JSON, like another one: as many values, of the same types. Throws an InvalidCursorError.
 */
export const readKey = <Key extends readonly (string | number)[]>(cursor: string, like: Key): Key => {
  const key = parse(cursor);
  const fits = key.length === like.length && key.every((value, index) => typeof value === typeof like[index]);
  // No key of ours holds U+0000, which PostgreSQL takes in no text.
  if (fits && !cursor.includes('\\u0000')) return key as unknown as Key;
  throw new InvalidCursorError('not a cursor');
};

const parse = (cursor: string): readonly unknown[] => {
  try {
    const parsed: unknown = JSON.parse(cursor);
    return Array.isArray(parsed) ? parsed : [];
  } catch {
    return [];
  }
};

const LAST_POSITION = 2n ** 63n - 1n;

/** A cursor that is a position. Throws an InvalidCursorError. */
export const readPosition = (cursor: string): string => {
  if (/^\d{1,19}$/.test(cursor) && BigInt(cursor) <= LAST_POSITION) return cursor;
  throw new InvalidCursorError('not a cursor');
};
