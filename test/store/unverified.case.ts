import { describe, expect, test } from '@jest/globals';
import { captureResult, CLIENT, jpy, paymentResult } from '../support/facts.ts';
import {
  AMPLE,
  delivery,
  failedAgain,
  type Ground,
  isStored,
  later,
  notificationsOf,
  numbered,
  order,
  OTHER_TRUST,
  record,
  request,
  sharesOf,
  T0,
  TRUST,
  unverified,
} from './support.ts';

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
      });
      expect(await store.readUnverified({ limit: 9, cursor: null })).toMatchObject({ items: [{ deliveries: 2 }] });
      expect((await sharesOf(store)).ALL).toBeGreaterThan(forged.request.body.length);
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
      const failed = { reason: 'DUPLICATE_HEADER', origin: 'UNKNOWN', trust: OTHER_TRUST } as const;
      await store.record([unverified(strange, failed)], AMPLE);
      const {
        items: [read],
      } = await store.readUnverified({ limit: 5, cursor: null });
      expect(read).toMatchObject({ ...failed, deliveries: 1, firstReceivedAt: T0.toISOString() });
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
      expect(again.unverifiedRoom).toEqual([]);
      // By a clock that was set back.
      await store.record(
        kinds.map((fields) => unverified(fields)),
        AMPLE,
      );
      const { items } = await store.listUnverified(null, { limit: 50, cursor: null });
      expect(items).toHaveLength(7);
      expect(items[0]).toMatchObject({ firstReceivedAt: T0.toISOString(), lastReceivedAt: later(9).toISOString() });
    });

    test('are read as outdated until they failed under this trust', async () => {
      const store = await ground().empty();
      const ids = async (trust: string, limit = 9, cursor: string | null = null): Promise<readonly string[]> => {
        const page = await store.readOutdated(trust, { limit, cursor });
        const bodies = page.items.map(({ request: { body } }) => Buffer.from(body).toString());
        return page.next === null ? bodies : [...bodies, ...(await ids(trust, limit, page.next))];
      };
      expect(await ids(TRUST)).toEqual([]);
      await store.record(numbered(3), AMPLE);
      await store.record(numbered(2, { target: '/x', trust: OTHER_TRUST }), AMPLE);
      expect(await ids(TRUST)).toEqual(['body 0', 'body 1']);
      expect(await ids(OTHER_TRUST, 2)).toEqual(['body 0', 'body 1', 'body 2']);
      expect(await ids('00'.repeat(32), 2)).toHaveLength(5);
      expect(await ids('ff'.repeat(32), 2)).toHaveLength(5);
      const { items } = await store.readOutdated(OTHER_TRUST, { limit: 9, cursor: null });
      await store.amendUnverified(failedAgain(items, { trust: OTHER_TRUST }));
      expect(await ids(OTHER_TRUST)).toEqual([]);
      expect(await ids(TRUST)).toHaveLength(5);
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

    test('are found by what their target or body holds, the newest first, in every alphabet', async () => {
      const store = await ground().empty();
      const target = `/payNotify?shop=${Buffer.from('Zürich').toString('latin1')}`;
      await store.record([unverified({ target }), unverified(), unverified({ body: Buffer.from('Zürich') })], AMPLE);
      const found = async (limit: number) => (await store.findInUnverified(['Zürich'], limit)).map(({ id }) => id);
      const [first, , last] = (await store.readUnverified({ limit: 9, cursor: null })).items.map(({ id }) => id);
      expect(await found(9)).toEqual([last, first]);
      expect(await found(1)).toEqual([last]);
    });

    test('are counted by what was wrong with them, the most first', async () => {
      const store = await ground().empty();
      await store.record([...numbered(1, { reason: 'MISSING_HEADER' }), ...numbered(2, { target: '/x' })], AMPLE);
      expect(await store.countUnverified()).toMatchObject([
        { reason: 'SIGNATURE_MISMATCH', count: 2 },
        { reason: 'MISSING_HEADER', count: 1 },
      ]);
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
      await store.record([unverified()], AMPLE);
      const {
        items: [item],
      } = await store.readUnverified({ limit: 1, cursor: null });
      await store.promote([{ id: item?.id ?? '', read }], T0);
      expect((await sharesOf(store)).ALL).toBe(0);
      const { results } = await store.record([unverified()], { maxBytes: (item?.bytes ?? 0) * 2 });
      expect(results.map(isStored)).toEqual([true]);
      await record(store, body);
      expect((await notificationsOf(store))[0]?.deliveries).toBe(2);
    });
  });
};
