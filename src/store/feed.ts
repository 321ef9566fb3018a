import { isoTime } from '../order/time.ts';
import { readFeedCursor, toFeedCursor } from './cursor.ts';
import { goOnFrom } from './starts.ts';
import type { HeldUp } from './store-status.ts';
import type { Feed, FeedEnds, PageRequest } from './store.ts';
import type { Count, Dialect, Snapshot, Value } from './transaction.ts';

interface Followed {
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
  const { cursorAt, horizon } = await goOnFrom(snapshot, feed, from);
  const wanted = Object.entries(filter).filter((term): term is [string, string] => term[1] !== null);
  const range = { feed, after: from.position, before: horizon };
  const last = wanted.length === 0 ? null : await lastLookedAt(snapshot, range);
  const values: Value[] = [from.position, last ?? horizon, limit];
  const terms = [
    'position > cast($1 as bigint)',
    `position ${last === null ? '<' : '<='} cast($2 as bigint)`,
    // Not by an index of the column: that holds no positions.
    ...wanted.map(([column, value]) => `${column} || '' = $${values.push(value)}`),
  ];
  const rows = await snapshot.query<Row>(
    `select ${columns} from ${feed} where ${terms.join(' and ')} order by position limit $3`,
    values,
  );
  const reached = String(rows.at(-1)?.position ?? from.position);
  // A page that is not full, and an empty one too, gives a cursor of the latest start, behind all that was looked at.
  return { rows, next: cursorAt(rows.length < limit ? (last ?? reached) : reached) };
};

/** What a page looks at where it does not want all: otherwise one that finds little would read the whole table. */
const LOOKED_AT = 20_000;

interface Range {
  readonly feed: Feed;
  readonly after: string;
  readonly before: string;
}

const lastLookedAt = async ({ query }: Snapshot, { feed, after, before }: Range): Promise<string> => {
  const [row] = await query<{ last: Count | null }>(
    `select max(position) as last
     from (
       select position
       from ${feed}
       where position > cast($1 as bigint) and position < cast($2 as bigint)
       order by position
       limit ${LOOKED_AT}
     ) as looked_at`,
    [after, before],
  );
  return String(row?.last ?? after);
};

/**
 * What keeps the change feed from going on; null where nothing has for a while. Any transaction of PostgreSQL that
 * writes does, in whichever database of the server, until it ends: what commits meanwhile is behind the horizon.
 */
export const heldUp = async ({ query, dialect }: Pick<Snapshot, 'query' | 'dialect'>): Promise<HeldUp | null> => {
  if (dialect.horizonHolder === null) return null;
  const [row] = await query<{ since: Count; now: Count }>(
    `select updated_at as since, ${dialect.clock} as now
     from orders
     where position >= ${dialect.feeds.orders.horizon}
     order by position
     limit 1`,
  );
  if (row === undefined || Number(row.now) - Number(row.since) < A_WHILE_MS) return null;
  const [by] = await query<{ holder: string }>(dialect.horizonHolder);
  return { since: isoTime(row.since), by: by?.holder ?? null };
};

/** Longer than transactions of ours take. */
const A_WHILE_MS = 10_000;

/** The last position of a feed below its horizon. */
const lastOf = (feed: Feed, { feeds }: Dialect): string =>
  `(select coalesce(max(position), 0) from ${feed} where position < ${feeds[feed].horizon})`;

/** The cursors after the latest change. Asked several times a second while anybody waits: no row of a feed is read. */
export const feedEnds = async ({ query, dialect }: Pick<Snapshot, 'query' | 'dialect'>): Promise<FeedEnds> => {
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
