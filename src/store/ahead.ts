import { isoTime } from '../order/time.ts';
import { LONGEST_RETRY_AFTER_MS } from './callback.ts';
import type { Count, Query } from './transaction.ts';

/*
 * Times that a clock wrote which has been set back since: what waits for them would wait as long as the clock was
 * ahead, and nobody would be told.
 */

/** Clocks of replicas are closer together. */
export const AHEAD_MS = 5 * 60_000;

const LOOKED_AT = 1_000;

export const aheadUntil = async (query: Query, now: number): Promise<string | null> => {
  const [row] = await query<{ latest: Count | null }>(
    `select max(updated_at) as latest
     from (select updated_at from orders order by position desc limit ${LOOKED_AT}) as changes`,
    [],
  );
  const latest = Number(row?.latest ?? 0);
  return latest > now + AHEAD_MS ? isoTime(latest) : null;
};

/** Callbacks to these URLs wait from now on (epoch milliseconds), where they did from a time that is still to come. */
export const bringBack = async (
  query: Query,
  urls: readonly { readonly client_id: string; readonly number: Count }[],
  now: number,
): Promise<void> => {
  for (const { client_id, number } of urls) {
    for (const sql of BRING_BACK) await query(sql, [client_id, number, now]);
    for (const sql of END_PAUSES) await query(sql, [client_id, number, now, now + LONGEST_RETRY_AFTER_MS + AHEAD_MS]);
  }
};

const urlTime = (column: string): string => `
  update callback_urls
  set ${column} = cast($3 as bigint)
  where client_id = $1 and number = $2 and ${column} > cast($3 as bigint)`;

/** What the same clock wrote. */
const noLaterThanNow = (column: string): string =>
  `${column} = case when ${column} > cast($3 as bigint) then cast($3 as bigint) else ${column} end`;

const BRING_BACK = [
  urlTime('followed_since'),
  urlTime('alarmed_at'),
  `update callback_urls
   set paused_since = cast($3 as bigint), ${noLaterThanNow('paused_until')}
   where client_id = $1 and number = $2 and paused_since > cast($3 as bigint)`,
  `update callback_orders
   set pending_since = cast($3 as bigint), ${noLaterThanNow('next_attempt_at')}
   where client_id = $1 and number = $2 and pending_revision is not null and pending_since > cast($3 as bigint)`,
];

const END_PAUSES = [
  `update callback_urls
   set paused_until = cast($3 as bigint)
   where client_id = $1 and number = $2 and paused_until > cast($4 as bigint)`,
  `update callback_orders
   set next_attempt_at = cast($3 as bigint)
   where client_id = $1 and number = $2 and pending_revision is not null
     and next_attempt_at > cast($3 as bigint) + ${AHEAD_MS}
     and (attempts = 0 or next_attempt_at > cast($4 as bigint))`,
];
