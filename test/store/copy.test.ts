import { setTimeout as after } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { handlers } from '../../src/handlers/index.ts';
import type { Order } from '../../src/order/order.ts';
import { DERIVATION } from '../../src/order/rules.ts';
import { SETTING, writeRules } from '../../src/store/setting.ts';
import {
  COPIED,
  type Copied,
  InvalidCursorError,
  type Move,
  type Page,
  type PageRequest,
  type ShopStatement,
  type Store,
  type StoredNotification,
  type StoredUnverified,
} from '../../src/store/store.ts';
import { isDerivedBy, putRulesInForce, rememberDerivedBy } from '../../src/upkeep/in-force.ts';
import { copyStore, type CopyReport, noteInUse } from '../../src/upkeep/copy.ts';
import { createRedriving } from '../../src/upkeep/redrive.ts';
import { removeOld } from '../../src/upkeep/retention.ts';
import { verifyStore } from '../../src/upkeep/verify-store.ts';
import { answerTo, captureResult, CLIENT, jpy, paymentAnswer, paymentResult, TRUST } from '../support/facts.ts';
import { type Databases, type Make, openDatabases, type TestDatabase } from './databases.ts';
import { failingHandlers } from './failing-handlers.ts';
import {
  AMPLE,
  delivery,
  derived,
  follow,
  later,
  notificationsOf,
  order,
  rebuildAll,
  record,
  recordBy,
  registration,
  RULES,
  unverified,
  paid,
} from './support.ts';

let databases: Databases;
beforeAll(async () => {
  databases = await openDatabases();
});
afterEach(async () => await databases.closeAll());
afterAll(async () => await databases.remove());

/** Each is once the source, and once the target. */
const PAIRS: readonly (readonly [Make, Make])[] = [
  ['SQLite', 'PostgreSQL'],
  ['PostgreSQL', 'SQLite'],
];

const captured = (number: number) =>
  captureResult('S', { paymentId: `P${number}`, captureId: `C${number}`, captureAmount: jpy('100') });

const ODD = {
  target: '/p\u00e4y?q=\u00ff',
  clientIds: ['a', 'b"\\'],
  requestTimes: [],
  signatures: ['\u0080{NULL}'],
  body: Buffer.from([0, 1, 255, 34, 92]),
};

const inquired = async (store: Store, number: number, status: string) =>
  await store.recordInquiry({
    read: answerTo(
      { operation: 'inquiryPayment', paymentRequestId: `R${number}` },
      JSON.stringify(paymentAnswer(status, { paymentId: `P${number}`, paymentRequestId: `R${number}` })),
    ),
    receivedAt: later(number),
  });

const UNDER_WAY: Move = {
  clientId: CLIENT,
  kind: 'capture',
  requestId: 'P3-1',
  paymentId: 'P3',
  amount: { currency: 'JPY', value: '40' },
  captureId: null,
  isLast: true,
  status: 'PROCESSING',
  attempts: 2,
  resultCode: 'UNKNOWN_EXCEPTION',
  reason: 'UNDECIDED',
  id: null,
  createdAt: later(10).toISOString(),
  updatedAt: later(11).toISOString(),
};
const MOVES: readonly Move[] = [
  UNDER_WAY,
  { ...UNDER_WAY, kind: 'refund', requestId: 'Q', captureId: 'C1', status: 'FAILED', reason: 'NEW_ID' },
  { ...UNDER_WAY, kind: 'cancel', requestId: 'P2-c1', paymentId: 'P2', amount: null, status: 'SUCCEEDED' },
];

/** Something of everything: all outcomes, two clients, resends, bytes that are gone, registrations of each sort. */
const fill = async (store: Store): Promise<void> => {
  for (const number of [3, 1, 2]) await record(store, paid(number));
  await inquired(store, 1, 'SUCCESS');
  await store.removeRaw(new Date('2999-01-01'), 100);
  await store.register(registration({ referenceOrderId: 'basket \u00fc' }), { replace: false, now: later(1) });
  await store.register(registration({ captureMode: 'MANUAL' }), { replace: true, now: later(2) });
  await store.register(registration(), { replace: true, now: later(2) });
  await store.register(registration({ paymentRequestId: 'lone' }), { replace: false, now: later(3) });
  await store.record(
    [
      delivery(captured(1), { at: later(7) }),
      delivery(captured(1), { at: later(4) }),
      delivery(paid(1), { clientId: 'T_other' }),
    ],
    AMPLE,
  );
  await record(
    store,
    '[]',
    { notifyType: 'OTHER' },
    Buffer.from([0xff, 0x00]),
    captureResult('S', { paymentId: 'P2' }),
  );
  await store.record([{ ...delivery(captured(3)), inapplicable: true }], AMPLE);
  await inquired(store, 71, 'CANCELLED');
  await store.record(
    [
      unverified(ODD, { at: later(5) }),
      unverified({}, { reason: 'UNKNOWN_CLIENT' }),
      unverified(ODD, { at: later(6) }),
    ],
    AMPLE,
  );
  await store.registerRefund(
    { clientId: CLIENT, refundRequestId: 'RR1', paymentId: 'P1', paymentRequestId: null },
    { replace: false, now: later(8) },
  );
  await store.sweep(new Date(), 100);
  const { revision } = await order(store, 'P2');
  await store.review({ clientId: CLIENT, id: 'P2', decision: 'CLOSE', revision, note: null }, new Date());
  await store.importMoves(MOVES, new Date());
  await putRulesInForce(store, RULES);
  await rememberDerivedBy(store, RULES);
};

