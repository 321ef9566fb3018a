import type { AttentionCode } from '../order/attention-code.ts';
import type { OrderStatus } from '../order/status.ts';
import { isoOrNull } from '../order/time.ts';
import { listCallbackUrls } from './callback-lists.ts';
import { heldUp } from './feed.ts';
import type { Counts, Measures } from './measures.ts';
import { recallHeldBack } from './held-back.ts';
import { movesUnderWay } from './move-row.ts';
import { recall } from './remember.ts';
import type { UnverifiedBounds } from './store.ts';
import type { Count, Database, Query } from './transaction.ts';
import { readRoom } from './unverified.ts';

/**
 * Counts along indexes that hold all that is counted. What grows with every order is their total: PostgreSQL estimates
 * it above 100,000.
 */
export const measure = async (database: Database, bounds: UnverifiedBounds): Promise<Measures> =>
  await database.snapshot(async ({ query, dialect }) => {
    // The captured ones are in no index: they are all the others.
    const others = await countBy<OrderStatus>(query, 'status', `orders where status <> 'CAPTURED'`);
    const [row] = await query<Sizes>(`select ${dialect.orderTotal} as orders, ${dialect.databaseBytes} as bytes`);
    const captured = Math.max(0, Number(row?.orders) - sumOf(others));
    return {
      orders: new Map([...others, ['CAPTURED', captured]]),
      attention: byCode(await countBy(query, 'attention', `orders where attention <> ''`)),
      actions: await countBy(query, 'next_action', `orders where next_action not in ('FULFIL', 'WAIT', 'NONE')`),
      failed: await failedOf(query),
      lastVerifiedAt: await lastVerifiedAt(query),
      unverified: await countBy(query, 'reason', 'unverified'),
      unverifiedRoom: await readRoom(query, bounds),
      callbacks: await callbacksOf(query),
      heldUpSince: (await heldUp({ query, dialect }))?.since ?? null,
      inquiriesHeldBackSince: await heldBackSince(query),
      moves: await movesUnderWay(query),
      bytes: Number(row?.bytes),
      disk: null,
    };
  });

/** The condition is that of a partial index, word for word. */
export const countBy = async <Key extends string>(query: Query, column: string, from: string): Promise<Counts<Key>> => {
  const rows = await query<{ key: Key; count: Count }>(
    `select ${column} as key, count(*) as count from ${from} group by ${column}`,
  );
  return new Map(rows.map(({ key, count }) => [key, Number(count)]));
};

interface Sizes {
  readonly orders: Count;
  readonly bytes: Count;
}

const sumOf = (counts: Counts<string>): number => [...counts.values()].reduce((sum, count) => sum + count, 0);

/** The column holds all codes of an order, each between spaces. */
const byCode = (counts: Counts<string>): Counts<AttentionCode> => {
  const sums = new Map<AttentionCode, number>();
  for (const [codes, count] of counts) {
    for (const code of codes.split(' ').filter((part): part is AttentionCode => part !== ''))
      sums.set(code, (sums.get(code) ?? 0) + count);
  }
  return sums;
};

/** The first term on the outcome makes the planner use the partial index. */
const failedOf = async (query: Query): Promise<Measures['failed']> => {
  const [row] = await query<{ count: Count; oldest: Count | null }>(
    `select count(*) as count, min(first_received_at) as oldest
     from notifications
     where outcome <> 'APPLIED' and outcome = 'FAILED'`,
  );
  return { count: Number(row?.count), oldestReceivedAt: isoOrNull(row?.oldest ?? null) };
};

const callbacksOf = async (query: Query): Promise<Measures['callbacks']> => {
  const urls = (await listCallbackUrls({ query })).filter(({ inUse }) => inUse);
  const [oldest = null] = urls.flatMap(({ waitingSince }) => waitingSince ?? []).toSorted();
  return {
    waiting: urls.reduce((sum, { waiting }) => sum + waiting, 0),
    waitingSince: oldest,
    paused: urls.filter(({ paused }) => paused !== null).length,
  };
};

/** Whoever asks tries again soon after `until`: what stands there for longer is of nobody who asks. */
const TRIED_WITHIN_MS = 15 * 60_000;

const heldBackSince = async (query: Query): Promise<string | null> => {
  const held = Object.values(await recallHeldBack({ recall: async (name) => await recall({ query }, name) }));
  const [oldest = null] = held
    .filter(({ until }) => Date.now() - Date.parse(until) < TRIED_WITHIN_MS)
    .map(({ since }) => since)
    .toSorted();
  return oldest;
};

/**
 * When a verified notification was received last; null while there is none. An answer is none: it comes because we ask.
 * A resend counts where its notification is among the newest hundred.
 */
export const lastVerifiedAt = async (query: Query): Promise<string | null> => {
  const [row] = await query<{ last: Count | null }>(
    `select max(last_received_at) as last
     from (select last_received_at from notifications where asked is null order by position desc limit 100) newest`,
  );
  return isoOrNull(row?.last ?? null);
};
