import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import type { OrderCallback, Store } from '../../src/store/store.ts';
import { copyStore, noteInUse } from '../../src/upkeep/copy.ts';
import { eventually } from '../support/client.ts';
import { captureResult, CLIENT, jpy, paymentResult } from '../support/facts.ts';
import { newSecret, openShop, type Shop, status } from '../support/shop.ts';
import { type Databases, openDatabases, type TestDatabase } from '../store/databases.ts';
import { order, record, registration } from '../store/support.ts';
import { allTold, begin, callbacksOf, follows, targetOf } from './relaying.ts';

const SECRET = newSecret();

let databases: Databases;
let shop: Shop;
beforeAll(async () => {
  databases = await openDatabases();
  shop = await openShop([SECRET]);
});
afterEach(async () => await databases.closeAll());
afterAll(async () => {
  await shop.close();
  await databases.remove();
});

const paid = (id: string) =>
  paymentResult('S', { paymentId: id, paymentRequestId: `R-${id}`, paymentAmount: jpy('100') });
const captured = (id: string) => captureResult('S', { paymentId: id, captureId: `C-${id}`, captureAmount: jpy('100') });

/** The payments that the shop is told of meanwhile, sorted. */
const toldWhile = async (store: Store, work: () => Promise<void>): Promise<readonly (string | null)[]> => {
  const before = shop.received().length;
  const relay = await begin(store, [targetOf(shop.url, [SECRET])], { scheduleMs: [60_000] });
  await follows(store, shop.origin);
  await work();
  await relay.stop();
  expect(relay.toldOf('failed')).toEqual([]);
  return shop
    .received()
    .slice(before)
    .map((one) => one.order.paymentId ?? `–${one.order.paymentRequestId}`)
    .sort();
};

const callbackOf = async (store: Store, id: string): Promise<OrderCallback | undefined> =>
  (await callbacksOf(store, id))[0];

/** One order older than the URL, some that the shop knows, one that it refuses, one that nobody has taken yet. */
const fill = async (database: TestDatabase): Promise<Store> => {
  const store = await database.store();
  await record(store, paid('P-old'));
  shop.answer((callback, response) => {
    status(callback.order.paymentId === 'P-refused' ? 422 : 200)(callback, response);
  });
  const told = await toldWhile(store, async () => {
    await store.register(registration({ paymentRequestId: 'lone' }), { replace: false, now: new Date() });
    await record(store, paid('P-told'), paid('P-changed'), paid('P-refused'));
    await eventually(
      'the refusal',
      async () => await callbackOf(store, 'P-refused'),
      (one) => one?.pending?.attempts === 1,
    );
    await eventually(
      'the payment',
      async () => await callbackOf(store, 'P-changed'),
      (one) => (one?.delivered ?? null) !== null,
    );
    await record(store, captured('P-changed'));
    await eventually(
      'the change',
      async () => await callbackOf(store, 'P-changed'),
      (one) => one?.delivered?.status === 'CAPTURED',
    );
  });
  expect(told).toEqual(['P-changed', 'P-changed', 'P-refused', 'P-told', '–lone']);
  await record(store, paid('P-new'), captured('P-told'));
  shop.answer(status(200));
  return store;
};

test.each([
  ['SQLite', 'PostgreSQL'],
  ['PostgreSQL', 'SQLite'],
] as const)('a copy from %s to %s is told only what the shop was not, and then goes on', async (from, to) => {
  const database = await databases.make(from);
  const before = await fill(database);
  const known = await callbackOf(before, 'P-changed');
  const source = await database.source();
  const target = await (await databases.make(to)).store();
  expect(await copyStore({ source, target })).toMatchObject({ complete: true });
  // What has ended begins again.
  expect(await copyStore({ source, target })).toMatchObject({ complete: true });
  await source.close();
  expect(await toldWhile(target, async () => await allTold(target))).toEqual(['P-new', 'P-refused', 'P-told']);
  expect(shop.received().findLast((one) => one.order.paymentId === 'P-told')).toMatchObject({
    previous: { status: 'AUTHORIZED' },
    order: { status: 'CAPTURED' },
  });

  const refund = { ...captured('P-changed'), captureId: 'C-more' };
  expect(
    await toldWhile(target, async () => {
      await record(target, refund);
      await allTold(target);
    }),
  ).toEqual(['P-changed']);
  expect(shop.received().at(-1)?.previous).toEqual({
    revision: known?.delivered?.revision,
    status: 'CAPTURED',
    fulfillable: known?.delivered?.fulfillable,
    nextAction: known?.delivered?.nextAction,
  });
  // On demand all of it is sent, from the first order on.
  expect(await target.sendAllCallbacks(CLIENT)).toBe(1);
  expect(await toldWhile(target, async () => await allTold(target))).toEqual([
    'P-changed',
    'P-new',
    'P-old',
    'P-refused',
    'P-told',
    '–lone',
  ]);
});

