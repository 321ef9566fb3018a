import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startReconciler } from '../../src/reconcile/reconciler.ts';
import type { Made } from '../../src/reconcile/reconciling.ts';
import { recallHeldBack, type Store } from '../../src/store/store.ts';
import { type Databases, openDatabases, type TestDatabase } from '../store/databases.ts';
import { notificationsOf } from '../store/support.ts';
import { answering, answeringWith, type AntomApi, type Reply, startAntomApi } from '../support/antom-api.ts';
import { eventually } from '../support/client.ts';
import { paymentAnswer } from '../support/facts.ts';
import { createForgeSigner, keyFixture } from '../support/forge-signer.ts';
import { clientAt, createAsker, createClock, HOUR, MINUTE, planned, registerMany } from './support.ts';

let databases: Databases;
let database: TestDatabase;
let store: Store;
let api: AntomApi;
beforeAll(async () => {
  databases = await openDatabases();
  database = await databases.make('SQLite');
  store = await database.store();
  api = await startAntomApi();
});
afterAll(async () => {
  await databases.closeAll();
  await databases.remove();
  await api.close();
});

const said = (resultStatus: 'S' | 'F' | 'U', resultCode: string) => ({ result: { resultStatus, resultCode } });
const PAID = { ...paymentAnswer('SUCCESS', { paymentId: 'P-x' }), paymentRequestId: 'SANDBOX_x-0' };
const STRANGER = createForgeSigner(keyFixture('throw-away-second.private.pkcs8.pem'));

interface Case {
  readonly name: string;
  readonly reply: (clientId: string) => Reply;
  readonly outcome: string;
  readonly stored: number;
  /** Of the next one; null for never. */
  readonly inMinutes: number | null;
  readonly attempts: number;
}

const QUIET = { stored: 0, inMinutes: 15, attempts: 0 } as const;
const ANSWERED = { stored: 1, inMinutes: 60, attempts: 1 } as const;
const signed = (body: object) => (clientId: string) => answering(JSON.stringify(body), { clientId });

const CASES: readonly Case[] = [
  {
    name: 'an unsigned success',
    reply: () => answeringWith(JSON.stringify(PAID), { signature: null }),
    outcome: 'UNKNOWN UNSIGNED no signature',
    ...QUIET,
  },
  {
    name: "a stranger's signature",
    reply: (clientId) => answering(JSON.stringify(PAID), { clientId, signer: STRANGER }),
    outcome: 'UNKNOWN UNVERIFIED SIGNATURE_MISMATCH',
    ...QUIET,
  },
  {
    name: 'status 500',
    reply: () => (_request, response) => void response.writeHead(500).end(),
    outcome: 'UNKNOWN HTTP_STATUS 500',
    ...QUIET,
  },
  { name: 'silence', reply: () => () => undefined, outcome: 'UNKNOWN TIMEOUT over 200 ms', ...QUIET },
  {
    name: 'too many calls',
    reply: signed(said('U', 'REQUEST_TRAFFIC_EXCEED_LIMIT')),
    outcome: 'UNKNOWN REQUEST_TRAFFIC_EXCEED_LIMIT',
    ...QUIET,
    stored: 1,
  },
  {
    name: 'an answer to another question',
    reply: signed({ ...PAID, paymentRequestId: 'R-other' }),
    outcome: 'UNKNOWN OTHER_IDS paymentRequestId',
    ...ANSWERED,
    stored: 0,
  },
  {
    name: 'an answer that names nothing of the question',
    reply: signed({ ...PAID, paymentRequestId: undefined }),
    outcome: 'UNKNOWN OTHER_IDS paymentRequestId',
    ...ANSWERED,
    stored: 0,
  },
  { name: 'U', reply: signed(said('U', 'PAYMENT_IN_PROCESS')), outcome: 'UNKNOWN PAYMENT_IN_PROCESS', ...ANSWERED },
  {
    name: 'no such payment',
    reply: signed(said('F', 'ORDER_NOT_EXIST')),
    outcome: 'FAILED ORDER_NOT_EXIST',
    ...ANSWERED,
  },
  {
    name: 'a refusal',
    reply: signed(said('F', 'PROCESS_FAIL')),
    outcome: 'FAILED PROCESS_FAIL',
    ...ANSWERED,
    inMinutes: null,
  },
  {
    name: 'the configuration',
    reply: signed(said('F', 'KEY_NOT_FOUND')),
    outcome: 'FAILED KEY_NOT_FOUND',
    ...QUIET,
    stored: 1,
  },
];

