import { once } from 'node:events';
import { setTimeout as after } from 'node:timers/promises';
import { describe, expect, test } from '@jest/globals';
import { type PoolClient } from 'pg';
import { commit } from '../../src/store/postgres/commit.ts';
import { hostsOf, migratePostgres, sessionFor } from '../../src/store/postgres/connect.ts';
import { openPool } from '../../src/store/postgres/pool.ts';
import { openPostgres } from '../../src/store/postgres/postgres-store.ts';
import { type Store, StoreRejectedError, StoreUnavailableError, StoreUnusableError } from '../../src/store/store.ts';
import { createSigner, eventually as until } from '../support/client.ts';
import { captureResult, type Fields, jpy } from '../support/facts.ts';
import { sql, startOwnServer } from '../support/postgres.ts';
import { environmentOf, makeDirectory, removeDirectory, startReady } from '../support/receiver.ts';
import { useOwnDatabase } from './own-database.ts';
import { startProxy } from './proxy.ts';
import {
  AMPLE,
  delivery,
  follow,
  later,
  notificationsOf,
  order,
  record,
  registration,
  RULES,
  unverified,
  paid,
} from './support.ts';

const own = useOwnDatabase();
const { open, hold, closing } = own;

/** From the server's own database: this one may refuse it by then. */
const alterDatabase = async (change: string): Promise<void> => {
  await sql(new URL('/postgres', own.url).href, `alter database ${new URL(own.url).pathname.slice(1)} ${change}`);
};

/** Once their processes are gone, the store's side of them has heard of it. */
const endConnections = async (): Promise<void> => {
  await sql(
    own.url,
    'select pg_terminate_backend(pid, 60000) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()',
  );
};

/** Of the store's connections, as the server knows them. */
const pids = async (): Promise<readonly object[]> =>
  await sql(
    own.url,
    "select pid from pg_stat_activity where datname = current_database() and application_name = 'paynotify'",
  );

/** Tries until it works again; anything but an outage is a fault. */
const eventually = async (store: Store, body: Fields): Promise<void> => {
  for (const started = performance.now(); ; await after(50)) {
    try {
      await record(store, body);
      return;
    } catch (error) {
      if (!(error instanceof StoreUnavailableError) || performance.now() - started > 15_000) throw error;
    }
  }
};

