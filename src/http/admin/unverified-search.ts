import type { Store, UnverifiedSummary } from '../../store/store.ts';
import type { MarkedUnverified } from './shapes/notification.ts';

/** Fewer characters are in nearly every request. */
const SHORTEST = 6;
const MOST = 20;

export interface Search {
  readonly unverified: readonly MarkedUnverified[];
  /** Why the unverified requests were not searched; null where they were. */
  readonly notSearched: string | null;
}

/** Finds the unverified requests whose bytes hold one of these texts, at most 20, the newest; no field is read. */
export type SearchUnverified = (texts: readonly string[]) => Promise<Search>;

/** A search reads every unverified request: one at a time. What is verified is found meanwhile as well. */
export const createSearch = (store: () => Store): SearchUnverified => {
  let searching = false;
  return async (texts) => {
    const sought = longEnough(texts);
    if (sought.length === 0) return notSearched(TOO_SHORT);
    if (searching) return notSearched(BUSY);
    searching = true;
    try {
      return { unverified: (await store().findInUnverified(sought, MOST)).map(marked), notSearched: null };
    } finally {
      searching = false;
    }
  };
};

/** Those that are long enough to be searched for, each once. */
const longEnough = (texts: readonly string[]): readonly string[] =>
  [...new Set(texts)].filter((text) => Array.from(text).length >= SHORTEST);

/** The same search by who has the store to himself. */
export const searchUnverified = async (store: Store, texts: readonly string[]): Promise<Search> =>
  await createSearch(() => store)(texts);

const marked = (summary: UnverifiedSummary): MarkedUnverified => ({ ...summary, verified: false });
const notSearched = (reason: string): Search => ({ unverified: [], notSearched: reason });
const TOO_SHORT = `The unverified requests were not searched: the id has fewer than ${SHORTEST} characters.`;
const BUSY = 'The unverified requests were not searched: another search is under way. Ask again in a moment.';
