import { describe, expect, test } from '@jest/globals';
import {
  type CallbackDestination,
  type CallbackResult,
  type CopiedCallback,
  type DueCallback,
  type DueCallbacks,
  type Lease,
  type OrderCallback,
  pagesOf,
  type Store,
  type UrlState,
} from '../../src/store/store.ts';
import { captureResult, CLIENT, jpy, paymentResult } from '../support/facts.ts';
import { AMPLE, delivery, type Ground, order, record, registration } from './support.ts';

const LEASE: Lease = { owner: 'one', ms: 60_000 };
const SHOP: CallbackDestination = { clientId: CLIENT, url: 'aa'.repeat(32), origin: 'https://shop.example' };
const ANOTHER: CallbackDestination = { ...SHOP, url: 'bb'.repeat(32), origin: 'https://new.example' };
const OTHER: CallbackDestination = { ...SHOP, clientId: 'T_other' };

const paid = (id: string) =>
  paymentResult('S', { paymentId: id, paymentRequestId: `R-${id}`, paymentAmount: jpy('100') });
const captured = (id: string, captureId = 'C1') =>
  captureResult('S', { paymentId: id, captureId: `${captureId}-${id}`, captureAmount: jpy('100') });

/** A store whose relay follows the feed for one destination, from its end. */
const followed = async (ground: Ground, destinations = [SHOP]): Promise<Store> => {
  const store = await ground.empty();
  expect(await store.takeLease(LEASE, { starting: true })).toBe(true);
  expect(await store.takeChanges(LEASE, destinations, 100)).toMatchObject({ more: false });
  return store;
};

const due = async (
  store: Store,
  { destinations = [SHOP], now = Date.now(), limit = 100 } = {},
): Promise<DueCallbacks> => await store.dueCallbacks(destinations, { limit, now });

const takeAll = async (store: Store, destinations = [SHOP], limit = 100): Promise<number> => {
  for (let pages = 1; ; pages += 1) {
    const taken = await store.takeChanges(LEASE, destinations, limit);
    if (taken === null) throw new Error('the lease is lost');
    if (!taken.more) return pages;
  }
};

const idsIn = ({ due: list }: DueCallbacks): readonly string[] => list.map(({ orderKey }) => orderKey).sort();

const keyOf = ({ clientId, orderKey, number }: DueCallback) => ({ clientId, orderKey, number });

const delivered = (one: DueCallback): CallbackResult => {
  if (one.content === null) throw new Error(`${one.orderKey} is gone`);
  const { order: shown, previous } = one.content;
  const { revision, status, fulfillable, nextAction } = shown;
  return {
    ...keyOf(one),
    kind: 'delivered',
    state: { revision, status, fulfillable, nextAction },
    paymentRequestId: previous === null ? shown.paymentRequestId : null,
  };
};

const inVain = (one: DueCallback): CallbackResult => ({
  ...keyOf(one),
  kind: 'failed',
  why: 'HTTP 500',
  again: Date.now() + 60_000,
});

const gone = (one: DueCallback): CallbackResult => ({ ...keyOf(one), kind: 'gone' });

const keep = async (store: Store, results: readonly CallbackResult[], url: UrlState = null): Promise<boolean> =>
  await store.keepCallbackResults(LEASE, { digest: SHOP.url, results, url });

/** What a copy said of an order. */
const copied = (orderKey: string, fields: Partial<CopiedCallback> = {}): CopiedCallback => ({
  clientId: CLIENT,
  url: SHOP.url,
  orderKey,
  settled: 'as it was elsewhere',
  delivered: null,
  ...fields,
});

const deliveredElsewhere = (revision: number): CopiedCallback['delivered'] => ({
  revision,
  status: 'AUTHORIZED',
  fulfillable: false,
  nextAction: 'WAIT',
  at: '2025-06-01T00:00:00.000Z',
});

/** The URLs that are told of as late, by a clock that says `now`. */
const lateAt = async (store: Store, now: number) =>
  await store.alarmCallbacks(LEASE, { since: new Date(now - 900_000), unless: new Date(now - 3_600_000) });

const waitingOf = async (store: Store, id: string): Promise<OrderCallback | undefined> =>
  (await store.listWaitingCallbacks({ clientId: null }, { limit: 9, cursor: null })).items.find(
    ({ orderKey }) => orderKey === id,
  );

const timelineOf = async (store: Store, paymentId: string): Promise<readonly OrderCallback[]> =>
  (await store.timeline({ clientId: CLIENT, paymentId, paymentRequestId: null }))?.callbacks ?? [];

const firstDue = async (store: Store, now = Date.now()): Promise<DueCallback> => {
  const [first] = (await due(store, { now })).due;
  if (first === undefined) throw new Error('nothing is due');
  return first;
};

