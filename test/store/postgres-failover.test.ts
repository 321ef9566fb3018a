import { setTimeout as after } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { migratePostgres, sessionFor } from '../../src/store/postgres/connect.ts';
import { createConnections } from '../../src/store/postgres/connections.ts';
import { openPostgres, type PostgresOptions } from '../../src/store/postgres/postgres-store.ts';
import { type Store, StoreUnavailableError } from '../../src/store/store.ts';
import { type Fields } from '../support/facts.ts';
import { type OwnServer, sql, startOwnServer } from '../support/postgres.ts';
import { type Proxy, startProxy } from './proxy.ts';
import { notificationsOf, notified, record, RULES, paid } from './support.ts';

/** Longer than a name takes to be found again, and far shorter than until the operating system gives up. */
const PATIENCE_MS = 10_000;

/** A server that has gone is found out by asking, not by waiting until the time of a statement is over. */
const TIMED_OUT = 'did not answer in time';

let primary: OwnServer;
let standby: OwnServer;
let url: string;
let name: Proxy;
const closing: (() => Promise<void>)[] = [];

beforeEach(async () => {
  primary = await startOwnServer();
  closing.push(primary.stop);
  url = await primary.createDatabase();
  name = await startProxy(url);
  closing.push(name.close);
});
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

const open = async (options: Partial<PostgresOptions> = {}): Promise<Store> => {
  const store = await openPostgres({ url: name.through(url), rules: RULES, ...options });
  closing.push(store.close);
  return store;
};

/** The same database at another server. */
const at = (server: OwnServer): string => {
  const there = new URL(url);
  there.port = new URL(server.url).port;
  return there.href;
};

const idsAt = async (server: OwnServer): Promise<readonly string[]> =>
  (await sql<{ id: string }>(at(server), 'select payment_id as id from notifications order by position')).map(
    ({ id }) => id,
  );

/** Both servers hold the same. */
const inStep = async (): Promise<void> => {
  const [lsn] = await sql<{ at: string }>(primary.url, 'select pg_current_wal_lsn()::text as at');
  for (;;) {
    const [row] = await sql<{ there: boolean }>(
      standby.url,
      `select pg_last_wal_replay_lsn() >= '${lsn?.at}' as there`,
    );
    if (row?.there === true) return;
    await after(50);
  }
};

/** Records until it works again; anything but an outage is a fault. */
const eventually = async (store: Store, body: Fields): Promise<void> => {
  for (const began = performance.now(); ; await after(20)) {
    try {
      await record(store, body);
      return;
    } catch (error) {
      if (!(error instanceof StoreUnavailableError) || performance.now() - began > PATIENCE_MS) throw error;
    }
  }
};

/** Three batches at a time, as the service does; refused ones are counted and sent again. */
const startLoad = (store: Store) => {
  const recorded: string[] = [];
  const ending = new AbortController();
  let refused = 0;
  const lane = async (first: number): Promise<void> => {
    for (let number = first; !ending.signal.aborted; number += 3) {
      await record(store, paid(number)).then(
        () => recorded.push(`P${number}`),
        (error: unknown) => {
          expect(error).toBeInstanceOf(StoreUnavailableError);
          refused += 1;
        },
      );
      await after(10);
    }
  };
  const lanes = [lane(0), lane(1), lane(2)];
  return {
    recorded,
    refused: () => refused,
    end: async () => {
      ending.abort();
      await Promise.all(lanes);
    },
  };
};

/** Nothing is refused any more, however often it is tried. */
const expectWell = async (store: Store, first: number): Promise<void> => {
  for (let round = 0; round < 10; round += 1) {
    const numbers = [0, 1, 2, 3].map((lane) => first + 4 * round + lane);
    await Promise.all([...numbers.map(async (number) => await record(store, paid(number))), store.ping()]);
  }
};

