import type { CallbackDestination, Lease, TakenChanges } from './callback.ts';
import { type FeedCursor, readFeedCursor, toFeedCursor } from './cursor.ts';
import { OutdatedCursorError } from './errors.ts';
import { feedEnds } from './feed.ts';
import { fence } from './lease.ts';
import { goOnFrom } from './starts.ts';
import type { Count, Database, Query, Snapshot, Transaction } from './transaction.ts';

/** As far as following the feed is concerned. */
interface UrlRow {
  readonly client_id: string;
  readonly url: string;
  readonly number: Count;
  readonly in_use: Count;
  readonly followed_since: Count;
  readonly start: string | null;
  readonly position: Count;
  readonly floor: Count;
  readonly again_until: Count;
}

const BEGINNING: FeedCursor = { start: null, position: '0' };

/**
 * Makes pending what changed, for each destination. All of them read the same pages where they stand at the same place,
 * so that many clients cost no more than one.
 */
export const takeChanges = async (
  database: Database,
  {
    lease,
    ...taking
  }: { readonly lease: Lease } & Pick<Page, 'limit'> & {
      readonly destinations: readonly CallbackDestination[];
    },
): Promise<TakenChanges | null> =>
  await database.transact([], async (transaction) => {
    if (!(await fence(transaction, lease))) return null;
    const end = readFeedCursor((await feedEnds(transaction)).orders);
    const now = Date.now();
    const urls = await putInUse(transaction.query, taking.destinations, { end, now });
    let more = false;
    for (const together of standingTogether(urls)) {
      const isFull = await takePage(transaction, together, { limit: taking.limit, last: end.position, now });
      more ||= isFull;
    }
    return { more, end: toFeedCursor(end) };
  });

/**
 * Those that are configured are in use, and no others. A new one begins at the end, or where the one stands whose place
 * it takes, and is told what that one was not.
 */
const putInUse = async (
  query: Query,
  destinations: readonly CallbackDestination[],
  { end, now }: { readonly end: FeedCursor; readonly now: number },
): Promise<readonly UrlRow[]> => {
  const rows = await query<UrlRow>(SELECT_URLS);
  const isConfigured = (row: UrlRow): boolean =>
    destinations.some(({ clientId, url }) => row.client_id === clientId && row.url === url);
  const unused = rows.filter((row) => Number(row.in_use) === 1 && !isConfigured(row));
  let numbers = rows.reduce((most, { number }) => Math.max(most, Number(number)), 0);
  const used: UrlRow[] = [];
  for (const { clientId, url, origin } of destinations) {
    const row = rows.find((one) => one.client_id === clientId && one.url === url);
    if (row === undefined) {
      numbers += 1;
      const replaced = unused.find((one) => one.client_id === clientId);
      const { start, position } = replaced ?? end;
      used.push(...(await query<UrlRow>(INSERT_URL, [clientId, url, numbers, origin, now, start, position])));
      if (replaced !== undefined) await query(TAKE_OVER, [numbers, now, clientId, replaced.number]);
      continue;
    }
    used.push(row);
    if (Number(row.in_use) === 0) await query(SET_IN_USE, [row.number, 1]);
  }
  for (const { number } of unused) await query(SET_IN_USE, [number, 0]);
  return used;
};

const COLUMNS = 'client_id, url, number, in_use, followed_since, start, position, floor, again_until';
const SELECT_URLS = `select ${COLUMNS} from callback_urls`;
const INSERT_URL = `
  insert into callback_urls (
    client_id, url, number, origin, in_use, followed_since, start, position, floor, again_until, attempts
  )
  values ($1, $2, $3, $4, 1, $5, $6, $7, 0, 0, 0)
  returning ${COLUMNS}`;
/** What one URL was not told yet, another one is. */
const TAKE_OVER = `
  insert into callback_orders (
    client_id, number, order_key, pending_revision, pending_since, attempts, next_attempt_at
  )
  select client_id, cast($1 as bigint), order_key, pending_revision, pending_since, 0, cast($2 as bigint)
  from callback_orders
  where client_id = $3 and number = cast($4 as bigint) and pending_revision is not null`;
const SET_IN_USE = 'update callback_urls set in_use = $2 where number = $1';

