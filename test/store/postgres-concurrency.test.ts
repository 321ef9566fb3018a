import { describe, expect, test } from '@jest/globals';
import { setImmediate as turn } from 'node:timers/promises';
import { createInbox } from '../../src/inbox/inbox.ts';
import { orderLock } from '../../src/store/lock.ts';
import { bitsOf } from '../../src/store/postgres/locks.ts';
import { openPostgres } from '../../src/store/postgres/postgres-store.ts';
import { type Store, StoreUnusableError, type UnverifiedDelivery } from '../../src/store/store.ts';
import { eventually } from '../support/client.ts';
import { captureResult, CLIENT, jpy, notificationsOfPayment, paymentResult, shuffled } from '../support/facts.ts';
import { admitted, submit, submitTogether } from '../support/inbox.ts';
import { sql } from '../support/postgres.ts';
import { useOwnDatabase } from './own-database.ts';
import {
  ANY_ORDER,
  AMPLE,
  codes,
  delivery,
  derived,
  follow,
  idsOf,
  later,
  notificationsOf,
  order,
  readAgain,
  record,
  rebuildAll,
  RULES,
  isStored,
  sharesOf,
  unverified,
} from './support.ts';

const own = useOwnDatabase();
const { hold } = own;

const open = async (count = 1): Promise<readonly [Store, ...Store[]]> => {
  const opened = await Promise.all(Array.from({ length: count }, async () => await own.open()));
  return opened as unknown as readonly [Store, ...Store[]];
};

const chunks = <T>(items: readonly T[], size: number): readonly (readonly T[])[] =>
  Array.from({ length: Math.ceil(items.length / size) }, (_, index) => items.slice(index * size, (index + 1) * size));

const sent = (number: number): UnverifiedDelivery => unverified({ body: Buffer.from(`body ${100 + number}`) });

const WAITING = {
  'a lock': 'not granted',
  'an advisory lock': "locktype = 'advisory' and not granted",
} as const;

const someoneWaits = async (forWhat: keyof typeof WAITING): Promise<void> => {
  const ask = async () => await sql(own.url, `select 1 from pg_locks where ${WAITING[forWhat]}`);
  await eventually(`a wait for ${forWhat}`, ask, ({ length }) => length > 0);
};

const deadlocks = async (): Promise<number> => {
  const [row] = await sql<{ deadlocks: string }>(
    own.url,
    'select deadlocks from pg_stat_database where datname = current_database()',
  );
  return Number(row?.deadlocks);
};

