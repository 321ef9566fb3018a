import { isoOrNull, isoTime } from '../order/time.ts';
import { bringBack } from './ahead.ts';
import type { CallbackUrl, Lease, OrderCallback } from './callback.ts';
import { type DeliveredColumns, readDelivered } from './callback-content.ts';
import { feedEnds } from './feed.ts';
import { nextCursor, readFeedCursor, readKey } from './cursor.ts';
import { fence } from './lease.ts';
import type { Page, PageRequest } from './lists.ts';
import { type OrderKey, toOrderKey } from './order-key.ts';
import { keysNamed } from './orders.ts';
import type { OrderName } from './shop.ts';
import type { Count, Database, Query, Value } from './transaction.ts';

interface UrlRow {
  readonly number: Count;
  readonly client_id: string;
  readonly origin: string;
  readonly in_use: Count;
  readonly followed_since: Count;
  readonly delivered_at: Count | null;
  readonly paused_until: Count | null;
  readonly paused_since: Count | null;
  readonly attempts: Count;
  readonly why: string | null;
  readonly alarmed_at: Count | null;
  readonly waiting: Count;
  readonly pending_since: Count | null;
  readonly pending_why: string | null;
  readonly untaken_since: Count | null;
}

/** What has not been taken from the feed waits as well: no relay may be at work. Not by the index of the client. */
const SELECT_URLS = `
  select number, client_id, origin, in_use, followed_since, delivered_at, paused_until, paused_since, attempts, why,
    alarmed_at, (
      select count(*)
      from callback_orders o
      where o.client_id = u.client_id and o.number = u.number and o.pending_revision is not null and u.in_use = 1
    ) as waiting, (
      select min(pending_since)
      from callback_orders o
      where o.client_id = u.client_id and o.number = u.number and o.pending_revision is not null and u.in_use = 1
    ) as pending_since, (
      select o.why
      from callback_orders o
      where o.client_id = u.client_id and o.number = u.number and o.pending_revision is not null and u.in_use = 1
      order by o.pending_since, o.order_key
      limit 1
    ) as pending_why, (
      select updated_at
      from orders
      where orders.position > u.position and orders.client_id || '' = u.client_id and u.in_use = 1
        and orders.revision > u.floor
      order by orders.position
      limit 1
    ) as untaken_since
  from callback_urls u
  order by client_id, number`;

const toCallbackUrl = (row: UrlRow): CallbackUrl => {
  const since = [row.pending_since, row.untaken_since].filter((time) => time !== null).map(Number);
  return {
    clientId: row.client_id,
    origin: row.origin,
    inUse: Number(row.in_use) === 1,
    followedSince: isoTime(row.followed_since),
    deliveredAt: isoOrNull(row.delivered_at),
    waiting: Number(row.waiting),
    waitingSince: since.length === 0 ? null : isoTime(Math.min(...since)),
    why: row.paused_until === null ? row.pending_why : (row.why ?? ''),
    paused:
      row.paused_until === null
        ? null
        : {
            since: isoTime(row.paused_since ?? row.paused_until),
            until: isoTime(row.paused_until),
            attempts: Number(row.attempts),
            why: row.why ?? '',
          },
  };
};

export const listCallbackUrls = async ({ query }: Pick<Database, 'query'>): Promise<readonly CallbackUrl[]> =>
  (await query<UrlRow>(SELECT_URLS)).map(toCallbackUrl);

const SELECT_NUMBERS = 'select client_id, number from callback_urls where in_use = 1';

/** URLs that have waited since before `since`, unless that was said since `unless`; notes that it is said now. */
export const alarmCallbacks = async (
  database: Database,
  lease: Lease,
  { since, unless }: { readonly since: Date; readonly unless: Date },
): Promise<readonly CallbackUrl[] | null> =>
  await database.transact([], async (transaction) => {
    if (!(await fence(transaction, lease))) return null;
    const { query } = transaction;
    const now = Date.now();
    await bringBack(query, await query(SELECT_NUMBERS), now);
    const rows = await query<UrlRow>(SELECT_URLS);
    const late = rows.filter((row) => {
      const { waitingSince } = toCallbackUrl(row);
      return (
        waitingSince !== null &&
        Date.parse(waitingSince) < since.getTime() &&
        Number(row.alarmed_at ?? 0) < unless.getTime()
      );
    });
    for (const { number } of late)
      await query('update callback_urls set alarmed_at = cast($2 as bigint) where number = $1', [number, now]);
    return late.map(toCallbackUrl);
  });

interface OrderRow extends DeliveredColumns {
  readonly client_id: string;
  readonly number: Count;
  readonly order_key: string;
  readonly origin: string;
  readonly in_use: Count;
  readonly delivered_at: Count | null;
  readonly pending_revision: Count | null;
  readonly pending_since: Count | null;
  readonly attempts: Count;
  readonly next_attempt_at: Count;
  readonly why: string | null;
  readonly paused_until: Count | null;
  readonly url_why: string | null;
}