describe('a fail-over', () => {
  beforeEach(async () => {
    standby = await primary.startStandby();
    closing.push(standby.stop);
  });

  test('the old primary comes back as a standby before the name moves: nothing recorded is lost, nothing is refused after', async () => {
    const store = await open();
    const load = startLoad(store);
    await after(500);
    await primary.kill('SIGINT');
    await standby.promote();
    await primary.startBehind(standby);
    const before = load.refused();
    // The name still leads to what only reads now.
    while (load.refused() < before + 20) await after(20);
    name.moveTo(standby.url);
    await eventually(store, paid(1_000_000));
    await expectWell(store, 2_000_000);
    await load.end();
    const stored = new Set(await idsAt(standby));
    expect(load.recorded.filter((id) => !stored.has(id))).toEqual([]);
    expect(load.recorded.length).toBeGreaterThan(10);
    expect((await notificationsOf(store)).length).toBe(stored.size);
  });

  test('the old primary has stopped without a word: work that waits for it ends as an outage, and goes on at the new one', async () => {
    const store = await open();
    await Promise.all([0, 1, 2, 3].map(async (number) => await record(store, paid(number))));
    await inStep();
    await standby.promote();
    const thaw = await primary.freeze();
    name.moveTo(standby.url);
    try {
      const waiting = [4, 5, 6].map(
        async (number) => await record(store, paid(number)).catch((error: unknown) => error),
      );
      for (const outcome of await Promise.all(waiting)) {
        expect(outcome).toBeInstanceOf(StoreUnavailableError);
        expect(String(outcome)).not.toContain(TIMED_OUT);
      }
      await eventually(store, paid(7));
      await expectWell(store, 100);
    } finally {
      thaw();
    }
    expect((await idsAt(standby)).slice(0, 4).toSorted()).toEqual(['P0', 'P1', 'P2', 'P3']);
    expect(await idsAt(primary)).not.toContain('P100');
  });

  test('a standby that lacks the last commits is promoted: they are stored again when they are sent again', async () => {
    const store = await open();
    await record(store, paid(1));
    await inStep();
    // The asynchronous standby falls behind.
    await sql(standby.url, "alter system set primary_conninfo = ''");
    await sql(standby.url, 'select pg_reload_conf()');
    for (;;) {
      const senders = await sql(primary.url, 'select 1 from pg_stat_replication');
      if (senders.length === 0) break;
      await after(50);
    }
    await record(store, paid(2));
    await primary.kill('SIGKILL');
    await standby.promote();
    name.moveTo(standby.url);
    await eventually(store, paid(3));
    const again = await record(store, paid(1), paid(2));
    expect(again.results.map((result) => notified(result).deliveries)).toEqual([2, 1]);
    expect([...(await idsAt(standby))].toSorted()).toEqual(['P1', 'P2', 'P3']);
  });

  test('several hosts are asked until one is the primary, at the start and later', async () => {
    const both = new URL(url);
    const hosts = [standby, primary].map((server) => new URL(server.url).host);
    const listed = both.href.replace(both.host, hosts.join(',')) + '?target_session_attrs=read-write';
    const store = await open({ url: listed });
    expect(store.name).toBe(`postgres://${hosts.join(',')}${both.pathname}`);
    await record(store, paid(1));
    expect(await idsAt(primary)).toEqual(['P1']);
    await primary.kill('SIGINT');
    await standby.promote();
    await eventually(store, paid(2));
    await primary.startBehind(standby);
    await expectWell(store, 100);
    expect((await idsAt(standby)).slice(0, 2)).toEqual(['P1', 'P2']);
    await expect(store.exclusively('a task', () => Promise.resolve('done'))).resolves.toBe('done');
  });

  test('a session that takes no writes any more is not used again', async () => {
    const store = await open({ poolSize: 1 });
    await record(store, paid(1));
    // As at a server that fences itself: its sessions stay, and only read from now on.
    await sql(primary.url, 'alter system set default_transaction_read_only = on');
    await sql(primary.url, 'select pg_reload_conf()');
    await inStep();
    await standby.promote();
    name.moveTo(standby.url);
    await eventually(store, paid(2));
    await expectWell(store, 100);
    expect((await idsAt(standby)).slice(0, 2)).toEqual(['P1', 'P2']);
  });
});

describe('the same primary', () => {
  test('connections on which nothing passes any more are given up while new ones work', async () => {
    const store = await open();
    await Promise.all([0, 1, 2].map(async (number) => await record(store, paid(number))));
    name.stall();
    const outcomes = await Promise.all(
      [3, 4, 5].map(async (number) => await record(store, paid(number)).catch((error: unknown) => error)),
    );
    for (const outcome of outcomes) {
      expect(outcome).toBeInstanceOf(StoreUnavailableError);
      expect(String(outcome)).not.toContain(TIMED_OUT);
    }
    await expectWell(store, 100);
  });

  test('work that the server is at is left to it, however slow it is', async () => {
    const store = await open({ statementTimeoutMs: 8_000 });
    await record(store, paid(1));
    const asked = name.roundTrips();
    const holder = sql(url, 'begin; select 1 from notifications for update; select pg_sleep(3); commit');
    while ((await sql(url, "select 1 from pg_stat_activity where wait_event = 'PgSleep'")).length === 0)
      await after(20);
    const { results } = await record(store, paid(1));
    await holder;
    expect(results.map((result) => notified(result).deliveries)).toEqual([2]);
    // Somebody has asked for the primary meanwhile.
    expect(name.roundTrips() - asked).toBeGreaterThan(8);
  });

  test('work that this machine is slow at is left to it as well', async () => {
    await migratePostgres(url, false);
    const hosts = [name.through(url)];
    const session = sessionFor(hosts, { statementTimeoutMs: 4_000, allowUnsafe: false, readOnly: false });
    const connections = createConnections({ hosts, session, poolSize: 1 });
    closing.push(connections.close);
    const steps = await connections.use(async (client) => {
      await client.query('begin');
      for (let step = 0; step < 12; step += 1) {
        await after(200);
        await client.query('select 1');
      }
      return await client.query('commit');
    }, performance.now() + 30_000);
    expect(steps.command).toBe('COMMIT');
  });
});
