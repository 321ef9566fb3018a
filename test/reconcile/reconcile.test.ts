import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { AntomClient } from '../../src/antom/client.ts';
import { createReconciling, type Made } from '../../src/reconcile/reconciling.ts';
import type { Store } from '../../src/store/store.ts';
import { CLIENT, keepUp, serve, type Served } from '../sandbox/support.ts';
import { type Databases, openDatabases, type TestDatabase } from '../store/databases.ts';
import { AMPLE, delivery, order } from '../store/support.ts';
import { answering, type AntomApi, startAntomApi } from '../support/antom-api.ts';
import { eventually } from '../support/client.ts';
import { paymentResult } from '../support/facts.ts';
import {
  clientAt,
  clientOf,
  createAsker,
  createClock,
  DAY,
  HOUR,
  keyOfRegistration,
  MINUTE,
  pay,
  planned,
  questions,
  register,
  registerMany,
} from './support.ts';

let databases: Databases;
let sandbox: Served;
let client: AntomClient;
let api: AntomApi;
keepUp();
beforeAll(async () => {
  databases = await openDatabases();
  // Nothing is ever told.
  sandbox = await serve({ shares: { lost: 1 } });
  client = clientOf(sandbox);
  api = await startAntomApi();
});
afterAll(async () => {
  await databases.closeAll();
  await databases.remove();
  await api.close();
});

/** APO knows of nothing, whatever it is asked. */
const knowsNothing = (clientId: string) =>
  answering({ result: { resultStatus: 'F', resultCode: 'ORDER_NOT_EXIST' } }, { clientId });

