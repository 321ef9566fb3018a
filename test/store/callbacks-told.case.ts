import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, test } from '@jest/globals';
import type { Store } from '../../src/store/store.ts';
import { readCallbackLags } from '../../src/upkeep/callbacks.ts';
import { captureResult, CLIENT, jpy, paymentResult } from '../support/facts.ts';
import { keepPosts, shopOf, takeChanges } from '../support/posts.ts';
import { AMPLE, delivery, type Ground, order, record } from './support.ts';

/* What is told of callbacks, to people. */

const SHOP = shopOf(CLIENT);
const UNTIL = Date.now() + 300_000;
const PAUSED = { kind: 'paused', until: UNTIL, attempts: 3, why: 'HTTP 503' } as const;

const paid = (id: string) =>
  paymentResult('S', { paymentId: id, paymentRequestId: `R-${id}`, paymentAmount: jpy('100') });

const timeline = async (store: Store, paymentId: string) =>
  await store.timeline({ clientId: CLIENT, paymentId, paymentRequestId: null });

const followed = async (ground: Ground): Promise<Store> => {
  const store = await ground.empty();
  await takeChanges(store, SHOP);
  return store;
};
const lag = async (store: Store, after = 0) => (await readCallbackLags(store, Date.now() + after))[0];

export const describeCallbacksTold = (ground: () => Ground): void => {
  describe('what is told of callbacks', () => {
    test('nothing where nothing waits, and nothing of a URL that is not in use', async () => {
      const store = await followed(ground());
      expect(await lag(store)).toEqual({
        clientId: CLIENT,
        origin: SHOP.origin,
        waiting: 0,
        waitingSince: null,
        lagSeconds: 0,
        paused: false,
        why: null,
        nextAttemptAt: null,
        deliveredAt: null,
      });
      await takeChanges(store);
      expect(await readCallbackLags(store, Date.now())).toEqual([]);
    });

    test('how many wait, for how long, why, and when they are tried again', async () => {
      const store = await followed(ground());
      await record(store, paid('P1'), paid('P2'));
      // The relay has not seen it yet.
      expect(await lag(store, 60_000)).toMatchObject({ waiting: 0, lagSeconds: expect.any(Number), why: null });
      await takeChanges(store, SHOP);
      await keepPosts(store, SHOP, { fails: 'HTTP 422' });
      const waits = await lag(store, 60_000);
      expect(waits).toMatchObject({ waiting: 2, paused: false, why: 'HTTP 422', deliveredAt: null });
      expect(waits?.lagSeconds).toBeGreaterThanOrEqual(60);
      expect(await store.measure(AMPLE)).toMatchObject({
        callbacks: { waiting: 2, waitingSince: waits?.waitingSince, paused: 0 },
      });

      await keepPosts(store, SHOP, { url: PAUSED });
      expect(await lag(store)).toMatchObject({ paused: true, why: 'HTTP 503' });
      expect(await store.measure(AMPLE)).toMatchObject({ callbacks: { waiting: 2, paused: 1 } });
      await takeChanges(store);
      expect(await store.measure(AMPLE)).toMatchObject({ callbacks: { waiting: 0, waitingSince: null, paused: 0 } });
    });

    test('of two URLs together: how many wait, and since when the longest does', async () => {
      const store = await ground().empty();
      // The last one by its client, and the first to wait.
      const other = shopOf('T_other');
      await takeChanges(store, SHOP, other);
      await store.record([delivery(paid('P1'), { clientId: other.clientId })], AMPLE);
      await takeChanges(store, SHOP, other);
      await wait(5);
      await record(store, paid('P2'));
      await takeChanges(store, SHOP, other);
      const [younger, older] = await readCallbackLags(store, Date.now());
      expect([younger, older]).toMatchObject([{ waiting: 1 }, { waiting: 1 }]);
      expect(Date.parse(older?.waitingSince ?? '')).toBeLessThan(Date.parse(younger?.waitingSince ?? ''));
      expect(await store.measure(AMPLE)).toMatchObject({
        callbacks: { waiting: 2, waitingSince: older?.waitingSince },
      });
    });

    test('the timeline tells what was delivered, and what waits because the URL is paused', async () => {
      const store = await followed(ground());
      await record(store, paid('P1'));
      await takeChanges(store, SHOP);
      expect((await timeline(store, 'P1'))?.callbacks).toMatchObject([
        { delivered: null, pending: { attempts: 0, why: null } },
      ]);
      await keepPosts(store, SHOP);
      const { revision } = await order(store, 'P1');
      await record(store, captureResult('S', { paymentId: 'P1', captureId: 'C1', captureAmount: jpy('100') }));
      await takeChanges(store, SHOP);
      await keepPosts(store, SHOP, { fails: 'no response within 10 s', url: PAUSED });
      const told = await timeline(store, 'P1');
      expect(told?.callbacks).toMatchObject([
        {
          origin: SHOP.origin,
          delivered: { revision },
          pending: {
            revision: told?.order.revision,
            attempts: 1,
            why: 'HTTP 503',
            nextAttemptAt: new Date(UNTIL).toISOString(),
          },
        },
      ]);
      expect(await store.measure(AMPLE)).toMatchObject({ callbacks: { waiting: 1, paused: 1 } });
    });
  });
};