test('what is merged into a database that goes on is told only where the shop was not', async () => {
  const kept = await databases.make('SQLite');
  await fill(kept);
  const target = await (await databases.make('SQLite')).store();
  expect(
    await toldWhile(target, async () => {
      await record(target, paid('P-own'));
      await allTold(target);
      const source = await kept.source();
      expect(await copyStore({ source, target, merge: true })).toMatchObject({ complete: true });
      await source.close();
      await allTold(target);
    }),
  ).toEqual(['P-new', 'P-own', 'P-refused', 'P-told']);
});

test.each([
  ['SQLite', 'PostgreSQL'],
  ['PostgreSQL', 'SQLite'],
] as const)('after a clock that was ahead on %s, %s goes on after what the shop knows', async (from, to) => {
  const tomorrow = new Date(Date.now() + 24 * 3_600_000);
  const database = await databases.make(from);
  const before = await database.store();
  await toldWhile(before, async () => {
    await before.register(registration({ paymentRequestId: 'R-P-ahead' }), { replace: false, now: tomorrow });
    await record(before, paid('P-ahead'), paid('P-other'));
    await allTold(before);
  });
  const known = await callbackOf(before, 'P-ahead');
  expect(known?.delivered?.revision).toBeGreaterThan(tomorrow.getTime());
  const target = await (await databases.make(to)).store();
  const source = await database.source();
  expect(await copyStore({ source, target })).toMatchObject({ complete: true });
  const after = await target.followOrders({ limit: 10, cursor: null, clientId: null });
  // Nothing goes on that need not.
  expect(await copyStore({ source, target })).toMatchObject({ complete: true });
  expect(await target.followOrders({ limit: 10, cursor: null, clientId: null })).toEqual(after);
  await source.close();
  expect(
    await toldWhile(target, async () => {
      await allTold(target);
      await record(target, captured('P-ahead'), captured('P-other'));
      await allTold(target);
    }),
  ).toEqual(['P-ahead', 'P-other']);
  const told = shop.received().findLast((one) => one.order.paymentId === 'P-ahead');
  expect(told).toMatchObject({ order: { status: 'CAPTURED' }, previous: { revision: known?.delivered?.revision } });
  expect(told?.order.revision).toBeGreaterThan(known?.delivered?.revision ?? 0);
});

test('a payment goes on after the registration that it has replaced, as the source told it by a clock that was ahead', async () => {
  const database = await databases.make('SQLite');
  const before = await database.store();
  const tomorrow = new Date(Date.now() + 24 * 3_600_000);
  await before.register(registration({ paymentRequestId: 'R-P-later' }), { replace: false, now: tomorrow });
  const target = await (await databases.make('SQLite')).store();
  await record(target, paid('P-later'), paid('P-own'));
  const own = await order(target, 'P-own');
  const source = await database.source();
  expect(await copyStore({ source, target, merge: true })).toMatchObject({ complete: true });
  await source.close();
  expect(await order(target, 'P-later')).toMatchObject({ revision: tomorrow.getTime() + 1 });
  // What is ahead of no clock stands as it is.
  expect(await order(target, 'P-own')).toEqual(own);
});

test('an order that a service at the target has changed meanwhile is told once more, after what the source told', async () => {
  const tomorrow = new Date(Date.now() + 24 * 3_600_000);
  const database = await databases.make('SQLite');
  const before = await database.store();
  const target = await (await databases.make('SQLite')).store();
  await record(before, paid('P-both'));
  const source = await database.source();
  expect(await copyStore({ source, target })).toMatchObject({ complete: true });
  await toldWhile(before, async () => {
    await before.register(registration({ paymentRequestId: 'R-P-both' }), { replace: false, now: tomorrow });
    await allTold(before);
  });
  await noteInUse(target);
  expect(
    await toldWhile(target, async () => {
      await record(target, captured('P-both'));
      await allTold(target);
      expect(await copyStore({ source, target })).toMatchObject({ complete: true });
      await allTold(target);
    }),
  ).toContain('P-both');
  await source.close();
  const told = shop.received().at(-1);
  expect(told?.order).toMatchObject({ paymentId: 'P-both', status: 'CAPTURED' });
  expect(told?.order.revision).toBeGreaterThan(tomorrow.getTime());
});
