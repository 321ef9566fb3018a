import { setTimeout as after } from 'node:timers/promises';
import { describe, expect, test } from '@jest/globals';
import { handlers } from '../../src/handlers/index.ts';
import type { Store } from '../../src/store/store.ts';
import { createRedriving } from '../../src/upkeep/redrive.ts';
import { removeOld } from '../../src/upkeep/retention.ts';
import { verifyStore } from '../../src/upkeep/verify-store.ts';
import { captureResult, jpy, paymentResult, result, TRUST } from '../support/facts.ts';
import { failingHandlers } from './failing-handlers.ts';
import {
  AMPLE,
  delivery,
  follow,
  type Ground,
  later,
  notificationsOf,
  outcomesOf,
  record,
  recordBy,
  rebuildAll,
  registration,
  T0,
  isStored,
  sharesOf,
  unverified,
} from './support.ts';

const PAID = paymentResult('S', { paymentAmount: jpy('100') });
const CAPTURED = captureResult('S', { captureId: 'C1', captureAmount: jpy('100') });
const FAULTY = paymentResult('S', { paymentId: 'P2', result: result('S', 'FAULT') });
const FUTURE = new Date('2999-01-01T00:00:00.000Z');

/** Received and stored at one real moment: one store goes by the one, the other by the other. */
const now = (body: Parameters<typeof delivery>[0]) => delivery(body, { at: new Date() });

const removeAll = async (store: Store, before: Date, limit: number): Promise<readonly number[]> => {
  const counts: number[] = [];
  for (let some = -1; some !== 0; counts.push(some)) some = await store.removeRaw(before, limit);
  return counts;
};

const withBytes = async (store: Store): Promise<readonly boolean[]> =>
  (await notificationsOf(store)).map(({ raw }) => raw !== null);

