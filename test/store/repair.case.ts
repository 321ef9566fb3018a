import { describe, expect, test } from '@jest/globals';
import type { Store } from '../../src/store/store.ts';
import { captureResult, CLIENT, jpy, paymentResult, result } from '../support/facts.ts';
import { failingHandlers } from './failing-handlers.ts';
import {
  ANY_ORDER,
  codes,
  follow,
  type Ground,
  idsOf,
  later,
  notificationsOf,
  order,
  outcomesOf,
  readAgain,
  record,
  recordBy,
  rebuildAll,
  registration,
} from './support.ts';

const PAID = paymentResult('S', { paymentAmount: jpy('100') });
const CAPTURED = captureResult('S', { captureId: 'C1', captureAmount: jpy('100') });
const FAULTY = paymentResult('S', { result: result('S', 'FAULT'), paymentAmount: jpy('100') });

const fill = async (store: Store): Promise<void> => {
  await store.register(registration({ paymentRequestId: 'lone' }), { replace: false, now: new Date() });
  await store.register(registration(), { replace: false, now: new Date() });
  await record(store, PAID, CAPTURED, paymentResult('F', { paymentId: 'P2', paymentRequestId: 'R2' }));
  await record(
    store,
    captureResult('F', { paymentId: 'P3', captureId: 'C3' }),
    captureResult('U', { paymentId: 'P4', captureRequestId: 'Q4' }),
  );
};

const flawsOf = async (store: Store): Promise<readonly unknown[]> =>
  (await store.check('orders', { limit: 9, cursor: null })).items.flatMap((one) => one.flaws);

