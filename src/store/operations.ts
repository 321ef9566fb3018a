import type { Outcome } from '../order/reading.ts';
import type { OrderRules } from '../order/rules.ts';
import { aheadUntil } from './ahead.ts';
import { createCallbackReads, createCallbackWrites } from './callback-operations.ts';
import { check } from './check.ts';
import { count, importNotifications, importShopStatements, importUnverified } from './copy.ts';
import { feedEnds } from './feed.ts';
import { createInquiryReads, createInquiryWrites } from './inquiry-operations.ts';
import { find } from './find.ts';
import { lastVerifiedAt, measure } from './measure.ts';
import { createMoveReads, createMoveWrites } from './moves.ts';
import { measureUnverified, purgeUnverified } from './purge.ts';
import {
  clientIds,
  findNotification,
  followNotifications,
  listNotifications,
  readNotifications,
} from './notifications.ts';
import { findOrders, followOrders, listOrders } from './orders.ts';
import { reapply, type ReapplicationEntry } from './reapply.ts';
import { rebuild } from './rebuild.ts';
import { type Entry, record } from './record.ts';
import { listRefunds, registerRefund } from './refunds.ts';
import { amend, register } from './register.ts';
import { recall, remember } from './remember.ts';
import { review, withdrawReview } from './review.ts';
import { readShopStatements } from './say.ts';
import { SETTING } from './setting.ts';
import { readStatus } from './status.ts';
import type { BatchResult, StoreReads, StoreWrites, UnverifiedBounds } from './store.ts';
import { sweep } from './sweep.ts';
import { readTimeline } from './timeline.ts';
import type { Database } from './transaction.ts';
import { amendUnverified, keepDiagnosis, promote, type PromotionEntry, removeUnverified } from './unverified.ts';
import {
  countUnverified,
  findInUnverified,
  findUnverified,
  listUnverified,
  readOutdated,
  readUndiagnosed,
  readUnverified,
} from './unverified-lists.ts';

/** What a store reads, on whichever database. */
export const createReads = (database: Database, rules: OrderRules): StoreReads => ({
  ...createCallbackReads(database),
  ...createInquiryReads(database),
  ...createMoveReads(database),
  findOrders: async (name) => await findOrders(database, name, rules),
  listOrders: async (filter, page) => await listOrders(database, { filter, page }),
  followOrders: async (page) => await followOrders(database, page),
  endOfFeed: async () => (await feedEnds(database)).orders,
  feedEnds: async () => await feedEnds(database),
  clientIds: async () => await clientIds(database),
  listNotifications: async (filter, page) => await listNotifications(database, filter, page),
  followNotifications: async (page) => await followNotifications(database, page),
  findNotification: async (key) => await findNotification(database, key),
  readNotifications: async (filter, page) => await readNotifications(database, filter, page),
  hasFailed: async () => await hasFailed(database),
  aheadUntil: async (now) => await aheadUntil(database.query, now.getTime()),
  listUnverified: async (reason, page) => await listUnverified(database, reason, page),
  findUnverified: async (id) => await findUnverified(database, id),
  readUnverified: async (page) => await readUnverified(database, page),
  readOutdated: async (trust, page) => await readOutdated(database, trust, page),
  readUndiagnosed: async (trust, limit) => await readUndiagnosed(database, trust, limit),
  listRefunds: async (filter, page) => await listRefunds(database, filter, page),
  find: async (clientId, id) => await find(database, { clientId, id }, rules),
  findInUnverified: async (texts, limit) => await findInUnverified(database, texts, limit),
  countUnverified: async () => await countUnverified(database),
  timeline: async (ids) => await readTimeline(database, ids, rules),
  readShopStatements: async (page) => await readShopStatements(database, page),
  check: async (what, page) => await check(database, what, { page, rules }),
  count: async (what) => await count(database, what),
  lastVerifiedAt: async () => await lastVerifiedAt(database.query),
  measure: async (bounds) => await measure(database, bounds),
  status: async () => await readStatus(database),
  measureUnverified: async (reason, bounds) => await measureUnverified(database, reason, bounds),
  recall: async (name) => await recall(database, name),
});

/** What a store writes, with what is handed over as plain values (entries.ts): these pass between threads. */
export interface Writes extends Omit<StoreWrites, 'record' | 'recordInquiry' | 'reapply' | 'promote'> {
  readonly record: (entries: readonly Entry[], bounds: UnverifiedBounds) => Promise<BatchResult>;
  readonly reapply: (entries: readonly ReapplicationEntry[], now: Date) => Promise<readonly (Outcome | null)[]>;
  readonly promote: (promotions: readonly PromotionEntry[], now: Date) => Promise<number>;
}

/** The same on whichever database: each call one transaction, or several short ones. */
export const createWrites = (database: Database, rules: OrderRules): Writes => {
  const at = (now: Date) => ({ rules, now: now.getTime() });
  return {
    ...createCallbackWrites(database, rules),
    ...createInquiryWrites(database),
    ...createMoveWrites(database, rules),
    record: async (entries, bounds) => await record(database, entries, { bounds, rules }),
    // It writes: a database that became read-only, or cannot sync its log, must not count as ready.
    ping: async () => await remember(database, { name: SETTING.probe, value: '' }),
    register: async (registration, { replace, now }) => await register(database, registration, { replace, ...at(now) }),
    amend: async (amendment, now) => await amend(database, amendment, at(now)),
    registerRefund: async (registration, { replace, now }) =>
      await registerRefund(database, registration, { replace, ...at(now) }),
    review: async (request, now) => await review(database, request, at(now)),
    withdrawReview: async (name, now) => await withdrawReview(database, name, at(now)),
    sweep: async (now, limit) => await sweep(database, at(now), limit),
    reapply: async (entries, now) => await reapply(database, entries, at(now)),
    promote: async (promotions, now) => await promote(database, promotions, at(now)),
    amendUnverified: async (failures) => await amendUnverified(database, failures),
    keepDiagnosis: async (made) => await keepDiagnosis(database, made),
    purgeUnverified: async (reason, bounds) => await purgeUnverified(database, reason, bounds),
    removeRaw: async (before, limit) =>
      await database.transact([], async (transaction) => await transaction.removeRaw(before.getTime(), limit)),
    removeUnverified: async (before, limit) => await removeUnverified(database, before.getTime(), limit),
    rebuild: async (page, now) => await rebuild(database, page, at(now)),
    remember: async (name, value, before) => await remember(database, { name, value, before }),
    importNotifications: async (rows, { merge, now }) =>
      await importNotifications(database, rows, { merge, ...at(now) }),
    importShopStatements: async (rows, now) => await importShopStatements(database, rows, at(now)),
    importUnverified: async (rows, merge = false) => await importUnverified(database, rows, merge),
  };
};

/** The first term on the outcome makes the planner use the partial index. */
const hasFailed = async ({ query }: Database): Promise<boolean> => {
  const [row] = await query<{ failed: number | boolean }>(
    `select exists (select 1 from notifications where outcome <> 'APPLIED' and outcome = 'FAILED') as failed`,
  );
  return Number(row?.failed) === 1;
};