const ORDER_COLUMNS = `o.client_id, o.number, o.order_key, u.origin, u.in_use, o.delivered_revision, o.delivered,
  o.delivered_at, o.pending_revision, o.pending_since, o.attempts, o.next_attempt_at, o.why, u.paused_until, u.why as url_why`;

const toOrderCallback = (row: OrderRow): OrderCallback => {
  const delivered = readDelivered(row);
  return {
    ...toOrderKey(row),
    origin: row.origin,
    inUse: Number(row.in_use) === 1,
    delivered: delivered === null ? null : { ...delivered, at: isoTime(row.delivered_at ?? 0) },
    pending:
      row.pending_revision === null
        ? null
        : {
            revision: Number(row.pending_revision),
            since: isoTime(row.pending_since ?? 0),
            attempts: Number(row.attempts),
            // While the URL is paused, that is what it waits for.
            nextAttemptAt: isoTime(Math.max(Number(row.next_attempt_at), Number(row.paused_until ?? 0))),
            why: (row.paused_until === null ? null : row.url_why) ?? row.why,
          },
  };
};

/** Before the first one. */
const START: readonly [since: number, clientId: string, number: number, orderKey: string] = [-1, '', 0, ''];

/** Those that wait to be posted to a URL in use, the longest first. */
export const listWaitingCallbacks = async (
  { query }: Pick<Database, 'query'>,
  { clientId }: { readonly clientId: string | null },
  page: PageRequest,
): Promise<Page<OrderCallback>> => {
  const after = readKey(page.cursor, START);
  const values: Value[] = [page.limit, ...after];
  const ofClient = clientId === null ? '' : `and o.client_id = $${values.push(clientId)}`;
  const rows = await query<OrderRow>(
    `select ${ORDER_COLUMNS}
     from callback_orders o
     join callback_urls u on u.number = o.number
     where o.pending_revision is not null and u.in_use = 1 ${ofClient}
       and (o.pending_since, o.client_id, o.number, o.order_key) > (cast($2 as bigint), $3, cast($4 as bigint), $5)
     order by o.pending_since, o.client_id, o.number, o.order_key
     limit $1`,
    values,
  );
  const next = nextCursor(rows, page, (last) =>
    JSON.stringify([Number(last.pending_since), last.client_id, Number(last.number), last.order_key]),
  );
  return { items: rows.map(toOrderCallback), next };
};

/** What each URL was told of an order, and is still to be told. */
export const callbacksOf = async (
  query: Query,
  { clientId, orderKey }: OrderKey,
): Promise<readonly OrderCallback[]> => {
  const rows = await query<OrderRow>(
    `select ${ORDER_COLUMNS}
     from callback_urls u
     join callback_orders o on o.client_id = u.client_id and o.number = u.number and o.order_key = $2
     where u.client_id = $1
     order by u.number`,
    [clientId, orderKey],
  );
  return rows.map(toOrderCallback);
};

/** A paused URL is probed at once, with one of them, whichever clients it serves. */
export const sendCallbacks = async (database: Database, name: OrderName): Promise<number> =>
  await database.transact([], async (transaction) => {
    const { query } = transaction;
    let sent = 0;
    for (const { clientId, orderKey } of await keysNamed(transaction, name)) {
      const rows = await query(
        `insert into callback_orders (
           client_id, number, order_key, pending_revision, pending_since, attempts, next_attempt_at
         )
         select orders.client_id, u.number, orders.order_key, orders.revision, cast($3 as bigint), 0, 0
         from orders
         join callback_urls u on u.client_id = orders.client_id and u.in_use = 1
         where orders.client_id = $1 and orders.order_key = $2
         on conflict (client_id, number, order_key) do update
         set pending_revision = excluded.pending_revision, copied = null, next_attempt_at = 0,
           pending_since = coalesce(callback_orders.pending_since, excluded.pending_since)
         returning 1 as sent`,
        [clientId, orderKey, Date.now()],
      );
      sent += rows.length;
    }
    if (sent > 0) {
      await query(
        `update callback_urls
         set paused_until = 0
         where paused_until is not null and url in (select url from callback_urls where client_id = $1 and in_use = 1)`,
        [name.clientId],
      );
    }
    return sent;
  });

/** The relay takes all that is in the feed until now, whether or not it was delivered. */
export const sendAllCallbacks = async (database: Database, clientId: string | null): Promise<number> =>
  await database.transact([], async (transaction) => {
    const last = readFeedCursor((await feedEnds(transaction)).orders).position;
    const rows = await transaction.query(
      `update callback_urls
       set start = null, position = 0, floor = 0, again_until = cast($1 as bigint)
       where in_use = 1 ${clientId === null ? '' : 'and client_id = $2'}
       returning 1 as sent`,
      clientId === null ? [last] : [last, clientId],
    );
    return rows.length;
  });