describe('an inquiry that is answered by', () => {
  test.each(CASES)('$name: $outcome', async ({ name, reply, outcome, stored, inMinutes, attempts }) => {
    const clientId = `SANDBOX_${CASES.findIndex((one) => one.name === name)}`;
    const [id = ''] = await registerMany(store, 1, clientId);
    const clock = createClock();
    clock.advance(HOUR);
    api.reply(reply(clientId));
    const client = clientAt(api, clientId, name === 'silence' ? 200 : 5_000);
    const [before] = await store.findOrders({ clientId, id });
    const count = (await notificationsOf(store)).length;
    const made = await createAsker(store, { client, clientId }, clock).askAll();
    expect(made.map(({ inquired }) => `${inquired.outcome} ${inquired.code}`)).toEqual([outcome]);
    expect((await notificationsOf(store)).length - count).toBe(stored);
    const [after] = await store.findOrders({ clientId, id });
    expect(after).toEqual(before);
    const dueAt = inMinutes === null ? null : clock.now() + inMinutes * MINUTE;
    expect(await planned(store, clientId, id)).toMatchObject({ why: 'registered', outcome, attempts, dueAt });
  });

  test('that there is no such payment, for a week: it is believed, and asked again by nobody', async () => {
    const clientId = 'SANDBOX_never';
    const [id = ''] = await registerMany(store, 1, clientId);
    api.reply(signed(said('F', 'ORDER_NOT_EXIST'))(clientId));
    const clock = createClock();
    const { askAll } = createAsker(store, { client: clientAt(api, clientId), clientId }, clock);
    const asked: number[] = [];
    for (let days = 0; days < 40; days += 0.25) {
      clock.advance(6 * HOUR);
      asked.push((await askAll()).length);
    }
    expect(asked.reduce((sum, one) => sum + one)).toBe(5);
    expect(await planned(store, clientId, id)).toMatchObject({ dueAt: null, attempts: 5 });
    // Not even after a time in which the service was down.
    expect(await askAll({ isBack: true })).toEqual([]);
  });

  test('what the database refuses to apply: it is kept, and somebody has to look at it', async () => {
    const clientId = 'SANDBOX_refused';
    const [id = ''] = await registerMany(store, 1, clientId);
    api.reply(signed({ ...PAID, paymentId: 'P-refused', paymentRequestId: id })(clientId));
    const clock = createClock();
    clock.advance(HOUR);
    await database.sql(
      `create trigger refused before insert on orders when new.order_key = 'P-refused' and new.status <> 'PENDING' begin select raise(abort, 'refused'); end`,
    );
    const made = await createAsker(store, { client: clientAt(api, clientId), clientId }, clock).askAll();
    await database.sql('drop trigger refused');
    expect(made).toMatchObject([{ inquired: { outcome: 'OK', recorded: { reading: { outcome: 'FAILED' } } } }]);
    const [order] = await store.findOrders({ clientId, id: 'P-refused' });
    expect(order).toMatchObject({ status: 'PENDING', nextAction: 'REVIEW' });
  });
});

/** How many inquiries of this store are taken and not yet written down again, those that are being taken as well. */
const counting = (of: Store) => {
  let underWay = 0;
  const claimInquiry: Store['claimInquiry'] = async (claim) => {
    underWay += 1;
    const claiming = await of.claimInquiry(claim);
    if (claiming.kind !== 'claimed') underWay -= 1;
    return claiming;
  };
  const keepInquiry: Store['keepInquiry'] = async (kept) => {
    const isKept = await of.keepInquiry(kept);
    underWay -= 1;
    return isKept;
  };
  return { counted: { ...of, claimInquiry, keepInquiry }, underWay: () => underWay };
};

