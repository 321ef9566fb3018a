import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { DERIVATION, type OrderRules } from '../../src/order/rules.ts';
import { SETTING, writeRules } from '../../src/store/setting.ts';
import type { Store } from '../../src/store/store.ts';
import { isDerivedBy, putRulesInForce, recallRules } from '../../src/upkeep/in-force.ts';
import { rebuildByRulesInForce } from '../../src/upkeep/rebuild.ts';
import { type Databases, openDatabases } from '../store/databases.ts';
import { ANY_ORDER, record, RULES } from '../store/support.ts';
import { captureResult, CLIENT, jpy, paymentResult } from '../support/facts.ts';

const STRICT: OrderRules = { ...RULES, requireRegistration: true };

let databases: Databases;
beforeAll(async () => {
  databases = await openDatabases();
});
afterEach(async () => await databases.closeAll());
afterAll(async () => await databases.remove());

const captured = (number: number) => [
  paymentResult('S', { paymentId: `P${number}`, paymentRequestId: `R${number}`, paymentAmount: jpy('100') }),
  captureResult('S', { paymentId: `P${number}`, captureId: `C${number}`, captureAmount: jpy('100') }),
];

/** Those whose rows say so: as they were derived when they were written. */
const unregistered = async (store: Store): Promise<readonly string[]> => {
  const page = await store.listOrders({ ...ANY_ORDER, attention: 'UNREGISTERED' }, { limit: 9, cursor: null });
  return page.items.map(({ paymentId }) => String(paymentId)).toSorted();
};

const isFulfillable = async (store: Store, id: string): Promise<boolean | undefined> =>
  (await store.findOrders({ clientId: CLIENT, id }))[0]?.fulfillable;