interface Contents {
  /** In the order of their identifiers, without our commits. */
  readonly orders: readonly Omit<Order, 'revision' | 'updatedAt'>[];
  readonly moves: readonly Move[];
  readonly notifications: readonly StoredNotification[];
  readonly registrations: readonly ShopStatement[];
  readonly unverified: readonly StoredUnverified[];
}

const nameOf = ({ clientId, paymentId, paymentRequestId }: Order): string =>
  `${clientId} ${paymentId} ${paymentRequestId}`;

const withoutCommit = ({
  revision: _revision,
  updatedAt: _updated,
  ...rest
}: Order): Omit<Order, 'revision' | 'updatedAt'> => rest;

/** All that a store shows. */
const contentsOf = async (store: Store): Promise<Contents> => {
  const { orders } = await follow(store, { limit: 100 });
  return {
    orders: orders.toSorted((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1)).map(withoutCommit),
    moves: (await store.readMoves({ limit: 100, cursor: null })).items,
    notifications: await notificationsOf(store),
    registrations: (await store.readShopStatements({ limit: 100, cursor: null })).items,
    unverified: (await store.readUnverified({ limit: 100, cursor: null })).items,
  };
};

/** One run of the copy, as the command makes it. */
const copy = async (from: TestDatabase, to: TestDatabase): Promise<CopyReport> => {
  const [source, target] = [await from.source(), await to.open()];
  try {
    return await copyStore({ source, target });
  } finally {
    await target.close();
    await source.close();
  }
};

const counts = ({ copied }: CopyReport): readonly (readonly number[])[] =>
  COPIED.map((what) => [copied[what].source.count, copied[what].target.count]);

describe.each(PAIRS)('a copy from %s to %s', (make, otherMake) => {
  test('brings everything, to the byte and the millisecond', async () => {
    const [from, to] = [await databases.make(make), await databases.make(otherMake)];
    const source = await from.store();
    await fill(source);
    const before = await contentsOf(source);
    const report = await copy(from, to);
    expect(report).toMatchObject({ complete: true, resumed: false, inUse: false });
    expect(counts(report)).toEqual([
      [3, 3],
      [12, 12],
      [6, 6],
      [2, 2],
    ]);
    expect(before.orders).toHaveLength(6);

    const target = await to.store();
    expect(await contentsOf(target)).toEqual(before);
    expect(await contentsOf(source)).toEqual(before);
    expect(before.notifications.map(({ raw }) => raw === null)).toEqual([
      ...Array.from({ length: 4 }, () => true),
      ...Array.from({ length: 8 }, () => false),
    ]);
    expect(await rebuildAll(target)).toMatchObject({ changed: 0 });
    expect(
      await verifyStore(target, {
        ...TRUST,
        keys: new Map([
          [CLIENT, TRUST.keys.get(CLIENT) ?? []],
          ['T_other', TRUST.keys.get(CLIENT) ?? []],
        ]),
      }),
    ).toMatchObject({ verified: 8, failed: [], withoutBytes: 4, flaws: [] });
    const again = await target.register(registration(), { replace: false, now: later(99) });
    expect(again).toMatchObject({
      kind: 'unchanged',
      // Said in the same millisecond as what it replaced, so later than that.
      registration: { createdAt: later(1).toISOString(), updatedAt: later(2.001).toISOString() },
    });
  });

  test('run again, picks up what came since and leaves out what is gone', async () => {
    const [from, to] = [await databases.make(make), await databases.make(otherMake)];
    const source = await from.store();
    await fill(source);
    await copy(from, to);
    await record(
      source,
      captured(2),
      paid(1),
      paymentResult('S', { paymentId: 'P9', paymentRequestId: 'lone', paymentAmount: jpy('100') }),
    );
    await source.register(registration({ referenceOrderId: null }), { replace: true, now: later(9) });
    await source.register(registration({ paymentRequestId: 'R5' }), { replace: false, now: later(9) });
    const {
      items: [request],
    } = await source.readUnverified({ limit: 1, cursor: null });
    await source.promote([{ id: request?.id ?? '', read: delivery(captured(9)).read }], later(9));
    await source.removeRaw(new Date('2999-01-01'), 100);
    await source.sweep(new Date(), 100);
    const waiting = { status: 'PROCESSING', resultCode: null, reason: 'TIMEOUT', id: null, sent: true } as const;
    await source.keepMove(UNDER_WAY, { ...waiting, nextAttemptAt: 0 }, later(20));
    await source.importMoves([{ ...UNDER_WAY, requestId: 'P3-2' }], new Date());
    const report = await copy(from, to);
    expect(report).toMatchObject({ complete: true, resumed: false });
    expect(counts(report)).toEqual([
      [4, 4],
      [15, 15],
      [8, 8],
      [1, 1],
    ]);
    const target = await to.store();
    expect(await contentsOf(target)).toEqual(await contentsOf(source));
    expect(await rebuildAll(target)).toMatchObject({ changed: 0 });
  });
});