describe('many replicas on PostgreSQL', () => {
  test('a storm: 200 notifications, 8 times each, shuffled, on four replicas at once', async () => {
    const replicas = await open(4);
    const bodies = Array.from({ length: 50 }, (_, number) => notificationsOfPayment(number)).flat();
    const deliveries = shuffled(Array.from({ length: 8 }, () => bodies).flat());
    await Promise.all(
      replicas.flatMap((store, replica) =>
        [0, 1].map(async (lane) => {
          const mine = deliveries.filter((_, index) => index % 8 === replica * 2 + lane);
          for (const batch of chunks(mine, 17)) await record(store, ...batch);
        }),
      ),
    );
    const [store] = replicas;
    const stored = await notificationsOf(store);
    expect(stored).toHaveLength(200);
    expect(stored.reduce((sum, one) => sum + one.deliveries, 0)).toBe(1_600);
    const { orders } = await follow(store, { limit: 20 });
    expect(orders).toHaveLength(50);
    expect(new Set(orders.map(({ status }) => status))).toEqual(new Set(['CAPTURED']));
    expect(orders.filter(({ fulfillable }) => fulfillable)).toHaveLength(40);
    expect(orders.filter((one) => codes(one).includes('CONTRADICTORY_IDENTITY'))).toHaveLength(10);
    expect(await rebuildAll(store, 20)).toEqual({ orders: 50, changed: 0 });
    expect(await deadlocks()).toBe(0);
    expect(own.server.log()).not.toContain('deadlock');
  });

  test('batches with the same notifications in another sequence do not wait for each other in a circle', async () => {
    const [a, b] = (await open(2)) as readonly [Store, Store];
    await Promise.all([a.ping(), b.ping()]);
    for (const round of [1, 2, 3, 4, 5]) {
      const batch = Array.from({ length: 60 }, (_, n) => ({ notifyType: 'OTHER', n: round * 100 + n }));
      await Promise.all([record(a, ...batch), record(b, ...batch.toReversed())]);
    }
    expect(await deadlocks()).toBe(0);
    expect(own.server.log()).not.toContain('deadlock');
  });

  test('two notifications of one payment at the same instant are both applied', async () => {
    const [a, b] = (await open(2)) as readonly [Store, Store];
    for (let number = 0; number < 10; number += 1) {
      const [, paid, first, second] = notificationsOfPayment(number * 10);
      await Promise.all([record(a, paid ?? {}), record(b, first ?? {}), record(a, second ?? {})]);
      expect(await order(a, `P${number * 10}`)).toMatchObject({
        status: 'CAPTURED',
        capturedAmount: jpy('100'),
        fulfillable: true,
      });
    }
  });

  test('a move under an id that another payment takes at the same instant is not begun', async () => {
    const [store] = await open();
    for (const id of ['P1', 'P2'])
      await record(store, paymentResult('S', { paymentId: id, paymentRequestId: id, paymentAmount: jpy('100') }));
    const begin = async (id: string) =>
      await store.beginMove(
        {
          clientId: CLIENT,
          id,
          kind: 'cancel',
          amount: null,
          requestId: 'Q',
          captureId: null,
          isLast: null,
          nextAttemptAt: 0,
        },
        new Date(),
      );
    expect(await begin('P1')).toMatchObject({ kind: 'begun' });
    await sql(own.url, 'create table taken as select * from moves; delete from moves');
    const holder = await hold('begin; insert into moves select * from taken');
    const begun = begin('P2');
    await someoneWaits('a lock');
    await holder.query('commit');
    expect(await begun).toMatchObject({ kind: 'conflict', move: { paymentId: 'P1' } });
  });

  test('payments that come to share an identifier at the same instant both show it', async () => {
    const [a, b] = (await open(2)) as readonly [Store, Store];
    for (const number of [1, 2, 3, 4, 5]) {
      const paid = (side: string) =>
        paymentResult('S', { paymentId: `${side}${number}`, paymentRequestId: `R${number}` });
      const captured = (side: string) =>
        captureResult('S', { paymentId: `${side}${number}c`, captureId: `C${number}` });
      await Promise.all([
        record(a, paid('A')),
        record(b, paid('B')),
        record(a, captured('A')),
        record(b, captured('B')),
      ]);
      for (const id of [`A${number}`, `B${number}`, `A${number}c`, `B${number}c`]) {
        expect(codes(await order(a, id))).toContain('CONTRADICTORY_IDENTITY');
      }
    }
  });

  test('the unverified store keeps its bounds over all replicas together', async () => {
    const replicas = await open(4);
    await replicas[0].record([sent(0)], AMPLE);
    const { OTHER_KEY } = await sharesOf(replicas[0]);
    // Half of it is for signatures by other keys.
    const bounds = { maxBytes: OTHER_KEY * 2 * 10 };
    const batches = replicas.map((_, replica) =>
      Array.from({ length: 8 }, (__, index) => sent(1 + replica * 8 + index)),
    );
    const results = await Promise.all(
      replicas.map(async (store, replica) => await store.record(batches[replica] ?? [], bounds)),
    );
    expect(results.flatMap((result) => result.results).filter(isStored)).toHaveLength(9);
    expect((await replicas[0].listUnverified(null, { limit: 99, cursor: null })).items).toHaveLength(10);
  });

  test('the same unverified request is promoted by one of them', async () => {
    const replicas = await open(4);
    await replicas[0].record([unverified()], AMPLE);
    const {
      items: [item],
    } = await replicas[0].readUnverified({ limit: 1, cursor: null });
    const promotion = { id: item?.id ?? '', read: delivery(paymentResult('S')).read };
    const moved = await Promise.all(replicas.map(async (store) => await store.promote([promotion], later(1))));
    expect(moved.reduce((sum, one) => sum + one, 0)).toBe(1);
    expect(await notificationsOf(replicas[0])).toMatchObject([{ deliveries: 1 }]);
  });

  test('a task runs on one at a time, and outlives the loss of its connection', async () => {
    const [a, b] = (await open(2)) as readonly [Store, Store];
    const run = await a.exclusively('redrive', async () => {
      expect(await b.exclusively('redrive', () => Promise.resolve('b'))).toBeNull();
      expect(await b.exclusively('another', () => Promise.resolve('b'))).toBe('b');
      await sql(
        own.url,
        "select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and database = (select oid from pg_database where datname = current_database())",
      );
      return 'a';
    });
    expect(run).toBe('a');
    expect(await b.exclusively('redrive', () => Promise.resolve('b'))).toBe('b');
  });

  test('reapplying passes over what another replica holds', async () => {
    const [store] = await open();
    await record(store, paymentResult('S'), { notifyType: 'OTHER' });
    const again = (await notificationsOf(store)).map((one) => readAgain(one));
    const holder = await hold("begin; select 1 from notifications where payment_id = 'P1' for update");
    expect(await store.reapply(again, later(1))).toEqual([null, 'UNHANDLED']);
    await holder.query('rollback');
    expect(await store.reapply(again, later(2))).toEqual(['APPLIED', 'UNHANDLED']);
  });
});

