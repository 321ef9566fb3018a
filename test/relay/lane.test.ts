import { join } from 'node:path';
import { afterEach, expect, test } from '@jest/globals';
import { type LaneOptions, runLane } from '../../src/relay/lane.ts';
import { createLease, type HeldLease } from '../../src/relay/lease.ts';
import type { PostResult } from '../../src/relay/post.ts';
import { openStore } from '../../src/store/open.ts';
import type { Store, UrlState } from '../../src/store/store.ts';
import { jpy, paymentResult } from '../support/facts.ts';
import { makeDirectory, removeDirectories } from '../support/receiver.ts';
import { newSecret } from '../support/shop.ts';
import { record, RULES } from '../store/support.ts';
import { targetOf } from './relaying.ts';

const POST_MS = 1_000;
const TARGET = targetOf('https://shop.example/callbacks', [newSecret()]);
const { clientId, url, origin } = TARGET;

const opened: Store[] = [];
afterEach(async () => {
  for (const store of opened.splice(0)) await store.close();
  removeDirectories();
});

const openNew = async (): Promise<Store> => {
  const databaseUrl = `sqlite:${join(makeDirectory(), 'paynotify.db')}`;
  const { own } = await openStore({ databaseUrl, rules: RULES, allowUnsafeDatabase: false });
  opened.push(own);
  return own;
};

const paid = (paymentId: string) =>
  paymentResult('S', { paymentId, paymentRequestId: `R-${paymentId}`, paymentAmount: jpy('100') });

/** A store with two orders that are due at one URL, in this state. */
const twoDue = async (state: UrlState = null): Promise<Store> => {
  const store = await openNew();
  const lease = createLease(store, 60_000);
  await lease.take();
  const takeChanges = async (): Promise<unknown> =>
    await lease.under(async (own) => await store.takeChanges(own, [{ clientId, url, origin }], 9));
  await takeChanges();
  await record(store, paid('P1'), paid('P2'));
  await takeChanges();
  await lease.under(async (own) => await store.keepCallbackResults(own, { digest: url, results: [], url: state }));
  await lease.release();
  return store;
};

const leaseOn = async (store: Store, ms = 60_000): Promise<HeldLease> => {
  const lease = createLease(store, ms);
  expect(await lease.take()).toBe(true);
  return lease;
};

const answered = (status: number): PostResult => ({ kind: 'answered', status, retryAfter: null });

interface Course extends Pick<LaneOptions, 'store' | 'lease'> {
  /** To one post after the other. */
  readonly answers: readonly PostResult[];
  /** Ends the lane while so many posts have begun. */
  readonly endsIn?: number;
}

/** Posts one at a time until the lane rests; returns how many posts it began. */
const postsOf = async ({ answers, endsIn = Infinity, ...lane }: Course): Promise<number> => {
  const ending = new AbortController();
  let posts = 0;
  await runLane({
    ...lane,
    targets: [TARGET],
    posting: {
      post: async () => {
        const answer = answers[posts];
        posts += 1;
        if (posts === endsIn) ending.abort();
        return answer ?? answered(200);
      },
      close: () => undefined,
    },
    postTimeoutMs: POST_MS,
    atOnce: 1,
    scheduleMs: [60_000],
    report: {
      posted: () => undefined,
      paused: () => undefined,
      released: () => undefined,
      refused: () => undefined,
      failed: (error) => {
        throw error;
      },
    },
    ending: ending.signal,
    aborting: new AbortController().signal,
    nap: { sleep: async () => ending.abort(), wake: () => undefined },
  });
  return posts;
};

test('what is due is posted, all of it', async () => {
  const store = await twoDue();
  expect(await postsOf({ store, lease: await leaseOn(store), answers: [] })).toBe(2);
});

test('no post begins after one that pauses the URL', async () => {
  const store = await twoDue();
  expect(await postsOf({ store, lease: await leaseOn(store), answers: [answered(503)] })).toBe(1);
});

test('no post begins while the lease may run out before it has an answer', async () => {
  const store = await twoDue();
  expect(await postsOf({ store, lease: await leaseOn(store, POST_MS), answers: [] })).toBe(0);
});

test('no post begins once the lane is ended, and what was under way is written down', async () => {
  const store = await twoDue();
  expect(await postsOf({ store, lease: await leaseOn(store), answers: [answered(200)], endsIn: 1 })).toBe(1);
  expect((await store.listCallbackUrls())[0]).toMatchObject({ waiting: 1 });
});

test('after a probe that is refused for its order, the next one is made at once, with another order', async () => {
  const store = await twoDue({ kind: 'paused', until: Date.now(), attempts: 1, why: 'HTTP 503' });
  expect(await postsOf({ store, lease: await leaseOn(store), answers: [answered(422)] })).toBe(2);
  expect((await store.listCallbackUrls())[0]).toMatchObject({ paused: null, waiting: 1 });
});

test('pauses begin anew once a probe was delivered', async () => {
  const store = await twoDue({ kind: 'paused', until: Date.now(), attempts: 3, why: 'HTTP 503' });
  expect(await postsOf({ store, lease: await leaseOn(store), answers: [answered(200), answered(503)] })).toBe(2);
  expect((await store.listCallbackUrls())[0]).toMatchObject({ paused: { attempts: 1 } });
});

test('of a lease that is lost nothing is left', async () => {
  const store = await openNew();
  const lease = await leaseOn(store);
  expect(lease.left()).toBeGreaterThan(0);
  // Of a database with one service, whoever starts takes it over.
  await leaseOn(store);
  expect(await lease.under(async (own) => await store.takeChanges(own, [], 1))).toBeNull();
  expect(lease.left()).toBe(0);
});