test('a move that is under way is taken up where the copy arrives, and what is final there stays', async () => {
  const [from, to] = [await databases.make('SQLite'), await databases.make('PostgreSQL')];
  const source = await from.store();
  await fill(source);
  await copy(from, to);
  const target = await to.store();
  await noteInUse(target);
  expect(await target.dueMoves(Date.now(), 9)).toEqual([UNDER_WAY]);
  const done = { status: 'SUCCEEDED', resultCode: 'SUCCESS', reason: null, id: 'A1', sent: true } as const;
  const kept = await target.keepMove(UNDER_WAY, { ...done, nextAttemptAt: 0 }, later(30));
  const failed = { status: 'FAILED', resultCode: 'AUTH_EXPIRED', reason: 'X', id: null, sent: true } as const;
  await source.keepMove(UNDER_WAY, { ...failed, nextAttemptAt: 0 }, later(40));
  expect(await copy(from, to)).toMatchObject({ complete: true, inUse: true });
  expect(await target.listMoves(CLIENT, UNDER_WAY.paymentId)).toContainEqual(kept);
  expect(kept).toMatchObject({ status: 'SUCCEEDED', attempts: 3, id: 'A1' });
});

test('a review that was taken back here does not come again from where it stands', async () => {
  const [from, to] = [await databases.make('SQLite'), await databases.make('SQLite')];
  const source = await from.store();
  await fill(source);
  await copy(from, to);
  const target = await to.store();
  const name = { clientId: CLIENT, id: 'P2' };
  expect(await target.withdrawReview(name, new Date())).toMatchObject({ kind: 'withdrawn', order: { review: null } });
  const standing = (await source.readShopStatements({ limit: 99, cursor: null })).items;
  await target.importShopStatements(standing, new Date());
  expect(await order(target, 'P2')).toMatchObject({ review: null });
});

test.each(['SQLite', 'PostgreSQL'] as const)(
  'a review that was taken back here (%s) does not come again from an older one that stands elsewhere',
  async (make) => {
    const [from, to] = [await databases.make('SQLite'), await databases.make(make)];
    const [source, target] = [await from.store(), await to.store()];
    const name = { clientId: CLIENT, id: 'P1' };
    const fulfil = async (store: Store, seconds: number) => {
      const { revision } = await order(store, 'P1');
      const request = { ...name, decision: 'FULFIL', revision, note: `${seconds}` } as const;
      expect(await store.review(request, later(seconds))).toMatchObject({ order: { fulfillable: true } });
    };
    for (const store of [source, target])
      await record(store, paid(1), captured(1), paymentResult('F', { paymentId: 'P1', paymentRequestId: 'R1' }));
    await fulfil(target, 30);
    await target.withdrawReview(name, later(35));
    await fulfil(source, 40);
    await fulfil(target, 45);
    await target.withdrawReview(name, later(50));
    for (const _again of [1, 2]) {
      await mergeInto(source, target);
      expect(await order(target, 'P1')).toMatchObject({ fulfillable: false, review: null });
    }
    expect((await contentsOf(target)).registrations).toHaveLength(3);
    await source.withdrawReview(name, later(55));
    await fulfil(source, 60);
    await mergeInto(source, target);
    expect(await order(target, 'P1')).toMatchObject({ fulfillable: true, review: { note: '60' } });
    // And what stands here ends with what was said and taken back elsewhere since.
    await source.withdrawReview(name, later(65));
    await fulfil(source, 70);
    await source.withdrawReview(name, later(75));
    await target.withdrawReview(name, later(62));
    await fulfil(target, 68);
    for (const _again of [1, 2]) {
      await mergeInto(source, target);
      expect(await order(target, 'P1')).toMatchObject({ fulfillable: false, review: null });
    }
  },
);

