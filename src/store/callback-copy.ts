import { isoTime } from '../order/time.ts';
import type { CopiedCallback, CopiedUrl } from './callback.ts';
import { type DeliveredColumns, readDelivered, readByName, settledDigest, writeDelivered } from './callback-content.ts';
import { readKey } from './cursor.ts';
import type { Page, PageRequest } from './lists.ts';
import { nameOfOrder } from './order-key.ts';
import type { Count, Database } from './transaction.ts';

/*
 * Orders are derived where a copy arrives, with revisions of that database: what the shop knows is told from what it
 * does not by what the orders say. So all that the relay is done with comes over, also orders that were never posted
 * because they are older than the callback URL; the feed is then read from its beginning.
 */

interface UrlRow {
  readonly client_id: string;
  readonly url: string;
  readonly number: Count;
  readonly origin: string;
  readonly followed_since: Count;
}

const SELECT_URLS = 'select client_id, url, number, origin, followed_since from callback_urls order by number';

export const readCallbackUrls = async ({ query }: Pick<Database, 'query'>): Promise<readonly CopiedUrl[]> =>
  (await query<UrlRow>(SELECT_URLS)).map((row) => ({
    clientId: row.client_id,
    url: row.url,
    origin: row.origin,
    followedSince: isoTime(row.followed_since),
  }));

interface SettledRow extends DeliveredColumns {
  readonly order_key: string;
  readonly delivered_at: Count | null;
  readonly copied: string | null;
  readonly pending: Count;
  readonly taken: Count;
}

/** Before the first one. */
const START: readonly [number: number, orderKey: string] = [0, ''];

/** URL by URL, each in the order of its orders' keys. */
export const readCallbacks = async (database: Database, page: PageRequest): Promise<Page<CopiedCallback>> =>
  await database.snapshot(async (snapshot) => {
    const [number, orderKey] = readKey(page.cursor, START);
    const urls = (await snapshot.query<UrlRow>(SELECT_URLS)).filter((one) => Number(one.number) >= number);
    const [url, following] = urls;
    if (url === undefined) return { items: [], next: null };
    const { client_id: clientId } = url;
    const rows = await snapshot.query<SettledRow>(SELECT_SETTLED, [clientId, url.number, orderKey, page.limit]);
    const last = rows.at(-1);
    const goOn = following === undefined ? null : [Number(following.number), ''];
    const next = last === undefined || rows.length < page.limit ? goOn : [Number(url.number), last.order_key];
    const carried = rows.filter((row) => isSettled(row) || row.copied !== null || row.delivered_revision !== null);
    const keys = carried.filter(isSettled).map((row) => ({ clientId, orderKey: row.order_key }));
    const orders = await readByName(snapshot, keys);
    const items = carried.map((row) => {
      const order = orders.get(nameOfOrder({ clientId, orderKey: row.order_key }));
      const delivered = readDelivered(row);
      return {
        clientId,
        url: url.url,
        orderKey: row.order_key,
        // What has not been taken from the feed is as it was, or changed since.
        settled: order === undefined ? (Number(row.pending) === 1 ? null : row.copied) : settledDigest(order),
        delivered: delivered === null ? null : { ...delivered, at: isoTime(row.delivered_at ?? 0) },
      };
    });
    return { items, next: next === null ? null : JSON.stringify(next) };
  });

const isSettled = ({ taken, pending }: SettledRow): boolean => Number(taken) === 1 && Number(pending) === 0;

const SELECT_SETTLED = `
  select o.order_key, c.delivered_revision, c.delivered, c.delivered_at, c.copied,
    case when c.pending_revision is null then 0 else 1 end as pending,
    case when o.position <= u.position then 1 else 0 end as taken
  from orders o
  join callback_urls u on u.number = cast($2 as bigint)
  left join callback_orders c on c.client_id = o.client_id and c.number = u.number and c.order_key = o.order_key
  where o.client_id = $1 and o.order_key > $3
  order by o.order_key
  limit $4`;

/** One that is followed here already goes on as it does. */
export const importCallbackUrls = async (database: Database, urls: readonly CopiedUrl[]): Promise<void> =>
  await database.transact([], async ({ query }) => {
    for (const { clientId, url, origin, followedSince } of urls) {
      await query(
        `insert into callback_urls (
           client_id, url, number, origin, in_use, followed_since, position, floor, again_until, attempts
         )
         select $1, $2, coalesce(max(number), 0) + 1, $3, 0, cast($4 as bigint), 0, 0, 0, 0
         from callback_urls
         where true
         on conflict (client_id, url) do nothing`,
        [clientId, url, origin, Date.parse(followedSince)],
      );
    }
  });

/** Of two deliveries of one order the later one stands. Returns how many rows changed. */
export const importCallbacks = async (database: Database, rows: readonly CopiedCallback[]): Promise<number> =>
  await database.transact([], async ({ query }) => {
    let changed = 0;
    for (const { clientId, url, orderKey, settled, delivered } of rows) {
      const written = await query(IMPORT, [
        clientId,
        url,
        orderKey,
        delivered?.revision ?? null,
        delivered === null ? null : writeDelivered(delivered),
        delivered === null ? null : Date.parse(delivered.at),
        settled,
      ]);
      changed += written.length;
    }
    return changed;
  });

const IMPORT = `
  insert into callback_orders (
    client_id, number, order_key, delivered_revision, delivered, delivered_at, copied, attempts, next_attempt_at
  )
  select client_id, number, $3, cast($4 as bigint), $5, cast($6 as bigint), $7, 0, 0
  from callback_urls
  where client_id = $1 and url = $2
  on conflict (client_id, number, order_key) do update
  set delivered_revision = excluded.delivered_revision, delivered = excluded.delivered,
    delivered_at = excluded.delivered_at,
    copied = case when callback_orders.pending_revision is null then excluded.copied end
  where callback_orders.delivered_revision is null and excluded.delivered_revision is not null
    or callback_orders.delivered_revision < excluded.delivered_revision
  returning 1 as changed`;
