import type { Page, PageRequest, Store } from '../store/store.ts';

const AT_ONCE = 500;

/**
 * What the shop was told comes over before the orders do: a relay that is at work on the target then finds them told.
 * Rows are not compared afterwards: they tell of each database's own commits.
 */
export const copyCallbacks = async (source: Store, target: Store): Promise<void> => {
  await target.importCallbackUrls(await source.readCallbackUrls());
  await eachPage(source.readCallbacks, async (items) => await target.importCallbacks(items));
};

/** Once the orders are there: the shop knows them by revisions of the source, and takes no smaller one. */
export const copyRevisions = async (source: Store, target: Store): Promise<void> => {
  await eachPage(source.readRevisions, async (items) => await target.importRevisions(items, new Date()));
};

const eachPage = async <T>(
  read: (page: PageRequest) => Promise<Page<T>>,
  take: (items: readonly T[]) => Promise<unknown>,
): Promise<void> => {
  for (let cursor: string | null = null, more = true; more; more = cursor !== null) {
    const page: Page<T> = await read({ limit: AT_ONCE, cursor });
    await take(page.items);
    cursor = page.next;
  }
};