const saidAt = async (store: Store): Promise<readonly string[]> =>
  (await store.readShopStatements({ limit: 99, cursor: null })).items
    .toSorted((a, b) => (a.updatedAt < b.updatedAt ? -1 : 1))
    .map(({ target, replacedAt }) => `${target} ${replacedAt === null ? 'stands' : 'stood'}`);

const said = async (store: Store, referenceOrderId: string, seconds: number) =>
  await store.register(registration({ referenceOrderId }), { replace: true, now: later(seconds) });
const mergeInto = async (source: Store, target: Store) =>
  expect(await copyStore({ source, target, merge: true })).toMatchObject({ complete: true });

describe.each(['SQLite', 'PostgreSQL'] as const)('of two that the shop said under one id (%s)', (make) => {
  const both = async () => {
    const [one, other] = [await (await databases.make('SQLite')).store(), await (await databases.make(make)).store()];
    await record(other, paid(1));
    return { one, other };
  };

  test('the younger stands and the other stays on record, whichever way they are merged', async () => {
    for (const isThere of [false, true]) {
      const { one, other } = await both();
      const [older, younger] = isThere ? [other, one] : [one, other];
      await said(older, 'a', 1);
      // What it replaced ended when it was said.
      await said(younger, 'b', 2);
      await said(younger, 'c', 3);
      for (const _again of [1, 2]) {
        for (const [source, target] of [
          [one, other],
          [other, one],
        ] as const) {
          await mergeInto(source, target);
          expect(await saidAt(target)).toEqual(['a stood', 'b stood', 'c stands']);
        }
      }
      expect(await contentsOf(one)).toEqual(await contentsOf(other));
      expect(await order(other, 'P1')).toMatchObject({ referenceOrderId: 'c' });
      const { items } = await other.readShopStatements({ limit: 1, cursor: null });
      expect(items).toMatchObject([{ replacedAt: null, createdAt: later(1).toISOString() }]);
    }
  });

  test('the same stands once', async () => {
    const { one, other } = await both();
    for (const store of [one, other]) await said(store, 'a', 1);
    await said(one, 'b', 2);
    await said(other, 'b', 3);
    for (const _again of [1, 2]) {
      await mergeInto(one, other);
      expect(await saidAt(other)).toEqual(['a stood', 'b stands']);
    }
    await mergeInto(other, one);
    expect((await contentsOf(one)).registrations).toEqual((await contentsOf(other)).registrations);
  });

  test('one of the millisecond in which another was replaced stands, and all others are kept', async () => {
    const { one, other } = await both();
    await said(other, 'a', 1);
    await said(other, 'b', 2);
    await said(one, 'c', 2);
    await mergeInto(one, other);
    expect((await saidAt(other)).toSorted()).toEqual(['a stood', 'b stood', 'c stands']);
  });

  test('what stands here and was taken back there is taken back, and is there once', async () => {
    const { one, other } = await both();
    await record(one, paid(1));
    const name = { clientId: CLIENT, id: 'P1' };
    const { revision } = await order(one, 'P1');
    await one.review({ ...name, decision: 'CLOSE', revision, note: null }, later(1));
    await mergeInto(one, other);
    await one.withdrawReview(name, later(2));
    await mergeInto(one, other);
    const [here, there] = [other, one].map(
      async (store) => (await store.readShopStatements({ limit: 9, cursor: null })).items,
    );
    expect(await here).toMatchObject([{ about: 'review', replacedAt: later(2).toISOString() }]);
    expect(await here).toEqual(await there);
  });

  test('what is said again in the same millisecond, or while the clock goes back, is said later', async () => {
    for (const isThere of [false, true]) {
      const { one, other } = await both();
      const [source, target] = isThere ? [other, one] : [one, other];
      for (const [text, seconds] of [
        ['a', 1],
        ['b', 1],
        ['a', 1],
        ['b', 0],
      ] as const)
        await said(source, text, seconds);
      const { registrations } = await contentsOf(source);
      expect(new Set(registrations.map(({ updatedAt }) => updatedAt)).size).toBe(4);
      for (const _again of [1, 2]) {
        await mergeInto(source, target);
        expect((await contentsOf(target)).registrations).toEqual(registrations);
        expect(await saidAt(target)).toEqual(['a stood', 'b stood', 'a stood', 'b stands']);
      }
    }
  });

  test('the older one is kept also where something was replaced in each of the milliseconds before', async () => {
    const { one, other } = await both();
    for (const text of ['a', 'b', 'c', 'd']) await said(one, text, 1);
    await said(other, 'z', 1);
    for (const _again of [1, 2]) {
      await mergeInto(one, other);
      expect((await saidAt(other)).toSorted()).toEqual(['a stood', 'b stood', 'c stood', 'd stands', 'z stood']);
      await mergeInto(other, one);
      expect((await saidAt(one)).toSorted()).toEqual(await saidAt(other).then((all) => all.toSorted()));
    }
  });

  test('what was replaced several times since it was copied is as at the source', async () => {
    const { one, other } = await both();
    await said(one, '1', 1);
    await mergeInto(one, other);
    for (const number of [2, 3, 4]) await said(one, `${number}`, number);
    await mergeInto(one, other);
    expect((await contentsOf(other)).registrations).toEqual((await contentsOf(one)).registrations);
    // A page may end between what stands and what it replaced.
    const { items } = await one.readShopStatements({ limit: 99, cursor: null });
    const third = await (await databases.make(make)).store();
    await said(third, '1', 1);
    for (const statement of items) await third.importShopStatements([statement], new Date());
    expect((await contentsOf(third)).registrations).toEqual(items);
    // What was replaced while a copy was made comes before what stands, which comes with the next one.
    const fourth = await (await databases.make(make)).store();
    for (const statement of items.toReversed()) await fourth.importShopStatements([statement], new Date());
    expect((await contentsOf(fourth)).registrations).toEqual(items);
  });
});

