import type { Order } from '../order/order.ts';
import type {
  CallbackDestination,
  CallbackResult,
  CallbackResults,
  DueCallback,
  DueCallbacks,
  Lease,
  UrlState,
} from './callback.ts';
import { type DeliveredColumns, readDelivered, readByName, settledDigest, writeDelivered } from './callback-content.ts';
import { fence } from './lease.ts';
import { nameOfOrder, registrationKey, toOrderKey } from './order-key.ts';
import type { Count, Database, Query, Snapshot } from './transaction.ts';

interface DueRow extends DeliveredColumns {
  readonly client_id: string;
  readonly number: Count;
  readonly order_key: string;
  readonly attempts: Count;
  readonly next_attempt_at: Count;
  readonly copied: string | null;
  /** Null where the order is gone. */
  readonly start: string | null;
}

interface PauseRow {
  readonly client_id: string;
  readonly number: Count;
  readonly paused_until: Count | null;
  readonly attempts: Count;
}

interface Asked {
  readonly destinations: readonly CallbackDestination[];
  readonly limit: number;
  readonly now: number;
}

/** What is due at one URL; nothing while it is paused. */
export const dueCallbacks = async (database: Database, asked: Asked): Promise<DueCallbacks> =>
  await database.snapshot(async (snapshot) => {
    const urls = await pausesOf(snapshot.query, asked.destinations);
    const pausedUntil = latest(urls.map(({ paused_until }) => paused_until));
    const attempts = urls.reduce((most, one) => Math.max(most, Number(one.attempts)), 0);
    if (pausedUntil !== null && pausedUntil > asked.now) return { pausedUntil, attempts, due: [] };
    const rows = await Promise.all(urls.map(async (url) => await dueAt(snapshot.query, url, asked)));
    const due = rows
      .flat()
      .sort((a, b) => Number(a.next_attempt_at) - Number(b.next_attempt_at))
      .slice(0, asked.limit);
    return { pausedUntil, attempts, due: await withContents(snapshot, due) };
  });

const pausesOf = async (query: Query, destinations: readonly CallbackDestination[]): Promise<readonly PauseRow[]> => {
  const [url] = destinations;
  if (url === undefined) return [];
  const clients = new Set(destinations.map(({ clientId }) => clientId));
  const rows = await query<PauseRow>(
    'select client_id, number, paused_until, attempts from callback_urls where url = $1',
    [url.url],
  );
  return rows.filter((row) => clients.has(row.client_id));
};

const latest = (times: readonly (Count | null)[]): number | null =>
  times.reduce<number | null>((last, time) => (time === null ? last : Math.max(last ?? 0, Number(time))), null);

/** The start that a position falls in is the last one that began before it. */
const dueAt = async (
  query: Query,
  { client_id, number }: PauseRow,
  { limit, now }: Asked,
): Promise<readonly DueRow[]> =>
  await query<DueRow>(
    `select due.client_id, due.number, due.order_key, due.attempts, due.next_attempt_at, due.copied,
       due.delivered_revision, due.delivered,
       (select id from starts where began < orders.position order by starts.number desc limit 1) as start
     from (
       select *
       from callback_orders
       where client_id = $1 and number = cast($2 as bigint) and pending_revision is not null
         and next_attempt_at <= cast($3 as bigint)
       order by next_attempt_at
       limit $4
     ) as due
     left join orders on orders.client_id = due.client_id and orders.order_key = due.order_key`,
    [client_id, number, now, limit],
  );

const withContents = async (snapshot: Snapshot, rows: readonly DueRow[]): Promise<readonly DueCallback[]> => {
  const orders = await readByName(snapshot, rows.map(toOrderKey));
  return rows.map((row) => {
    const key = toOrderKey(row);
    const order = orders.get(nameOfOrder(key)) ?? null;
    return {
      ...key,
      number: Number(row.number),
      attempts: Number(row.attempts),
      content: order === null ? null : { order, start: row.start ?? '', previous: readDelivered(row) },
      copied: order === null || row.copied === null ? null : comparedWith(row.copied, order),
    };
  });
};

const comparedWith = (copied: string, order: Order): 'same' | 'different' =>
  copied === settledDigest(order) ? 'same' : 'different';

/** Writes down what became of posts to one URL; false where the lease is lost, and then nothing is written. */
export const keepCallbackResults = async (
  database: Database,
  lease: Lease,
  { digest, results, url }: CallbackResults,
): Promise<boolean> =>
  await database.transact([], async (transaction) => {
    if (!(await fence(transaction, lease))) return false;
    const now = Date.now();
    const { query } = transaction;
    for (const result of results) await keepResult(query, result, now);
    const delivered = results.filter(({ kind }) => kind === 'delivered');
    for (const number of new Set(delivered.map((one) => one.number)))
      await query('update callback_urls set delivered_at = cast($2 as bigint) where number = $1', [number, now]);
    if (url !== null) await keepUrlState(query, digest, { url, now });
    return true;
  });

const keepResult = async (query: Query, result: CallbackResult, now: number): Promise<void> => {
  const { clientId, number, orderKey } = result;
  const key = [clientId, number, orderKey] as const;
  switch (result.kind) {
    case 'delivered': {
      const { state, paymentRequestId } = result;
      await query(DELIVERED, [...key, state.revision, writeDelivered(state), now]);
      // A placeholder whose place it took is of no use any more.
      if (paymentRequestId !== null) await query(FORGET, [clientId, number, registrationKey(paymentRequestId)]);
      return;
    }
    case 'failed':
      await query(FAILED, [...key, result.why, result.again]);
      return;
    case 'gone':
      await query(FORGET, key);
      return;
    case 'same':
      await query(NEEDLESS, [...key, result.revision]);
      return;
    case 'different':
      await query(`update callback_orders set copied = null ${WHERE_KEY}`, key);
      return;
  }
};

const WHERE_KEY = 'where client_id = $1 and number = cast($2 as bigint) and order_key = $3';

/** What changed meanwhile waits from now on: the shop knows what was before. */
const DELIVERED = `
  update callback_orders
  set delivered_revision = cast($4 as bigint), delivered = $5, delivered_at = cast($6 as bigint), copied = null,
    attempts = 0, why = null, next_attempt_at = cast($6 as bigint),
    pending_since = case when pending_revision > cast($4 as bigint) then cast($6 as bigint) end,
    pending_revision = case when pending_revision > cast($4 as bigint) then pending_revision end
  ${WHERE_KEY}`;
const FAILED = `
  update callback_orders
  set attempts = attempts + 1, why = $4, next_attempt_at = cast($5 as bigint)
  ${WHERE_KEY}`;
const NEEDLESS = `
  update callback_orders
  set pending_revision = null, pending_since = null, attempts = 0, why = null
  ${WHERE_KEY} and pending_revision <= cast($4 as bigint)`;
const FORGET = `
  delete from callback_orders
  ${WHERE_KEY} and not exists (select 1 from orders where orders.client_id = $1 and orders.order_key = $3)`;

const keepUrlState = async (
  query: Query,
  digest: string,
  { url, now }: { readonly url: Exclude<UrlState, null>; readonly now: number },
): Promise<void> => {
  if (url.kind === 'working') {
    await query(
      'update callback_urls set paused_until = null, paused_since = null, attempts = 0, why = null where url = $1',
      [digest],
    );
    return;
  }
  await query(
    `update callback_urls
     set paused_until = cast($2 as bigint), attempts = $3, why = $4,
       paused_since = coalesce(paused_since, cast($5 as bigint))
     where url = $1`,
    [digest, url.until, url.attempts, url.why, now],
  );
};