export const describeRepair = (ground: () => Ground): void => {
  describe('reapplying', () => {
    test('applies what failed, once it is mended', async () => {
      const store = await ground().empty();
      await recordBy(store, failingHandlers, FAULTY, CAPTURED);
      const [notification] = await notificationsOf(store);
      if (notification === undefined) throw new Error('nothing stored');
      expect(await store.reapply([readAgain(notification, failingHandlers)], later(1))).toEqual(['FAILED']);
      const mended = new Date(Date.now() + 1_000);
      expect(await store.reapply([readAgain(notification)], mended)).toEqual(['APPLIED']);
      expect(await order(store, 'P1')).toMatchObject({
        status: 'CAPTURED',
        fulfillable: true,
        updatedAt: mended.toISOString(),
      });
      expect((await notificationsOf(store)).map(({ deliveries }) => deliveries)).toEqual([1, 1]);
    });

    test('changes nothing where nothing is wrong, and passes over what is not stored', async () => {
      const store = await ground().empty();
      await record(store, PAID, CAPTURED, { notifyType: 'OTHER' }, '[]');
      const before = await follow(store);
      const stored = await notificationsOf(store);
      const again = stored.map((one) => readAgain(one));
      const [one] = again;
      if (one === undefined) throw new Error('nothing stored');
      const missing = { ...one, stored: { ...one.stored, id: '00'.repeat(32) } };
      expect(await store.reapply([...again, missing], later(1))).toEqual([
        'APPLIED',
        'APPLIED',
        'UNHANDLED',
        'MALFORMED',
        null,
      ]);
      expect(await follow(store)).toEqual(before);
    });

    test('takes a notification away from what it named, when it reads otherwise now', async () => {
      const store = await ground().empty();
      await store.register(registration(), { replace: false, now: new Date() });
      await record(store, PAID, paymentResult('S', { paymentId: 'P2' }));
      const second = (await notificationsOf(store)).find(({ paymentId }) => paymentId === 'P2');
      const first = (await notificationsOf(store)).find(({ paymentId }) => paymentId === 'P1');
      if (first === undefined || second === undefined) throw new Error('two should be stored');
      expect(await store.reapply([readAgain(second, [])], later(1))).toEqual(['UNHANDLED']);
      expect(codes(await order(store, 'P1'))).not.toContain('CONTRADICTORY_IDENTITY');
      expect(await store.findOrders({ clientId: CLIENT, id: 'P2' })).toEqual([]);
      await store.reapply([readAgain(first, [])], new Date());
      expect(await order(store, 'R1')).toMatchObject({ paymentId: null, expectedAmount: jpy('100') });
      expect(await rebuildAll(store)).toMatchObject({ changed: 0 });
    });
  });

  describe('checking', () => {
    test('finds nothing wrong with an order that the clock has changed, and no sweep yet', async () => {
      const store = await ground().empty();
      const lately = new Date(Date.now() - 20 * 86_400_000);
      const card = { paymentMethodType: 'CARD', paymentTime: lately.toISOString() };
      await record(store, paymentResult('S', { paymentAmount: jpy('100'), ...card }));
      // As if it were its last commit.
      await store.register(registration(), { replace: false, now: lately });
      await ground().sql(`update orders set updated_at = ${lately.getTime()}`);
      expect(await flawsOf(store)).toEqual([]);
      expect(await store.sweep(new Date(), 9)).toBe(1);
      expect(codes(await order(store, 'P1'))).toEqual(['AUTHORIZATION_EXPIRED']);
      expect(await flawsOf(store)).toEqual([]);
    });
  });

  describe('rebuilding', () => {
    test('changes nothing where nothing is wrong', async () => {
      const store = await ground().empty();
      await fill(store);
      const before = await follow(store);
      expect(before.orders).toHaveLength(5);
      // The placeholder of R1 is an order no more.
      for (const limit of [1, 2, 100]) expect(await rebuildAll(store, limit)).toEqual({ orders: 5, changed: 0 });
      expect(await follow(store)).toEqual(before);
    });

    test('repairs a row that somebody changed; createdAt stands', async () => {
      const store = await ground().empty();
      await fill(store);
      const before = await order(store, 'P1');
      await ground().sql(`
        update orders
        set status = 'FAILED', attention = ' OVER_CAPTURED ', content = (select content from orders where order_key = 'P2')
        where order_key = 'P1'`);
      const failedOnes = { ...ANY_ORDER, status: 'FAILED' } as const;
      expect((await store.listOrders(failedOnes, { limit: 9, cursor: null })).items).toHaveLength(2);
      const { next } = await follow(store);
      expect(await rebuildAll(store)).toMatchObject({ changed: 1 });
      expect((await store.listOrders(failedOnes, { limit: 9, cursor: null })).items).toMatchObject([
        { paymentId: 'P2' },
      ]);
      const repaired = await order(store, 'P1');
      expect(repaired.revision).toBeGreaterThan(before.revision);
      expect(repaired).toEqual({ ...before, revision: repaired.revision, updatedAt: repaired.updatedAt });
      expect((await follow(store, { from: next })).orders).toMatchObject([{ paymentId: 'P1' }]);
    });

    test.each([
      ['status', "'FAILED'", 1],
      ['next_action', "'INVESTIGATE'", 1],
      ['attention', "' OVER_CAPTURED '", 1],
      ['reference_order_id', 'null', 1],
      ['reference_order_id', "'another'", 1],
      // By itself it is no change that anybody sees.
      ['due_at', '1', 0],
    ])('repairs the column %s alone, where it is %s', async (column, value, changed) => {
      const store = await ground().empty();
      await fill(store);
      await ground().sql(`update orders set ${column} = ${value} where order_key = 'P1'`);
      expect(await flawsOf(store)).not.toEqual([]);
      expect(await rebuildAll(store)).toEqual({ orders: 5, changed });
      expect(await flawsOf(store)).toEqual([]);
    });

    test('makes a row that somebody deleted again, and removes one that nothing stands for', async () => {
      const store = await ground().empty();
      await fill(store);
      await ground().sql("delete from orders where order_key = ' lone'");
      await ground().sql(
        "update orders set order_key = 'P9', content = replace(content, 'P2', 'P9') where order_key = 'P2'",
      );
      expect(idsOf((await follow(store)).orders)).toEqual(['P1', 'P3', 'P4', 'P9']);
      expect(await rebuildAll(store)).toEqual({ orders: 5, changed: 3 });
      expect(idsOf((await follow(store)).orders)).toEqual(['P1', 'P2', 'P3', 'P4', '–']);
    });

    test('goes by the rules in force', async () => {
      const store = await ground().empty();
      await record(store, paymentResult('S', { paymentAmount: jpy('100'), paymentMethodType: 'ALIPAY_CN' }));
      expect(await order(store, 'P1')).toMatchObject({ status: 'AUTHORIZED' });
      const methods = await ground().open({ rules: { captureRequired: 'methods' } });
      expect(await rebuildAll(methods)).toMatchObject({ changed: 1 });
      expect(
        (await methods.listOrders({ ...ANY_ORDER, status: 'CAPTURED' }, { limit: 9, cursor: null })).items,
      ).toHaveLength(1);
      expect(await rebuildAll(methods)).toMatchObject({ changed: 0 });
    });

    test('changes nothing after a handler failed', async () => {
      const store = await ground().empty();
      const batch = await recordBy(store, failingHandlers, FAULTY, CAPTURED, paymentResult('S', { paymentId: 'P2' }));
      expect(outcomesOf(batch)).toEqual(['FAILED', 'APPLIED', 'APPLIED']);
      await store.register(registration(), { replace: false, now: later(0) });
      expect(await rebuildAll(store)).toMatchObject({ changed: 0 });
    });
  });
};