test.each(['SQLite', 'PostgreSQL'] as const)(
  'an unverified request that has moved at the target (%s) does not come again, but another of the same body',
  async (make) => {
    const [from, to] = [await databases.make('SQLite'), await databases.make(make)];
    const [source, target] = [await from.store(), await to.store()];
    const { read } = delivery(paid(1));
    const { requestTime, signature, ...rest } = read.raw;
    const genuine = { ...rest, clientIds: [CLIENT], requestTimes: [requestTime], signatures: [signature] };
    await source.record([unverified(genuine), unverified(genuine), unverified(genuine)], AMPLE);
    await source.record([unverified({ ...genuine, signatures: ['forged'] })], AMPLE);
    for (const number of [1, 2, 3]) {
      await mergeInto(source, target);
      const { items } = await target.readUnverified({ limit: 9, cursor: null });
      const moved = items.filter(({ request }) => request.signatures[0] === signature);
      await target.promote(
        moved.map(({ id }) => ({ id, read })),
        later(number),
      );
      expect([number, (await notificationsOf(target)).map(({ deliveries }) => deliveries)]).toEqual([number, [3]]);
      expect(items.map(({ request }) => request.signatures[0])).toContain('forged');
    }
    const signatures = async () =>
      (await target.readUnverified({ limit: 9, cursor: null })).items.map(({ request }) => request.signatures[0]);
    await source.record([unverified({ ...genuine, signatures: ['forged since'] })], AMPLE);
    await mergeInto(source, target);
    expect(await signatures()).toEqual(['forged', 'forged since']);
    // Without its bytes nobody can tell.
    await target.removeRaw(new Date('2999-01-01'), 100);
    await mergeInto(source, target);
    expect(await signatures()).toEqual(['forged', 'forged since', signature]);
  },
);

test.each(['SQLite', 'PostgreSQL'] as const)(
  'what both stores received has the most deliveries, the first and the last receipt of both (%s)',
  async (make) => {
    const [from, to] = [await databases.make('SQLite'), await databases.make(make)];
    const [source, target] = [await from.store(), await to.store()];
    for (const [store, number, seconds] of [
      [source, 1, [4, 5, 6]],
      [target, 1, [1, 9]],
      [source, 2, [2]],
      [target, 2, [4, 5]],
    ] as const)
      for (const at of seconds.map(later))
        await store.record([delivery(paid(number), { at }), unverified({ target: `/${number}` }, { at })], AMPLE);
    await mergeInto(source, target);
    const extremes = [
      { deliveries: 3, firstReceivedAt: later(1).toISOString(), lastReceivedAt: later(9).toISOString() },
      { deliveries: 2, firstReceivedAt: later(2).toISOString(), lastReceivedAt: later(5).toISOString() },
    ];
    expect(await notificationsOf(target)).toMatchObject(extremes);
    expect((await target.readUnverified({ limit: 9, cursor: null })).items).toMatchObject(extremes);
  },
);

const readingsOf = async (store: Store): Promise<readonly string[]> =>
  (await notificationsOf(store)).map(({ kind, outcome, raw }) => `${kind} ${outcome}${raw === null ? '' : ' bytes'}`);

