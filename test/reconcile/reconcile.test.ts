import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { keepUp, serve, type Served, CLIENT } from '../sandbox/support.ts';
import { type Databases, openDatabases } from '../store/databases.ts';
import type { Store } from '../../src/store/store.ts';
import { clientOf, createAsker, createClock, MINUTE, pay, questions, register } from './support.ts';

let databases: Databases;
let sandbox: Served;
keepUp();
beforeAll(async () => {
  databases = await openDatabases();
  // Nothing is ever told.
  sandbox = await serve({ shares: { lost: 1 } });
});
afterEach(async () => await databases.closeAll());
afterAll(async () => await databases.remove());

const orderNamed = async (store: Store, id: string) => (await store.findOrders({ clientId: CLIENT, id }))[0];

describe.each(['SQLite', 'PostgreSQL'] as const)('inquiries on %s', (make) => {
  test('a payment whose notifications are lost is captured and fulfillable after one', async () => {
    const store = await (await databases.make(make)).store();
    const clock = createClock();
    const { askAll } = createAsker(store, clientOf(sandbox), clock);
    const id = `R-${make}`;
    await register(store, id);
    const paymentId = await pay(sandbox, id);
    await sandbox.quiet();
    clock.advance(29 * MINUTE);
    expect(questions(await askAll())).toEqual([]);
    clock.advance(2 * MINUTE);
    expect(questions(await askAll())).toEqual([`${id} registered: OK SUCCESS`]);
    expect(await orderNamed(store, id)).toMatchObject({ paymentId, status: 'CAPTURED', fulfillable: true });
    clock.advance(8 * 24 * 60 * MINUTE);
    expect(questions(await askAll())).toEqual([]);
  });
});
