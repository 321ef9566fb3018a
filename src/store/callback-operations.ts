import type { OrderRules } from '../order/rules.ts';
import type { StoreCallbackReads, StoreCallbackWrites } from './callback.ts';
import { takeChanges } from './callback-changes.ts';
import { importCallbacks, importCallbackUrls, readCallbacks, readCallbackUrls } from './callback-copy.ts';
import {
  alarmCallbacks,
  listCallbackUrls,
  listWaitingCallbacks,
  sendAllCallbacks,
  sendCallbacks,
} from './callback-lists.ts';
import { dueCallbacks, keepCallbackResults } from './callbacks.ts';
import { releaseLease, takeLease } from './lease.ts';
import { importRevisions, readRevisions } from './revision-copy.ts';
import type { Database } from './transaction.ts';

export const createCallbackReads = (database: Database): StoreCallbackReads => ({
  dueCallbacks: async (destinations, page) => await dueCallbacks(database, { destinations, ...page }),
  listCallbackUrls: async () => await listCallbackUrls(database),
  listWaitingCallbacks: async (filter, page) => await listWaitingCallbacks(database, filter, page),
  readCallbackUrls: async () => await readCallbackUrls(database),
  readCallbacks: async (page) => await readCallbacks(database, page),
  readRevisions: async (page) => await readRevisions(database, page),
});

export const createCallbackWrites = (database: Database, rules: OrderRules): StoreCallbackWrites => ({
  takeLease: async (lease, options) => await takeLease(database, lease, options),
  releaseLease: async (owner) => await releaseLease(database, owner),
  takeChanges: async (lease, destinations, limit) => await takeChanges(database, { lease, destinations, limit }),
  keepCallbackResults: async (lease, results) => await keepCallbackResults(database, lease, results),
  alarmCallbacks: async (lease, before) => await alarmCallbacks(database, lease, before),
  sendCallbacks: async (name) => await sendCallbacks(database, name),
  sendAllCallbacks: async (clientId) => await sendAllCallbacks(database, clientId),
  importCallbackUrls: async (urls) => await importCallbackUrls(database, urls),
  importCallbacks: async (rows) => await importCallbacks(database, rows),
  importRevisions: async (rows, now) => await importRevisions(database, rows, { rules, now: now.getTime() }),
});

/** The store's calls; `reading` as in `toStore`. */
export const toCallbackStore = (
  writes: StoreCallbackWrites,
  reading: () => Promise<{ readonly calls: StoreCallbackReads }>,
): StoreCallbackReads & StoreCallbackWrites => ({
  dueCallbacks: async (...values) => await (await reading()).calls.dueCallbacks(...values),
  listCallbackUrls: async () => await (await reading()).calls.listCallbackUrls(),
  listWaitingCallbacks: async (...values) => await (await reading()).calls.listWaitingCallbacks(...values),
  readCallbackUrls: async () => await (await reading()).calls.readCallbackUrls(),
  readCallbacks: async (page) => await (await reading()).calls.readCallbacks(page),
  readRevisions: async (page) => await (await reading()).calls.readRevisions(page),

  takeLease: async (...values) => await writes.takeLease(...values),
  releaseLease: async (owner) => await writes.releaseLease(owner),
  takeChanges: async (...values) => await writes.takeChanges(...values),
  keepCallbackResults: async (...values) => await writes.keepCallbackResults(...values),
  alarmCallbacks: async (...values) => await writes.alarmCallbacks(...values),
  sendCallbacks: async (name) => await writes.sendCallbacks(name),
  sendAllCallbacks: async (clientId) => await writes.sendAllCallbacks(clientId),
  importCallbackUrls: async (urls) => await writes.importCallbackUrls(urls),
  importCallbacks: async (rows) => await writes.importCallbacks(rows),
  importRevisions: async (...values) => await writes.importRevisions(...values),
});
