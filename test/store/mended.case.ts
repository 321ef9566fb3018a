import { describe, expect, test } from '@jest/globals';
import { eventually } from '../support/client.ts';
import { captureResult, CLIENT, type Fields, jpy, paymentResult, result } from '../support/facts.ts';
import { failingHandlers } from './failing-handlers.ts';
import {
  AMPLE,
  ANY_ORDER,
  codes,
  delivery,
  type Ground,
  order,
  outcomesOf,
  rebuildAll,
  record,
  recordBy,
  registration,
} from './support.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const ALL = { limit: 9, cursor: null } as const;
const PAID = paymentResult('S', { paymentAmount: jpy('100') });

const failed = (number: number): Fields =>
  paymentResult('F', { paymentId: `P${number}`, paymentRequestId: `R${number}` });

/** What is stored changes by something else than a new notification, and its orders with it. */
export const describeMended = (ground: () => Ground): void => {
  describe('an order', () => {
    test('waits since the first receipt, also where that becomes known later', async () => {
      const store = await ground().empty();
      await store.record([delivery(PAID, { at: new Date(Date.now() - 60_000) })], AMPLE);
      const waiting = { ...ANY_ORDER, nextAction: 'WAIT' } as const;
      expect((await store.listOrders(waiting, { limit: 9, cursor: null })).items).toHaveLength(1);
      await store.record([delivery(PAID, { at: new Date(Date.now() - 2 * HOUR) })], AMPLE);
      expect((await store.listOrders(waiting, { limit: 9, cursor: null })).items).toEqual([]);
      expect(await rebuildAll(store)).toMatchObject({ changed: 0 });
    });

    test('is left by a notification that joined it only while it could not be read', async () => {
      const store = await ground().empty();
      const dispute: Fields = {
        disputeNotificationType: 'DISPUTE_CREATED',
        disputeId: 'D1',
        paymentId: 'P1',
        paymentRequestId: 'R1',
        result: result('S', 'FAULT'),
      };
      await store.register(registration(), { replace: false, now: new Date() });
      expect(outcomesOf(await recordBy(store, failingHandlers, dispute))).toEqual(['FAILED']);
      expect(await order(store, 'R1')).toMatchObject({ paymentId: 'P1', expectedAmount: jpy('100') });
      expect(outcomesOf(await record(store, dispute))).toEqual(['APPLIED']);
      expect(await order(store, 'R1')).toMatchObject({ paymentId: null, attention: [] });
      expect(codes(await order(store, 'P1'))).toEqual(['DISPUTED']);
      expect(await rebuildAll(store)).toMatchObject({ changed: 0 });
    });

    test('of many captures is derived from all of them, whatever a refund says about another payment', async () => {
      const store = await ground().empty();
      const captures = Array.from({ length: 40 }, (_, number) =>
        captureResult('S', { captureId: `C${number}`, captureAmount: jpy('10') }),
      );
      await record(store, paymentResult('S', { paymentRequestId: '', paymentAmount: jpy('400') }), ...captures);
      await store.registerRefund(
        { clientId: CLIENT, refundRequestId: 'RR1', paymentId: null, paymentRequestId: 'R1' },
        { replace: false, now: new Date() },
      );
      const refund = { notifyType: 'REFUND_RESULT', result: result('S'), refundRequestId: 'RR1', paymentId: 'P9' };
      await record(store, { ...refund, refundAmount: jpy('1') });
      await record(store, paymentResult('S', { paymentAmount: jpy('400') }));
      const captured = { ...ANY_ORDER, status: 'CAPTURED', attention: 'CONTRADICTORY_IDENTITY' } as const;
      const { items } = await store.listOrders(captured, { limit: 9, cursor: null });
      expect(items.map(({ paymentId }) => paymentId)).toEqual(['P1']);
      expect(await rebuildAll(store)).toMatchObject({ changed: 0 });
    });

    test('is derived as of now again by a rebuild, where the clock was ahead', async () => {
      const store = await ground().empty();
      const now = Date.now();
      // Its authorization ends in three days.
      const paymentTime = new Date(now - 4 * DAY).toISOString();
      const ahead = new Date(now + 4 * DAY);
      await record(store, { ...PAID, paymentTime });
      const expired = async (): Promise<number> => {
        const listed = { ...ANY_ORDER, attention: 'AUTHORIZATION_EXPIRED' } as const;
        return (await store.listOrders(listed, { limit: 9, cursor: null })).items.length;
      };
      const flaws = async () => (await store.check('orders', ALL)).items.flatMap((one) => one.flaws);
      expect(await store.sweep(ahead, 100)).toBeGreaterThan(0);
      expect([await expired(), (await flaws()).length]).toEqual([1, 1]);
      expect(await rebuildAll(store)).toMatchObject({ changed: 1 });
      expect([await expired(), await flaws()]).toEqual([0, []]);
      expect([await store.aheadUntil(ahead), await store.aheadUntil(new Date(now))]).toEqual([
        null,
        ahead.toISOString(),
      ]);
      expect(await rebuildAll(store)).toMatchObject({ changed: 0 });
      expect(await store.sweep(ahead, 100)).toBeGreaterThan(0);
      expect(await expired()).toBe(1);
    });

    test('that falls due once the clock is right has no flaw before it is swept', async () => {
      const store = await ground().empty();
      const now = Date.now();
      const due = now + 1_000;
      await store.record([delivery(PAID, { at: new Date(due - HOUR) })], AMPLE);
      expect(await store.sweep(new Date(now + DAY), 100)).toBeGreaterThan(0);
      // As of now, also where this machine comes to it only once it is due.
      expect(await store.rebuild({ limit: 9, cursor: null }, new Date(now))).toMatchObject({ changed: 1 });
      await eventually('due', Date.now, (time) => time > due);
      expect((await store.check('orders', ALL)).items.flatMap((one) => one.flaws)).toEqual([]);
    });

    test('of many payments of one shop order changes with the next sweep, where too many look on', async () => {
      const store = await ground().empty();
      for (let number = 100; number < 160; number += 1) {
        await store.register(registration({ paymentRequestId: `R${number}` }), {
          replace: false,
          now: new Date(number),
        });
        await record(store, failed(number));
      }
      const asking = { ...ANY_ORDER, nextAction: 'NEW_PAYMENT_REQUEST' } as const;
      expect((await store.listOrders(asking, { limit: 99, cursor: null })).items.map((one) => one.paymentId)).toEqual([
        'P159',
      ]);
      await record(
        store,
        paymentResult('S', { paymentId: 'P100', paymentRequestId: 'R100', paymentAmount: jpy('100') }),
      );
      expect((await store.listOrders(asking, { limit: 99, cursor: null })).items).toHaveLength(1);
      expect(await store.sweep(new Date(), 100)).toBeGreaterThan(0);
      expect((await store.listOrders(asking, { limit: 99, cursor: null })).items).toEqual([]);
      expect(await rebuildAll(store)).toMatchObject({ changed: 0 });
    });
  });
};