const deliverAll = async (store: Store): Promise<void> => {
  expect(await keep(store, (await due(store)).due.map(delivered))).toBe(true);
};

export const describeCallbacks = (ground: () => Ground): void => {
  describe('callbacks', () => {
    test('a URL begins at the end of the feed, and every change after it is pending, once an order', async () => {
      const store = await ground().empty();
      await record(store, paid('P0'));
      expect(await store.takeLease(LEASE, { starting: true })).toBe(true);
      await takeAll(store);
      expect((await due(store)).due).toEqual([]);

      await record(store, paid('P1'));
      await record(store, paid('P2'));
      await takeAll(store);
      await record(store, captured('P1'));
      await takeAll(store);
      const { due: list } = await due(store);
      expect(list.map(({ orderKey }) => orderKey)).toEqual(['P1', 'P2']);
      const [first] = list;
      expect(first).toMatchObject({
        attempts: 0,
        copied: null,
        content: { previous: null, order: { status: 'CAPTURED' } },
      });
      const { updatedAt, revision } = await order(store, 'P1');
      expect(first?.content?.order).toMatchObject({ updatedAt, revision });
      expect(first?.content?.start).toMatch(/^[0-9a-f]{16}$/);
    });

    test('what was delivered is `previous` of the next change, and a change meanwhile stays pending', async () => {
      const store = await followed(ground());
      await record(store, paid('P1'));
      await takeAll(store);
      const { due: list } = await due(store);
      await record(store, captured('P1'));
      await takeAll(store);
      expect(await keep(store, list.map(delivered))).toBe(true);
      const [again] = (await due(store)).due;
      expect(again?.content).toMatchObject({
        previous: { revision: list[0]?.content?.order.revision, status: 'AUTHORIZED', fulfillable: false },
        order: { status: 'CAPTURED' },
      });
      await deliverAll(store);
      expect((await due(store)).due).toEqual([]);
      expect(await store.listWaitingCallbacks({ clientId: null }, { limit: 9, cursor: null })).toEqual({
        items: [],
        next: null,
      });
      expect(await store.timeline({ clientId: CLIENT, paymentId: 'P1', paymentRequestId: null })).toMatchObject({
        callbacks: [
          { orderKey: 'P1', origin: SHOP.origin, inUse: true, delivered: { status: 'CAPTURED' }, pending: null },
        ],
      });
    });

    test('pages of the feed leave nothing out, and each client has its own', async () => {
      const store = await followed(ground(), [SHOP, OTHER]);
      const ids = Array.from({ length: 7 }, (_, index) => `P${index}`);
      for (const id of ids) {
        await record(store, paid(id));
        await store.record([delivery(paid(`${id}-other`), { clientId: OTHER.clientId })], AMPLE);
      }
      expect(await takeAll(store, [SHOP, OTHER], 3)).toBe(5);
      expect(idsIn(await due(store))).toEqual(ids);
      const both = await due(store, { destinations: [SHOP, OTHER] });
      expect(both.due).toHaveLength(14);
      expect((await due(store, { destinations: [SHOP, OTHER], limit: 5 })).due).toEqual(both.due.slice(0, 5));
    });

    test('an order that is posted in vain waits for its time, with the reason', async () => {
      const store = await followed(ground());
      await record(store, paid('P1'), paid('P2'));
      await takeAll(store);
      const [first] = (await due(store)).due;
      if (first === undefined) throw new Error('nothing is due');
      const again = Date.now() + 5_000;
      await keep(store, [{ ...keyOf(first), kind: 'failed', why: 'HTTP 422', again }]);
      expect(idsIn(await due(store))).toEqual([first.orderKey === 'P1' ? 'P2' : 'P1']);
      expect((await due(store, { now: again })).due[1]).toMatchObject({ orderKey: first.orderKey, attempts: 1 });
      const { items } = await store.listWaitingCallbacks({ clientId: CLIENT }, { limit: 9, cursor: null });
      expect(items.find(({ orderKey }) => orderKey === first.orderKey)?.pending).toMatchObject({
        attempts: 1,
        why: 'HTTP 422',
        nextAttemptAt: new Date(again).toISOString(),
      });
      await keep(store, [{ ...keyOf(first), kind: 'failed', why: 'HTTP 422', again }]);
      expect((await due(store, { now: again })).due[1]).toMatchObject({ orderKey: first.orderKey, attempts: 2 });
    });

    test('a paused URL has nothing due until its time; what waits is told', async () => {
      const store = await followed(ground());
      await record(store, paid('P1'));
      await takeAll(store);
      const until = Date.now() + 5_000;
      await keep(store, [], { kind: 'paused', until, attempts: 1, why: 'HTTP 503' });
      expect(await due(store)).toEqual({ pausedUntil: until, attempts: 1, due: [] });
      expect(await due(store, { now: until })).toMatchObject({
        pausedUntil: until,
        attempts: 1,
        due: [{ orderKey: 'P1' }],
      });
      await keep(store, [], { kind: 'paused', until: until + 1, attempts: 2, why: 'HTTP 500' });
      const [url] = await store.listCallbackUrls();
      expect(url).toMatchObject({
        clientId: CLIENT,
        origin: SHOP.origin,
        inUse: true,
        waiting: 1,
        paused: { until: new Date(until + 1).toISOString(), attempts: 2, why: 'HTTP 500' },
      });
      expect(Date.parse(url?.waitingSince ?? '')).toBeLessThanOrEqual(Date.now());
      await keep(store, [], { kind: 'working' });
      expect(await store.listCallbackUrls()).toMatchObject([{ paused: null }]);
      expect(await due(store)).toMatchObject({ pausedUntil: null, attempts: 0 });
    });

    test('a payment takes the place of its placeholder, which leaves nothing behind', async () => {
      const store = await followed(ground());
      const expected = registration({ paymentRequestId: 'R-P1' });
      await store.register(expected, { replace: false, now: new Date() });
      await takeAll(store);
      await deliverAll(store);
      // That of another client stays.
      for (const clientId of [CLIENT, OTHER.clientId])
        await store.register({ ...expected, clientId, paymentRequestId: 'R-P2' }, { replace: false, now: new Date() });
      await takeAll(store);
      // One is delivered by now, and one still pending.
      await record(store, paid('P1'), paid('P2'));
      await takeAll(store);
      const { due: list } = await due(store);
      expect(list.filter(({ content }) => content === null).map(({ orderKey }) => orderKey)).toEqual([' R-P2']);
      await keep(
        store,
        list.map((one) => (one.content === null ? gone(one) : delivered(one))),
      );
      expect(await store.readCallbacks({ limit: 9, cursor: null })).toMatchObject({
        items: [{ orderKey: 'P1' }, { orderKey: 'P2' }],
        next: null,
      });
      // It fails where there is a row.
      await ground().sql(
        "insert into leases (name, owner, until) select null, '', 0 from callback_orders where order_key like ' %'",
      );
    });

    test('a lease is held by one; what another writes does nothing and says so', async () => {
      const store = await followed(ground());
      await record(store, paid('P1'));
      await takeAll(store);
      const stranger = { owner: 'two', ms: 60_000 };
      expect(await store.takeLease(stranger, { starting: false })).toBe(false);
      expect(await store.takeChanges(stranger, [], 100)).toBeNull();
      const results = (await due(store)).due.map(delivered);
      const kept = { digest: SHOP.url, results, url: null };
      expect(await store.keepCallbackResults(stranger, kept)).toBe(false);
      expect(await store.alarmCallbacks(stranger, { since: new Date(), unless: new Date() })).toBeNull();
      await store.releaseLease(stranger.owner);
      expect(await store.takeLease(stranger, { starting: false })).toBe(false);
      expect(await store.takeLease(LEASE, { starting: false })).toBe(true);
      expect(idsIn(await due(store))).toEqual(['P1']);

      await store.releaseLease(LEASE.owner);
      expect(await store.takeLease(stranger, { starting: false })).toBe(true);
      expect(await store.keepCallbackResults(LEASE, kept)).toBe(false);
      expect(await store.keepCallbackResults(stranger, kept)).toBe(true);
      expect(idsIn(await due(store))).toEqual([]);
    });

    test('a service that starts takes over from one that was killed, where no other can be running: on SQLite alone', async () => {
      const store = await followed(ground());
      const isAlone = store.name.startsWith('sqlite:');
      expect(await store.takeLease({ owner: 'two', ms: 60_000 }, { starting: true })).toBe(isAlone);
      expect((await store.takeChanges(LEASE, [SHOP], 100)) === null).toBe(isAlone);
    });

    test('a lease runs on from whatever is written under it', async () => {
      const store = await followed(ground());
      const stranger = { owner: 'two', ms: 60_000 };
      for (const write of [
        async () => await store.takeChanges(LEASE, [SHOP], 100),
        async () => await keep(store, []),
      ]) {
        await ground().sql('update leases set until = until - 50000');
        expect(await store.takeLease(stranger, { starting: false })).toBe(false);
        expect(await write()).toBeTruthy();
      }
    });

    test('a lease that has run out is anybody’s, and nothing is written under it any more', async () => {
      const store = await followed(ground());
      await ground().sql('update leases set until = until - 60001');
      expect(await store.takeChanges(LEASE, [SHOP], 100)).toBeNull();
      expect(await keep(store, [])).toBe(false);
      expect(await store.takeLease({ owner: 'two', ms: 60_000 }, { starting: false })).toBe(true);
      expect(await store.takeLease(LEASE, { starting: false })).toBe(false);
    });

    test('a lease that a clock wrote which was set back since holds nobody up', async () => {
      const store = await followed(ground());
      const stranger = { owner: 'two', ms: 60_000 };
      await ground().sql('update leases set until = until + 59000');
      expect(await store.takeLease(stranger, { starting: false })).toBe(false);
      await ground().sql('update leases set until = until + 3600000');
      expect(await store.takeLease(stranger, { starting: false })).toBe(true);
      expect(await store.takeChanges(LEASE, [SHOP], 100)).toBeNull();
      expect(await store.takeLease(LEASE, { starting: false })).toBe(false);
    });

    test('one order, or all of them, are sent again on demand', async () => {
      const store = await ground().empty();
      await record(store, paid('P0'));
      await store.takeLease(LEASE, { starting: true });
      await takeAll(store);
      expect(await store.sendCallbacks({ clientId: CLIENT, id: 'unknown' })).toBe(0);
      expect(await store.sendCallbacks({ clientId: 'T_nobody', id: 'P0' })).toBe(0);
      expect(await store.sendCallbacks({ clientId: CLIENT, id: 'R-P0' })).toBe(1);
      expect(idsIn(await due(store))).toEqual(['P0']);
      await deliverAll(store);
      // Delivered as it is, and all the same.
      expect(await store.sendCallbacks({ clientId: CLIENT, id: 'P0' })).toBe(1);
      const [again] = (await due(store)).due;
      expect(again?.content?.previous?.revision).toBe(again?.content?.order.revision);
      await deliverAll(store);

      await record(store, paid('P1'), paid('P2'), paid('P3'));
      await takeAll(store);
      await deliverAll(store);
      expect(await store.sendAllCallbacks('T_nobody')).toBe(0);
      expect(await store.sendAllCallbacks(null)).toBe(1);
      await record(store, captured('P3'));
      await takeAll(store, [SHOP], 2);
      expect(idsIn(await due(store))).toEqual(['P0', 'P1', 'P2', 'P3']);
      await deliverAll(store);
      await takeAll(store);
      expect((await due(store)).due).toEqual([]);
    });

    test('a URL that is paused is probed at once where somebody asks for it', async () => {
      const store = await followed(ground());
      await record(store, paid('P1'));
      await takeAll(store);
      await keep(store, [], { kind: 'paused', until: Date.now() + 300_000, attempts: 9, why: 'HTTP 503' });
      await store.sendCallbacks({ clientId: CLIENT, id: 'P1' });
      expect(await due(store)).toMatchObject({ attempts: 9, due: [{ orderKey: 'P1' }] });
    });

    test('a paused URL of several clients is probed where one of them asks for it, and no other URL is', async () => {
      const elsewhere = { ...OTHER, clientId: 'T_third', url: ANOTHER.url };
      const all = [SHOP, OTHER, elsewhere];
      const store = await followed(ground(), all);
      await record(store, paid('P1'));
      await takeAll(store, all);
      const until = Date.now() + 300_000;
      const paused = { kind: 'paused', until, attempts: 9, why: 'HTTP 503' } as const;
      for (const digest of [SHOP.url, ANOTHER.url])
        await store.keepCallbackResults(LEASE, { digest, results: [], url: paused });
      await store.sendCallbacks({ clientId: CLIENT, id: 'P1' });
      const probed = await due(store, { destinations: [SHOP, OTHER] });
      expect(probed).toMatchObject({ pausedUntil: 0, attempts: 9, due: [{ orderKey: 'P1' }] });
      expect(await due(store, { destinations: [elsewhere] })).toMatchObject({ pausedUntil: until });
    });

    test('what waits since one moment is listed page by page, of the URLs in use, and of each client its own', async () => {
      const both = [SHOP, OTHER];
      const store = await followed(ground(), both);
      const ids = ['P1', 'P2', 'P3'];
      await record(store, ...ids.map(paid));
      await store.record([delivery(paid('P1'), { clientId: OTHER.clientId })], AMPLE);
      await takeAll(store, both);
      const listed = async (): Promise<readonly string[]> => {
        const names: string[] = [];
        const pages = pagesOf(
          async (page) => await store.listWaitingCallbacks({ clientId: null }, page),
          1,
          () => names.length > 9,
        );
        for await (const page of pages) names.push(...page.map((one) => `${one.clientId} ${one.orderKey}`));
        return names;
      };
      const own = ids.map((id) => `${CLIENT} ${id}`);
      expect((await listed()).toSorted()).toEqual([...own, `${OTHER.clientId} P1`].toSorted());
      await takeAll(store, [SHOP]);
      expect(await listed()).toEqual(own);
    });

    test('of two clients with a payment of one id each is told once, and sent again alone', async () => {
      const both = [SHOP, OTHER];
      const store = await followed(ground(), both);
      await record(store, paid('P1'));
      await store.record([delivery(paid('P1'), { clientId: OTHER.clientId })], AMPLE);
      await takeAll(store, both);
      const { due: list } = await due(store, { destinations: both });
      expect(list.map(({ clientId }) => clientId).toSorted()).toEqual([CLIENT, OTHER.clientId].toSorted());
      await keep(store, list.map(delivered));
      expect(await store.sendCallbacks({ clientId: CLIENT, id: 'P1' })).toBe(1);
      expect((await due(store, { destinations: both })).due).toMatchObject([{ clientId: CLIENT, orderKey: 'P1' }]);
    });

    test('a URL that is not configured any more waits for nothing, and goes on where it was when it is again', async () => {
      const store = await followed(ground());
      await record(store, paid('P1'));
      await takeAll(store);
      await takeAll(store, []);
      await record(store, paid('P2'));
      await takeAll(store, [ANOTHER]);
      await record(store, paid('P3'));
      await takeAll(store, [ANOTHER]);
      expect(await store.listCallbackUrls()).toMatchObject([
        { origin: SHOP.origin, inUse: false, waiting: 0, waitingSince: null },
        { origin: ANOTHER.origin, inUse: true, waiting: 1 },
      ]);
      expect(idsIn(await due(store, { destinations: [ANOTHER] }))).toEqual(['P3']);
      await takeAll(store, [SHOP]);
      expect(idsIn(await due(store))).toEqual(['P1', 'P2', 'P3']);
      expect(await store.listCallbackUrls()).toMatchObject([
        { origin: SHOP.origin, inUse: true, waiting: 3 },
        { origin: ANOTHER.origin, inUse: false },
      ]);
    });

    test('a URL that takes the place of another is told what that one was not, and nothing else', async () => {
      const store = await followed(ground(), [SHOP, OTHER]);
      await record(store, paid('P1'));
      await takeAll(store, [SHOP, OTHER]);
      await deliverAll(store);
      await record(store, paid('P2'));
      await record(store, paid('P3'));
      await takeAll(store, [SHOP, OTHER]);
      await keep(store, (await due(store)).due.map(inVain));
      await ground().sql('update callback_orders set pending_since = 7');
      // It has come while nobody looked at the feed.
      await record(store, paid('P4'));
      await takeAll(store, [ANOTHER, OTHER]);
      const { due: list } = await due(store, { destinations: [ANOTHER] });
      expect(list.map(({ orderKey }) => orderKey).toSorted()).toEqual(['P2', 'P3', 'P4']);
      expect(list.map(({ attempts }) => attempts)).toEqual([0, 0, 0]);
      // It is told since when the shop does not know of it.
      expect((await waitingOf(store, 'P2'))?.pending?.since).toBe(new Date(7).toISOString());
      expect((await timelineOf(store, 'P1')).map(({ origin }) => origin)).toEqual([SHOP.origin]);
      expect(idsIn(await due(store, { destinations: [OTHER] }))).toEqual([]);
    });

    test('where the database has gone back, what was delivered and what was before the URL are not sent', async () => {
      const store = await ground().empty();
      await record(store, paid('P0'));
      await new Promise((resolve) => setTimeout(resolve, 5));
      await store.takeLease(LEASE, { starting: true });
      await takeAll(store);
      await record(store, paid('P1'), paid('P2'));
      await takeAll(store);
      await keep(store, (await due(store)).due.filter(({ orderKey }) => orderKey === 'P1').map(delivered));
      await ground().sql("update callback_urls set start = '0123456789abcdef'");
      await record(store, paid('P3'));
      await takeAll(store, [SHOP], 2);
      expect(idsIn(await due(store))).toEqual(['P2', 'P3']);
    });

    test('whoever has waited for too long is told of once an hour', async () => {
      const store = await followed(ground());
      const alarm = async (now: number) =>
        await store.alarmCallbacks(LEASE, { since: new Date(now - 900_000), unless: new Date(now - 3_600_000) });
      await record(store, paid('P1'));
      await takeAll(store);
      const now = Date.now();
      expect(await alarm(now)).toEqual([]);
      expect(await alarm(now + 901_000)).toMatchObject([{ origin: SHOP.origin, waiting: 1, why: null }]);
      expect(await alarm(now + 901_000)).toEqual([]);
      const [first] = (await due(store)).due;
      if (first === undefined) throw new Error('nothing is due');
      const { clientId, number, orderKey } = first;
      await keep(store, [{ clientId, number, orderKey, kind: 'failed', why: 'HTTP 422', again: now }]);
      expect(await alarm(now + 3_700_000)).toMatchObject([{ origin: SHOP.origin, why: 'HTTP 422' }]);
      await keep(store, [], { kind: 'paused', until: now, attempts: 1, why: 'HTTP 503' });
      expect(await alarm(now + 7_400_000)).toMatchObject([{ origin: SHOP.origin, why: 'HTTP 503' }]);
      await deliverAll(store);
      expect(await alarm(now + 11_100_000)).toEqual([]);
    });

    test('what waits by a clock that was set back since waits no longer, and is told of', async () => {
      const store = await followed(ground());
      const { sql } = ground();
      await record(store, paid('P1'));
      await takeAll(store);
      await keep(store, [], { kind: 'paused', until: Date.now() + 1_000, attempts: 1, why: 'HTTP 503' });
      const ahead = 10_000_000;
      await sql(
        `update callback_orders set pending_since = pending_since + ${ahead}, next_attempt_at = next_attempt_at + ${ahead}`,
      );
      await sql(`update callback_urls
        set paused_since = paused_since + ${ahead}, paused_until = paused_until + ${ahead}, alarmed_at = paused_since + ${ahead},
          followed_since = followed_since + ${ahead}`);
      const now = Date.now();
      const alarm = async () => await store.alarmCallbacks(LEASE, { since: new Date(now), unless: new Date(now) });
      expect(idsIn(await due(store, { now: now + 60_000 }))).toEqual([]);
      expect(await alarm()).toEqual([]);
      const later = Date.now();
      expect(idsIn(await due(store, { now: later }))).toEqual(['P1']);
      const [url] = await store.listCallbackUrls();
      for (const time of [url?.followedSince, url?.waitingSince, url?.paused?.since, url?.paused?.until])
        expect(Date.parse(time ?? '')).toBeLessThanOrEqual(later);
      const hence = { since: new Date(later + 1), unless: new Date(later + 1) };
      expect(await store.alarmCallbacks(LEASE, hence)).toMatchObject([{ origin: SHOP.origin }]);
      // What was never tried has no reason to wait.
      await sql(`update callback_orders set next_attempt_at = ${later + 3_000_000}`);
      await alarm();
      expect(idsIn(await due(store, { now: later + 60_000 }))).toEqual(['P1']);
      // A wait that the shop has asked for stands.
      await sql(`update callback_orders set attempts = 1, next_attempt_at = ${later + 3_600_000}`);
      await alarm();
      expect(idsIn(await due(store, { now: later + 60_000 }))).toEqual([]);
    });

    test('by a clock that was set back within the hour, a paused URL and a refused order are tried again at once', async () => {
      const store = await followed(ground());
      const { sql } = ground();
      await record(store, paid('P1'));
      await takeAll(store);
      const ahead = Date.now() + 3_000_000;
      const soon = ahead + 300_000;
      const alarm = async () => await store.alarmCallbacks(LEASE, { since: new Date(), unless: new Date() });
      await keep(store, [], { kind: 'paused', until: soon, attempts: 4, why: 'HTTP 500' });
      await sql(`update callback_urls set paused_since = ${ahead}`);
      await alarm();
      const [url] = await store.listCallbackUrls();
      for (const time of [url?.paused?.since, url?.paused?.until])
        expect(Date.parse(time ?? '')).toBeLessThanOrEqual(Date.now());

      await keep(store, [], { kind: 'working' });
      await sql(`update callback_orders set pending_since = ${ahead}, attempts = 4, next_attempt_at = ${soon}`);
      expect(idsIn(await due(store))).toEqual([]);
      await alarm();
      expect(idsIn(await due(store))).toEqual(['P1']);
    });

    test('what no relay has taken from the feed waits as well', async () => {
      const store = await followed(ground(), [SHOP, OTHER]);
      await record(store, paid('P1'));
      const { updatedAt } = await order(store, 'P1');
      expect(await store.listCallbackUrls()).toMatchObject([
        { clientId: CLIENT, waiting: 0, waitingSince: updatedAt },
        { clientId: OTHER.clientId, waiting: 0, waitingSince: null },
      ]);
    });

    test('an order waits since its first change that the shop does not know, whatever changes after it', async () => {
      const store = await followed(ground());
      await record(store, paid('P1'));
      await takeAll(store);
      await ground().sql('update callback_orders set pending_since = pending_since - 1200000');
      await record(store, captured('P1'));
      await takeAll(store);
      expect(await lateAt(store, Date.now())).toMatchObject([{ origin: SHOP.origin }]);
      const urls = await store.listCallbackUrls();
      // No relay has taken this one.
      await record(store, paid('P2'));
      expect(await store.listCallbackUrls()).toEqual(urls);
    });

    test('why a URL waits is what the order that waits longest came to', async () => {
      const store = await followed(ground());
      await record(store, paid('P1'), paid('P2'));
      await takeAll(store);
      for (const one of (await due(store)).due)
        await keep(store, [{ ...keyOf(one), kind: 'failed', why: `of ${one.orderKey}`, again: Date.now() }]);
      await ground().sql("update callback_orders set pending_since = pending_since - 1000 where order_key = 'P2'");
      expect(await store.listCallbackUrls()).toMatchObject([{ why: 'of P2' }]);
    });

    test('a change that comes while an order is found to be as the shop knows it is told', async () => {
      const store = await followed(ground());
      await record(store, paid('P1'));
      await takeAll(store);
      const same = async (one: DueCallback) =>
        await keep(store, [{ ...keyOf(one), kind: 'same', revision: one.content?.order.revision ?? 0 }]);
      const before = await firstDue(store);
      await record(store, captured('P1'));
      await takeAll(store);
      await same(before);
      expect(idsIn(await due(store))).toEqual(['P1']);
      await same(await firstDue(store));
      expect(idsIn(await due(store))).toEqual([]);
    });

    test('an order that was gone and is there again is told', async () => {
      const store = await followed(ground());
      await record(store, paid('P1'));
      await takeAll(store);
      await keep(store, [gone(await firstDue(store))]);
      expect(idsIn(await due(store))).toEqual(['P1']);
    });

    test('what changed while an order was posted is due at once and waits from then, without what was in vain', async () => {
      const store = await followed(ground());
      await record(store, paid('P1'));
      await takeAll(store);
      await keep(store, [inVain(await firstDue(store))]);
      const again = await firstDue(store, Date.now() + 60_000);
      await record(store, captured('P1'));
      await takeAll(store);
      await ground().sql('update callback_orders set pending_since = pending_since - 1200000');
      const now = Date.now();
      await keep(store, [delivered(again)]);
      expect(await firstDue(store)).toMatchObject({ orderKey: 'P1', attempts: 0 });
      const { pending } = (await waitingOf(store, 'P1')) ?? {};
      expect(pending?.why).toBeNull();
      expect(Date.parse(pending?.since ?? '')).toBeGreaterThanOrEqual(now);
    });

    test('first come, first posted, also of several clients at one URL', async () => {
      const store = await followed(ground(), [SHOP, OTHER]);
      const { sql } = ground();
      await record(store, paid('P1'), paid('P2'));
      await store.record([delivery(paid('P0'), { clientId: OTHER.clientId })], AMPLE);
      await sql("update orders set updated_at = updated_at - 3000 where order_key = 'P0'");
      await sql("update orders set updated_at = updated_at - 2000 where order_key = 'P2'");
      // By a clock that was set back since.
      await sql("update orders set updated_at = updated_at + 10000000 where order_key = 'P1'");
      await takeAll(store, [SHOP, OTHER]);
      const { due: list } = await due(store, { destinations: [SHOP, OTHER] });
      expect(list.map(({ orderKey }) => orderKey)).toEqual(['P0', 'P2', 'P1']);
    });

    test('an order that is sent again is due at once, and posted whatever a copy said of it', async () => {
      const store = await followed(ground());
      await record(store, paid('P1'));
      await store.importCallbacks([copied('P1')]);
      await takeAll(store);
      expect(await firstDue(store)).toMatchObject({ copied: 'different' });
      await keep(store, [inVain(await firstDue(store))]);
      expect((await due(store)).due).toEqual([]);
      await store.sendCallbacks({ clientId: CLIENT, id: 'P1' });
      expect((await due(store)).due).toMatchObject([{ orderKey: 'P1', copied: null }]);
      expect(await store.listCallbackUrls()).toMatchObject([{ paused: null }]);
    });

    test('an order that differs from what a copy said of it is not compared again', async () => {
      const store = await followed(ground());
      await record(store, paid('P1'));
      await store.importCallbacks([copied('P1')]);
      await takeAll(store);
      const first = await firstDue(store);
      expect(first).toMatchObject({ copied: 'different' });
      await keep(store, [{ ...keyOf(first), kind: 'different' }]);
      expect(await firstDue(store)).toEqual({ ...first, copied: null });
    });

    test('what was delivered here is not compared with a copy any more', async () => {
      const store = await followed(ground());
      await record(store, paid('P1'));
      await store.importCallbacks([copied('P1')]);
      await takeAll(store);
      await deliverAll(store);
      await record(store, captured('P1'));
      await takeAll(store);
      expect(await firstDue(store)).toMatchObject({ copied: null });
    });

    test('of two deliveries that copies tell of one order the later one stands', async () => {
      const store = await followed(ground());
      await record(store, paid('P1'));
      const bring = async (revision: number) =>
        await store.importCallbacks([copied('P1', { delivered: deliveredElsewhere(revision) })]);
      expect([await bring(5), await bring(4), await bring(5)]).toEqual([1, 0, 0]);
      expect((await store.readCallbacks({ limit: 9, cursor: null })).items).toMatchObject([
        { delivered: { revision: 5 } },
      ]);
      expect(await bring(6)).toBe(1);
    });

    test('what waits to be posted is posted, whatever a copy says of it', async () => {
      const store = await followed(ground());
      await record(store, paid('P1'));
      await takeAll(store);
      expect(await store.importCallbacks([copied('P1', { delivered: deliveredElsewhere(1) })])).toBe(1);
      expect(await firstDue(store)).toMatchObject({ copied: null, content: { previous: { revision: 1 } } });
    });

    test('all orders of one client are sent again, and of another one at the same place none', async () => {
      const store = await followed(ground(), [SHOP, OTHER]);
      await record(store, paid('P1'));
      await store.record([delivery(paid('P2'), { clientId: OTHER.clientId })], AMPLE);
      await takeAll(store, [SHOP, OTHER]);
      const both = async () => await due(store, { destinations: [SHOP, OTHER] });
      await keep(store, (await both()).due.map(delivered));
      await store.sendAllCallbacks(CLIENT);
      // As a copy leaves it.
      await ground().sql('update callback_urls set start = null, position = 0');
      await takeAll(store, [SHOP, OTHER]);
      expect(idsIn(await both())).toEqual(['P1']);
    });

    test('all orders are sent again as of when that was asked for: what was delivered after is not', async () => {
      const store = await followed(ground());
      await record(store, paid('P1'));
      await takeAll(store);
      await deliverAll(store);
      const asked = Date.now();
      await store.sendAllCallbacks(null);
      await record(store, paid('P2'));
      await store.sendCallbacks({ clientId: CLIENT, id: 'P2' });
      await deliverAll(store);
      await takeAll(store);
      expect(idsIn(await due(store))).toEqual(['P1']);
      expect(Date.parse((await waitingOf(store, 'P1'))?.pending?.nextAttemptAt ?? '')).toBeGreaterThanOrEqual(asked);
    });

    test('all orders are sent again also once the database has gone back: those before the URL, too', async () => {
      const store = await ground().empty();
      await record(store, paid('P0'));
      await new Promise((resolve) => setTimeout(resolve, 5));
      await store.takeLease(LEASE, { starting: true });
      await takeAll(store);
      await ground().sql("update callback_urls set start = '0123456789abcdef'");
      await takeAll(store);
      expect(idsIn(await due(store))).toEqual([]);
      await store.sendAllCallbacks(CLIENT);
      await takeAll(store);
      expect(idsIn(await due(store))).toEqual(['P0']);
    });

    test('a new URL does not begin where one of another client stood', async () => {
      const store = await followed(ground());
      await store.record([delivery(paid('P1'), { clientId: OTHER.clientId })], AMPLE);
      await takeAll(store, [OTHER]);
      expect((await due(store, { destinations: [OTHER] })).due).toEqual([]);
    });

    test('an order is of the start that it changed in, also once there is a later one', async () => {
      const store = await followed(ground());
      await record(store, paid('P1'));
      await takeAll(store);
      const before = await firstDue(store);
      await record(await ground().open({}), paid('P2'));
      expect(await firstDue(store)).toEqual(before);
      await takeAll(store);
      const starts = (await due(store)).due.map(({ content }) => content?.start);
      const [latest] = (await store.endOfFeed()).split('.');
      expect(starts).toEqual([before.content?.start, latest]);
    });

    test('a URL is paused since the first attempt in vain, for every client that it serves', async () => {
      const store = await followed(ground());
      const until = Date.now() + 5_000;
      await keep(store, [], { kind: 'paused', until, attempts: 1, why: 'HTTP 503' });
      await ground().sql('update callback_urls set paused_since = paused_since - 1000');
      const [before] = await store.listCallbackUrls();
      await keep(store, [], { kind: 'paused', until, attempts: 2, why: 'HTTP 503' });
      const [url] = await store.listCallbackUrls();
      expect(url?.paused).toEqual({ ...before?.paused, attempts: 2 });
      await keep(store, [], { kind: 'working' });
      const now = Date.now();
      await keep(store, [], { kind: 'paused', until, attempts: 2, why: 'HTTP 503' });
      const [again] = await store.listCallbackUrls();
      expect(Date.parse(again?.paused?.since ?? '')).toBeGreaterThanOrEqual(now);
      await takeAll(store, [SHOP, OTHER]);
      expect(await due(store, { destinations: [OTHER, SHOP] })).toMatchObject({ pausedUntil: until, attempts: 2 });
    });

    test('a URL that was paused before its clock jumped ahead is tried again once the clock is set back', async () => {
      const store = await followed(ground());
      await record(store, paid('P1'));
      await takeAll(store);
      const now = Date.now();
      await keep(store, [], { kind: 'paused', until: now + 3 * 3_600_000, attempts: 1, why: 'HTTP 503' });
      await lateAt(store, now);
      expect(idsIn(await due(store))).toEqual(['P1']);
    });
  });
};
