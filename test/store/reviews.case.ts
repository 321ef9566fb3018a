import { describe, expect, test } from '@jest/globals';
import type { Order } from '../../src/order/order.ts';
import type { Store } from '../../src/store/store.ts';
import { eventually } from '../support/client.ts';
import { captureResult, CLIENT, type Fields, jpy, paymentResult, result } from '../support/facts.ts';
import {
  AMPLE,
  ANY_ORDER,
  codes,
  delivery,
  follow,
  type Ground,
  order,
  rebuildAll,
  record,
  registration,
  unverified,
} from './support.ts';

const paidAs = (paymentId: string) => paymentResult('S', { paymentId, paymentAmount: jpy('100') });
const PAID = paidAs('P1');
const CAPTURED = captureResult('S', { captureId: 'C1', captureAmount: jpy('100') });
const FAILED_TOO = paymentResult('F', { paymentAmount: jpy('100') });

const review = async (
  store: Store,
  decision: 'FULFIL' | 'CLOSE',
  { revision, id = 'P1' }: Pick<Order, 'revision'> & { readonly id?: string },
) => await store.review({ clientId: CLIENT, id, decision, revision, note: 'Asked APO.' }, new Date());

const listed = async (store: Store, filter: Partial<typeof ANY_ORDER>): Promise<readonly (string | null)[]> =>
  (await store.listOrders({ ...ANY_ORDER, ...filter }, { limit: 9, cursor: null })).items.map((one) => one.paymentId);

const HOUR = 3_600_000;

