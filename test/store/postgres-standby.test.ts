import { setTimeout as after } from 'node:timers/promises';
import { describe, expect, test } from '@jest/globals';
import { hostsOf, sessionFor } from '../../src/store/postgres/connect.ts';
import { openOnAny } from '../../src/store/postgres/session.ts';
import { type Store, StoreUnavailableError } from '../../src/store/store.ts';
import { eventually } from '../support/client.ts';
import { sql } from '../support/postgres.ts';
import { useOwnDatabase } from './own-database.ts';
import { notified, order, record, paid } from './support.ts';

const own = useOwnDatabase();
const { open, closing } = own;

/** A busy server is asked, and answers who waits for the standby, long before what waits is given up. */
const LIMIT_MS = 3_000;

/** While the standby of this name is away, which it always is, every COMMIT that wrote something waits for it. */
const setStandby = async (name: string): Promise<void> => {
  await sql(own.server.url, `alter system set synchronous_standby_names = '${name}'`);
  await sql(own.server.url, 'select pg_reload_conf()');
};
/** Until the test is over, or the standby is back. */
const loseStandby = async (): Promise<void> => {
  closing.push(async () => await setStandby(''));
  await setStandby('nobody');
};

/** What becomes of one payment after the other, until one is refused. */
const firstRefused = async (store: Store): Promise<{ readonly number: number; readonly error: unknown }> => {
  for (let number = 1; ; number += 1) {
    try {
      await record(store, paid(number));
    } catch (error) {
      return { number, error };
    }
  }
};

const OURS = "from pg_stat_activity where datname = current_database() and application_name = 'paynotify'";

describe('a synchronous standby that is away', () => {
  test('a COMMIT whose wait for it is cancelled is not taken as stored, and the resend is counted', async () => {
    const quiet = `alter database ${new URL(own.url).pathname.slice(1)} set client_min_messages = error`;
    await sql(own.server.url, quiet);
    const store = await open();
    // The first connection commits that it is there.
    await store.ping();
    await loseStandby();
    const refused = firstRefused(store);
    await eventually(
      'a COMMIT that waits',
      async () => await sql(own.url, `select pg_cancel_backend(pid) ${OURS} and wait_event = 'SyncRep'`),
      ({ length }) => length > 0,
    );
    const { number, error } = await refused;
    expect(error).toBeInstanceOf(StoreUnavailableError);
    expect(String(error)).toContain('PostgreSQL answered COMMIT with a warning: canceling wait for synchronous');
    await setStandby('');
    const { results } = await record(store, paid(number));
    expect(results.map((result) => notified(result).deliveries)).toEqual([2]);
  });

  test('is named, uses up no connections however long it stays away, and holds up nothing once it is back', async () => {
    const store = await open({ statementTimeoutMs: LIMIT_MS });
    await record(store, paid(0));
    await loseStandby();
    const ending = new AbortController();
    const refused: { readonly number: number; readonly error: unknown }[] = [];
    let recorded = 0;
    const lane = async (first: number): Promise<void> => {
      for (let number = first; !ending.signal.aborted; number += 3) {
        await record(store, paid(number)).then(
          () => (recorded += 1),
          (error: unknown) => refused.push({ number, error }),
        );
        await after(20);
      }
    };
    const lanes = [lane(1), lane(2), lane(3)];
    // Those that were given up, and long since others that were not even begun.
    await eventually(
      'refused',
      () => refused.length,
      (count) => count > 200,
    );
    // Three that were given up, and five of its own.
    expect((await sql(own.url, `select 1 ${OURS}`)).length).toBeLessThanOrEqual(8);
    expect(refused.filter(({ error }) => !(error instanceof StoreUnavailableError))).toEqual([]);
    // The first was given up, the last not even begun.
    for (const end of [0, -1])
      expect(String(refused.at(end)?.error)).toContain('PostgreSQL waits for its synchronous standby');
    await expect(store.ping()).rejects.toThrow(StoreUnavailableError);
    expect(await order(store, 'P0')).toMatchObject({ status: 'AUTHORIZED' });

    const before = recorded;
    await setStandby('');
    await eventually(
      'stored again',
      () => recorded,
      (count) => count > before + 10,
    );
    ending.abort();
    await Promise.all(lanes);
    // The server had committed the first one that was given up all the same.
    expect(
      (await record(store, paid(refused[0]?.number ?? 0))).results.map((result) => notified(result).deliveries),
    ).toEqual([2]);
  });
});

test('a synchronous standby that is away leaves the connections for reads alone, also where there is none to look', async () => {
  // The pool, and as many that are given up.
  const limited = new URL(own.url);
  limited.username = 'reader';
  limited.password = 'secret';
  await sql(own.server.url, "create role reader login password 'secret' connection limit 6");
  await sql(own.server.url, `alter database ${limited.pathname.slice(1)} owner to reader`);
  const store = await open({ url: limited.href, statementTimeoutMs: LIMIT_MS, poolSize: 3 });
  await record(store, paid(0));
  await loseStandby();
  const ending = new AbortController();
  let [read, refusedLast, unwritten] = [0, 0, 0];
  const reading = async (): Promise<void> => {
    while (!ending.signal.aborted) {
      await order(store, 'P0').then(
        () => (read += 1),
        () => (refusedLast = performance.now()),
      );
      await after(10);
    }
  };
  const writing = async (first: number): Promise<void> => {
    for (let number = first; !ending.signal.aborted; number += 3) {
      await record(store, paid(number)).catch(() => (unwritten += 1));
      await after(20);
    }
  };
  const lanes = [writing(1), writing(2), writing(3), reading(), reading(), reading()];
  await eventually(
    'the COMMITs given up',
    () => unwritten,
    (count) => count > 10,
  );
  const readThen = read;
  await eventually(
    'reads after that',
    () => read,
    (count) => count > readThen + 30,
  );
  const [readBefore, refusedBefore] = [read, refusedLast];
  await after(1_000);
  ending.abort();
  await Promise.all(lanes);
  expect(read).toBeGreaterThan(readBefore);
  expect(refusedLast).toBe(refusedBefore);
  expect(
    await sql(own.url, "select 1 from pg_stat_activity where usename = 'reader' and wait_event = 'SyncRep'"),
  ).toHaveLength(3);
});

describe('a replica that vanishes', () => {
  test('is noticed by the server within half a minute, so that its locks are free', async () => {
    const hosts = hostsOf(own.url);
    const session = sessionFor(hosts, { statementTimeoutMs: 4_000, allowUnsafe: false, readOnly: false });
    const { rows } = await openOnAny(
      hosts,
      session,
      async (client) =>
        await client.query(
          'select name, setting from pg_settings where name like \'tcp_keepalives%\' order by name collate "C"',
        ),
    );
    expect(rows).toEqual([
      { name: 'tcp_keepalives_count', setting: '3' },
      { name: 'tcp_keepalives_idle', setting: '10' },
      { name: 'tcp_keepalives_interval', setting: '5' },
    ]);
  });
});