describe('the feed on PostgreSQL', () => {
  test('does not pass over an order whose transaction commits after a later one', async () => {
    const [store] = await open();
    await sql(
      own.url,
      `
      create function wait() returns trigger language plpgsql as $$ begin perform pg_advisory_xact_lock(1); return null; end $$;
      create constraint trigger late after insert on notifications deferrable initially deferred
        for each row when (new.payment_id = 'LATE') execute function wait();`,
    );
    const gate = await hold('select pg_advisory_lock(1)');
    const late = record(store, paymentResult('S', { paymentId: 'LATE', paymentRequestId: 'LATE' }));
    await someoneWaits('an advisory lock');
    await record(store, paymentResult('S', { paymentId: 'EARLY', paymentRequestId: 'EARLY' }));
    expect(await order(store, 'EARLY')).toMatchObject({ status: 'AUTHORIZED' });
    const meanwhile = await follow(store);
    expect(meanwhile.orders).toEqual([]);
    const notified = { clientId: null, kind: null, limit: 9 };
    const seen = await store.followNotifications({ ...notified, cursor: '0' });
    expect(seen.items).toEqual([]);
    expect(await store.feedEnds()).toEqual({ orders: meanwhile.next, notifications: seen.next });
    await gate.query('select pg_advisory_unlock(1)');
    await late;
    expect((await follow(store, { from: meanwhile.next })).orders.map(({ paymentId }) => paymentId)).toEqual([
      'LATE',
      'EARLY',
    ]);
    const rest = await store.followNotifications({ ...notified, cursor: seen.next });
    expect(rest.items.map(({ paymentId }) => paymentId)).toEqual(['LATE', 'EARLY']);
  });

  test('misses nothing under concurrent commits', async () => {
    const replicas = await open(4);
    const seen = new Map<string, string>();
    const ids: string[] = [];
    let cursor = '0';
    let place = '0';
    const written = new AbortController();
    const read = async (): Promise<void> => {
      const page = await replicas[0].followOrders({ clientId: null, limit: 7, cursor });
      for (const one of page.items) seen.set(one.paymentId ?? '', JSON.stringify(derived(one)));
      cursor = page.next;
      const more = await replicas[0].followNotifications({ clientId: null, kind: null, limit: 7, cursor: place });
      ids.push(...more.items.map(({ id }) => id));
      place = more.next;
    };
    const follower = (async () => {
      while (!written.signal.aborted) await read();
    })();
    const bodies = shuffled(Array.from({ length: 60 }, (_, number) => notificationsOfPayment(number)).flat());
    await Promise.all(
      replicas.map(async (store, replica) => {
        for (const batch of chunks(
          bodies.filter((_, index) => index % 4 === replica),
          3,
        ))
          await record(store, ...batch);
      }),
    );
    written.abort();
    await follower;
    for (let before = ''; before !== cursor + place;) {
      before = cursor + place;
      await read();
    }
    expect(ids).toEqual((await notificationsOf(replicas[0])).map(({ id }) => id));
    const { items } = await replicas[0].listOrders(ANY_ORDER, { limit: 100, cursor: null });
    expect(items).toHaveLength(60);
    expect(new Map(items.map((one) => [one.paymentId, JSON.stringify(derived(one))]))).toEqual(seen);
  });

  test.each([
    ['a second time', 'update callback_urls set again_until = (select max(position) from orders)'],
    ['from the beginning, where a copy leaves it', 'update callback_urls set start = null, position = 0'],
  ])('read for callbacks %s: that all are to be sent again meanwhile is not forgotten', async (_, statement) => {
    const [store, other] = (await open(2)) as readonly [Store, Store];
    const [lease, digest] = [{ owner: 'one', ms: 60_000 }, 'aa'.repeat(32)];
    const destinations = [{ clientId: CLIENT, url: digest, origin: 'https://shop.example' }];
    const take = async () => await store.takeChanges(lease, destinations, 100);
    const due = async () => (await store.dueCallbacks(destinations, { limit: 9, now: Date.now() })).due;
    await store.takeLease(lease, { starting: true });
    await take();
    await record(store, ...['P1', 'P2'].map((id) => paymentResult('S', { paymentId: id, paymentRequestId: id })));
    await take();
    const results = (await due()).map(({ clientId, orderKey, number, content }) => {
      if (content === null) throw new Error(`${orderKey} is gone`);
      return { kind: 'delivered', clientId, orderKey, number, state: content.order, paymentRequestId: null } as const;
    });
    await store.keepCallbackResults(lease, { digest, results, url: null });
    await record(store, captureResult('S', { paymentId: 'P1', captureId: 'C1' }));
    await sql(own.url, statement);

    const holder = await hold('begin; select 1 from callback_orders for update');
    const taken = take();
    await someoneWaits('a lock');
    expect(await other.sendAllCallbacks(null)).toBe(1);
    await holder.query('rollback');
    await taken;
    await take();
    expect((await due()).map(({ orderKey }) => orderKey).toSorted()).toEqual(['P1', 'P2']);
  });

  test('goes on after a dump was restored into a cluster that counts from a lower number', async () => {
    const [store] = await open();
    await record(store, paymentResult('S', { paymentId: 'P1' }));
    await sql(own.url, 'update orders set position = position + (9000000000 << 20)');
    await sql(own.url, "update starts set identity = 'of the other cluster'");
    const [restored] = await open();
    await record(restored, paymentResult('S', { paymentId: 'P2', paymentRequestId: 'R2' }));
    const { orders, next } = await follow(restored);
    expect(orders.map(({ paymentId }) => paymentId)).toEqual(['P1', 'P2']);
    expect(BigInt(next.split('.')[1] ?? 0)).toBeGreaterThan(BigInt(Number.MAX_SAFE_INTEGER));
    const [again] = await open();
    expect(await again.followOrders({ clientId: null, limit: 1, cursor: next })).toEqual({ items: [], next });
    await record(again, captureResult('S', { captureId: 'C1' }));
    expect(idsOf((await follow(again, { from: next })).orders)).toEqual(['P1']);
  });
});