export const describeReviews = (ground: () => Ground): void => {
  describe('a review', () => {
    test('settles what a person has seen; a new contradiction opens the order again', async () => {
      const store = await ground().empty();
      await record(store, PAID, CAPTURED, FAILED_TOO);
      const before = await order(store, 'P1');
      expect(before).toMatchObject({ nextAction: 'REVIEW', fulfillable: false, review: null });
      const { next } = await follow(store);
      expect(await review(store, 'FULFIL', before)).toMatchObject({
        kind: 'reviewed',
        order: { nextAction: 'FULFIL', fulfillable: true, review: { decision: 'FULFIL', note: 'Asked APO.' } },
      });
      const { orders } = await follow(store, { from: next });
      expect(orders).toMatchObject([{ paymentId: 'P1', fulfillable: true }]);
      expect(orders[0]?.revision).toBeGreaterThan(before.revision);
      expect(orders[0]?.attention).toMatchObject([{ code: 'CONTRADICTORY_RESULT', settled: true }]);

      await record(store, captureResult('S', { captureId: 'C2', captureAmount: jpy('1') }));
      const again = await order(store, 'P1');
      expect(again).toMatchObject({ nextAction: 'REVIEW', fulfillable: false });
      expect(again.attention.map(({ code, settled }) => [code, settled])).toEqual([
        // More was captured beside the failure than what was settled.
        ['CONTRADICTORY_RESULT', false],
        ['OVER_CAPTURED', false],
      ]);
      expect(await rebuildAll(store)).toMatchObject({ changed: 0 });
    });

    test('of an id that many payments share is over with the next payment that states it', async () => {
      const store = await ground().empty();
      await record(store, ...['P1', 'P2', 'P3', 'P4', 'P5'].map(paidAs), CAPTURED);
      expect(await review(store, 'FULFIL', await order(store, 'P1'))).toMatchObject({ order: { fulfillable: true } });
      await record(store, paidAs('P6'));
      const again = await order(store, 'P1');
      expect(again).toMatchObject({ fulfillable: false, nextAction: 'REVIEW' });
      const said = again.attention.find(({ code }) => code === 'CONTRADICTORY_IDENTITY')?.message;
      expect(said).toContain('paymentRequestId R1 also names payment P2, P3, P4 and 2 more');
    });

    test('closes an order, and can be taken back', async () => {
      const store = await ground().empty();
      await record(store, PAID, FAILED_TOO);
      expect(await review(store, 'CLOSE', await order(store, 'P1'))).toMatchObject({
        order: { nextAction: 'NONE', fulfillable: false },
      });
      const name = { clientId: CLIENT, id: 'R1' };
      expect(await store.withdrawReview(name, new Date())).toMatchObject({
        kind: 'withdrawn',
        order: { nextAction: 'REVIEW', review: null },
      });
      expect(await store.withdrawReview(name, new Date())).toEqual({ kind: 'no review' });
      expect((await store.readShopStatements({ limit: 9, cursor: null })).items).toMatchObject([
        { about: 'review', id: 'P1', replacedAt: expect.any(String) },
      ]);
    });

    test('is later than the one that was taken back, whatever the clock says', async () => {
      const store = await ground().empty();
      await record(store, PAID, FAILED_TOO);
      const name = { clientId: CLIENT, id: 'P1' };
      const start = Date.now();
      const at = (seconds: number): Date => new Date(start + seconds * 1_000);
      const close = async (now: Date): Promise<unknown> => {
        const { revision } = await order(store, 'P1');
        return await store.review({ ...name, decision: 'CLOSE', revision, note: '' }, now);
      };
      await close(at(40));
      await store.withdrawReview(name, at(50));
      // The clock is set back.
      const createdAt = new Date(at(50).getTime() + 1).toISOString();
      expect(await close(at(41))).toMatchObject({ kind: 'reviewed', order: { review: { createdAt } } });
      expect(await store.withdrawReview(name, at(50))).toMatchObject({ kind: 'withdrawn', order: { review: null } });
      expect((await store.readShopStatements({ limit: 9, cursor: null })).items).toHaveLength(2);
    });

    test('that fulfils what was refunded counts among the payments of the shop order, until it is taken back', async () => {
      const store = await ground().empty();
      for (const number of [1, 2])
        await store.register(registration({ paymentRequestId: `R${number}` }), { replace: false, now: new Date(0) });
      const refund = { notifyType: 'REFUND_RESULT', result: result('S'), refundId: 'F1', refundAmount: jpy('100') };
      const second = { paymentId: 'P2', paymentRequestId: 'R2', captureId: 'C2', captureRequestId: 'Q2' };
      await record(store, PAID, CAPTURED, { ...refund, paymentId: 'P1' }, { ...PAID, ...second });
      await record(store, { ...CAPTURED, ...second });
      const shown = async (): Promise<readonly unknown[]> => {
        const orders = [await order(store, 'P1'), await order(store, 'P2')];
        return orders.map((one) => [one.fulfillable, codes(one).join(' ')]);
      };
      expect(await shown()).toEqual([
        [false, 'REFUNDED'],
        [true, ''],
      ]);
      await review(store, 'FULFIL', await order(store, 'P1'));
      expect(await shown()).toEqual([
        [false, 'DUPLICATE_PAYMENT REFUNDED'],
        [false, 'DUPLICATE_PAYMENT'],
      ]);
      await store.withdrawReview({ clientId: CLIENT, id: 'P1' }, new Date());
      expect(await shown()).toEqual([
        [false, 'REFUNDED'],
        [true, ''],
      ]);
      expect(await rebuildAll(store)).toMatchObject({ changed: 0 });
    });

    test('is of the revision that the person saw, and FULFIL of what is captured', async () => {
      const store = await ground().empty();
      await record(store, PAID);
      const before = await order(store, 'P1');
      expect(await review(store, 'FULFIL', before)).toMatchObject({ kind: 'not captured' });
      expect(await review(store, 'CLOSE', { revision: before.revision - 1 })).toMatchObject({ kind: 'outdated' });
      expect(await review(store, 'CLOSE', { ...before, id: 'P9' })).toEqual({ kind: 'unknown' });
      await record(store, paymentResult('S', { paymentId: 'P2' }));
      expect(await review(store, 'CLOSE', { ...before, id: 'R1' })).toMatchObject({ kind: 'ambiguous' });
      expect((await store.readShopStatements({ limit: 9, cursor: null })).items).toEqual([]);
    });

    test('of a placeholder ends with it', async () => {
      const store = await ground().empty();
      await store.register(registration(), { replace: false, now: new Date(0) });
      const placeholder = await order(store, 'R1');
      expect(placeholder).toMatchObject({ nextAction: 'INQUIRE', replaces: null });
      await review(store, 'CLOSE', { ...placeholder, id: 'R1' });
      expect(await order(store, 'R1')).toMatchObject({ nextAction: 'NONE' });
      await record(store, PAID, CAPTURED);
      const paid = await order(store, 'R1');
      expect(paid).toMatchObject({ paymentId: 'P1', review: null, replaces: 'R1', fulfillable: true });
      expect(paid.revision).toBeGreaterThan(placeholder.revision);
    });
  });

  describe('the clock', () => {
    test('changes orders when it is due: one is shown as of now, lists, filters and the feed once it is swept', async () => {
      const store = await ground().empty();
      const dueSoon = new Date(Date.now() - HOUR + 3_000);
      await store.record([delivery(PAID, { at: dueSoon })], AMPLE);
      const { next } = await follow(store);
      expect(await store.sweep(new Date(Date.now() - 60_000), 10)).toBe(0);
      await eventually(
        'the hour',
        async () => await order(store, 'P1'),
        ({ nextAction }) => nextAction === 'INQUIRE',
      );
      expect(await listed(store, { nextAction: 'INQUIRE' })).toEqual([]);
      expect((await follow(store, { from: next })).orders).toEqual([]);
      expect((await follow(store)).orders).toMatchObject([{ nextAction: 'WAIT' }]);
      expect(await store.sweep(new Date(), 10)).toBe(1);
      expect(await listed(store, { nextAction: 'INQUIRE' })).toEqual(['P1']);
      expect((await follow(store, { from: next })).orders).toMatchObject([{ nextAction: 'INQUIRE' }]);
      expect(await store.sweep(new Date(), 10)).toBe(0);
    });

    test('changes the others where one order cannot be derived, and fails all the same', async () => {
      const store = await ground().empty();
      const payments = ['P1', 'P2', 'P3'].map((paymentId) =>
        paymentResult('S', { paymentId, paymentRequestId: paymentId, paymentAmount: jpy('100') }),
      );
      await store.record(
        payments.map((body) => delivery(body, { at: new Date() })),
        AMPLE,
      );
      await ground().sql("update notifications set statements = 'no JSON' where payment_id in ('P1', 'P3')");
      await expect(store.sweep(new Date(Date.now() + 2 * HOUR), 10)).rejects.toThrow();
      expect(await listed(store, { nextAction: 'INQUIRE' })).toEqual(['P2']);
    });

    test('moves nothing in the feed where only the time of the next change moves', async () => {
      const store = await ground().empty();
      await store.record([delivery(PAID, { at: new Date() })], AMPLE);
      const { next, orders } = await follow(store);
      await store.record([delivery({ ...PAID, metadata: 'a resend with other bytes' }, { at: new Date() })], AMPLE);
      expect((await follow(store, { from: next })).orders).toEqual([]);
      expect((await follow(store)).orders).toEqual(orders);
    });
  });

  describe('a revision', () => {
    test('grows with every change, and with nothing else', async () => {
      const store = await ground().empty();
      let before = 0;
      for (const body of [PAID, CAPTURED, FAILED_TOO]) {
        await record(store, body);
        const { revision } = await order(store, 'P1');
        expect(revision).toBeGreaterThan(before);
        await record(store, body);
        expect((await order(store, 'P1')).revision).toBe(revision);
        before = revision;
      }
      expect(await rebuildAll(store)).toMatchObject({ changed: 0 });
      expect((await order(store, 'P1')).revision).toBe(before);
    });
  });

  describe('finding', () => {
    test('finds everything that carries an identifier', async () => {
      const store = await ground().empty();
      await store.register(registration({ referenceOrderId: 'basket-7' }), { replace: false, now: new Date() });
      const refund: Fields = {
        notifyType: 'REFUND_RESULT',
        result: result('S'),
        refundId: 'X1',
        refundRequestId: 'RR1',
      };
      await record(store, PAID, CAPTURED, refund, { transferRequestId: 'T1', result: result('S') });
      const found = async (id: string) => {
        const all = await store.find(CLIENT, id);
        expect(await store.find(null, id)).toEqual(all);
        const { orders, notifications, refunds } = all;
        return [
          orders.map(({ paymentId }) => paymentId),
          notifications.map(({ kind }) => kind),
          refunds.map((one) => one.refundId),
        ];
      };
      expect(await found('P1')).toEqual([['P1'], ['CAPTURE', 'PAYMENT'], []]);
      expect(await found('R1')).toEqual([['P1'], ['PAYMENT'], []]);
      expect(await found('C1')).toEqual([['P1'], ['CAPTURE'], []]);
      expect(await found('basket-7')).toEqual([['P1'], [], []]);
      expect(await found('RR1')).toEqual([[], ['REFUND'], ['X1']]);
      expect(await found('T1')).toEqual([[], ['TRANSFER'], []]);
      expect(await found('nothing')).toEqual([[], [], []]);
    });

    test('finds of many payments of one shop order those that changed last', async () => {
      const store = await ground().empty();
      for (let number = 100; number <= 200; number += 1) {
        const paymentRequestId = `R${number}`;
        await store.register(registration({ paymentRequestId, referenceOrderId: 'basket-7' }), {
          replace: false,
          now: new Date(),
        });
      }
      const { orders } = await store.find(CLIENT, 'basket-7');
      expect([orders.length, orders[0]?.paymentRequestId, orders.at(-1)?.paymentRequestId]).toEqual([
        100,
        'R200',
        'R101',
      ]);
    });

    test('finds unverified requests by their bytes', async () => {
      const store = await ground().empty();
      await store.record([unverified({ body: Buffer.from('{"paymentId":"P-4711"}') }), unverified()], AMPLE);
      expect(await store.findInUnverified(['P-4711'], 20)).toMatchObject([{ reason: 'SIGNATURE_MISMATCH' }]);
      expect(await store.findInUnverified(['P-4712'], 20)).toEqual([]);
    });

    test('lists orders by shop order, client and action', async () => {
      const store = await ground().empty();
      await store.register(registration({ referenceOrderId: 'basket-7' }), { replace: false, now: new Date() });
      await record(store, PAID, CAPTURED, paymentResult('F', { paymentId: 'P2', paymentRequestId: 'R2' }));
      expect(await listed(store, { referenceOrderId: 'basket-7' })).toEqual(['P1']);
      expect(await listed(store, { referenceOrderId: 'basket-7', clientId: 'T_other' })).toEqual([]);
      expect(await listed(store, { nextAction: 'NEW_PAYMENT_REQUEST', clientId: CLIENT })).toEqual(['P2']);
      expect(await listed(store, { nextAction: 'FULFIL' })).toEqual(['P1']);
      expect(codes(await order(store, 'P1'))).toEqual([]);
    });
  });
};