describe.each(['SQLite', 'PostgreSQL'] as const)('inquiries on %s', (make) => {
  let database: TestDatabase;
  let store: Store;
  beforeAll(async () => {
    database = await databases.make(make);
    store = await database.store();
  });
  const paidFor = async (id: string): Promise<string> => {
    await register(store, id);
    const paymentId = await pay(sandbox, id);
    await sandbox.quiet();
    return paymentId;
  };

  test('a payment whose notifications are lost is captured and fulfillable after one', async () => {
    const clock = createClock();
    const { askAll } = createAsker(store, { client }, clock);
    const id = `R-${make}`;
    const paymentId = await paidFor(id);
    clock.advance(29 * MINUTE);
    expect(questions(await askAll())).toEqual([]);
    clock.advance(2 * MINUTE);
    expect(questions(await askAll())).toEqual([`${id} registered: OK SUCCESS`]);
    expect(await order(store, id, CLIENT)).toMatchObject({ paymentId, status: 'CAPTURED', fulfillable: true });
    clock.advance(8 * DAY);
    expect(questions(await askAll())).toEqual([]);
  });

  test('a refund of the dashboard joins by the answer about its payment', async () => {
    const id = `D-${make}`;
    const paymentId = await paidFor(id);
    const other = await paidFor(`E-${make}`);
    const clock = createClock();
    const { askAll } = createAsker(store, { client }, clock);
    clock.advance(HOUR);
    await askAll();
    const amount = { currency: 'JPY', value: '300' };
    await sandbox.control('POST', '/refunds', { payment: paymentId, refundRequestId: `G-${make}`, amount });
    const told = { notifyType: 'REFUND_RESULT', refundStatus: 'SUCCESS', refundAmount: amount };
    const result = { resultStatus: 'S', resultCode: 'SUCCESS', resultMessage: 'success' };
    await store.record(
      [delivery({ ...told, refundRequestId: `G-${make}`, result }, { clientId: CLIENT, at: new Date(clock.now()) })],
      AMPLE,
    );
    clock.advance(14 * MINUTE);
    expect(await askAll()).toEqual([]);
    clock.advance(2 * MINUTE);
    const asked = questions(await askAll());
    expect(asked[0]).toBe(`G-${make} unjoined refund: OK SUCCESS`);
    // The payments that it may be of.
    expect(asked.slice(1).toSorted()).toEqual(
      [paymentId, other, (await order(store, `R-${make}`, CLIENT)).paymentId]
        .map((one) => `${one} refund of it: OK SUCCESS`)
        .toSorted(),
    );
    expect(await order(store, id, CLIENT)).toMatchObject({ refundedAmount: amount });
    clock.advance(8 * DAY);
    expect(await askAll()).toEqual([]);
  });

  test('after a time in which nobody asked, everything that is waited for is asked at once', async () => {
    const clientId = `SANDBOX_back_${make}`;
    api.reply(knowsNothing(clientId));
    const clock = createClock();
    const { askAll } = createAsker(store, { client: clientAt(api, clientId), clientId }, clock);
    const [id] = await registerMany(store, 1, clientId);
    clock.advance(31 * MINUTE);
    expect(await askAll()).toHaveLength(1);
    await register(store, 'new', clientId);
    const changed = createAsker(store, { client: clientAt(api, clientId), clientId }, { now: Date.now });
    expect(await changed.askAll()).toEqual([]);
    const asked = await changed.askAll({ isBack: true });
    expect(questions(asked).toSorted()).toEqual(
      [`${id} registered: FAILED ORDER_NOT_EXIST`, 'new registered: FAILED ORDER_NOT_EXIST'].toSorted(),
    );
  });

  test('what was planned before the order changed waits for what the order waits for now', async () => {
    const clientId = `SANDBOX_stale_${make}`;
    api.reply(knowsNothing(clientId));
    const [paymentId, paymentRequestId] = [`P-${clientId}`, `R-${clientId}`];
    const body = paymentResult('S', { paymentId, paymentRequestId, paymentMethodType: 'CARD' });
    await store.record([delivery(body, { clientId, at: new Date() })], AMPLE);
    const { updatedAt } = await order(store, paymentId, clientId);
    const clock = createClock();
    const key = { clientId, about: 'order', id: paymentId } as const;
    await store.planInquiries([{ key, position: '0', why: 'processing', dueAt: clock.now() }]);
    const reconciling = createReconciling({ store, perSecond: 0.001, now: clock.now });
    const take = async () => await reconciling.take({ clientId, client: clientAt(api, clientId) });
    expect(await take()).toEqual({ kind: 'settled' });
    const dueAt = Date.parse(updatedAt) + 15 * MINUTE;
    expect(await planned(store, clientId, paymentId)).toMatchObject({ why: 'authorized', dueAt, attempts: 0 });
    // The client's turn was not used up.
    clock.advance(16 * MINUTE);
    expect(await take()).toMatchObject({ kind: 'taken' });
  });

  test('two replicas ask about each order once, and take turns', async () => {
    const clientId = `SANDBOX_two_${make}`;
    api.reply(knowsNothing(clientId));
    const before = api.seen.length;
    const ids = await registerMany(store, 12, clientId);
    const clock = createClock();
    clock.advance(HOUR);
    const of = { client: clientAt(api, clientId), clientId };
    const made = await Promise.all(
      [store, await database.store()].map(async (one) => await createAsker(one, of, clock).askAll()),
    );
    const asked = made.flat().map(({ key }) => key.id.trim());
    expect(asked.toSorted()).toEqual(ids.toSorted());
    expect(api.seen.length - before).toBe(12);
  });

  test.each([
    ['is over', 0],
    ['was written by a clock that was set back', Date.now() + 3_600_000],
  ])('a client has one turn at a time, whoever takes it, until it %s', async (_what, until) => {
    const clientId = `SANDBOX_turn_${until === 0 ? 'over' : 'ahead'}_${make}`;
    api.reply(knowsNothing(clientId));
    const [first = '', second = ''] = await registerMany(store, 2, clientId);
    const of = { clientId, client: clientAt(api, clientId) };
    const [one, two] = [store, await database.store()].map((each) =>
      createReconciling({ store: each, perSecond: 0.001 }),
    );
    expect(await one?.take({ ...of, key: keyOfRegistration(clientId, first) })).toMatchObject({ kind: 'taken' });
    for (const each of [one, two]) {
      const early = await each?.take({ ...of, key: keyOfRegistration(clientId, second) });
      expect(early).toEqual({ kind: 'early', inMs: expect.any(Number) });
    }
    await database.sql(`update leases set until = ${until} where name = 'inquiries of ${clientId}'`);
    expect(await two?.take({ ...of, key: keyOfRegistration(clientId, second) })).toMatchObject({ kind: 'taken' });
    expect(await one?.take({ ...of, key: keyOfRegistration(clientId, second) })).toEqual({ kind: 'none' });
  });

  test('what its holder does not finish another one takes over, and the first one is too late', async () => {
    const clientId = `SANDBOX_died_${make}`;
    api.reply(knowsNothing(clientId));
    const [id = ''] = await registerMany(store, 1, clientId);
    const key = keyOfRegistration(clientId, id);
    const clock = createClock();
    const of = { clientId, client: clientAt(api, clientId), key };
    const options = { store, perSecond: 1_000, now: clock.now };
    const dying = await createReconciling({ ...options, leaseMs: 50 }).take(of);
    if (dying.kind !== 'taken') throw new Error('not taken');
    const heir = createReconciling(options);
    const taken = await eventually(
      'the lease ends',
      async () => await heir.take(of),
      ({ kind }) => kind === 'taken',
    );
    if (taken.kind !== 'taken') throw new Error('not taken');
    // The answer of the one that was thought dead is a fact like any; the plan is the heir's.
    await dying.make();
    expect(await planned(store, clientId, id)).toMatchObject({ attempts: 0, askedAt: null });
    const made: Made = await taken.make();
    expect(made.inquired).toMatchObject({ outcome: 'FAILED', recorded: { deliveries: 2 } });
    expect(await planned(store, clientId, id)).toMatchObject({ attempts: 1, askedAt: clock.now() });
    const backlog = { clientId, due: 0, dueSince: null, planned: 1, nextAt: expect.any(Number), stopped: 0 };
    expect(await store.inquiryBacklog(clock.now())).toContainEqual(backlog);
  });
});
