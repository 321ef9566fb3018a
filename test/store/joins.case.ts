import { describe, expect, test } from '@jest/globals';
import type { Handlers } from '../../src/handlers/handler.ts';
import { handlers } from '../../src/handlers/index.ts';
import { refund as refundHandler } from '../../src/handlers/refund.ts';
import { REFUND_KINDS } from '../../src/order/reading.ts';
import type { Store } from '../../src/store/store.ts';
import { captureResult, CLIENT, type Fields, jpy, paymentResult, refundResult } from '../support/facts.ts';
import {
  codes,
  follow,
  type Ground,
  notificationsOf,
  order,
  outcomesOf,
  record,
  recordBy,
  registration,
  T0,
} from './support.ts';

const paid = (number: number, fields: Fields = {}): readonly Fields[] => [
  paymentResult('S', {
    paymentId: `P${number}`,
    paymentRequestId: `R${number}`,
    paymentAmount: jpy('100'),
    ...fields,
  }),
  captureResult('S', { paymentId: `P${number}`, captureId: `C${number}`, captureAmount: jpy('100') }),
];

const refund = (fields: Fields): Fields => refundResult('S', { refundAmount: jpy('100'), ...fields });

/** The built-in handlers, with one for each kind that may state refunds. */
const refundHandlers: Handlers = handlers.map(({ kind, matches, read }) => ({
  kind,
  matches,
  read: REFUND_KINDS.some((one) => one === kind) ? refundHandler.read : read,
}));

const register = async (store: Store, number: number, referenceOrderId: string | null = 'basket-1') =>
  await store.register(registration({ paymentRequestId: `R${number}`, referenceOrderId }), {
    replace: true,
    now: new Date(T0.getTime() + number),
  });

const registerRefund = async (store: Store, refundRequestId: string, { replace = false, ...of }: Fields) =>
  await store.registerRefund(
    { clientId: CLIENT, refundRequestId, paymentId: null, paymentRequestId: null, ...of },
    { replace: replace === true, now: new Date() },
  );

const unjoined = async (store: Store): Promise<readonly (string | null)[]> =>
  (await store.listRefunds({ joined: false }, { limit: 10, cursor: null })).items.map((one) => one.refundRequestId);

/** What is told of both: whatever happens first. */
const inBothOrders = async (
  ground: () => Ground,
  steps: readonly ((store: Store) => Promise<unknown>)[],
  then: (store: Store) => Promise<void>,
): Promise<void> => {
  for (const told of [steps, steps.toReversed()]) {
    const store = await ground().empty();
    for (const step of told) await step(store);
    await then(store);
  }
};