describe('a fault of PostgreSQL', () => {
  test.each(['SIGINT', 'SIGQUIT', 'SIGKILL'] as const)(
    'a restart after %s under load loses nothing that was recorded',
    async (signal) => {
      const store = await open();
      const recorded: number[] = [];
      const ending = new AbortController();
      const lane = async (first: number): Promise<void> => {
        for (let number = first; !ending.signal.aborted; number += 2) {
          try {
            await record(store, paid(number));
            recorded.push(number);
          } catch (error) {
            expect(error).toBeInstanceOf(StoreUnavailableError);
            await after(20);
          }
        }
      };
      const lanes = [lane(0), lane(1)];
      await until(
        'a load',
        () => recorded.length,
        (count) => count > 10,
      );
      await own.server.kill(signal);
      await after(100);
      await own.server.start();
      await eventually(store, paid(1_000_000));
      const before = recorded.length;
      await until(
        'the load again',
        () => recorded.length,
        (count) => count > before,
      );
      ending.abort();
      await Promise.all(lanes);
      const stored = new Set((await notificationsOf(store)).map(({ paymentId }) => paymentId));
      expect(recorded.filter((number) => !stored.has(`P${number}`))).toEqual([]);
      expect((await follow(store, { limit: 500 })).orders).toHaveLength(stored.size);
    },
  );

  test('a backend killed at COMMIT is an outage, and the resend is stored', async () => {
    const store = await open();
    await sql(
      own.url,
      `
      create function doze() returns trigger language plpgsql as $$ begin perform pg_sleep(9); return null; end $$;
      create constraint trigger slow after insert on notifications deferrable initially deferred for each row execute function doze();`,
    );
    const lost = expect(record(store, paid(1))).rejects.toThrow(StoreUnavailableError);
    for (let killed = 0; killed === 0;) {
      killed = (
        await sql(
          own.url,
          "select pg_terminate_backend(pid) from pg_stat_activity where query = 'commit' and wait_event = 'PgSleep'",
        )
      ).length;
    }
    await lost;
    await sql(own.url, 'drop trigger slow on notifications');
    expect((await record(store, paid(1))).results).toMatchObject([{ deliveries: 1, reading: { outcome: 'APPLIED' } }]);
  });

  test('a COMMIT whose answer is lost is an outage, and the resend finds its notification', async () => {
    const proxy = await startProxy(own.url);
    closing.push(proxy.close);
    const store = await open({ url: proxy.through(own.url) });
    // The first connection commits that it is there.
    await store.ping();
    proxy.loseNextCommit();
    await expect(record(store, paid(1))).rejects.toThrow(StoreUnavailableError);
    expect((await record(store, paid(1))).results).toMatchObject([{ deliveries: 2, reading: { outcome: 'APPLIED' } }]);
  });

  test('a server that has stopped is an outage within 5 s, and is used again once it goes on', async () => {
    const store = await open();
    await record(store, paid(1));
    const thaw = await own.server.freeze();
    // Where this machine halts both are late, and still the one that is due first comes first.
    let isOver = false;
    const end = setTimeout(() => (isOver = true), 5_000);
    closing.push(() => clearTimeout(end));
    const late = async (asked: Promise<unknown>): Promise<boolean> => {
      await expect(asked).rejects.toThrow(StoreUnavailableError);
      return isOver;
    };
    const areLate = await Promise.all([
      late(record(store, paid(2))),
      late(record(store, paid(3))),
      late(store.ping()),
      late(order(store, 'P1')),
    ]).finally(thaw);
    expect(areLate).toEqual([false, false, false, false]);
    await eventually(store, paid(4));
    expect(await order(store, 'P4')).toMatchObject({ status: 'AUTHORIZED' });
  });

  test('idle connections that break are replaced', async () => {
    const store = await open();
    await Promise.all([record(store, paid(1)), record(store, paid(2)), record(store, paid(3))]);
    await endConnections();
    await expect(record(store, paid(4))).resolves.toMatchObject({ failed: [] });
  });

  test('exhausted connection slots are an outage, until there are some', async () => {
    const store = await open();
    await alterDatabase('connection limit 0');
    await sql(own.url, "create role shop login password 'shop'; grant all on all tables in schema public to shop");
    const asShop = new URL(own.url);
    asShop.username = 'shop';
    asShop.password = 'shop';
    await expect(openPostgres({ url: asShop.href, rules: RULES })).rejects.toThrow(StoreUnavailableError);
    await alterDatabase('connection limit -1');
    const shop = await open({ url: asShop.href });
    await expect(record(shop, paid(1))).resolves.toMatchObject({ failed: [] });
    await expect(record(store, paid(2))).resolves.toMatchObject({ failed: [] });
  });

  test('a server that only reads is not ready', async () => {
    const store = await open();
    await store.ping();
    await alterDatabase('set default_transaction_read_only = on');
    await endConnections();
    await expect(store.ping()).rejects.toThrow(StoreUnavailableError);
    await expect(record(store, paid(1))).rejects.toThrow(StoreUnavailableError);
  });

  test('a payment held too long by somebody else is an outage for its own batch only', async () => {
    // Far longer than a busy server needs for what nobody holds.
    const store = await open({ statementTimeoutMs: 2_000 });
    await record(store, paid(1));
    const holder = await hold('begin; select 1 from notifications for update');
    await expect(record(store, paid(1))).rejects.toThrow(StoreUnavailableError);
    await record(store, paid(2));
    await holder.query('rollback');
    expect((await record(store, paid(1))).results).toMatchObject([{ deliveries: 2 }]);
  });

  test('a batch whose locks do not fit into its lock table is recorded in parts', async () => {
    const store = await open();
    await record(store, paid(7));
    const filler = await hold('select 1');
    await expect(
      filler.query('select pg_advisory_lock(number) from generate_series(1, 1000000) as number'),
    ).rejects.toThrow('out of shared memory');
    await expect(record(store, paid(1))).rejects.toThrow(StoreUnavailableError);
    await filler.query('select pg_advisory_unlock(number) from generate_series(1, 300) as number');
    const { results } = await record(store, ...Array.from({ length: 200 }, (_, index) => paid(index)));
    expect(results).toHaveLength(200);
    expect(results[7]).toMatchObject({ deliveries: 2 });
    expect((await follow(store, { limit: 500 })).orders).toHaveLength(200);
  });

  test.each(['40001', '40P01'])('a transaction that PostgreSQL breaks off with %s is tried again', async (state) => {
    const store = await open();
    await sql(
      own.url,
      `
      create sequence tries;
      create function fail() returns trigger language plpgsql as $$
      begin
        if nextval('tries') = 1 then raise exception 'broken off' using errcode = '${state}'; end if;
        return new;
      end $$;
      create trigger once before insert on notifications for each row execute function fail();`,
    );
    expect((await record(store, paid(1))).results).toMatchObject([{ deliveries: 1 }]);
  });

  test('a COMMIT that is answered with ROLLBACK is an outage', async () => {
    const client = await hold('begin');
    await expect(client.query('select 1 / 0')).rejects.toThrow('division by zero');
    await expect(commit(client)).rejects.toThrow(new StoreUnavailableError('PostgreSQL answered COMMIT with ROLLBACK'));
    expect(client.listenerCount('notice')).toBe(0);
  });

  test('values that PostgreSQL refuses are told from outages', async () => {
    const store = await open();
    await expect(
      store.register(registration({ paymentRequestId: 'a\0b' }), { replace: false, now: later(0) }),
    ).rejects.toThrow(StoreRejectedError);
    await expect(store.backup('/tmp/copy')).rejects.toThrow(StoreRejectedError);
  });
});