/** The reconciler as a service runs it, by a clock that the test moves; it looks often. */
const startLooking = (clientId: string, others: readonly string[] = []) => {
  const clock = createClock();
  clock.advance(HOUR);
  const told: string[] = [];
  const made: Made[] = [];
  const { counted, underWay } = counting(store);
  const clients = new Map([clientId, ...others].map((one) => [one, clientAt(api, one)]));
  const reconciler = startReconciler(clients, {
    store: counted,
    perSecond: 100,
    now: clock.now,
    lookEveryMs: 20,
    report: {
      began: (clientIds) => void told.push(`began ${clientIds.join(' ')}`),
      made: (one) => void made.push(one),
      turned: (turn) => void told.push(turn),
      back: () => void told.push('back'),
      failed: (error) => void told.push(String(error)),
    },
  });
  return { clock, told, made, underWay, reconciler };
};

describe('the service', () => {
  test('holds inquiries back while the API is away, tries one after a pause, and goes on', async () => {
    const clientId = 'SANDBOX_away';
    // More than are under way at once: however slow the API is, some are left to try with.
    const ids = await registerMany(store, 24, clientId);
    api.reply((_request, response) => void response.writeHead(503).end());
    const { clock, told, made, underWay, reconciler } = startLooking(clientId);
    const turned = async (turn: string, count: number): Promise<void> => {
      await eventually(
        turn,
        () => told.filter((one) => one === turn).length,
        (times) => times === count,
      );
    };
    await turned('opens', 1);
    const { [clientId]: held } = await eventually(
      'told',
      async () => await recallHeldBack(store),
      (all) => clientId in all,
    );
    expect(held).toEqual({
      since: new Date(clock.now()).toISOString(),
      until: new Date(clock.now() + 30_000).toISOString(),
      code: 'HTTP_STATUS 503',
    });
    // What was under way when it opened comes to its end.
    await eventually('nothing under way', underWay, (count) => count === 0);
    const before = api.seen.length;
    // Several turns of the client would fit into its answer.
    api.reply((_request, response) => void setTimeout(() => response.writeHead(503).end(), 100));
    clock.advance(30_000);
    await turned('stays open', 1);
    expect(api.seen).toHaveLength(before + 1);
    api.reply(signed(said('F', 'ORDER_NOT_EXIST'))(clientId));
    clock.advance(60_000);
    await turned('closes', 1);
    // Those that had no answer, too, a quarter of an hour later.
    clock.advance(20 * MINUTE);
    const answered = () =>
      new Set(made.flatMap(({ key, inquired }) => (inquired.outcome === 'FAILED' ? [key.id] : [])));
    await eventually('all are answered', answered, ({ size }) => size === ids.length);
    await reconciler.stop();
    expect(await recallHeldBack(store)).toEqual({});
  });

  test('goes on where one cannot be stored, and asks for other clients once their keys are read', async () => {
    const [clientId, other] = ['SANDBOX_sick', 'SANDBOX_well'];
    const [sick = '', ...ids] = await registerMany(store, 4, clientId);
    const [theirs = ''] = await registerMany(store, 1, other);
    await database.sql(
      `create trigger sick before insert on notifications when new.asked like '%"${sick}"%' begin select raise(abort, 'sick'); end`,
    );
    api.reply((request, response) => {
      const asking = String(request.headers['client-id']);
      signed(said('F', 'ORDER_NOT_EXIST'))(asking)(request, response);
    });
    const { told, made, reconciler, clock } = startLooking(clientId);
    const asked = () => made.map(({ key }) => key.id.trim()).toSorted();
    await eventually('the others', asked, (all) => all.length === 3);
    expect(asked()).toEqual([...ids].toSorted());
    const failures = () => told.filter((one) => one === 'StoreRejectedError: sick');
    await eventually('one failure', failures, (all) => all.length === 1);
    reconciler.use(new Map([clientId, other].map((one) => [one, clientAt(api, one)])));
    await eventually('their order', asked, (all) => all.includes(theirs));
    expect(told.filter((one) => one.startsWith('began'))).toEqual([`began ${clientId}`, `began ${clientId} ${other}`]);
    expect(await planned(store, clientId, sick)).toMatchObject({ attempts: 0, askedAt: null });
    expect((await planned(store, clientId, sick))?.dueAt).toBeGreaterThan(clock.now());
    await reconciler.stop();
    await database.sql('drop trigger sick');
  });
});