describe('several batches at the same time', () => {
  test('those that have to wait for their payment hold up none of the others, and are recorded in the end', async () => {
    // What waits is given up by nobody, however busy the machine is with the others.
    const store = await own.open({ statementTimeoutMs: 60_000 });
    expect(store.concurrency).toBeGreaterThan(1);
    const inbox = createInbox({ store, unverifiedMaxBytes: 0, unverifiedMaxPerSecond: 0, dueAfterMs: 60_000 });
    const holder = await hold(`select pg_advisory_lock(${bitsOf(orderLock({ clientId: CLIENT, orderKey: 'P1' }))})`);
    let answered = 0;
    const waiting: Promise<unknown>[] = [];
    // More than there are lanes.
    for (let number = 1; number <= store.concurrency + 1; number += 1) {
      const capture = captureResult('S', { paymentId: 'P1', captureId: `C${number}`, captureRequestId: `CR${number}` });
      const place = await admitted(inbox);
      waiting.push(place.record(delivery(capture)).finally(() => (answered += 1)));
      // The first one's batch is under way, and the others are not in it.
      await turn();
    }
    const others = [2, 3, 4].map((number) =>
      paymentResult('S', { paymentId: `P${number}`, paymentRequestId: `R${number}` }),
    );
    for (const other of others)
      expect(await submit(inbox, delivery(other))).toMatchObject({ reading: { outcome: 'APPLIED' } });
    expect(answered).toBe(0);
    await holder.query('select pg_advisory_unlock_all()');
    for (const result of await Promise.all(waiting))
      expect(result).toMatchObject({ reading: { outcome: 'APPLIED', paymentId: 'P1' } });
    await inbox.drain();
    expect(new Set((await notificationsOf(store)).map(({ paymentId }) => paymentId))).toEqual(
      new Set(['P1', 'P2', 'P3', 'P4']),
    );
  });

  test.each([
    { count: 20, transactions: [20] },
    { count: 64, transactions: [32, 32] },
    { count: 300, transactions: [100, 100, 100] },
  ])('$count that arrive at once are shared among $transactions', async ({ count, transactions }) => {
    const [store] = await open();
    const inbox = createInbox({ store, unverifiedMaxBytes: 0, unverifiedMaxPerSecond: 0, dueAfterMs: 60_000 });
    const statements = Array.from({ length: count }, (_, index) =>
      paymentResult('S', { paymentId: `P${index}`, paymentRequestId: `R${index}` }),
    );
    const deliveries = statements.map((statement) => delivery(statement));
    for (const result of await submitTogether(inbox, deliveries))
      expect(result).toMatchObject({ reading: { outcome: 'APPLIED' } });
    const rows = await sql<{ rows: number }>(
      own.url,
      'select count(*)::integer as rows from notifications group by xmin::text order by 1',
    );
    expect(rows.map((row) => row.rows)).toEqual(transactions);
  });

  test('two of one payment are both applied', async () => {
    const [store] = await open();
    const inbox = createInbox({ store, unverifiedMaxBytes: 0, unverifiedMaxPerSecond: 0 });
    const statements = [
      paymentResult('S', { paymentId: 'P1', paymentAmount: jpy('100') }),
      ...Array.from({ length: 20 }, (_, index) =>
        captureResult('S', { paymentId: 'P1', captureId: `C${index}`, captureAmount: jpy('5') }),
      ),
    ];
    const results: Promise<unknown>[] = [];
    for (const statement of statements) {
      const place = await admitted(inbox);
      results.push(place.record(delivery(statement)));
      // Each in a batch of its own, as far as connections are free.
      await turn();
    }
    for (const result of await Promise.all(results))
      expect(result).toMatchObject({ reading: { outcome: 'APPLIED' }, deliveries: 1 });
    expect(await order(store, 'P1')).toMatchObject({
      status: 'CAPTURED',
      capturedAmount: jpy('100'),
      fulfillable: true,
    });
  });
});

describe('migrations on PostgreSQL', () => {
  test('run once when ten replicas start at the same moment', async () => {
    const replicas = await open(10);
    expect(await sql(own.url, 'select version, oldest_program from migrations')).toEqual([
      { version: 1, oldest_program: 1 },
    ]);
    await Promise.all(replicas.map(async (store) => await record(store, paymentResult('S'))));
    expect(await notificationsOf(replicas[0])).toMatchObject([{ clientId: CLIENT, deliveries: 10 }]);
  });

  test('of a newer version are no hindrance, unless they say so', async () => {
    await open();
    await sql(own.url, "insert into migrations values (98, 1, 'newer')");
    await open();
    await sql(own.url, "insert into migrations values (99, 99, 'newer')");
    await expect(openPostgres({ url: own.url, rules: RULES })).rejects.toThrow(StoreUnusableError);
  });
});