describe('connections', () => {
  test('are kept while work is slow, begins again or fails, and a store at rest asks nothing', async () => {
    const proxy = await startProxy(own.url);
    closing.push(proxy.close);
    const store = await open({ url: proxy.through(own.url), poolSize: 1 });
    await record(store, paid(1));
    const before = await pids();
    const holder = await hold('begin; select 1 from notifications for update');
    const waiting = [record(store, paid(1)), record(store, paid(2))];
    // Work is slow after one second.
    await after(1_500);
    await holder.query('rollback');
    await Promise.all(waiting);
    // It needs the other payment's lock as well.
    await record(store, { ...paid(3), paymentRequestId: 'R1' });
    const refused = store.register(registration({ paymentRequestId: 'a\0b' }), { replace: false, now: later(0) });
    await expect(refused).rejects.toThrow(StoreRejectedError);
    const asked = proxy.roundTrips();
    await after(1_200);
    expect(proxy.roundTrips()).toBe(asked);
    expect(await pids()).toEqual(before);
  });

  test('that have ended leave their places to others', async () => {
    await migratePostgres(own.url);
    const [host = ''] = hostsOf(own.url);
    const session = sessionFor([host], { statementTimeoutMs: 4_000, allowUnsafe: false, readOnly: false });
    const pool = openPool({ host, session, size: 1, onBroken: () => {} });
    closing.push(pool.close);
    const client = (await pool.connect()) as PoolClient;
    expect(pool.isFull()).toBe(true);
    client.release(true);
    await once(client, 'end');
    expect(pool.isFull()).toBe(false);
  });
});

describe('what a batch costs', () => {
  test('the round trips of a batch are the same, however large it is', async () => {
    const proxy = await startProxy(own.url);
    closing.push(proxy.close);
    const store = await open({ url: proxy.through(own.url), poolSize: 1 });
    await store.ping();
    // A large batch may be slow: then others ask for the primary meanwhile.
    const roundTrips = proxy.roundTripsOfLast();
    const costOf = async (from: number, count: number): Promise<number> => {
      const numbers = Array.from({ length: count }, (_, index) => from + index);
      const batch = numbers.flatMap((number) => [
        delivery(paid(number)),
        delivery(captureResult('S', { paymentId: `P${number}`, captureId: `C${number}`, captureAmount: jpy('100') })),
        unverified({ body: Buffer.from(String(number)) }),
      ]);
      const before = roundTrips();
      await store.record(batch, AMPLE);
      return roundTrips() - before;
    };
    const small = await costOf(0, 4);
    const large = await costOf(1_000, 256);
    expect(large).toBe(small);
    // One of them for the rules in force.
    expect(large).toBeLessThanOrEqual(10);
    expect((await follow(store, { limit: 500 })).orders).toHaveLength(260);
  });
});

describe('a server that is not safe', () => {
  test('is refused, unless that is what one wants', async () => {
    const unsafe = await startOwnServer({ fsync: 'off' });
    closing.push(unsafe.stop);
    const there = await unsafe.createDatabase();
    await expect(openPostgres({ url: there, rules: RULES })).rejects.toThrow(StoreUnusableError);
    const told: (readonly string[])[] = [];
    const store = await open({ url: there, allowUnsafe: true, onUnsafe: (settings) => told.push(settings) });
    await expect(record(store, paid(1))).resolves.toMatchObject({ failed: [] });
    expect(told).toEqual([['fsync']]);

    const directory = makeDirectory();
    closing.push(() => Promise.resolve(removeDirectory(directory)));
    const receiver = await startReady(directory, {
      ...environmentOf(directory, createSigner()),
      DATABASE_URL: there,
      ALLOW_UNSAFE_DATABASE: 'true',
    });
    closing.push(async () => void (await receiver.stop()));
    const warnings = async () => (await receiver.log()).filter(({ level }) => level === 40);
    expect(await until('the warning', warnings, ({ length }) => length > 0)).toMatchObject([
      { problem: 'fsync off', msg: expect.stringMatching(/^commits are not durable/) },
    ]);
  });

  test('is refused where commits return before they are synced', async () => {
    await alterDatabase('set synchronous_commit = off');
    await expect(openPostgres({ url: own.url, rules: RULES })).rejects.toThrow(
      /synchronous_commit off\. Turn it on \(.*alter role … reset synchronous_commit.*\), or set ALLOW_UNSAFE_DATABASE=true/,
    );
    await alterDatabase('set synchronous_commit = local');
    await open();
  });
});
