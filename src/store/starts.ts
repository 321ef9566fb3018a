import { randomBytes } from 'node:crypto';
import { type FeedCursor, toFeedCursor } from './cursor.ts';
import { type Feed, OutdatedCursorError } from './store.ts';
import type { Count, Snapshot } from './transaction.ts';

/**
 * A start is the place in the feed from which a database went on by itself: it may be a restored copy of the one
 * before, and give out again the positions that came after. SQLite adds one with the first order or notification that a
 * connection stores; PostgreSQL where a new connection finds another server or database (postgres/starts.ts). `began`
 * is the last position that was stored then, of each feed where they count apart.
 */
export const newStartId = (): string => randomBytes(8).toString('hex');

const GONE_BACK =
  'This cursor is of another generation of the database: a backup was restored, or a server took over that lacks something.';
const WHAT_TO_DO = {
  orders:
    'Start again at after=0; of each order keep the state with the greatest revision, and ship once per referenceOrderId, else per paymentRequestId.',
  notifications: 'Start again at after=0, and act once per clientId and id: a notification has them for ever.',
} as const satisfies Record<Feed, string>;

/**
 * Makes sure that a cursor tells the same place here as where it was given out: its start is stored, its position has
 * been given out, and no later start began before it. Returns what makes a cursor of a position from here on, and the
 * horizon as a value: PostgreSQL then plans for the rows that there are. Throws an OutdatedCursorError.
 */
export const goOnFrom = async (
  { query, dialect }: Snapshot,
  feed: Feed,
  { start, position }: FeedCursor,
): Promise<{ readonly cursorAt: (position: string) => string; readonly horizon: string }> => {
  const { horizon, began } = dialect.feeds[feed];
  const [row] = await query<{ latest: string | null; horizon: Count; valid: number | boolean }>(
    `select
       (select id from starts order by number desc limit 1) as latest,
       ${horizon} as horizon,
       exists (
         select 1
         from starts own
         where own.id = $1 and cast($2 as bigint) < ${horizon}
           and not exists (
             select 1 from starts later where later.number > own.number and later.${began} < cast($2 as bigint)
           )
       ) as valid`,
    [start ?? '', position],
  );
  if (start !== null && Number(row?.valid) !== 1) throw new OutdatedCursorError(`${GONE_BACK} ${WHAT_TO_DO[feed]}`);
  const latest = row?.latest ?? null;
  return {
    cursorAt: (next) => toFeedCursor({ start: latest, position: next }),
    horizon: String(row?.horizon ?? 0),
  };
};
