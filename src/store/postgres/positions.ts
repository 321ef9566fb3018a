import { SETTING } from '../setting.ts';

/**
 * Where a row stands among all others: its transaction's number, followed by its own in that transaction. A plain
 * sequence would not do for the feed: numbers are handed out before the COMMIT, and a reader that has seen 8 would
 * never learn of a 7 that commits after it. With these the feed simply ends before the oldest transaction that
 * its snapshot saw under way, and whatever commits later comes after. The price: a long transaction that writes,
 * anywhere in the cluster, delays the feed; it never tears it. Taking turns by a lock would keep commits in order
 * as well, and make every replica wait for every other one's fsync.
 */
const ORDINAL_BITS = 20;

/** A cluster that a dump was restored into counts from a lower number: `feed_base` makes up for it (connect.ts). */
const from = (transaction: string): string => `(
  select (${transaction}::text::bigint + value::bigint) << ${ORDINAL_BITS}
  from settings
  where name = '${SETTING.feedBase}'
)`;

/** What the positions of the transaction in hand begin with; add a number to each. */
export const NEXT_POSITIONS = from('pg_current_xact_id()');
/** No position below this one is still to come. */
export const HORIZON = from('pg_snapshot_xmin(pg_current_snapshot())');
/** The transaction that the horizon stands before. Every role may see it. */
export const HORIZON_HOLDER = `
  select concat('a transaction of user ', usename, ' in database ', datname, ' (pid ', pid,
    ', ' || nullif(application_name, ''), ')') as holder
  from pg_stat_activity
  where backend_xid = pg_snapshot_xmin(pg_current_snapshot())::xid
  union all
  select concat('the prepared transaction ', gid, ' of user ', owner, ' in database ', database)
  from pg_prepared_xacts
  where transaction = pg_snapshot_xmin(pg_current_snapshot())::xid`;
/** Every position that this snapshot sees is below this one. */
export const NEXT_POSITION = from('pg_snapshot_xmax(pg_current_snapshot())');
/** The number of the transaction that took a position. */
export const transactionOf = (position: string): string => `(${position}) >> ${ORDINAL_BITS}`;