describe.each(['SQLite', 'PostgreSQL'] as const)('what is read better at the target (%s)', (make) => {
  const fault = { result: { resultStatus: 'S', resultCode: 'FAULT', resultMessage: '' } };
  const old = { FAILED: failingHandlers, UNHANDLED: handlers.filter(({ kind }) => kind !== 'CAPTURE') };
  const begin = async (outcome: keyof typeof old) => {
    const [from, to] = [await databases.make('SQLite'), await databases.make(make)];
    const [source, target] = [await from.store(), await to.store()];
    await recordBy(source, old[outcome], paid(1), { ...captured(1), ...fault });
    return { source, target };
  };
  test.each(['FAILED', 'UNHANDLED'] as const)('stays, where it is %s at the source', async (outcome) => {
    const { source, target } = await begin(outcome);
    await copyStore({ source, target });
    await noteInUse(target);
    await createRedriving(target, handlers).redriveAll(outcome);
    const stands = ['PAYMENT APPLIED', 'CAPTURE APPLIED'];
    expect(await readingsOf(target)).toEqual(stands.map((one) => `${one} bytes`));
    await removeOld({ store: target, rules: { retentionDays: 30, unverifiedRetentionDays: 30 } }, new Date());
    for (const merge of [false, true, true]) {
      expect(await copyStore({ source, target, merge })).toMatchObject({ complete: true });
      expect(await readingsOf(target)).toEqual(stands);
      expect(await order(target, 'P1')).toMatchObject({ status: 'CAPTURED', fulfillable: true });
    }
  });

  test.each(['FAILED', 'UNHANDLED'] as const)('comes, where it is %s at the target', async (outcome) => {
    const { source, target } = await begin(outcome);
    await recordBy(target, old[outcome], paid(1), { ...captured(1), ...fault });
    await createRedriving(source, handlers).redriveAll(outcome);
    await copyStore({ source, target, merge: true });
    expect(await order(target, 'P1')).toMatchObject({ status: 'CAPTURED', fulfillable: true });
    expect(await rebuildAll(target)).toMatchObject({ changed: 0 });
  });

  test('comes of the bytes that only the source has still, and not from a source without them', async () => {
    const { source, target } = await begin('UNHANDLED');
    await recordBy(target, old.UNHANDLED, paid(1), { ...captured(1), ...fault });
    await target.removeRaw(new Date('2999-01-01'), 100);
    for (const number of [1, 2]) {
      await copyStore({ source, target, merge: true });
      expect([number, await readingsOf(target)]).toEqual([number, ['PAYMENT APPLIED', 'UNKNOWN UNHANDLED bytes']]);
    }
    await source.removeRaw(new Date('2999-01-01'), 100);
    await copyStore({ source, target, merge: true });
    expect(await verifyStore(target, TRUST)).toMatchObject({ verified: 1, failed: [], withoutBytes: 1, flaws: [] });
    await createRedriving(target, handlers).redriveAll('UNHANDLED');
    expect(await order(target, 'P1')).toMatchObject({ status: 'CAPTURED', fulfillable: true });
  });
});

const pageOf = async (store: Store, what: Copied, page: PageRequest): Promise<Page<unknown>> => {
  switch (what) {
    case 'moves':
      return await store.readMoves(page);
    case 'notifications':
      return await store.readNotifications({ kind: null, outcome: null, clientId: null, id: null }, page);
    case 'shop_statements':
      return await store.readShopStatements(page);
    case 'unverified':
      return await store.readUnverified(page);
  }
};

/** Every row, read in pages. */
const readAll = async (store: Store, what: Copied, limit: number): Promise<readonly unknown[]> => {
  const rows: unknown[] = [];
  for (let cursor: string | null = null; ;) {
    const page: Page<unknown> = await pageOf(store, what, { limit, cursor });
    rows.push(...page.items);
    if (page.next === null) return rows;
    cursor = page.next;
  }
};

test.each(['SQLite', 'PostgreSQL'] as const)(
  'what %s gives out does not depend on the size of the pages, nor on a cursor of somebody else; it takes nothing in',
  async (make) => {
    const from = await databases.make(make);
    await fill(await from.store());
    const source = await from.source();
    try {
      for (const what of COPIED) {
        const whole = await readAll(source, what, 100);
        expect(whole).toHaveLength(await source.count(what));
        for (const limit of [1, 2, 3]) expect(await readAll(source, what, limit)).toEqual(whole);
        for (const cursor of ['', 'x', '[x]', '{}', '[]', '[null]', '["a","b","c","d"]']) {
          await expect(pageOf(source, what, { limit: 1, cursor })).rejects.toThrow(InvalidCursorError);
        }
      }
      await expect(source.remember('a', 'b')).rejects.toThrow();
      const another = registration({ referenceOrderId: 'another' });
      await expect(source.register(another, { replace: true, now: later(99) })).rejects.toThrow();
    } finally {
      await source.close();
    }
  },
);

const filled = async (): Promise<TestDatabase> => {
  const from = await databases.make('SQLite');
  await fill(await from.store());
  return from;
};