const standingTogether = (urls: readonly UrlRow[]): readonly (readonly UrlRow[])[] => [
  ...Map.groupBy(urls, ({ start, position, again_until }) => `${start}.${position}.${again_until}`).values(),
];

interface Page {
  readonly limit: number;
  /** The last position there is to take. */
  readonly last: string;
  readonly now: number;
}

/** Returns whether there may be more. */
const takePage = async (
  transaction: Transaction,
  urls: readonly UrlRow[],
  { limit, last, now }: Page,
): Promise<boolean> => {
  const [first] = urls;
  if (first === undefined) return false;
  const { from, isOutdated, cursorAt } = await placeOf(transaction, first);
  const againUntil = String(first.again_until);
  const isAgain = BigInt(from) < BigInt(againUntil);
  // One page is of one sort.
  const bound = isAgain && BigInt(againUntil) < BigInt(last) ? againUntil : last;
  const [row] = await transaction.query<{ position: Count }>(
    `select position
     from orders
     where position > cast($1 as bigint) and position <= cast($2 as bigint)
     order by position
     limit 1 offset $3`,
    [from, bound, limit - 1],
  );
  const to = row === undefined ? bound : String(row.position);
  for (const url of urls) {
    const floor = isOutdated ? url.followed_since : url.floor;
    if (BigInt(to) > BigInt(from))
      await transaction.query(MAKE_PENDING, [url.number, now, from, to, url.client_id, floor, isAgain ? 1 : 0]);
    const next = readFeedCursor(cursorAt(BigInt(to) > BigInt(from) ? to : from));
    // Where somebody has set it back meanwhile, that counts.
    if (next.position !== String(url.position) || next.start !== url.start)
      await transaction.query(MOVE_ON, [url.number, next.start, next.position, floor, url.position, url.again_until]);
  }
  return BigInt(to) < BigInt(last);
};

/**
 * Where the database has gone back behind the cursor, the feed is read from its beginning. What was delivered is passed
 * over, and so is what was there before the URL was followed: a revision is never less than the time of its commit.
 */
const placeOf = async (
  snapshot: Snapshot,
  { start, position }: UrlRow,
): Promise<{
  readonly from: string;
  readonly isOutdated: boolean;
  readonly cursorAt: (position: string) => string;
}> => {
  try {
    const { cursorAt } = await goOnFrom(snapshot, 'orders', { start, position: String(position) });
    return { from: String(position), isOutdated: false, cursorAt };
  } catch (error) {
    if (!(error instanceof OutdatedCursorError)) throw error;
    const { cursorAt } = await goOnFrom(snapshot, 'orders', BEGINNING);
    return { from: BEGINNING.position, isOutdated: true, cursorAt };
  }
};

/**
 * First come, first posted. What was delivered in this revision, or a later one, is passed over unless it is to be sent
 * again. By the client, but not by its index: that holds no positions.
 */
const MAKE_PENDING = `
  insert into callback_orders (
    client_id, number, order_key, pending_revision, pending_since, attempts, next_attempt_at
  )
  select client_id, cast($1 as bigint), order_key, revision, cast($2 as bigint), 0,
    case when updated_at < cast($2 as bigint) and cast($7 as bigint) = 0 then updated_at else cast($2 as bigint) end
  from orders
  where position > cast($3 as bigint) and position <= cast($4 as bigint) and client_id || '' = $5
    and revision > cast($6 as bigint)
  on conflict (client_id, number, order_key) do update
  set pending_revision = excluded.pending_revision,
    pending_since = coalesce(callback_orders.pending_since, excluded.pending_since),
    next_attempt_at = case
      when callback_orders.pending_revision is null then excluded.next_attempt_at
      else callback_orders.next_attempt_at
    end,
    copied = case when cast($7 as bigint) = 0 then callback_orders.copied end
  where cast($7 as bigint) = 1
    or callback_orders.delivered_revision is null
    or callback_orders.delivered_revision < excluded.pending_revision`;

const MOVE_ON = `
  update callback_urls
  set start = $2, position = cast($3 as bigint), floor = cast($4 as bigint)
  where number = $1 and position = cast($5 as bigint) and again_until = cast($6 as bigint)`;
