import type { Store } from '../store/store.ts';

const AT_ONCE = 500;

/**
 * What the shop was told comes over before the orders do: a relay that is at work on the target then finds them told.
 * Rows are not compared afterwards: they tell of each database's own commits.
 */
export const copyCallbacks = async (source: Store, target: Store): Promise<void> => {
  await target.importCallbackUrls(await source.readCallbackUrls());
  for (let cursor: string | null = null, more = true; more; more = cursor !== null) {
    const page: Awaited<ReturnType<Store['readCallbacks']>> = await source.readCallbacks({ limit: AT_ONCE, cursor });
    await target.importCallbacks(page.items);
    cursor = page.next;
  }
};

/** Once the orders are there: the shop knows them by revisions of the source, and takes no smaller one. */
export const copyRevisions = async (source: Store, target: Store): Promise<void> => {
  for (let cursor: string | null = null, more = true; more; more = cursor !== null) {
    const page: Awaited<ReturnType<Store['readRevisions']>> = await source.readRevisions({ limit: AT_ONCE, cursor });
    await target.importRevisions(page.items, new Date());
    cursor = page.next;
  }
};