export const describeJoins = (ground: () => Ground): void => {
  describe('refunds', () => {
    test.each([
      ['its own paymentId', refund({ refundRequestId: 'RR1', paymentId: 'P1' }), null],
      ['its registration for the payment', refund({ refundRequestId: 'RR1' }), { paymentId: 'P1' }],
      ['its registration for the paymentRequestId', refund({ refundRequestId: 'RR1' }), { paymentRequestId: 'R1' }],
    ])('join a payment by %s, in any order', async (_by, notification, of) => {
      await inBothOrders(
        ground,
        [
          async (store) => await record(store, ...paid(1)),
          async (store) => await record(store, notification),
          async (store) => (of === null ? null : await registerRefund(store, 'RR1', of)),
        ],
        async (store) => {
          expect(await order(store, 'P1')).toMatchObject({
            status: 'CAPTURED',
            fulfillable: false,
            nextAction: 'NONE',
            refundedAmount: jpy('100'),
            refunds: [{ refundRequestId: 'RR1', status: 'SUCCEEDED', amount: jpy('100') }],
          });
          expect(codes(await order(store, 'P1'))).toEqual(['REFUNDED']);
          expect(await unjoined(store)).toEqual([]);
        },
      );
    });

    test.each([
      ['REFUND', {}],
      ['DIRECT_REFUND', { refundFromMethod: { paymentMethodType: 'BALANCE' } }],
    ])('of kind %s are listed while unjoined, and join where they cannot be read', async (kind, told) => {
      expect(REFUND_KINDS).toContain(kind);
      const store = await ground().empty();
      await record(store, ...paid(1));
      await recordBy(store, refundHandlers, refund({ refundRequestId: 'RR1', ...told }));
      expect(await unjoined(store)).toEqual(['RR1']);
      await registerRefund(store, 'RR2', { paymentId: 'P1' });
      await recordBy(store, refundHandlers, refund({ refundRequestId: 'RR2', refundAmount: 'JPY 100', ...told }));
      expect(await order(store, 'P1')).toMatchObject({ fulfillable: false, nextAction: 'REVIEW' });
      expect(codes(await order(store, 'P1'))).toEqual(['UNREADABLE_NOTIFICATION']);
      expect((await notificationsOf(store)).filter((one) => one.kind === kind)).toHaveLength(2);
    });

    test('join with all that shares their identifiers', async () => {
      await inBothOrders(
        ground,
        [
          async (store) => await record(store, ...paid(1)),
          async (store) => await record(store, refund({ refundRequestId: 'RR1', refundId: 'X1', refundAmount: null })),
          async (store) => await record(store, refund({ refundId: 'X1', refundAmount: jpy('40') })),
          async (store) => await registerRefund(store, 'RR1', { paymentId: 'P1' }),
        ],
        async (store) => {
          expect(await order(store, 'P1')).toMatchObject({
            fulfillable: true,
            refunds: [{ refundId: 'X1', refundRequestId: 'RR1', amount: jpy('40') }],
          });
          expect(codes(await order(store, 'P1'))).toEqual(['PARTIALLY_REFUNDED']);
        },
      );
    });

    test('are unjoined while they name no known payment, and take nothing from any', async () => {
      const store = await ground().empty();
      await record(store, ...paid(1), refund({ refundRequestId: 'RR1', refundId: 'X1' }));
      expect(await order(store, 'P1')).toMatchObject({ fulfillable: true, refunds: [] });
      expect(await unjoined(store)).toEqual(['RR1']);
      await registerRefund(store, 'RR1', { paymentId: 'P9' });
      expect(await unjoined(store)).toEqual(['RR1']);
      expect(await registerRefund(store, 'RR1', { paymentId: 'P1' })).toMatchObject({
        kind: 'conflict',
        registration: { paymentId: 'P9' },
      });
      expect(await registerRefund(store, 'RR1', { paymentId: 'P1', replace: true })).toMatchObject({
        kind: 'replaced',
      });
      expect(await registerRefund(store, 'RR1', { paymentId: 'P1' })).toMatchObject({ kind: 'unchanged' });
      expect(await unjoined(store)).toEqual([]);
      expect((await store.listRefunds({ joined: true }, { limit: 9, cursor: null })).items).toMatchObject([
        { refundId: 'X1', refundRequestId: 'RR1', paymentIds: ['P1'], registration: { paymentId: 'P1' } },
      ]);
      expect(codes(await order(store, 'P1'))).toEqual(['REFUNDED']);
    });

    test('are found by what is registered of them before their notification comes', async () => {
      const store = await ground().empty();
      const found = async (id: string) => {
        const { orders, refunds, refundRegistrations } = await store.find(null, id);
        const ids = orders.map(({ paymentId, paymentRequestId }) => paymentId ?? paymentRequestId);
        return { ids, refunds, registered: refundRegistrations.map((one) => one.refundRequestId) };
      };
      await registerRefund(store, 'RR1', { paymentId: 'P1' });
      await registerRefund(store, 'RR2', { paymentRequestId: 'R1' });
      for (const id of ['RR1', 'RR2']) expect(await found(id)).toEqual({ ids: [], refunds: [], registered: [id] });
      await register(store, 1);
      expect(await found('RR2')).toEqual({ ids: ['R1'], refunds: [], registered: ['RR2'] });
      await record(store, ...paid(1));
      for (const id of ['RR1', 'RR2']) expect(await found(id)).toEqual({ ids: ['P1'], refunds: [], registered: [id] });
      expect(await store.find('OTHER', 'RR1')).toMatchObject({ orders: [], refundRegistrations: [] });
      await record(store, refund({ refundRequestId: 'RR1', refundId: 'X1' }));
      expect(await found('RR1')).toMatchObject({ ids: ['P1'], refunds: [{ refundId: 'X1' }], registered: [] });
    });

    test('of another payment than is registered are contradictory on both', async () => {
      await inBothOrders(
        ground,
        [
          async (store) => await record(store, ...paid(1)),
          async (store) => await record(store, ...paid(2)),
          async (store) => await registerRefund(store, 'RR1', { paymentRequestId: 'R2' }),
          async (store) => await record(store, refund({ refundRequestId: 'RR1', paymentId: 'P1' })),
        ],
        async (store) => {
          expect(codes(await order(store, 'P1'))).toEqual(['CONTRADICTORY_IDENTITY', 'REFUNDED']);
          expect(codes(await order(store, 'P2'))).toEqual(['CONTRADICTORY_IDENTITY']);
        },
      );
    });

    test('under one id of two payments are contradictory on both', async () => {
      const store = await ground().empty();
      await record(store, ...paid(1), ...paid(2), refund({ refundId: 'X1', paymentId: 'P1', refundAmount: jpy('10') }));
      await record(store, refund({ refundId: 'X1', paymentId: 'P2', refundAmount: jpy('10') }));
      for (const id of ['P1', 'P2']) {
        expect(codes(await order(store, id))).toEqual(['CONTRADICTORY_IDENTITY', 'PARTIALLY_REFUNDED']);
      }
    });
  });

  describe('notifications that cannot be read', () => {
    test.each([
      ['a payment by its paymentRequestId', paymentResult('S', { paymentId: '', paymentAmount: 'none' }), []],
      ['a refund by its registration', refund({ refundRequestId: 'RR1', refundAmount: 'none' }), ['RR1']],
    ])('are told of %s', async (_what, unreadable, refunds) => {
      await inBothOrders(
        ground,
        [
          async (store) => await record(store, ...paid(1)),
          async (store) => expect(outcomesOf(await record(store, unreadable))).toEqual(['MALFORMED']),
          async (store) => {
            for (const id of refunds) await registerRefund(store, id, { paymentId: 'P1' });
          },
        ],
        async (store) => {
          expect(codes(await order(store, 'P1'))).toEqual(['UNREADABLE_NOTIFICATION']);
          expect(await order(store, 'P1')).toMatchObject({ fulfillable: false, nextAction: 'REVIEW' });
        },
      );
    });

    test('are told of what was registered, while no payment names it', async () => {
      const store = await ground().empty();
      await register(store, 1);
      await record(store, paymentResult('S', { paymentId: '', paymentAmount: 'none' }));
      expect(codes(await order(store, 'R1'))).toEqual(['UNREADABLE_NOTIFICATION']);
    });
  });

  describe('payments of one shop order', () => {
    test('are too many when two are paid, whatever comes first', async () => {
      await inBothOrders(
        ground,
        [
          async (store) => await register(store, 1),
          async (store) => await register(store, 2),
          async (store) => await record(store, ...paid(1)),
          async (store) => await record(store, ...paid(2)),
        ],
        async (store) => {
          for (const id of ['P1', 'P2']) {
            expect(codes(await order(store, id))).toEqual(['DUPLICATE_PAYMENT']);
            expect(await order(store, id)).toMatchObject({ fulfillable: false, nextAction: 'REVIEW' });
          }
          await record(store, refund({ refundId: 'X1', paymentId: 'P2' }));
          expect(await order(store, 'P1')).toMatchObject({ fulfillable: true, nextAction: 'FULFIL', attention: [] });
          expect(codes(await order(store, 'P2'))).toEqual(['REFUNDED']);
        },
      );
    });

    test('change with the shop order that they are registered for', async () => {
      const store = await ground().empty();
      await register(store, 1);
      await register(store, 2);
      await record(store, ...paid(1));
      await record(store, ...paid(2));
      await register(store, 2, 'basket-2');
      for (const id of ['P1', 'P2']) expect(await order(store, id)).toMatchObject({ fulfillable: true, attention: [] });
      await register(store, 2);
      for (const id of ['P1', 'P2']) expect(codes(await order(store, id))).toEqual(['DUPLICATE_PAYMENT']);
    });

    test('change also where several others are registered after them', async () => {
      const store = await ground().empty();
      for (const number of [1, 2, 3, 4]) await register(store, number);
      await record(store, ...paid(1));
      await record(store, ...paid(2));
      expect(codes(await order(store, 'P1'))).toEqual(['DUPLICATE_PAYMENT']);
      await register(store, 2, 'basket-2');
      for (const id of ['P1', 'P2']) expect(await order(store, id)).toMatchObject({ fulfillable: true, attention: [] });
      const { orders } = await follow(store, { limit: 9 });
      expect(orders.filter(({ fulfillable }) => fulfillable)).toHaveLength(2);
    });

    test('are found by it, the latest change first', async () => {
      const store = await ground().empty();
      const found = async () => (await store.find(null, 'basket-1')).orders.map(({ paymentId }) => paymentId);
      for (const number of [1, 2, 3]) await register(store, number);
      for (const number of [1, 3, 2])
        await record(store, paymentResult('F', { paymentId: `P${number}`, paymentRequestId: `R${number}` }));
      expect(await found()).toEqual(['P2', 'P3', 'P1']);
      await record(store, ...paid(3));
      expect(await found()).toEqual(['P3', 'P2', 'P1']);
    });

    test('in one batch with all else', async () => {
      const store = await ground().empty();
      await register(store, 1);
      await register(store, 2);
      await record(store, ...paid(2), ...paid(1));
      for (const id of ['P1', 'P2']) expect(codes(await order(store, id))).toEqual(['DUPLICATE_PAYMENT']);
    });

    test('ask for no new payment request once there is one', async () => {
      const store = await ground().empty();
      await register(store, 1);
      await record(store, paymentResult('F'));
      expect(await order(store, 'P1')).toMatchObject({ status: 'FAILED', nextAction: 'NEW_PAYMENT_REQUEST' });
      const { next } = await follow(store);
      await register(store, 2);
      expect(await order(store, 'P1')).toMatchObject({ status: 'FAILED', nextAction: 'NONE' });
      expect((await follow(store, { from: next })).orders.map(({ paymentRequestId }) => paymentRequestId)).toEqual(
        expect.arrayContaining(['R1', 'R2']),
      );
    });

    test('beyond the fiftieth are looked at by their own facts, and the first ones by theirs', async () => {
      const store = await ground().empty();
      for (let number = 100; number < 156; number += 1) {
        await store.register(registration({ paymentRequestId: `R${number}` }), { replace: false, now: T0 });
        await record(store, paymentResult('F', { paymentId: `P${number}`, paymentRequestId: `R${number}` }));
      }
      await record(store, ...paid(155, { paymentId: 'P999', paymentRequestId: 'R155' }).slice(0, 1));
      await record(store, captureResult('S', { paymentId: 'P999', captureId: 'C9', captureAmount: jpy('100') }));
      expect(codes(await order(store, 'P999'))).not.toContain('DUPLICATE_PAYMENT');
      await record(
        store,
        paymentResult('S', { paymentId: 'P100', paymentRequestId: 'R100', paymentAmount: jpy('100') }),
      );
      expect(codes(await order(store, 'P999'))).toContain('DUPLICATE_PAYMENT');
      expect(codes(await order(store, 'P100'))).not.toContain('DUPLICATE_PAYMENT');
    });
  });
};
