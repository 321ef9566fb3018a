import { describe, expect, test } from '@jest/globals';
import type { NotificationFilter, OrderFilter, Store } from '../../src/store/store.ts';
import { InvalidCursorError } from '../../src/store/store.ts';
import { captureResult, jpy, paymentResult } from '../support/facts.ts';
import {
  AMPLE,
  ANY_ORDER,
  delivery,
  follow,
  type Ground,
  notificationsOf,
  record,
  registration,
  T0,
  paid,
} from './support.ts';

const captured = (number: number) =>
  captureResult('S', { paymentId: `P${number}`, captureId: `C${number}`, captureAmount: jpy('100') });

const listAll = async (
  store: Store,
  filter: Partial<OrderFilter> = {},
  limit = 2,
): Promise<readonly (string | null)[]> => {
  const ids: (string | null)[] = [];
  for (let cursor: string | null = null; ;) {
    const page = await store.listOrders({ ...ANY_ORDER, ...filter }, { limit, cursor });
    ids.push(...page.items.map(({ paymentId }) => paymentId));
    if (page.next === null) return ids;
    cursor = page.next;
  }
};

const notificationIds = async (store: Store, filter: Partial<NotificationFilter>): Promise<readonly string[]> => {
  const ids: string[] = [];
  for (let cursor: string | null = null; ;) {
    const page = await store.listNotifications(
      { kind: null, outcome: null, clientId: null, id: null, ...filter },
      { limit: 2, cursor },
    );
    ids.push(...page.items.map(({ id }) => id));
    if (page.next === null) return ids;
    cursor = page.next;
  }
};

