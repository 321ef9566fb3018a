import {
  claimInquiry,
  dueInquiries,
  hurryInquiries,
  inquiryBacklog,
  keepInquiry,
  planInquiries,
  unplannedOrders,
} from './inquiries.ts';
import type { StoreInquiryReads, StoreInquiryWrites } from './inquiry.ts';
import type { Database } from './transaction.ts';

export const createInquiryReads = (database: Database): StoreInquiryReads => ({
  unplannedOrders: async (clientIds, page) => await unplannedOrders(database, clientIds, page),
  dueInquiries: async (clientIds, page) => await dueInquiries(database, clientIds, page),
  inquiryBacklog: async (now) => await inquiryBacklog(database, now),
});

export const createInquiryWrites = (database: Database): StoreInquiryWrites => ({
  planInquiries: async (plans) => await planInquiries(database, plans),
  hurryInquiries: async (clientIds, now) => await hurryInquiries(database, clientIds, now),
  claimInquiry: async (claim) => await claimInquiry(database, claim),
  keepInquiry: async (kept) => await keepInquiry(database, kept),
});

/** The store's calls; `reading` as in `toStore`. */
export const toInquiryStore = (
  writes: StoreInquiryWrites,
  reading: () => Promise<{ readonly calls: StoreInquiryReads }>,
): StoreInquiryReads & StoreInquiryWrites => ({
  unplannedOrders: async (...values) => await (await reading()).calls.unplannedOrders(...values),
  dueInquiries: async (...values) => await (await reading()).calls.dueInquiries(...values),
  inquiryBacklog: async (now) => await (await reading()).calls.inquiryBacklog(now),

  planInquiries: async (plans) => await writes.planInquiries(plans),
  hurryInquiries: async (...values) => await writes.hurryInquiries(...values),
  claimInquiry: async (claim) => await writes.claimInquiry(claim),
  keepInquiry: async (kept) => await writes.keepInquiry(kept),
});
