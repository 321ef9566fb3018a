import { aheadUntil } from './ahead.ts';
import type { UnverifiedReason } from '../antom/signature.ts';
import type { Registration } from '../order/registration.ts';
import type { OrderRules } from '../order/rules.ts';
import { createCallbackReads, createCallbackWrites } from './callback-operations.ts';
import { check } from './check.ts';
import type { Checked } from './checked.ts';
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
import type {
  Amendment,
  Copied,
  FailedAgain,
  FollowedNotifications,
  MadeDiagnosis,
  NotificationFilter,
  NotificationKey,
  OrderFilter,
  PageRequest,
  PurgeBounds,
  OrderName,
  RefundRegistration,
  ReviewRequest,
  ShopStatement,
  StoredNotification,
  StoredUnverified,
  UnverifiedBounds,
} from './store.ts';
import { sweep } from './sweep.ts';
import type { OrderIds } from './timeline-shown.ts';
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
export const createReads = (database: Database, rules: OrderRules) => ({
  ...createCallbackReads(database),
  ...createInquiryReads(database),
  ...createMoveReads(database),
  findOrders: async (name: OrderName) => await findOrders(database, name, rules),
  listOrders: async (filter: OrderFilter, page: PageRequest) => await listOrders(database, { filter, page }),
  followOrders: async (page: PageRequest & Pick<OrderFilter, 'clientId'>) => await followOrders(database, page),
  endOfFeed: async () => (await feedEnds(database)).orders,
  feedEnds: async () => await feedEnds(database),
  clientIds: async () => await clientIds(database),
  listNotifications: async (filter: NotificationFilter, page: PageRequest) =>
    await listNotifications(database, filter, page),
  followNotifications: async (page: PageRequest & FollowedNotifications) => await followNotifications(database, page),
  findNotification: async (key: NotificationKey) => await findNotification(database, key),
  readNotifications: async (filter: NotificationFilter, page: PageRequest) =>
    await readNotifications(database, filter, page),
  hasFailed: async () => await hasFailed(database),
  aheadUntil: async (now: Date) => await aheadUntil(database.query, now.getTime()),
  listUnverified: async (reason: UnverifiedReason | null, page: PageRequest) =>
    await listUnverified(database, reason, page),
  findUnverified: async (id: string) => await findUnverified(database, id),
  readUnverified: async (page: PageRequest) => await readUnverified(database, page),
  readOutdated: async (trust: string, page: PageRequest) => await readOutdated(database, trust, page),
  readUndiagnosed: async (trust: string, limit: number) => await readUndiagnosed(database, trust, limit),
  listRefunds: async (filter: { readonly joined: boolean | null }, page: PageRequest) =>
    await listRefunds(database, filter, page),
  find: async (clientId: string | null, id: string) => await find(database, { clientId, id }, rules),
  findInUnverified: async (texts: readonly string[], limit: number) => await findInUnverified(database, texts, limit),
  countUnverified: async () => await countUnverified(database),
  timeline: async (ids: OrderIds) => await readTimeline(database, ids, rules),
  readShopStatements: async (page: PageRequest) => await readShopStatements(database, page),
  check: async (what: Checked, page: PageRequest) => await check(database, what, { page, rules }),
  count: async (what: Copied) => await count(database, what),
  lastVerifiedAt: async () => await lastVerifiedAt(database),
  measure: async (bounds: UnverifiedBounds) => await measure(database, bounds),
  status: async () => await readStatus(database),
  measureUnverified: async (reason: UnverifiedReason | null, bounds?: PurgeBounds) =>
    await measureUnverified(database, reason, bounds),
  recall: async (name: string) => await recall(database, name),
});
export type Reads = ReturnType<typeof createReads>;

/** What a store writes, on whichever database: each call one transaction, or several short ones. Values are plain. */
export const createWrites = (database: Database, rules: OrderRules) => {
  const at = (now: Date) => ({ rules, now: now.getTime() });
  return {
    ...createCallbackWrites(database, rules),
    ...createInquiryWrites(database),
    ...createMoveWrites(database, rules),
    record: async (entries: readonly Entry[], bounds: UnverifiedBounds) =>
      await record(database, entries, { bounds, rules }),
    // It writes: a database that became read-only, or cannot sync its log, must not count as ready.
    ping: async () => await remember(database, { name: SETTING.probe, value: '' }),
    register: async (registration: Registration, options: { readonly replace: boolean; readonly now: Date }) =>
      await register(database, registration, { replace: options.replace, ...at(options.now) }),
    amend: async (amendment: Amendment, now: Date) => await amend(database, amendment, at(now)),
    registerRefund: async (
      registration: RefundRegistration,
      options: { readonly replace: boolean; readonly now: Date },
    ) => await registerRefund(database, registration, { replace: options.replace, ...at(options.now) }),
    review: async (request: ReviewRequest, now: Date) => await review(database, request, at(now)),
    withdrawReview: async (name: OrderName, now: Date) => await withdrawReview(database, name, at(now)),
    sweep: async (now: Date, limit: number) => await sweep(database, at(now), limit),
    reapply: async (entries: readonly ReapplicationEntry[], now: Date) => await reapply(database, entries, at(now)),
    promote: async (promotions: readonly PromotionEntry[], now: Date) => await promote(database, promotions, at(now)),
    amendUnverified: async (failures: readonly FailedAgain[]) => await amendUnverified(database, failures),
    keepDiagnosis: async (made: MadeDiagnosis) => await keepDiagnosis(database, made),
    purgeUnverified: async (reason: UnverifiedReason | null, bounds?: PurgeBounds) =>
      await purgeUnverified(database, reason, bounds),
    removeRaw: async (before: Date, limit: number) =>
      await database.transact([], async (transaction) => await transaction.removeRaw(before.getTime(), limit)),
    removeUnverified: async (before: Date, limit: number) => await removeUnverified(database, before.getTime(), limit),
    rebuild: async (page: PageRequest, now: Date) => await rebuild(database, page, at(now)),
    remember: async (name: string, value: string, before?: string) => await remember(database, { name, value, before }),
    importNotifications: async (
      rows: readonly StoredNotification[],
      options: { readonly merge: boolean; readonly now: Date },
    ) => await importNotifications(database, rows, { merge: options.merge, ...at(options.now) }),
    importShopStatements: async (rows: readonly ShopStatement[], now: Date) =>
      await importShopStatements(database, rows, at(now)),
    importUnverified: async (rows: readonly StoredUnverified[], merge = false) =>
      await importUnverified(database, rows, merge),
  };
};
export type Writes = ReturnType<typeof createWrites>;

/** The first term on the outcome makes the planner use the partial index. */
const hasFailed = async ({ query }: Database): Promise<boolean> => {
  const [row] = await query<{ failed: number | boolean }>(
    `select exists (select 1 from notifications where outcome <> 'APPLIED' and outcome = 'FAILED') as failed`,
  );
  return Number(row?.failed) === 1;
};
