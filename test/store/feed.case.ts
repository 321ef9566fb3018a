import { describe, expect, test } from '@jest/globals';
import type { FollowedNotifications, Store } from '../../src/store/store.ts';
import { InvalidCursorError, OutdatedCursorError } from '../../src/store/store.ts';
import { CLIENT, paymentResult } from '../support/facts.ts';
import { AMPLE, delivery, type Ground, later, notificationsOf, readAgain, record, T0, unverified } from './support.ts';

const paid = (number: number) => paymentResult('S', { paymentId: `P${number}`, paymentRequestId: `R${number}` });
const cancelled = (token: string) => ({ authorizationNotifyType: 'TOKEN_CANCELED', accessToken: token });

const ALL = { kind: null, clientId: null };

/** Page by page; an empty one is the last. */
const idsFrom = async (
  store: Store,
  from: string,
  filter: Partial<FollowedNotifications> = {},
): Promise<{ readonly ids: readonly string[]; readonly next: string }> => {
  const ids: string[] = [];
  for (let cursor = from; ;) {
    const { items, next } = await store.followNotifications({ ...ALL, ...filter, limit: 2, cursor });
    ids.push(...items.map(({ id }) => id));
    if (items.length === 0) return { ids, next };
    cursor = next;
  }
};

export const describeFeed = (ground: () => Ground): void => {
  describe('the feed of notifications', () => {
    test('shows each once, in the order in which they were stored', async () => {
      const store = await ground().empty();
      for (const number of [1, 2, 3]) await record(store, paid(number));
      const all = (await notificationsOf(store)).map(({ id }) => id);
      const first = await idsFrom(store, '0');
      expect(first.ids).toEqual(all);
      expect(first.next).toBe((await store.feedEnds()).notifications);
      await record(store, paid(1), 'not JSON');
      const second = await idsFrom(store, first.next);
      expect(second.ids).toHaveLength(1);
      expect((await idsFrom(store, second.next)).ids).toEqual([]);
    });

    test('keeps the place of one that is applied again, and shows it as it is now', async () => {
      const store = await ground().empty();
      await store.record([{ ...delivery(paid(1)), inapplicable: true }], AMPLE);
      await record(store, paid(2));
      const { next } = await idsFrom(store, '0');
      const [failed] = await notificationsOf(store);
      if (failed === undefined) throw new Error('nothing is stored');
      expect(await store.reapply([readAgain(failed)], later(1))).toEqual(['APPLIED']);
      expect((await idsFrom(store, next)).ids).toEqual([]);
      expect(await store.followNotifications({ ...ALL, limit: 1, cursor: '0' })).toMatchObject({
        items: [{ id: failed.id, outcome: 'APPLIED' }],
      });
    });

    test('shows what verifies only later behind all that was stored before', async () => {
      const store = await ground().empty();
      await store.record([unverified({}, { at: T0 })], AMPLE);
      await store.record([delivery(paid(1), { at: later(1) })], AMPLE);
      const { next } = await idsFrom(store, '0');
      const { items } = await store.readUnverified({ limit: 1, cursor: null });
      await store.promote([{ id: items[0]?.id ?? '', read: delivery(paid(2)).read }], later(2));
      expect(await store.followNotifications({ ...ALL, limit: 9, cursor: next })).toMatchObject({
        items: [{ paymentId: 'P2', firstReceivedAt: T0.toISOString() }],
      });
    });

    test('of one kind or one client leads past the others', async () => {
      const store = await ground().empty();
      await record(store, cancelled('T1'));
      await store.record([delivery(cancelled('T2'), { clientId: 'T_other' })], AMPLE);
      for (const number of [1, 2, 3]) await record(store, paid(number));
      const [first, second, ...payments] = (await notificationsOf(store)).map(({ id }) => id);
      expect(await idsFrom(store, '0', { kind: 'AUTHORIZATION' })).toMatchObject({ ids: [first, second] });
      expect(await idsFrom(store, '0', { clientId: 'T_other' })).toMatchObject({ ids: [second] });
      expect(await idsFrom(store, '0', { kind: 'PAYMENT' })).toMatchObject({ ids: payments });
      expect(await idsFrom(store, '0', { clientId: CLIENT, kind: 'AUTHORIZATION' })).toMatchObject({ ids: [first] });
      expect(await store.followNotifications({ kind: 'INVOICE', clientId: null, limit: 1, cursor: '0' })).toEqual({
        items: [],
        next: (await store.feedEnds()).notifications,
      });
    });

    test.each(['', 'x', '1', '0123456789abcdef'])('does not go on from "%s"', async (cursor) => {
      const store = await ground().empty();
      await expect(store.followNotifications({ ...ALL, limit: 1, cursor })).rejects.toThrow(InvalidCursorError);
    });

    test('begins again where the database went back, and says what to do', async () => {
      const store = await ground().empty();
      await record(store, paid(1));
      const { next } = await idsFrom(store, '0');
      const another = next.replace(/^[^.]+/, '0123456789abcdef');
      const asked = store.followNotifications({ ...ALL, limit: 1, cursor: another });
      await expect(asked).rejects.toThrow(OutdatedCursorError);
      await expect(asked).rejects.toThrow(/Start again at after=0, and act once per clientId and id/);
    });
  });

  describe('the feed of orders', () => {
    test('of one client leads past those of others', async () => {
      const store = await ground().empty();
      for (const number of [1, 2, 3]) await record(store, paid(number));
      await store.record([delivery(paid(4), { clientId: 'T_other' })], AMPLE);
      const page = { clientId: 'T_other', limit: 1 };
      const first = await store.followOrders({ ...page, cursor: '0' });
      expect(first.items.map(({ paymentId }) => paymentId)).toEqual(['P4']);
      await record(store, paid(5));
      const end = await store.endOfFeed();
      expect(await store.followOrders({ ...page, cursor: first.next })).toEqual({ items: [], next: end });
      expect(await store.followOrders({ ...page, cursor: end })).toEqual({ items: [], next: end });
    });
  });
};