export const describeLists = (ground: () => Ground): void => {
  describe('lists of orders', () => {
    test('show the newest change first, in pages', async () => {
      const store = await ground().empty();
      for (const number of [1, 2, 3, 4, 5]) await record(store, paid(number));
      await record(store, captured(2));
      expect(await listAll(store)).toEqual(['P2', 'P5', 'P4', 'P3', 'P1']);
      expect(await listAll(store, {}, 5)).toHaveLength(5);
    });

    test('filter by status and by attention', async () => {
      const store = await ground().empty();
      for (const number of [1, 2, 3]) await record(store, paid(number));
      await record(store, captured(2), captured(7));
      await record(store, paymentResult('F', { paymentId: 'P3', paymentRequestId: 'R3' }));
      expect(await listAll(store, { status: 'CAPTURED' })).toEqual(['P2']);
      expect(await listAll(store, { status: 'AUTHORIZED' })).toEqual(['P3', 'P1']);
      expect(await listAll(store, { status: 'PARTIALLY_CAPTURED' })).toEqual(['P7']);
      expect(await listAll(store, { attention: 'CONTRADICTORY_RESULT', status: 'AUTHORIZED' })).toEqual(['P3']);
      expect(await listAll(store, { attention: 'CONTRADICTORY_RESULT', status: 'CAPTURED' })).toEqual([]);
    });
  });

  describe('the feed', () => {
    test('shows each order once, at the place of its latest change, oldest change first', async () => {
      const store = await ground().empty();
      for (const number of [1, 2, 3]) await record(store, paid(number));
      const first = await store.followOrders({ clientId: null, limit: 2, cursor: '0' });
      expect(first.items.map(({ paymentId }) => paymentId)).toEqual(['P1', 'P2']);
      await record(store, captured(1));
      const rest = await follow(store, { from: first.next });
      expect(rest.orders).toMatchObject([
        { paymentId: 'P3', status: 'AUTHORIZED' },
        { paymentId: 'P1', status: 'CAPTURED' },
      ]);
      expect((await follow(store)).orders.map(({ paymentId }) => paymentId)).toEqual(['P2', 'P3', 'P1']);
    });

    test('gives an empty page a cursor of the same place', async () => {
      const store = await ground().empty();
      expect(await store.followOrders({ clientId: null, limit: 2, cursor: null })).toEqual({
        items: [],
        next: expect.stringMatching(/^(0|[0-9a-f]{16}\.0)$/),
      });
      await record(store, paid(1));
      const { next } = await follow(store);
      expect(await store.followOrders({ clientId: null, limit: 2, cursor: next })).toEqual({ items: [], next });
      expect(next).toMatch(/^[0-9a-f]{16}\.\d+$/);
      expect(await store.endOfFeed()).toBe(next);
      expect(await store.feedEnds()).toEqual({ orders: next, notifications: expect.stringMatching(/^[0-9a-f]{16}\./) });
    });

    test('shows nothing for a resend', async () => {
      const store = await ground().empty();
      await record(store, paid(1), captured(1));
      const { next } = await follow(store);
      await record(store, paid(1), captured(1));
      expect((await follow(store, { from: next })).orders).toEqual([]);
    });
  });

  describe('lists of notifications', () => {
    test('show the newest first and read the oldest first, filtered', async () => {
      const store = await ground().empty();
      await record(store, paid(1));
      await record(store, captured(1));
      await record(store, { notifyType: 'OTHER' });
      await store.record([delivery(paid(1), { clientId: 'T_other' })], AMPLE);
      const all = (await notificationsOf(store)).map(({ id }) => id);
      expect(all).toHaveLength(4);
      expect(await notificationIds(store, {})).toEqual(all.toReversed());
      expect(await notificationIds(store, { kind: 'CAPTURE' })).toEqual([all[1]]);
      expect(await notificationIds(store, { outcome: 'UNHANDLED' })).toEqual([all[2]]);
      expect(await notificationIds(store, { outcome: 'APPLIED' })).toEqual([all[3], all[1], all[0]]);
      expect(await notificationIds(store, { id: 'P1' })).toEqual([all[3], all[1], all[0]]);
      expect(await notificationIds(store, { id: 'P1', kind: 'PAYMENT', outcome: 'APPLIED' })).toEqual([all[3], all[0]]);
      expect(await notificationIds(store, { id: 'P2' })).toEqual([]);
    });
  });

  describe('the clients', () => {
    test('are those that anything is stored of, each once', async () => {
      const store = await ground().empty();
      expect(await store.clientIds()).toEqual([]);
      await store.record(
        [
          delivery(paid(1), { clientId: 'T_b' }),
          delivery(paid(1), { clientId: 'T_a' }),
          delivery(captured(1), { clientId: 'T_b' }),
        ],
        AMPLE,
      );
      await store.register(registration({ clientId: 'T_c' }), { replace: false, now: T0 });
      expect(await store.clientIds()).toEqual(['T_a', 'T_b', 'T_c']);
    });
  });

  test.each(['', 'x', '-1', '1e3', '9223372036854775808'])('a cursor of "%s" is refused', async (cursor) => {
    const store = await ground().empty();
    const page = { limit: 1, cursor };
    await expect(store.followOrders({ ...page, clientId: null })).rejects.toThrow(InvalidCursorError);
    await expect(store.listOrders(ANY_ORDER, page)).rejects.toThrow(InvalidCursorError);
    await expect(
      store.listNotifications({ kind: null, outcome: null, clientId: null, id: null }, page),
    ).rejects.toThrow(InvalidCursorError);
    await expect(store.listUnverified(null, page)).rejects.toThrow(InvalidCursorError);
    await expect(store.readUnverified(page)).rejects.toThrow(InvalidCursorError);
    await expect(store.rebuild(page, T0)).rejects.toThrow(InvalidCursorError);
  });

  test.each([
    '1',
    '00',
    '.1',
    '0123456789abcdef',
    '0123456789abcdef.',
    '0123456789abcdef.-1',
    '0123456789ABCDEF.1',
    '0123456789abcde.1',
    'x0123456789abcdef.1',
    '0123456789abcdef.1x',
    '0123456789abcdef.9223372036854775808',
  ])('the feed does not go on from "%s"', async (cursor) => {
    const store = await ground().empty();
    await expect(store.followOrders({ clientId: null, limit: 1, cursor })).rejects.toThrow(InvalidCursorError);
  });

  test.each(['{}', '[]', '[1]', '["a",1]', '["a\\u0000","b"]', '[[],"b"]'])(
    'a rebuild does not begin at "%s"',
    async (cursor) => {
      const store = await ground().empty();
      await expect(store.rebuild({ limit: 1, cursor }, T0)).rejects.toThrow(InvalidCursorError);
    },
  );

  describe('settings and tasks', () => {
    test('what is remembered is recalled, by another store too', async () => {
      const store = await ground().empty();
      expect(await store.recall('keys')).toBeNull();
      await store.remember('keys', 'a');
      await store.remember('keys', "b'\\");
      expect(await store.recall('keys')).toBe("b'\\");
      expect(await (await ground().open({})).recall('keys')).toBe("b'\\");
    });

    test('a store that can write answers', async () => {
      const store = await ground().empty();
      await expect(store.ping()).resolves.toBeUndefined();
    });

    test('a task gives back what its work gives back, and throws what it throws', async () => {
      const store = await ground().empty();
      expect(await store.exclusively('redrive', () => Promise.resolve(7))).toBe(7);
      const bug = new TypeError('a bug in a task');
      await expect(store.exclusively('redrive', () => Promise.reject(bug))).rejects.toBe(bug);
      expect(await store.exclusively('redrive', () => Promise.resolve(8))).toBe(8);
    });
  });
};
