import { readFeedCursor, toFeedCursor } from './cursor.ts';
import { goOnFrom } from './starts.ts';
import type { Feed, FeedEnds, PageRequest } from './store.ts';
import type { Count, Database, Dialect, Snapshot, Value } from './transaction.ts';

export interface Followed {
  readonly feed: Feed;
  readonly columns: string;
  /** Columns and the values that they must have; null takes all. */
  readonly filter: Readonly<Record<string, string | null>>;
}

/** The next rows of a feed, and the cursor behind them. Throws an InvalidCursorError or an OutdatedCursorError. */
export const follow = async <Row extends { readonly position: Count }>(
  snapshot: Snapshot,
  { feed, columns, filter }: Followed,
  { limit, cursor }: PageRequest,
): Promise<{ readonly rows: readonly Row[]; readonly next: string }> => {
  const from = readFeedCursor(cursor ?? '0');
  const cursorAt = await goOnFrom(snapshot, feed, from);
  const wanted = Object.entries(filter).filter((term): term is [string, string] => term[1] !== null);
  const through = wanted.length === 0 ? null : await lastLookedAt(snapshot, feed, from.position);
  const values: Value[] = [from.position, limit, ...(through === null ? [] : [through])];
  const terms = [
    'position > cast($1 as bigint)',
    through === null ? `position < ${snapshot.dialect.feeds[feed].horizon}` : 'position <= cast($3 as bigint)',
    // Not by an index of the column: that holds no positions.
    ...wanted.map(([column, value]) => `${column} || '' = $${values.push(value)}`),
  ];
  const rows = await snapshot.query<Row>(
    `select ${columns} from ${feed} where ${terms.join(' and ')} order by position limit $2`,
    values,
  );
  const last = rows.at(-1)?.position ?? from.position;
  // A page that is not full, and an empty one too, gives a cursor of the latest start, behind all that was looked at.
  return { rows, next: cursorAt(String(rows.length < limit ? (through ?? last) : last)) };
};

/** What a page looks at where it does not want all: otherwise one that finds little would read the whole table. */
const LOOKED_AT = 50_000;

const lastLookedAt = async ({ query, dialect }: Snapshot, feed: Feed, from: string): Promise<string> => {
  const [row] = await query<{ last: Count | null }>(
    `select max(position) as last
     from (
       select position
       from ${feed}
       where position > cast($1 as bigint) and position < ${dialect.feeds[feed].horizon}
       order by position
       limit ${LOOKED_AT}
     ) as looked_at`,
    [from],
  );
  return String(row?.last ?? from);
};

/** The last position of a feed below its horizon. */
const lastOf = (feed: Feed, { feeds }: Dialect): string =>
  `(select coalesce(max(position), 0) from ${feed} where position < ${feeds[feed].horizon})`;

/** The cursors after the latest change. Asked several times a second while anybody waits: no row of a feed is read. */
export const feedEnds = async ({ query, dialect }: Database): Promise<FeedEnds> => {
  const [row] = await query<{ start: string | null } & Record<Feed, Count>>(
    `select (select id from starts order by number desc limit 1) as start,
       ${lastOf('orders', dialect)} as orders, ${lastOf('notifications', dialect)} as notifications`,
  );
  const { start = null, orders = 0, notifications = 0 } = row ?? {};
  return {
    orders: toFeedCursor({ start, position: String(orders) }),
    notifications: toFeedCursor({ start, position: String(notifications) }),
  };
};
