import { textOfAsked } from '../order/asked.ts';
import { toCallbackStore } from './callback-operations.ts';
import { toMoveStore } from './moves.ts';
import type { Writes } from './operations.ts';
import type { ReapplicationEntry } from './reapply.ts';
import type { Entry } from './record.ts';
import { digestOf, toEntry, toReadingColumns, toUnverifiedEntry } from './row.ts';
import { toInquiryStore } from './inquiry-operations.ts';
import type {
  Delivery,
  InquiryDelivery,
  Promotion,
  Reapplication,
  RecordedInquiry,
  RecordedNotification,
  StoreReads,
  StoreWrites,
  UnverifiedBounds,
} from './store.ts';
import type { PromotionEntry } from './unverified.ts';

/**
 * The store's calls, made of the operations of a database: what is handed over becomes plain values, which pass between
 * threads. `reading` is asked for each time: it may start late.
 */
export const toStore = (
  writes: Writes,
  reading: () => Promise<{ readonly calls: StoreReads }>,
): StoreReads & StoreWrites => ({
  ...toCallbackStore(writes, reading),
  ...toInquiryStore(writes, reading),
  ...toMoveStore(writes, reading),
  record: async (batch, bounds) => await writes.record(batch.map(toRecordEntry), bounds),
  recordInquiry: async (inquiry) => await recordInquiry(writes, inquiry),
  ping: async () => await writes.ping(),
  register: async (...values) => await writes.register(...values),
  amend: async (...values) => await writes.amend(...values),
  registerRefund: async (...values) => await writes.registerRefund(...values),
  review: async (...values) => await writes.review(...values),
  withdrawReview: async (...values) => await writes.withdrawReview(...values),
  sweep: async (...values) => await writes.sweep(...values),
  reapply: async (reapplications, now) => await writes.reapply(reapplications.map(toReapplicationEntry), now),
  promote: async (promotions, now) => await writes.promote(promotions.map(toPromotionEntry), now),
  amendUnverified: async (failures) => await writes.amendUnverified(failures),
  keepDiagnosis: async (made) => await writes.keepDiagnosis(made),
  purgeUnverified: async (...values) => await writes.purgeUnverified(...values),
  removeRaw: async (...values) => await writes.removeRaw(...values),
  removeUnverified: async (...values) => await writes.removeUnverified(...values),
  rebuild: async (...values) => await writes.rebuild(...values),
  remember: async (...values) => await writes.remember(...values),
  importNotifications: async (...values) => await writes.importNotifications(...values),
  importShopStatements: async (...values) => await writes.importShopStatements(...values),
  importUnverified: async (...values) => await writes.importUnverified(...values),

  findOrders: async (...values) => await (await reading()).calls.findOrders(...values),
  listOrders: async (...values) => await (await reading()).calls.listOrders(...values),
  followOrders: async (page) => await (await reading()).calls.followOrders(page),
  endOfFeed: async () => await (await reading()).calls.endOfFeed(),
  feedEnds: async () => await (await reading()).calls.feedEnds(),
  clientIds: async () => await (await reading()).calls.clientIds(),
  listNotifications: async (...values) => await (await reading()).calls.listNotifications(...values),
  followNotifications: async (page) => await (await reading()).calls.followNotifications(page),
  findNotification: async (key) => await (await reading()).calls.findNotification(key),
  readNotifications: async (...values) => await (await reading()).calls.readNotifications(...values),
  hasFailed: async () => await (await reading()).calls.hasFailed(),
  aheadUntil: async (now) => await (await reading()).calls.aheadUntil(now),
  listUnverified: async (...values) => await (await reading()).calls.listUnverified(...values),
  findUnverified: async (id) => await (await reading()).calls.findUnverified(id),
  readUnverified: async (page) => await (await reading()).calls.readUnverified(page),
  readOutdated: async (...values) => await (await reading()).calls.readOutdated(...values),
  readUndiagnosed: async (...values) => await (await reading()).calls.readUndiagnosed(...values),
  listRefunds: async (...values) => await (await reading()).calls.listRefunds(...values),
  find: async (...values) => await (await reading()).calls.find(...values),
  countUnverified: async () => await (await reading()).calls.countUnverified(),
  timeline: async (ids) => await (await reading()).calls.timeline(ids),
  findInUnverified: async (...values) => await (await reading()).calls.findInUnverified(...values),
  readShopStatements: async (page) => await (await reading()).calls.readShopStatements(page),
  check: async (...values) => await (await reading()).calls.check(...values),
  count: async (what) => await (await reading()).calls.count(what),
  lastVerifiedAt: async () => await (await reading()).calls.lastVerifiedAt(),
  measure: async (bounds) => await (await reading()).calls.measure(bounds),
  status: async () => await (await reading()).calls.status(),
  measureUnverified: async (...values) => await (await reading()).calls.measureUnverified(...values),
  recall: async (name) => await (await reading()).calls.recall(name),
});

export const toRecordEntry = (delivery: Delivery): Entry => {
  if (delivery.kind === 'unverified') return { unverified: toUnverifiedEntry(delivery) };
  return { notification: toEntry(delivery) };
};

/** Nothing unverified goes with an answer. */
const NO_ROOM: UnverifiedBounds = { maxBytes: 0 };

/** Stores an answer as a notification is stored. */
const recordInquiry = async (
  { record }: Pick<Writes, 'record'>,
  inquiry: InquiryDelivery,
): Promise<RecordedInquiry> => {
  const entry = toEntry(inquiry);
  const { results, failed } = await record([{ notification: entry }], NO_ROOM);
  // One entry has one result, and only what is unverified finds no room.
  const { reading, deliveries } = results[0] as RecordedNotification;
  return { clientId: entry.clientId, id: digestOf(entry, entry.raw.body), reading, deliveries, failed };
};

const toReapplicationEntry = ({ stored, reading }: Reapplication): ReapplicationEntry => {
  const { outcome, statements } = toReadingColumns(stored);
  const { clientId, id, asked } = stored;
  return {
    clientId,
    id,
    asked: asked === null ? null : textOfAsked(asked),
    before: { outcome, statements },
    columns: toReadingColumns(reading),
  };
};

/** When it was received is known to the unverified request whose place it takes. */
const toPromotionEntry = ({ id, read }: Promotion): PromotionEntry => ({
  id,
  notification: toEntry({ read, receivedAt: new Date(0) }),
});
