import { pagesOf, type Store } from '../store/store.ts';

const AT_ONCE = 500;

/**
 * What the shop was told comes over before the orders do: a relay that is at work on the target then finds them told.
 * Rows are not compared afterwards: they tell of each database's own commits.
 */
export const copyCallbacks = async (source: Store, target: Store): Promise<void> => {
  await target.importCallbackUrls(await source.readCallbackUrls());
  for await (const items of pagesOf(source.readCallbacks, AT_ONCE)) await target.importCallbacks(items);
};

/** Once the orders are there: the shop knows them by revisions of the source, and takes no smaller one. */
export const copyRevisions = async (source: Store, target: Store): Promise<void> => {
  for await (const items of pagesOf(source.readRevisions, AT_ONCE)) await target.importRevisions(items, new Date());
};