describe.each(['SQLite', 'PostgreSQL'] as const)('the rules in force on %s', (make) => {
  test('are those that are stored: whoever runs already follows with its next batch, and the rest is rebuilt', async () => {
    const database = await databases.make(make);
    const [running, starting] = [await database.store(), await database.store()];
    expect(await putRulesInForce(running, RULES)).toEqual({ number: 1, derivation: DERIVATION, rules: RULES });
    expect(await rebuildByRulesInForce(running, RULES, () => false)).toEqual({ orders: 0, changed: 0 });
    await record(running, ...captured(1));
    expect([await unregistered(running), await isFulfillable(running, 'P1')]).toEqual([[], true]);

    expect(await putRulesInForce(starting, STRICT)).toEqual({ number: 2, derivation: DERIVATION, rules: STRICT });
    expect(await putRulesInForce(starting, STRICT)).toEqual({ number: 2, derivation: DERIVATION, rules: STRICT });
    await record(running, ...captured(2));
    expect(await unregistered(running)).toEqual(['P2']);
    expect([await isFulfillable(running, 'P1'), await isFulfillable(running, 'P2')]).toEqual([false, false]);

    expect(await isDerivedBy(starting, STRICT)).toBe(false);
    expect(await rebuildByRulesInForce(starting, STRICT, () => false)).toEqual({ orders: 2, changed: 1 });
    expect(await isDerivedBy(running, STRICT)).toBe(true);
    expect(await unregistered(running)).toEqual(['P1', 'P2']);
    // Nobody does it twice.
    expect(await rebuildByRulesInForce(running, RULES, () => false)).toEqual({ orders: 0, changed: 0 });
  });

  test('are those of who opens the store where none are stored, or what is stored is spoilt', async () => {
    const database = await databases.make(make);
    const store = await database.store();
    await record(store, ...captured(1));
    for (const spoilt of ['', '{', '{"number":1}', '{"number":1,"derivation":1,"rules":{"captureRequired":"never"}}']) {
      await store.remember(SETTING.rules, spoilt);
      expect([await recallRules(store), await isFulfillable(store, 'P1')]).toEqual([null, true]);
    }
    // As it was stored by who noted no derivation.
    await store.remember(SETTING.rules, JSON.stringify({ number: 5, rules: RULES }));
    expect(await recallRules(store)).toEqual({ number: 5, derivation: 0, rules: RULES });
    await store.remember(SETTING.rules, '');
    expect(await putRulesInForce(store, STRICT)).toEqual({ number: 1, derivation: DERIVATION, rules: STRICT });
    expect(await isFulfillable(store, 'P1')).toBe(false);
  });

  test('that change while all is rebuilt are not noted as done', async () => {
    const database = await databases.make(make);
    const store = await database.store();
    await putRulesInForce(store, RULES);
    await record(store, ...captured(1));
    let asked = 0;
    const changing: Store = {
      ...store,
      rebuild: async (...values) => {
        asked += 1;
        if (asked === 1) await putRulesInForce(store, STRICT);
        return await store.rebuild(...values);
      },
    };
    await rebuildByRulesInForce(changing, RULES, () => false);
    expect([await isDerivedBy(store, RULES), await isDerivedBy(store, STRICT)]).toEqual([false, false]);
    await rebuildByRulesInForce(store, RULES, () => false);
    expect(await isDerivedBy(store, STRICT)).toBe(true);
  });

  test('are those that every order is derived by, also after others were put in force and given up half-way', async () => {
    const database = await databases.make(make);
    const store = await database.store();
    await putRulesInForce(store, RULES);
    await record(store, ...captured(1));
    await rebuildByRulesInForce(store, RULES, () => false);

    await putRulesInForce(store, STRICT);
    let isStopping = false;
    const stopping: Store = {
      ...store,
      rebuild: async (...values) => {
        isStopping = true;
        return await store.rebuild(...values);
      },
    };
    // It does not say that it is done.
    expect(await rebuildByRulesInForce(stopping, STRICT, () => isStopping)).toEqual({ orders: 0, changed: 0 });
    expect([await unregistered(store), await isDerivedBy(store, STRICT)]).toEqual([['P1'], false]);

    await putRulesInForce(store, RULES);
    expect(await rebuildByRulesInForce(store, RULES, () => false)).toEqual({ orders: 1, changed: 1 });
    expect(await unregistered(store)).toEqual([]);
  });

  test('leave it to another version to derive all again while it is there, and tell it what it has to', async () => {
    const database = await databases.make(make);
    const store = await database.store();
    const other = { number: 7, derivation: DERIVATION + 1, rules: STRICT };
    await store.remember(SETTING.rules, writeRules(other));
    await store.remember(SETTING.derived, 'by the other');
    const seen = async (minutesAgo: number): Promise<void> =>
      await store.remember(SETTING.inForceAt, new Date(Date.now() - minutesAgo * 60_000).toISOString());
    await seen(6);

    await record(store, ...captured(1));
    expect(await store.recall(SETTING.derived)).toBeNull();
    expect(await rebuildByRulesInForce(store, RULES, () => false)).toEqual({ orders: 0, changed: 0 });
    expect([await store.recall(SETTING.derived), await recallRules(store)]).toEqual([null, other]);

    await seen(-6);
    expect(await rebuildByRulesInForce(store, RULES, () => false)).toEqual({ orders: 0, changed: 0 });

    await seen(12);
    expect(await rebuildByRulesInForce(store, RULES, () => false)).toEqual({ orders: 1, changed: 0 });
    expect(await recallRules(store)).toEqual({ number: 8, derivation: DERIVATION, rules: STRICT });
    expect(await isDerivedBy(store, STRICT)).toBe(true);
    // It says that it is there.
    await store.remember(SETTING.rules, writeRules({ ...other, derivation: DERIVATION + 2 }));
    expect(await rebuildByRulesInForce(store, RULES, () => false)).toEqual({ orders: 0, changed: 0 });
  });

  test('are not those of all orders where another version has derived one while all were rebuilt', async () => {
    const database = await databases.make(make);
    const store = await database.store();
    const own = await putRulesInForce(store, RULES);
    await record(store, ...captured(1));
    const beside: Store = {
      ...store,
      rebuild: async (...values) => {
        const step = await store.rebuild(...values);
        // As a replica of another version sees it.
        await store.remember(SETTING.rules, writeRules({ ...own, derivation: DERIVATION - 1 }));
        await record(store, ...captured(2));
        await store.remember(SETTING.rules, writeRules(own));
        return step;
      },
    };
    await rebuildByRulesInForce(beside, RULES, () => false);
    expect(await isDerivedBy(store, RULES)).toBe(false);
    expect(await rebuildByRulesInForce(store, RULES, () => false)).toEqual({ orders: 2, changed: 0 });
    expect(await isDerivedBy(store, RULES)).toBe(true);
  });

  test('stay those of the version that started last while the other one is in the middle of a long rebuild', async () => {
    const database = await databases.make(make);
    const store = await database.store();
    const own = await putRulesInForce(store, RULES);
    await record(store, ...captured(1));
    const started = { ...own, number: 2, derivation: DERIVATION + 1 };
    const long: Store = {
      ...store,
      rebuild: async (...values) => {
        await store.remember(SETTING.inForceAt, new Date(Date.now() - 12 * 60_000).toISOString());
        await store.remember(SETTING.derived, '');
        await store.remember(SETTING.rules, writeRules(started));
        return await store.rebuild(...values);
      },
    };
    await rebuildByRulesInForce(long, RULES, () => false);
    expect(await recallRules(store)).toEqual(started);
  });
});
