import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { createFeedWatch, type FeedWatch } from '../src/feed-watch.ts';
import { openSqlite } from '../src/store/sqlite/sqlite-store.ts';
import { InvalidCursorError, type Store, StoreUnavailableError } from '../src/store/store.ts';
import { eventually } from './support/client.ts';
import { paymentResult } from './support/facts.ts';
import { record, RULES } from './store/support.ts';

const LONG = { ms: 30_000 };

let directory = '';
let store: Store;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'paynotify-'));
  store = await openSqlite({ file: join(directory, 'paynotify.db'), rules: RULES });
  // The first of all begins a start, which wakes everybody.
  await pay();
});
afterAll(async () => {
  await store.close();
  await rm(directory, { recursive: true });
});

let looks = 0;
let isAway = false;
let held: Promise<void> | null = null;
let watch: FeedWatch;
beforeEach(() => {
  looks = 0;
  isAway = false;
  held = null;
  const feedEnds = async () => {
    looks += 1;
    await held;
    if (isAway) throw new StoreUnavailableError('away');
    return await store.feedEnds();
  };
  watch = createFeedWatch({ store: () => ({ feedEnds }), everyMs: 5 });
});
const looked = async (times: number): Promise<void> => {
  const before = looks;
  await eventually(
    'looks',
    () => looks - before,
    (count) => count >= times,
  );
};

let made = 0;
const pay = async (): Promise<void> => {
  made += 1;
  await record(store, paymentResult('S', { paymentId: `P${made}`, paymentRequestId: `R${made}` }));
};

describe('who waits for a feed', () => {
  test('is woken by what is stored after the cursor, of that feed alone', async () => {
    const { orders, notifications } = await store.feedEnds();
    const ofOrders = watch.waitForChange('orders', orders, LONG);
    const ofNotifications = watch.waitForChange('notifications', notifications, LONG);
    await record(store, { notifyType: 'OTHER' });
    expect(await ofNotifications).toBe(true);
    expect(watch.waiting()).toBe(1);
    await pay();
    expect(await ofOrders).toBe(true);
    expect(watch.waiting()).toBe(0);
  });

  test('is woken by what was stored before the wait began', async () => {
    const { orders } = await store.feedEnds();
    await pay();
    expect(await watch.waitForChange('orders', orders, LONG)).toBe(true);
  });

  test('is woken where another start goes on from here: the cursor may be outdated', async () => {
    const { orders } = await store.feedEnds();
    const earlier = orders.replace(/^[^.]+/, '0123456789abcdef');
    expect(await watch.waitForChange('orders', earlier, LONG)).toBe(true);
  });

  test('sleeps on through an outage, and learns afterwards what it missed', async () => {
    const { orders } = await store.feedEnds();
    isAway = true;
    const waiting = watch.waitForChange('orders', orders, LONG);
    await pay();
    await looked(3);
    expect(watch.waiting()).toBe(1);
    isAway = false;
    expect(await waiting).toBe(true);
  });

  test('stops when the time is up, or when it goes away', async () => {
    const { orders } = await store.feedEnds();
    expect(await watch.waitForChange('orders', orders, { ms: 1 })).toBe(false);
    const controller = new AbortController();
    const { signal } = controller;
    const waiting = watch.waitForChange('orders', orders, { ...LONG, signal });
    await looked(1);
    controller.abort();
    expect(await waiting).toBe(false);
    expect(await watch.waitForChange('orders', orders, { ...LONG, signal })).toBe(false);
    expect(watch.waiting()).toBe(0);
  });

  test('stops at once when all waits are ended; after closing nobody waits any more', async () => {
    const { orders } = await store.feedEnds();
    const wait = async () => await watch.waitForChange('orders', orders, LONG);
    const first = [wait(), wait()];
    watch.endWaits();
    expect(await Promise.all(first)).toEqual([false, false]);
    const second = wait();
    watch.close();
    expect([await second, await wait()]).toEqual([false, false]);
  });

  test('is told of a cursor that is none', async () => {
    await expect(watch.waitForChange('orders', 'x', LONG)).rejects.toThrow(InvalidCursorError);
  });

  test('waits also while the store is not open', async () => {
    let opened: Store | null = null;
    const early = createFeedWatch({ store: () => opened, everyMs: 5 });
    const waiting = early.waitForChange('orders', '0', LONG);
    opened = store;
    expect(await waiting).toBe(true);
  });
});

describe('the database', () => {
  test('is asked once for all who wait, and not while nobody waits', async () => {
    const { orders } = await store.feedEnds();
    const { promise, resolve } = Promise.withResolvers<void>();
    held = promise;
    const waits = Array.from({ length: 500 }, async () => await watch.waitForChange('orders', orders, LONG));
    await looked(1);
    await pay();
    resolve();
    expect(new Set(await Promise.all(waits))).toEqual(new Set([true]));
    // Another one looks all the time.
    const other = createFeedWatch({ store: () => store, everyMs: 5 });
    expect(await other.waitForChange('orders', (await store.feedEnds()).orders, { ms: 50 })).toBe(false);
    expect(looks).toBe(1);
  });

  test('is asked every quarter of a second while somebody waits', async () => {
    const ends = await store.feedEnds();
    let asked = 0;
    const usual = createFeedWatch({ store: () => ({ feedEnds: async () => ((asked += 1), ends) }) });
    jest.useFakeTimers();
    try {
      const waiting = usual.waitForChange('orders', ends.orders, LONG);
      await jest.advanceTimersByTimeAsync(249);
      expect(asked).toBe(0);
      await jest.advanceTimersByTimeAsync(1);
      expect(asked).toBe(1);
      await jest.advanceTimersByTimeAsync(250);
      expect(asked).toBe(2);
      usual.close();
      expect(await waiting).toBe(false);
    } finally {
      jest.useRealTimers();
    }
  });
});
