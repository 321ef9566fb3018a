import type { Entry } from './record.ts';
import { digestOf, toEntry } from './row.ts';
import type { BatchResult, InquiryDelivery, RecordedInquiry, RecordedNotification, UnverifiedBounds } from './store.ts';

type Record = (entries: readonly Entry[], bounds: UnverifiedBounds) => Promise<BatchResult>;

/** Nothing unverified goes with it. */
const NO_ROOM: UnverifiedBounds = { maxBytes: 0 };

/** Stores an answer as a notification is stored. */
export const recordInquiry = async (record: Record, inquiry: InquiryDelivery): Promise<RecordedInquiry> => {
  const entry = toEntry(inquiry);
  const { results, failed } = await record([{ notification: entry }], NO_ROOM);
  // One entry has one result, and only what is unverified finds no room.
  const { reading, deliveries } = results[0] as RecordedNotification;
  return { clientId: entry.clientId, id: digestOf(entry, entry.raw.body), reading, deliveries, failed };
};
