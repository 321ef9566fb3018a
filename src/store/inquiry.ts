import { StoreRejectedError } from './errors.ts';
import type { Entry } from './record.ts';
import { digestOf, inapplicable, toEntry, toReadingColumns, type WithBytes } from './row.ts';
import type { BatchResult, InquiryDelivery, RecordedInquiry, RecordedNotification, UnverifiedBounds } from './store.ts';

type Record = (entries: readonly Entry[], bounds: UnverifiedBounds) => Promise<BatchResult>;

/** Nothing unverified goes with it. */
const NO_ROOM: UnverifiedBounds = { maxBytes: 0 };

/** Stores an answer as a notification is stored. What the database refuses is kept all the same, and FAILED. */
export const recordInquiry = async (record: Record, inquiry: InquiryDelivery): Promise<RecordedInquiry> => {
  const entry = toEntry(inquiry);
  try {
    return await recordOne(record, entry);
  } catch (error) {
    if (!(error instanceof StoreRejectedError)) throw error;
    return await recordOne(record, { ...entry, ...toReadingColumns(inapplicable(inquiry.read.reading)) });
  }
};

const recordOne = async (record: Record, entry: WithBytes): Promise<RecordedInquiry> => {
  const { results, failed } = await record([{ notification: entry }], NO_ROOM);
  // One entry has one result, and only what is unverified finds no room.
  const { reading, deliveries } = results[0] as RecordedNotification;
  return { clientId: entry.clientId, id: digestOf(entry, entry.raw.body), reading, deliveries, failed };
};