describe('a copy', () => {
  test('refuses a target that holds anything else', async () => {
    const from = await filled();
    const foreign = await databases.make('PostgreSQL');
    await (await foreign.store()).register(registration(), { replace: false, now: later(0) });
    await expect(copy(from, foreign)).rejects.toThrow(
      'the target holds shop statements that are not from this copy: choose an empty database',
    );
    await expect(copy(from, from)).rejects.toThrow('the same database');
    const taken = await databases.make('PostgreSQL');
    await copy(from, taken);
    const another = await filled();
    await expect(copy(another, taken)).rejects.toThrow(/^the target holds a copy of sqlite:.*, not of sqlite:/);
  });

  test('says in what the two differ', async () => {
    const from = await filled();
    const to = await databases.make('PostgreSQL');
    await copy(from, to);
    await to.sql("update notifications set deliveries = deliveries + 9 where payment_id = 'P1' and kind = 'CAPTURE'");
    await to.sql("update unverified set body = '\\x00'");
    const { complete, copied } = await copy(from, to);
    expect(complete).toBe(false);
    expect(COPIED.filter((what) => !copied[what].equal)).toEqual(['notifications']);
    expect(copied.notifications.source.count).toBe(copied.notifications.target.count);
  });

  test('mends what somebody removed or changed at the target, but for counts that have grown', async () => {
    const from = await filled();
    const to = await databases.make('PostgreSQL');
    const first = await copy(from, to);
    for (const statement of [
      "delete from notifications where outcome = 'UNHANDLED'",
      "update notifications set problem = 'another' where problem is not null",
      'delete from shop_statements',
      "update orders set status = 'FAILED', content = '{}'",
    ])
      await to.sql(statement);
    const { complete, copied } = await copy(from, to);
    expect({ complete, digest: copied.notifications.target.digest }).toEqual({
      complete: true,
      digest: first.copied.notifications.target.digest,
    });
  });

  test.each(['SQLite', 'PostgreSQL'] as const)(
    'brings the rest to a service that is on the target (%s) by now, and takes nothing from it',
    async (make) => {
      const from = await filled();
      const to = await databases.make(make);
      await copy(from, to);
      const [source, target] = [await from.store(), await to.store()];
      expect(await noteInUse(source)).toBe(false);
      expect(await noteInUse(target)).toBe(false);

      // The last that the old place received, and the first that the new one does.
      await record(source, captured(2), paid(4));
      await record(target, captured(4), paid(1), paid(8), captured(8));
      await target.record([unverified({ target: '/new' })], AMPLE);
      await target.register(registration({ referenceOrderId: 'new' }), { replace: true, now: later(50) });
      await after(5);
      expect(await copy(from, to)).toMatchObject({ complete: true, inUse: true });

      expect(await order(target, 'P2')).toMatchObject({ status: 'CAPTURED' });
      expect(await order(target, 'P4')).toMatchObject({ status: 'CAPTURED', fulfillable: true });
      expect(await order(target, 'P8')).toMatchObject({ status: 'CAPTURED', fulfillable: true });
      expect(await order(target, 'P1')).toMatchObject({ referenceOrderId: 'new' });
      expect(derived(await order(target, 'P3'))).toEqual(derived(await order(source, 'P3')));
      expect(
        (await notificationsOf(target)).filter(({ paymentId, kind }) => paymentId === 'P1' && kind === 'PAYMENT'),
      ).toMatchObject([{ deliveries: 2 }, {}]);
      expect((await target.listUnverified(null, { limit: 9, cursor: null })).items).toHaveLength(3);
      expect(await rebuildAll(target)).toMatchObject({ changed: 0 });
    },
  );

  test.each(['SQLite', 'PostgreSQL'] as const)(
    'says that all orders (%s) were derived where it did so itself, and no other version or service did',
    async (make) => {
      const [from, to] = [await filled(), await databases.make(make)];
      const [source, target] = [await from.store(), await to.store()];
      await copyStore({ source, target });
      expect(await isDerivedBy(target, RULES)).toBe(true);
      const another = { number: 1, derivation: DERIVATION - 1, rules: RULES };
      await target.remember(SETTING.rules, writeRules(another));
      await record(source, paid(9));
      await copyStore({ source, target });
      expect(await isDerivedBy(target, RULES)).toBe(false);

      await target.remember(SETTING.rules, writeRules({ ...another, derivation: DERIVATION }));
      await noteInUse(target);
      await copyStore({ source, target });
      expect(await isDerivedBy(target, RULES)).toBe(false);
    },
  );

  test.each(['SQLite', 'PostgreSQL'] as const)(
    'takes nothing from a service that starts on the target (%s) while it runs',
    async (make) => {
      const from = await filled();
      const to = await databases.make(make);
      const [source, target] = [await from.store(), await to.store()];
      await copyStore({ source, target });
      const readNotifications: Store['readNotifications'] = async (...values) => {
        await noteInUse(target);
        await target.record([unverified({ target: '/new' })], AMPLE);
        return await source.readNotifications(...values);
      };
      const report = await copyStore({ source: { ...source, readNotifications }, target });
      expect(report).toMatchObject({ complete: true, inUse: true });
      expect(report.copied.unverified).toMatchObject({ source: { count: 2 }, target: { count: 3 } });
    },
  );

  test.each(['SQLite', 'PostgreSQL'] as const)(
    'takes nothing from a service that was on the target (%s) before it began',
    async (make) => {
      const [from, to] = [await filled(), await databases.make(make)];
      const [source, target] = [await from.store(), await to.store()];
      await noteInUse(target);
      const readMoves: Store['readMoves'] = async (...values) => {
        if ((await target.count('unverified')) === 0) await target.record([unverified({ target: '/new' })], AMPLE);
        return await source.readMoves(...values);
      };
      const report = await copyStore({ source: { ...source, readMoves }, target });
      expect(report).toMatchObject({ complete: true, inUse: true });
      expect(report.copied.unverified).toMatchObject({ source: { count: 2 }, target: { count: 3 } });
    },
  );

  test.each(['SQLite', 'PostgreSQL'] as const)(
    'takes nothing from a service that went on by itself where its name leads to the target (%s) now',
    async (make) => {
      const [from, to] = [await filled(), await databases.make(make)];
      const [source, target] = [await from.store(), await to.store()];
      await copyStore({ source, target });
      expect(await target.recall('copy in use')).toBeNull();
      const unhandled = { notifyType: 'ANOTHER' };
      await record(source, unhandled);
      await source.removeRaw(new Date('2999-01-01'), 100);
      await source.purgeUnverified('UNKNOWN_CLIENT');

      const stored = [
        unverified({}, { reason: 'UNKNOWN_CLIENT' }),
        unverified({ target: '/new' }),
        delivery(unhandled),
      ];
      for (const [index, one] of stored.entries()) {
        // Each by itself makes the copy leave what is here.
        await to.sql("delete from settings where name = 'copy in use'");
        await target.record([one], AMPLE);
        expect([index, await target.recall('copy in use')]).toEqual([index, 'true']);
      }
      const report = await copyStore({ source, target });
      expect(report).toMatchObject({ complete: true, inUse: true });
      expect(report.copied.unverified).toMatchObject({ source: { count: 1 }, target: { count: 3 } });
      expect((await notificationsOf(target)).at(-1)).toMatchObject({ outcome: 'UNHANDLED', raw: { method: 'POST' } });
    },
  );

  test('into a target in use has not ended while the source still receives', async () => {
    const [from, to] = [await filled(), await databases.make('SQLite')];
    const [source, target] = [await from.store(), await to.store()];
    await noteInUse(target);
    let number = 100;
    const readNotifications: Store['readNotifications'] = async (...values) => {
      await record(source, paid((number += 1)));
      return await source.readNotifications(...values);
    };
    const busy = { ...source, readNotifications };
    expect(await copyStore({ source: busy, target })).toMatchObject({ complete: false, inUse: true });
    expect(await copyStore({ source, target })).toMatchObject({ complete: true, inUse: true });
  });

  test.each(['SQLite', 'PostgreSQL'] as const)(
    'has a target in use (%s) also where all that this received fails verification',
    async (make) => {
      const target = await (await databases.make(make)).store();
      const unlessInUse = { before: null, signed: true, unlessInUse: true } as const;
      const read = async () => (await target.readUnverified({ limit: 9, cursor: null })).items.length;
      await target.record([unverified()], AMPLE);
      expect([await target.purgeUnverified(null, unlessInUse), await read()]).toEqual([0, 1]);
    },
  );

  test('that was interrupted among the unverified keeps those that it had brought', async () => {
    const [from, to] = [await databases.make('SQLite'), await databases.make('SQLite')];
    const [source, target] = [await from.store(), await to.store()];
    const many = Array.from({ length: 300 }, (_, number) => unverified({ target: `/${number}` }));
    await source.record(many, AMPLE);
    const interrupted = copyStore({
      source,
      target,
      onProgress: ({ step, what }) => {
        if (step === 'copying' && what === 'unverified') throw new Error('interrupted');
      },
    });
    await expect(interrupted).rejects.toThrow('interrupted');
    expect(await copyStore({ source, target })).toMatchObject({ resumed: true, complete: true });
  });

  test('of a database that this program cannot read is refused', async () => {
    const nothing = await databases.make('PostgreSQL');
    await expect(nothing.source()).rejects.toThrow('this is no database of paynotify');
    const from = await filled();
    await databases.closeAll();
    await from.sql('update migrations set oldest_program = 99');
    await expect(from.source()).rejects.toThrow('needs a newer paynotify');
  });
});
