import { describe, expect, test } from '@jest/globals';
import type { UnverifiedReason } from '../../src/antom/signature.ts';
import type { UnverifiedDelivery } from '../../src/store/store.ts';
import { captureResult, CLIENT, jpy, paymentResult } from '../support/facts.ts';
import {
  AMPLE,
  delivery,
  type Ground,
  later,
  notificationsOf,
  order,
  record,
  request,
  T0,
  unverified,
} from './support.ts';

const numbered = (
  count: number,
  { target, reason }: { readonly target?: string; readonly reason?: UnverifiedReason } = {},
): readonly UnverifiedDelivery[] =>
  Array.from({ length: count }, (_, index) =>
    unverified(
      { target: target ?? '/payNotify', body: Buffer.from(`body ${index}`) },
      { reason: reason ?? 'SIGNATURE_MISMATCH' },
    ),
  );

export const describeUnverified = (ground: () => Ground): void => {
  describe('unverified requests', () => {
    test('are stored apart, and touch neither notifications nor orders', async () => {
      const store = await ground().empty();
      const forged = unverified({ clientIds: [CLIENT], body: Buffer.from(JSON.stringify(paymentResult('S'))) });
      const result = await store.record([forged, delivery(captureResult('S', { captureId: 'C1' })), forged], AMPLE);
      expect(result).toMatchObject({
        results: [
          { kind: 'unverified', deliveries: 1 },
          { kind: 'notification', reading: { outcome: 'APPLIED' } },
          { kind: 'unverified', deliveries: 2 },
        ],
        newUnverified: 1,
      });
      expect(result.unverifiedBytes).toBeGreaterThan(forged.request.body.length);
      expect(await notificationsOf(store)).toHaveLength(1);
      expect(await order(store, 'P1')).toMatchObject({ status: 'PARTIALLY_CAPTURED', result: null });
    });

    test('come back byte for byte, with every occurrence of their headers', async () => {
      const store = await ground().empty();
      const strange = request({
        target: '/p\u00e4y?q=\u00ff',
        clientIds: ['a', 'b"\\'],
        requestTimes: [],
        signatures: ['\u0080\u00ff{NULL}'],
        body: Buffer.from([0, 1, 255, 34, 92]),
      });
      await store.record([{ kind: 'unverified', request: strange, reason: 'DUPLICATE_HEADER', receivedAt: T0 }], AMPLE);
      const {
        items: [read],
      } = await store.readUnverified({ limit: 5, cursor: null });
      expect(read).toMatchObject({ reason: 'DUPLICATE_HEADER', deliveries: 1, firstReceivedAt: T0.toISOString() });
      expect({ ...read?.request, body: Buffer.from(read?.request.body ?? []) }).toEqual(strange);
      expect(await store.findUnverified(read?.id ?? '')).toEqual(read);
      expect(await store.findUnverified('00'.repeat(32))).toBeNull();
    });

    test('are told apart by method, target, headers and body; repeats only count', async () => {
      const store = await ground().empty();
      const kinds = [
        {},
        { method: 'PUT' },
        { target: '/' },
        { clientIds: [] },
        { requestTimes: ['x'] },
        { signatures: ['y'] },
        { body: Buffer.of(1) },
      ];
      await store.record(
        kinds.map((fields) => unverified(fields)),
        AMPLE,
      );
      const again = await store.record(
        kinds.map((fields) => unverified(fields, { at: later(9) })),
        AMPLE,
      );
      expect(again.results).toEqual(kinds.map(() => ({ kind: 'unverified', deliveries: 2 })));
      expect(again).toMatchObject({ newUnverified: 0, unverifiedBytes: null });
      const { items } = await store.listUnverified(null, { limit: 50, cursor: null });
      expect(items).toHaveLength(7);
      expect(items[0]).toMatchObject({ firstReceivedAt: T0.toISOString(), lastReceivedAt: later(9).toISOString() });
    });

    test('over the number of new ones are refused, repeats are not', async () => {
      const store = await ground().empty();
      const [a, b, c] = numbered(3) as [UnverifiedDelivery, UnverifiedDelivery, UnverifiedDelivery];
      const { results, newUnverified } = await store.record([a, b, a, c, c], { ...AMPLE, maxNew: 2 });
      expect(results.map(({ kind }) => kind)).toEqual(['unverified', 'unverified', 'unverified', 'no room', 'no room']);
      expect(newUnverified).toBe(2);
      const repeats = await store.record([b, c], { ...AMPLE, maxNew: 0 });
      expect(repeats.results).toEqual([{ kind: 'unverified', deliveries: 2 }, { kind: 'no room' }]);
    });

    test('over the bytes are refused until some are removed, and repeats are counted all the same', async () => {
      const store = await ground().empty();
      const requests = numbered(4);
      const { unverifiedBytes } = await store.record(requests.slice(0, 2), AMPLE);
      const bounds = { maxBytes: unverifiedBytes ?? 0, maxNew: 10 };
      const full = await store.record(requests, bounds);
      expect(full.results.map(({ kind }) => kind)).toEqual(['unverified', 'unverified', 'no room', 'no room']);
      expect(await store.purgeUnverified('SIGNATURE_MISMATCH')).toBe(2);
      const { results } = await store.record(requests.slice(2), bounds);
      expect(results.map(({ kind }) => kind)).toEqual(['unverified', 'unverified']);
    });

    test('that any stranger can cause get a quarter of the room', async () => {
      const store = await ground().empty();
      const { unverifiedBytes } = await store.record(numbered(1), AMPLE);
      await store.purgeUnverified('SIGNATURE_MISMATCH');
      const bounds = { maxBytes: (unverifiedBytes ?? 0) * 8, maxNew: 100 };
      const strangers = numbered(9, { reason: 'MISSING_HEADER' });
      const { results } = await store.record(strangers, bounds);
      expect(results.filter(({ kind }) => kind === 'unverified')).toHaveLength(2);
      const others = await store.record(numbered(9, { target: '/x' }), bounds);
      expect(others.results.filter(({ kind }) => kind === 'unverified')).toHaveLength(6);
    });

    test('change their reason, and count for the new one', async () => {
      const store = await ground().empty();
      const { unverifiedBytes } = await store.record(numbered(2), AMPLE);
      const { items } = await store.listUnverified(null, { limit: 9, cursor: null });
      await store.changeReasons(items.map(({ id }) => ({ id, reason: 'UNKNOWN_CLIENT' as const })));
      expect((await store.listUnverified('SIGNATURE_MISMATCH', { limit: 9, cursor: null })).items).toEqual([]);
      expect((await store.listUnverified('UNKNOWN_CLIENT', { limit: 9, cursor: null })).items).toHaveLength(2);
      expect(await store.purgeUnverified('SIGNATURE_MISMATCH')).toBe(0);
      expect(await store.purgeUnverified('UNKNOWN_CLIENT')).toBe(2);
      expect((await store.record(numbered(2), { maxBytes: unverifiedBytes ?? 0, maxNew: 9 })).newUnverified).toBe(2);
    });

    test('are listed newest first and read oldest first, in pages', async () => {
      const store = await ground().empty();
      await store.record(numbered(5), AMPLE);
      const listed = [];
      const read = [];
      for (let cursor: string | null = null; ;) {
        const page = await store.listUnverified('SIGNATURE_MISMATCH', { limit: 2, cursor });
        listed.push(...page.items.map(({ id }) => id));
        if ((cursor = page.next) === null) break;
      }
      for (let cursor: string | null = null; ;) {
        const page = await store.readUnverified({ limit: 2, cursor });
        read.push(...page.items);
        if ((cursor = page.next) === null) break;
      }
      expect(read.map((one) => Buffer.from(one.request.body).toString())).toEqual(
        [0, 1, 2, 3, 4].map((index) => `body ${index}`),
      );
      expect(listed).toEqual(read.map(({ id }) => id).toReversed());
    });
  });

  describe('promotion', () => {
    const body = captureResult('S', { captureId: 'C1', captureAmount: jpy('100') });
    const { read } = delivery(body);

    test('moves a request to the notifications and applies it', async () => {
      const store = await ground().empty();
      await store.record([unverified({}, { at: later(1) }), unverified({}, { at: later(2) })], AMPLE);
      const {
        items: [item],
      } = await store.readUnverified({ limit: 1, cursor: null });
      const id = item?.id ?? '';
      expect(await store.promote([{ id, read }], later(100))).toBe(1);
      expect(await store.readUnverified({ limit: 1, cursor: null })).toEqual({ items: [], next: null });
      expect(await notificationsOf(store)).toMatchObject([
        {
          outcome: 'APPLIED',
          deliveries: 2,
          firstReceivedAt: later(1).toISOString(),
          lastReceivedAt: later(2).toISOString(),
        },
      ]);
      expect(await order(store, 'P1')).toMatchObject({
        capturedAmount: jpy('100'),
        createdAt: later(1).toISOString(),
      });
      expect(await store.promote([{ id, read }], later(200))).toBe(0);
      expect((await notificationsOf(store))[0]?.deliveries).toBe(2);
    });

    test('joins its count where client and body are stored already: the earliest first, the latest last receipt stand', async () => {
      const store = await ground().empty();
      await store.record([delivery(body, { at: later(50) })], AMPLE);
      await store.record([unverified({}, { at: later(10) }), unverified({ target: '/a' }, { at: later(90) })], AMPLE);
      const { items } = await store.readUnverified({ limit: 9, cursor: null });
      expect(
        await store.promote(
          items.map(({ id }) => ({ id, read })),
          later(100),
        ),
      ).toBe(2);
      expect(await notificationsOf(store)).toMatchObject([
        { deliveries: 3, firstReceivedAt: later(10).toISOString(), lastReceivedAt: later(90).toISOString() },
      ]);
    });

    test('makes room again', async () => {
      const store = await ground().empty();
      const { unverifiedBytes } = await store.record([unverified()], AMPLE);
      const {
        items: [item],
      } = await store.readUnverified({ limit: 1, cursor: null });
      await store.promote([{ id: item?.id ?? '', read }], T0);
      expect((await store.record([unverified()], { maxBytes: unverifiedBytes ?? 0, maxNew: 1 })).newUnverified).toBe(1);
      await record(store, body);
      expect((await notificationsOf(store))[0]?.deliveries).toBe(2);
    });
  });
};
