import { toFeedCursor } from './cursor.ts';
import type { Feed, FeedEnds } from './store.ts';
import type { Count, Database, Dialect } from './transaction.ts';

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
