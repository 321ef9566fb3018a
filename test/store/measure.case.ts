import { describe, expect, test } from '@jest/globals';
import { rememberHeldBack } from '../../src/store/store.ts';
import { answerTo, captureResult, jpy, paymentAnswer, paymentResult } from '../support/facts.ts';
import { AMPLE, delivery, type Ground, later, record, registration, T0, unverified } from './support.ts';

const paid = (paymentId: string, status: 'S' | 'F') =>
  paymentResult(status, { paymentId, paymentRequestId: `R-${paymentId}`, paymentAmount: jpy('100') });
const captured = (paymentId: string, amount = '100') =>
  captureResult('S', { paymentId, captureId: `C-${paymentId}`, captureAmount: jpy(amount) });

const sorted = (counts: ReadonlyMap<string, number>): readonly (readonly [string, number])[] =>
  [...counts].filter(([, count]) => count > 0).sort(([a], [b]) => (a < b ? -1 : 1));

const held = (since: number, until: number) =>
  ({
    since: later(since).toISOString(),
    until: new Date(Date.now() + until).toISOString(),
    code: 'TIMEOUT',
  }) as const;

export const describeMeasuring = (ground: () => Ground): void => {
  describe('what is measured', () => {
    test('is nothing at first, but for the size of the database', async () => {
      const store = await ground().empty();
      const measures = await store.measure(AMPLE);
      expect(measures).toMatchObject({
        failed: { count: 0, oldestReceivedAt: null },
        lastVerifiedAt: null,
        unverifiedRoom: [
          { share: 'ALL', bytes: 0, maxBytes: AMPLE.maxBytes },
          { share: 'UNKNOWN', bytes: 0, maxBytes: AMPLE.maxBytes / 4 },
          { share: 'OTHER_KEY', bytes: 0, maxBytes: AMPLE.maxBytes / 2 },
          { share: 'CONFIGURED_KEY', bytes: 0, maxBytes: AMPLE.maxBytes / 4 },
        ],
      });
      const { orders, attention, actions, unverified: requests, bytes } = measures;
      expect([orders, attention, actions, requests].flatMap(sorted)).toEqual([]);
      expect(bytes).toBeGreaterThan(50_000);
    });

    test('are orders by status, attention and action, of all captured ones too', async () => {
      const store = await ground().empty();
      await record(store, paid('P1', 'S'), captured('P1'), paid('P2', 'S'), captured('P2'), paid('P3', 'S'));
      await record(store, paid('P4', 'F'), paid('P5', 'S'), captured('P5', '150'));
      await store.register(registration({ paymentRequestId: 'R9' }), { replace: false, now: new Date() });
      const { orders, attention, actions } = await store.measure(AMPLE);
      expect(sorted(orders)).toEqual([
        ['AUTHORIZED', 1],
        ['CAPTURED', 3],
        ['FAILED', 1],
        ['PENDING', 1],
      ]);
      expect(sorted(attention)).toEqual([['OVER_CAPTURED', 1]]);
      expect(sorted(actions)).toEqual(
        expect.arrayContaining([
          ['NEW_PAYMENT_REQUEST', 1],
          ['REVIEW', 1],
        ]),
      );
    });

    test('counts an order under each of its codes', async () => {
      const store = await ground().empty();
      await record(
        store,
        paid('P1', 'S'),
        captured('P1', '150'),
        captureResult('F', { paymentId: 'P1', captureId: 'C-P1' }),
      );
      await record(store, paid('P2', 'S'), captured('P2', '150'));
      const { attention } = await store.measure(AMPLE);
      expect(sorted(attention)).toEqual([
        ['CONTRADICTORY_RESULT', 1],
        ['OVER_CAPTURED', 2],
      ]);
    });

    test('are FAILED notifications, and since when', async () => {
      const store = await ground().empty();
      const failing = (paymentId: string, at: Date) =>
        ({ ...delivery(paid(paymentId, 'S'), { at }), inapplicable: true }) as const;
      const applied = delivery(paid('P3', 'S'), { at: T0 });
      const unlike = delivery({ notifyType: 'PAYMENT_RESULT', paymentId: 'P4' }, { at: T0 });
      await store.record([failing('P1', later(60)), failing('P2', later(30)), applied, unlike], AMPLE);
      await store.record([failing('P2', later(90))], AMPLE);
      expect(await store.measure(AMPLE)).toMatchObject({
        failed: { count: 2, oldestReceivedAt: later(30).toISOString() },
      });
    });

    test('is when a notification verified last, a resend of it included', async () => {
      const store = await ground().empty();
      expect(await store.lastVerifiedAt()).toBeNull();
      await store.record([delivery(paid('P1', 'S'), { at: later(5) }), delivery(paid('P2', 'S'), { at: T0 })], AMPLE);
      expect(await store.lastVerifiedAt()).toBe(later(5).toISOString());
      await store.record([unverified({}, { at: later(9) })], AMPLE);
      expect(await store.lastVerifiedAt()).toBe(later(5).toISOString());
      await store.record([delivery(paid('P2', 'S'), { at: later(20) })], AMPLE);
      expect(await store.lastVerifiedAt()).toBe(later(20).toISOString());
      expect(await store.measure(AMPLE)).toMatchObject({ lastVerifiedAt: later(20).toISOString() });
      const read = answerTo({ operation: 'inquiryPayment', paymentId: 'P1' }, JSON.stringify(paymentAnswer('SUCCESS')));
      await store.recordInquiry({ read, receivedAt: later(30) });
      expect(await store.lastVerifiedAt()).toBe(later(20).toISOString());
    });

    test('is the newest of many notifications', async () => {
      const store = await ground().empty();
      const many = Array.from({ length: 101 }, (_, index) => delivery(paid(`P${index}`, 'S'), { at: later(index) }));
      await store.record(many, AMPLE);
      expect(await store.lastVerifiedAt()).toBe(later(100).toISOString());
    });

    test('is since when inquiries are held back, as far as somebody asks', async () => {
      const store = await ground().empty();
      expect(await store.measure(AMPLE)).toMatchObject({ inquiriesHeldBackSince: null });
      await rememberHeldBack(store, 'T_1', held(60, 30_000));
      await rememberHeldBack(store, 'T_2', held(30, -60_000));
      await rememberHeldBack(store, 'T_gone', held(10, -3_600_000));
      expect(await store.measure(AMPLE)).toMatchObject({ inquiriesHeldBackSince: later(30).toISOString() });
      await rememberHeldBack(store, 'T_2', null);
      expect(await store.measure(AMPLE)).toMatchObject({ inquiriesHeldBackSince: later(60).toISOString() });
    });

    test('are unverified requests by reason, and the bytes that they take', async () => {
      const store = await ground().empty();
      await store.record(
        [
          unverified({ target: '/a' }),
          unverified({ target: '/b' }),
          unverified({ target: '/c' }, { reason: 'MISSING_HEADER', origin: 'UNKNOWN' }),
        ],
        AMPLE,
      );
      const { unverified: requests, unverifiedRoom } = await store.measure(AMPLE);
      expect(sorted(requests)).toEqual([
        ['MISSING_HEADER', 1],
        ['SIGNATURE_MISMATCH', 2],
      ]);
      const bytes = Object.fromEntries(unverifiedRoom.map((room) => [room.share, room.bytes]));
      const { items } = await store.readUnverified({ limit: 9, cursor: null });
      expect(bytes['ALL']).toBe(items.reduce((sum, item) => sum + item.bytes, 0));
      expect(bytes['OTHER_KEY']).toBe((bytes['UNKNOWN'] ?? 0) * 2);
    });
  });
};
