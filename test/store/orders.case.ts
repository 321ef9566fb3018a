import { describe, expect, test } from '@jest/globals';
import { amount, captureResult, CLIENT, jpy, paymentPending, paymentResult } from '../support/facts.ts';
import {
  ANY_ORDER,
  AMPLE,
  codes,
  delivery,
  derived,
  follow,
  type Ground,
  idsOf,
  later,
  order,
  outcomesOf,
  record,
  rebuildAll,
  registration,
} from './support.ts';

const PAID = paymentResult('S', { paymentAmount: jpy('100'), paymentTime: '2025-05-17T07:58:04Z' });
const CAPTURED = captureResult('S', { captureId: 'C1', captureAmount: jpy('100') });
const PENDING = paymentPending({ paymentAmount: jpy('100') });

const permutations = <T>(items: readonly T[]): readonly (readonly T[])[] =>
  items.length < 2
    ? [items]
    : items.flatMap((item, index) => permutations(items.toSpliced(index, 1)).map((rest) => [item].concat(rest)));

export const describeOrders = (ground: () => Ground): void => {
  describe('orders', () => {
    test('become the same whatever the order of arrival, one by one or together', async () => {
      const store = await ground().empty();
      const numbered = permutations([PENDING, PAID, CAPTURED]).map((bodies, index) => ({
        bodies,
        clientId: `T_${index}`,
      }));
      for (const { bodies, clientId } of numbered) {
        for (const body of bodies) await store.record([delivery(body, { clientId })], AMPLE);
        await store.record(
          bodies.map((body) => delivery(body, { clientId: `${clientId}_batch` })),
          AMPLE,
        );
      }
      const { orders } = await follow(store, { limit: 50 });
      expect(orders).toHaveLength(12);
      const shapes = new Set(orders.map((one) => JSON.stringify({ ...derived(one), clientId: null })));
      expect(shapes.size).toBe(1);
      expect(orders[0]).toMatchObject({ status: 'CAPTURED', fulfillable: true, nextAction: 'FULFIL' });
    });

    test('are authorized, not paid, until the capture is there', async () => {
      const store = await ground().empty();
      await record(store, PAID);
      expect(await order(store, 'P1')).toMatchObject({ status: 'AUTHORIZED', fulfillable: false });
      await record(store, CAPTURED);
      expect(await order(store, 'P1')).toMatchObject({ status: 'CAPTURED', fulfillable: true });
    });

    test('of another client stay where one that was registered comes to have its payment', async () => {
      const store = await ground().empty();
      for (const clientId of [CLIENT, 'T_other'])
        await store.register(registration({ clientId }), { replace: false, now: new Date() });
      await record(store, PAID);
      expect(await order(store, 'R1')).toMatchObject({ paymentId: 'P1' });
      expect(await order(store, 'R1', 'T_other')).toMatchObject({ paymentId: null });
    });

    test('are found by paymentId first, then by paymentRequestId', async () => {
      const store = await ground().empty();
      await record(store, PAID, paymentResult('F', { paymentId: 'R1', paymentRequestId: 'R2' }));
      expect(await order(store, 'R1')).toMatchObject({ paymentId: 'R1' });
      expect(await order(store, 'R2')).toMatchObject({ paymentId: 'R1' });
      expect(await store.findOrders({ clientId: CLIENT, id: 'nobody' })).toEqual([]);
      expect(await store.findOrders({ clientId: 'T_other', id: 'P1' })).toEqual([]);
    });

    test('keep createdAt, and updatedAt while nothing of them changes', async () => {
      const store = await ground().empty();
      await record(store, PAID);
      const first = await order(store, 'P1');
      await record(
        store,
        paymentResult('S', { paymentAmount: jpy('100'), paymentTime: '2025-05-17T07:58:04Z', unknown: 1 }),
      );
      expect(await order(store, 'P1')).toEqual(first);
      await record(store, CAPTURED);
      const second = await order(store, 'P1');
      expect(second.createdAt).toBe(first.createdAt);
      expect(Date.parse(second.updatedAt)).toBeGreaterThan(Date.parse(first.updatedAt));
    });

    test('have an updatedAt that does not go back, whosever clock is behind', async () => {
      const store = await ground().empty();
      await record(store, PAID);
      const now = new Date(Date.now() + 3_600_000);
      await store.register(registration({ amount: { currency: 'JPY', value: '90' } }), {
        replace: false,
        now,
      });
      expect(await order(store, 'P1')).toMatchObject({ updatedAt: now.toISOString() });
      await record(store, CAPTURED);
      expect(await order(store, 'P1')).toMatchObject({ status: 'CAPTURED', updatedAt: now.toISOString() });
    });

    test('are warned of a malformed notification that names their payment; it alone makes one', async () => {
      const store = await ground().empty();
      const malformed = captureResult('S', { captureId: 'C9', captureAmount: { currency: 'yen', value: '1' } });
      expect(outcomesOf(await record(store, malformed))).toEqual(['MALFORMED']);
      expect(await order(store, 'P1')).toMatchObject({ status: 'PENDING', fulfillable: false, nextAction: 'REVIEW' });
      await record(store, PAID, CAPTURED);
      expect(await order(store, 'P1')).toMatchObject({ status: 'CAPTURED', fulfillable: false, nextAction: 'REVIEW' });
      expect(codes(await order(store, 'P1'))).toEqual(['UNREADABLE_NOTIFICATION']);
    });

    test('are warned of a dispute whose notifyType is no string', async () => {
      const store = await ground().empty();
      await record(store, PAID, CAPTURED);
      expect(await order(store, 'P1')).toMatchObject({ fulfillable: true });
      const dispute = { disputeNotificationType: 'DISPUTE_CREATED', disputeId: 'D1', paymentId: 'P1', notifyType: 5 };
      expect(outcomesOf(await record(store, dispute))).toEqual(['MALFORMED']);
      expect(await order(store, 'P1')).toMatchObject({ fulfillable: false, nextAction: 'REVIEW' });
      expect(codes(await order(store, 'P1'))).toEqual(['UNREADABLE_NOTIFICATION']);
    });

    test.each([
      ['paymentRequestId', [paymentResult('S', { paymentId: 'P1' }), paymentResult('S', { paymentId: 'P2' })]],
      [
        'captureId',
        [
          captureResult('S', { paymentId: 'P1', captureId: 'C1' }),
          captureResult('S', { paymentId: 'P2', captureId: 'C1' }),
        ],
      ],
    ])('that share a %s are both contradictory, and both appear in the feed', async (_, [first = {}, second = {}]) => {
      const store = await ground().empty();
      await record(store, first);
      expect(codes(await order(store, 'P1'))).not.toContain('CONTRADICTORY_IDENTITY');
      const { next } = await follow(store);
      await record(store, second);
      const changed = (await follow(store, { from: next })).orders;
      expect(idsOf(changed)).toEqual(['P1', 'P2']);
      for (const one of changed) expect(codes(one)).toContain('CONTRADICTORY_IDENTITY');
      expect(await rebuildAll(store)).toEqual({ orders: 2, changed: 0 });
    });

    test('that share a paymentRequestId are both found by it', async () => {
      const store = await ground().empty();
      await record(store, paymentResult('S', { paymentId: 'P1' }), paymentResult('S', { paymentId: 'P2' }));
      expect(idsOf(await store.findOrders({ clientId: CLIENT, id: 'R1' }))).toEqual(['P1', 'P2']);
    });

    test('are not joined by a paymentRequestId inside a capture, nor by a captureId inside a payment', async () => {
      const store = await ground().empty();
      await record(store, PAID, captureResult('S', { paymentId: 'P2', paymentRequestId: 'R1', captureId: 'C2' }));
      await record(store, paymentResult('S', { paymentId: 'P3', paymentRequestId: 'R3', captureId: 'C2' }));
      for (const id of ['P1', 'P2', 'P3'])
        expect(codes(await order(store, id))).not.toContain('CONTRADICTORY_IDENTITY');
    });
  });

  describe('registrations', () => {
    test('are orders without a paymentId until a payment names them', async () => {
      const store = await ground().empty();
      const { kind } = await store.register(registration(), { replace: false, now: later(0) });
      expect(kind).toBe('created');
      expect(await order(store, 'R1')).toMatchObject({
        paymentId: null,
        paymentRequestId: 'R1',
        status: 'PENDING',
        expectedAmount: jpy('100'),
        referenceOrderId: 'basket-1',
        createdAt: later(0).toISOString(),
      });
      const { next } = await follow(store);
      // Nor is it found by the key under which it is kept.
      expect(await store.findOrders({ clientId: CLIENT, id: ' R1' })).toEqual([]);
      await record(store, PAID);
      expect((await follow(store)).orders).toHaveLength(1);
      expect((await follow(store, { from: next })).orders).toMatchObject([
        { paymentId: 'P1', referenceOrderId: 'basket-1' },
      ]);
      expect(await order(store, 'R1')).toMatchObject({ paymentId: 'P1', expectedAmount: jpy('100') });
      expect((await store.listOrders(ANY_ORDER, { limit: 9, cursor: null })).items).toHaveLength(1);
    });

    test('reach orders that were there before, every one that names them', async () => {
      const store = await ground().empty();
      await record(store, PAID, paymentResult('S', { paymentId: 'P2' }));
      await store.register(registration({ amount: jpy('90') as { currency: string; value: string } }), {
        replace: false,
        now: later(0),
      });
      for (const id of ['P1', 'P2'])
        expect(await order(store, id)).toMatchObject({ expectedAmount: jpy('90'), referenceOrderId: 'basket-1' });
      expect(codes(await order(store, 'P1'))).toContain('AMOUNT_MISMATCH');
      expect((await follow(store)).orders).toHaveLength(2);
    });

    test('are unchanged when they come again, conflict when they differ, and are replaced on request', async () => {
      const store = await ground().empty();
      const dearer = registration({
        amount: { currency: 'JPY', value: '120' },
        referenceOrderId: null,
        captureMode: 'NONE',
      });
      await store.register(registration(), { replace: false, now: later(0) });
      const same = await store.register(registration(), { replace: true, now: later(1) });
      expect(same).toMatchObject({ kind: 'unchanged', registration: { updatedAt: later(0).toISOString() } });
      const conflict = await store.register(dearer, { replace: false, now: later(2) });
      expect(conflict).toEqual({
        kind: 'conflict',
        registration: { ...registration(), createdAt: later(0).toISOString(), updatedAt: later(0).toISOString() },
      });
      expect(await order(store, 'R1')).toMatchObject({ expectedAmount: jpy('100') });
      const replaced = await store.register(dearer, { replace: true, now: later(3) });
      expect(replaced).toEqual({
        kind: 'replaced',
        registration: { ...dearer, createdAt: later(0).toISOString(), updatedAt: later(3).toISOString() },
      });
      expect(await order(store, 'R1')).toMatchObject({ expectedAmount: jpy('120'), referenceOrderId: null });
    });

    test('keep one another apart by client', async () => {
      const store = await ground().empty();
      await store.register(registration(), { replace: false, now: later(0) });
      const other = await store.register(
        registration({ clientId: 'T_other', amount: { currency: 'EUR', value: '7' } }),
        { replace: false, now: later(0) },
      );
      expect(other.kind).toBe('created');
      await record(store, PAID);
      expect(await order(store, 'R1', 'T_other')).toMatchObject({
        paymentId: null,
        expectedAmount: amount('EUR', '7'),
      });
    });

    test('of several the one of the smallest paymentRequestId counts, by code unit', async () => {
      const store = await ground().empty();
      for (const [paymentRequestId, value] of [
        ['a', '1'],
        ['B', '2'],
      ] as const) {
        await store.register(registration({ paymentRequestId, amount: { currency: 'JPY', value } }), {
          replace: false,
          now: later(0),
        });
      }
      await record(store, paymentResult('S', { paymentRequestId: 'a' }), paymentResult('S', { paymentRequestId: 'B' }));
      expect(await order(store, 'P1')).toMatchObject({ expectedAmount: jpy('2') });
    });
  });
};
