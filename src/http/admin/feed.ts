import type { FeedWatch } from '../../feed-watch.ts';
import {
  type Feed,
  type FeedPage,
  OutdatedCursorError,
  type PageRequest,
  StoreUnavailableError,
} from '../../store/store.ts';
import { type Answer, pageAnswer } from './answer.ts';
import { problem, type Refusal } from './problem.ts';

/** What an endpoint needs that waits for a feed. */
export interface FeedNeeds {
  readonly feedWatch: Pick<FeedWatch, 'waitForChange'>;
}

interface Source<Page extends PageRequest, T> {
  readonly feed: Feed;
  readonly read: (page: Page) => Promise<FeedPage<T>>;
}

interface Asked<Page extends PageRequest> {
  readonly page: Page;
  /** Seconds; null for none. */
  readonly wait: number | null;
  /** Aborted when the client goes away. */
  readonly gone: AbortSignal;
}

/** Answers with a page of a feed; waits while it is empty. A cursor ends where the database goes back. */
export const createFollowing = <Page extends PageRequest, T>(
  feedWatch: FeedNeeds['feedWatch'],
  { feed, read }: Source<Page, T>,
) => {
  const readTogether = createSharing(read);

  const readOrWait = async ({ page: first, wait, gone }: Asked<Page>): Promise<FeedPage<T>> => {
    const until = performance.now() + (wait ?? 0) * 1_000;
    let found = await read(first);
    while (found.items.length === 0) {
      const cursor = found.next;
      if (!(await feedWatch.waitForChange(feed, cursor, { ms: until - performance.now(), signal: gone }))) break;
      try {
        found = await readTogether({ ...first, cursor });
      } catch (error) {
        // An outage: there may be something when it is over.
        if (!(error instanceof StoreUnavailableError)) throw error;
      }
    }
    return found;
  };

  return async (
    asked: Asked<Page>,
  ): Promise<Answer<200, FeedPage<T>> | Refusal<'CURSOR_OUTDATED' | 'MALFORMED_REQUEST'>> => {
    try {
      return await pageAnswer(asked.page, async () => await readOrWait(asked));
    } catch (error) {
      if (error instanceof OutdatedCursorError) return problem('CURSOR_OUTDATED', error.message);
      throw error;
    }
  };
};

/** Those that are woken together and stand at the same place share what is read. */
const createSharing = <Page extends PageRequest, T>(read: (page: Page) => Promise<T>): ((page: Page) => Promise<T>) => {
  const underWay = new Map<string, Promise<T>>();
  return async (page) => {
    const key = JSON.stringify(page);
    const reading = underWay.get(key) ?? read(page).finally(() => underWay.delete(key));
    underWay.set(key, reading);
    return await reading;
  };
};
