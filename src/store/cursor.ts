import { InvalidCursorError, type PageRequest } from './store.ts';

/** Where the page after these rows begins; null where they are the last ones. */
export const nextCursor = <Row>(
  rows: readonly Row[],
  { limit }: Pick<PageRequest, 'limit'>,
  cursorOf: (last: Row) => string,
): string | null => {
  const last = rows.at(-1);
  return last === undefined || rows.length < limit ? null : cursorOf(last);
};

/**
 * A cursor that is a key as JSON, with as many values as the start, of the same types; null stands for the start.
 * Throws an InvalidCursorError.
 */
export const readKey = <Key extends readonly (string | number)[]>(cursor: string | null, start: Key): Key => {
  if (cursor === null) return start;
  const key = parse(cursor);
  const fits = key.length === start.length && key.every((value, index) => typeof value === typeof start[index]);
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

/** Where the change feed goes on; `start` null is its beginning. */
export interface FeedCursor {
  readonly start: string | null;
  readonly position: string;
}

const FEED_BEGINS = '0';

/** `0`, or `<start id>.<position>` (starts.ts). Throws an InvalidCursorError. */
export const readFeedCursor = (cursor: string): FeedCursor => {
  if (cursor === FEED_BEGINS) return { start: null, position: '0' };
  const [, start, position] = /^([0-9a-f]{16})\.(\d+)$/.exec(cursor) ?? [];
  if (start === undefined || position === undefined) throw new InvalidCursorError('not a cursor');
  return { start, position: readPosition(position) };
};

/** Whether something may have been added to a feed after a cursor; `end` is a cursor of its end. */
export const hasPassed = (end: FeedCursor, { start, position }: FeedCursor): boolean =>
  end.start !== start || BigInt(end.position) > BigInt(position);

/** Nothing has a position before there is a start. */
export const toFeedCursor = ({ start, position }: FeedCursor): string =>
  start === null ? FEED_BEGINS : `${start}.${position}`;

/** A cursor that is a position. Throws an InvalidCursorError. */
export const readPosition = (cursor: string): string => {
  if (/^\d{1,19}$/.test(cursor) && BigInt(cursor) <= LAST_POSITION) return cursor;
  throw new InvalidCursorError('not a cursor');
};