export const describeRetention = (ground: () => Ground): void => {
  describe('retention', () => {
    test('removes the bytes of what is old, oldest first and a few at a time, and nothing else', async () => {
      const store = await ground().empty();
      await store.register(registration(), { replace: false, now: T0 });
      for (const body of [PAID, CAPTURED, { notifyType: 'OTHER' }]) await store.record([now(body)], AMPLE);
      await after(5);
      const cut = new Date();
      await store.record([now('[]')], AMPLE);
      const before = { feed: await follow(store), stored: await notificationsOf(store) };

      expect(await store.removeRaw(T0, 9)).toBe(0);
      expect(await store.removeRaw(cut, 1)).toBe(1);
      expect(await withBytes(store)).toEqual([false, true, true, true]);
      expect(await removeAll(store, cut, 1)).toEqual([1, 1, 0]);
      expect(await withBytes(store)).toEqual([false, false, false, true]);
      expect(await notificationsOf(store)).toEqual(
        before.stored.map((one, index) => (index < 3 ? { ...one, raw: null } : one)),
      );
      expect(await follow(store)).toEqual(before.feed);
    });

    test('does not forget what was seen: a resend only counts, and brings no bytes back', async () => {
      const store = await ground().empty();
      await record(store, PAID, CAPTURED);
      expect(await store.removeRaw(FUTURE, 100)).toBe(2);
      const before = await follow(store);
      const again = await record(store, PAID, CAPTURED, PAID);
      expect(again.results).toMatchObject([
        { reading: { outcome: 'APPLIED' }, deliveries: 2 },
        { deliveries: 2 },
        { deliveries: 3 },
      ]);
      expect(await follow(store)).toEqual(before);
      expect(await withBytes(store)).toEqual([false, false]);
      expect(await store.removeRaw(FUTURE, 100)).toBe(0);
    });

    test('leaves a rebuild all it needs; what verifies and redrives passes over what has no bytes, and counts it', async () => {
      const store = await ground().empty();
      await store.record([now(PAID)], AMPLE);
      await store.removeRaw(FUTURE, 100);
      await store.record([now(CAPTURED)], AMPLE);
      expect(await rebuildAll(store)).toEqual({ orders: 1, changed: 0 });
      await ground().sql('delete from orders');
      expect(await rebuildAll(store)).toEqual({ orders: 1, changed: 1 });
      expect((await follow(store)).orders).toMatchObject([{ paymentId: 'P1', status: 'CAPTURED', fulfillable: true }]);
      expect(await verifyStore(store, TRUST)).toMatchObject({
        verified: 1,
        failed: [],
        withoutBytes: 1,
        flaws: [],
      });
      const redriving = createRedriving(store, handlers);
      expect(await redriving.redriveAll(null)).toMatchObject({ redriven: 1, withoutBytes: 1, held: 0 });
      const [old] = await notificationsOf(store);
      expect(await redriving.redriveOne(old ?? { clientId: '', id: '' })).toEqual({ kind: 'without bytes' });
      expect((await follow(store)).orders).toMatchObject([{ paymentId: 'P1', status: 'CAPTURED', fulfillable: true }]);
    });

    test('keeps the bytes of what FAILED until it is applied', async () => {
      const store = await ground().empty();
      expect(outcomesOf(await recordBy(store, failingHandlers, FAULTY))).toEqual(['FAILED']);
      await record(store, PAID);
      expect(await removeAll(store, FUTURE, 10)).toEqual([1, 0]);
      expect(await withBytes(store)).toEqual([true, false]);
      expect(await createRedriving(store, handlers).redriveAll('FAILED')).toMatchObject({
        redriven: 1,
        outcomes: { APPLIED: 1 },
      });
      expect(await removeAll(store, FUTURE, 10)).toEqual([1, 0]);
    });

    test('removes unverified requests by their last receipt, and makes room again', async () => {
      const store = await ground().empty();
      const requests = [1, 2, 3].map((second) => unverified({ body: Buffer.of(second) }, { at: later(second) }));
      await store.record(requests, AMPLE);
      const { ALL } = await sharesOf(store);
      await store.record([unverified({ body: Buffer.of(1) }, { at: later(60) })], AMPLE);
      expect(await store.removeUnverified(later(2), 10)).toBe(0);
      expect(await store.removeUnverified(later(60), 1)).toBe(1);
      expect(await store.removeUnverified(later(60), 10)).toBe(1);
      const { items } = await store.listUnverified(null, { limit: 9, cursor: null });
      expect(items).toMatchObject([{ deliveries: 2, lastReceivedAt: later(60).toISOString() }]);
      const more = [4, 5, 6].map((second) => unverified({ body: Buffer.of(second) }));
      const { results } = await store.record(more, { maxBytes: 2 * ALL });
      expect(results.filter(isStored)).toHaveLength(2);
    });

    test('purges unverified requests before their last receipt alone, and says so first', async () => {
      const store = await ground().empty();
      await store.record([unverified({}, { at: later(1) }), unverified({}, { at: later(9) })], AMPLE);
      for (const [before, count] of [
        [later(9), 0],
        [new Date(later(9).getTime() + 1), 1],
      ] as const) {
        expect(await store.measureUnverified(null, { before, signed: true })).toMatchObject({ count });
        expect(await store.purgeUnverified(null, { before, signed: true })).toBe(count);
      }
    });

    test('goes by days; without RETENTION_DAYS all bytes stay', async () => {
      const store = await ground().empty();
      const old = new Date(Date.now() - 40 * 86_400_000);
      await store.record(
        [now(PAID), unverified({}, { at: old }), unverified({ target: '/young' }, { at: new Date() })],
        AMPLE,
      );
      const forty = { retentionDays: 40, unverifiedRetentionDays: 40 };
      expect(await removeOld({ store, rules: { ...forty, unverifiedRetentionDays: 41 } }, new Date())).toEqual({
        notifications: 0,
        unverified: 0,
      });
      const inFortyDays = new Date(Date.now() + 40 * 86_400_000 + 1_000);
      expect(
        await removeOld({ store, rules: { retentionDays: null, unverifiedRetentionDays: 60 } }, inFortyDays),
      ).toEqual({ notifications: 0, unverified: 1 });
      expect(await withBytes(store)).toEqual([true]);
      expect(await removeOld({ store, rules: forty, isStopping: () => true }, inFortyDays)).toEqual({
        notifications: 0,
        unverified: 0,
      });
      expect(await removeOld({ store, rules: forty }, inFortyDays)).toEqual({ notifications: 1, unverified: 1 });
      expect(await withBytes(store)).toEqual([false]);
    });
  });
};
