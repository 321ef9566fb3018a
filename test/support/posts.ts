import type {
  CallbackDestination,
  CallbackResult,
  DueCallback,
  Lease,
  Store,
  UrlState,
} from '../../src/store/store.ts';

/* What a relay writes down, without its posts: for what is told of callbacks. */

const LEASE: Lease = { owner: 'one', ms: 60_000 };

export const shopOf = (clientId: string): CallbackDestination => ({
  clientId,
  url: 'aa'.repeat(32),
  origin: 'https://shop.example',
});

/** The relay takes what changed; without a shop no URL is in use. */
export const takeChanges = async (store: Store, ...shops: readonly CallbackDestination[]): Promise<void> => {
  await store.takeLease(LEASE, { starting: true });
  await store.takeChanges(LEASE, shops, 100);
};

export interface Posted {
  /** What every post came to; null for 2xx. */
  readonly fails?: string | null;
  readonly url?: UrlState;
}

/** It has posted all that is due, to this effect. */
export const keepPosts = async (
  store: Store,
  shop: CallbackDestination,
  { fails = null, url = null }: Posted = {},
): Promise<void> => {
  const { due } = await store.dueCallbacks([shop], { limit: 9, now: Date.now() });
  const results = due.map((one) => resultOf(one, fails));
  if (!(await store.keepCallbackResults(LEASE, { digest: shop.url, results, url }))) throw new Error('no lease');
};

const resultOf = ({ clientId, orderKey, number, content }: DueCallback, fails: string | null): CallbackResult => {
  const key = { clientId, orderKey, number };
  if (fails !== null) return { ...key, kind: 'failed', why: fails, again: Date.now() + 5_000 };
  if (content === null) return { ...key, kind: 'gone' };
  const { revision, status, fulfillable, nextAction } = content.order;
  return { ...key, kind: 'delivered', state: { revision, status, fulfillable, nextAction }, paymentRequestId: null };
};

/** The orders that are due at a shop. */
export const dueAt = async (store: Store, shop: CallbackDestination): Promise<readonly string[]> =>
  (await store.dueCallbacks([shop], { limit: 9, now: Date.now() })).due.map(({ orderKey }) => orderKey).toSorted();
