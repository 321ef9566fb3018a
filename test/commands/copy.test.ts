import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as after } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { DERIVATION, nameOfRules } from '../../src/order/rules.ts';
import { SETTING, writeRules } from '../../src/store/setting.ts';
import type { Environment } from '../../src/config.ts';
import type { Order } from '../../src/order/order.ts';
import type { Page } from '../../src/store/store.ts';
import type { CopyReport } from '../../src/upkeep/copy.ts';
import { RULES } from '../store/support.ts';
import { sql, startServer, type TestServer } from '../support/postgres.ts';
import {
  capture,
  CLIENT,
  here,
  KEYS,
  json,
  notified,
  ownPlace,
  payment,
  type Place,
  spawned,
  unverified,
} from './support.ts';

const CLI = fileURLToPath(new URL('../../src/cli.ts', import.meta.url));
const place = ownPlace();

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
});
afterAll(async () => await server.stop());

const onSqlite = ({ directory }: Pick<Place, 'directory'>, statement: string): void => {
  const db = new DatabaseSync(join(directory, 'paynotify.db'));
  db.exec(statement);
  db.close();
};

const fill = async ({ store, env, directory }: Place): Promise<string> => {
  await store(
    notified(payment()),
    notified(capture()),
    notified(payment({ paymentId: 'P2', paymentRequestId: 'R2' }), 'OTHER'),
    notified('[]'),
    unverified('stranger'),
  );
  // As a service notes it when it starts.
  onSqlite(
    { directory },
    `insert into settings values
      ('${SETTING.rules}', '${writeRules({ number: 1, derivation: DERIVATION, rules: RULES })}'), ('${SETTING.derived}', '${nameOfRules(RULES)}')`,
  );
  expect((await here(['rebuild'], env)).code).toBe(0);
  return env['DATABASE_URL'] as string;
};

/** Without signing each: so many that a copy takes a while. Their bytes are gone. */
const addOld = (where: Place, count: number): void =>
  onSqlite(
    where,
    `with recursive numbers (i) as (select 1 union all select i + 1 from numbers where i < ${count})
     insert into notifications (client_id, payment_id, digest, kind, outcome, reading_check, raw_check, deliveries, first_received_at, last_received_at, raw_batch, raw_place)
     select '${CLIENT}', '', randomblob(32), 'UNKNOWN', 'UNHANDLED', 0, 0, 1 + i % 3, 1750000000000 + i, 1760000000000 + i, 0, 0
     from numbers`,
  );

/** A copy gets no further than its first page of notifications. */
const HOLD_UP = `
  create function hold_up() returns trigger language plpgsql as $$
  begin
    if exists (select 1 from notifications) then perform pg_sleep(3600); end if;
    return null;
  end $$;
  create trigger hold_up before insert on notifications for each statement execute function hold_up()`;
/** What whoever was killed had under way ends. */
const GO_ON = `
  select pg_terminate_backend(pid, 60000) from pg_stat_activity
  where datname = current_database() and pid <> pg_backend_pid();
  drop function hold_up cascade`;

const digests = ({ copied }: CopyReport, side: 'source' | 'target') =>
  Object.entries(copied).map(([what, report]) => [what, report[side]]);

/** Without the time of the commit that derived them, and in the order of their identifiers. */
const ordersIn = async (env: Environment) => {
  const { items } = await json<Page<Order>>(['orders'], env);
  return items
    .map(({ updatedAt: _updated, revision: _revision, ...order }) => order)
    .sort((a, b) => ((a.paymentId ?? '') < (b.paymentId ?? '') ? -1 : 1));
};

describe('copy', () => {
  test('from SQLite to PostgreSQL and back ends where it began', async () => {
    const { directory, env } = place();
    const from = await fill(place());
    const postgres = await server.createDatabase();
    const back = `sqlite:${join(directory, 'back', 'again.db')}`;
    const there = await json<CopyReport>(['copy', '--from', from, '--to', postgres], env);
    const andBack = await json<CopyReport>(['copy', '--from', postgres, '--to', back], env);
    expect([there, andBack]).toMatchObject([
      { complete: true, source: from, target: expect.stringMatching(/^postgres:\/\/127\.0\.0\.1:\d+\/test_/) },
      { complete: true, target: back },
    ]);
    expect(JSON.stringify([there, andBack])).not.toContain('postgres:postgres');
    expect(there.copied.notifications.source.count).toBe(4);
    expect(digests(andBack, 'target')).toEqual(digests(there, 'source'));
    for (const command of [['notifications'], ['unverified']]) {
      expect(await json(command, { ...env, DATABASE_URL: back })).toEqual(await json(command, env));
    }
    expect(await ordersIn({ ...env, DATABASE_URL: back })).toEqual(await ordersIn(env));
    const keys = { ANTOM_PUBLIC_KEY: env['ANTOM_PUBLIC_KEY'], ANTOM_CLIENT_ID: CLIENT };
    expect(await json(['rebuild'], { ...keys, DATABASE_URL: back })).toEqual({ orders: 2, changed: 0 });
  });

  test('says for a person what it did, and that both hold the same', async () => {
    const from = await fill(place());
    const { code, out, err } = await spawned(
      ['copy', '--from', from, '--to', await server.createDatabase()],
      place().env,
    );
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toMatch(
      /^Copied sqlite:.* to postgres:.*\.\n\n +SOURCE +TARGET +DIGEST\nmoves +0 +0 +0{16}\nnotifications +4 +4 +[0-9a-f]{16}\n/,
    );
    expect(out).toMatch(/\n\nBoth hold the same\.\n$/);
  });

  test('killed in the middle, goes on where it was and ends with the same', async () => {
    const { env } = place();
    const from = await fill(place());
    addOld(place(), 2_000);
    const [to, other] = [await server.createDatabase(), await server.createDatabase()];
    expect((await here(['migrate'], { DATABASE_URL: to })).code).toBe(0);
    await sql(to, HOLD_UP);
    const child = spawn(process.execPath, [CLI, 'copy', '--from', from, '--to', to, '--json'], {
      cwd: KEYS,
      env: { PATH: process.env['PATH'], NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'], ...env },
    });
    const ended = new Promise((resolve) => {
      child.once('close', (_code, signal) => resolve(signal));
    });
    while (!/"what":"notifications".*"done":[1-9]/.test(await progressOf(to))) await after(2);
    child.kill('SIGKILL');
    expect(await ended).toBe('SIGKILL');
    await sql(to, GO_ON);
    const [row] = await sql<{ count: string }>(to, 'select count(*) from notifications');
    expect(Number(row?.count)).toBeGreaterThan(0);
    expect(Number(row?.count)).toBeLessThan(2_004);

    const resumed = await json<CopyReport>(['copy', '--from', from, '--to', to], env);
    expect(resumed).toMatchObject({ complete: true, resumed: true });
    const whole = await json<CopyReport>(['copy', '--from', from, '--to', other], env);
    expect(whole).toMatchObject({ complete: true, resumed: false });
    expect(resumed.copied).toEqual(whole.copied);
    expect(await json<CopyReport>(['copy', '--from', from, '--to', to], env)).toEqual({ ...resumed, resumed: false });
  });

  test('refuses a target that holds something else, and leaves it alone', async () => {
    const { env } = place();
    const from = await fill(place());
    const foreign = await server.createDatabase();
    expect((await here(['migrate'], { DATABASE_URL: foreign })).code).toBe(0);
    await sql(foreign, "insert into shop_statements values ('theirs', 'refund', 'R', 0, 'P', '{}', 0, 0, 0)");
    expect(await here(['copy', '--from', from, '--to', foreign], env)).toMatchObject({
      code: 1,
      out: '',
      err: 'error: the target holds shop statements that are not from this copy: choose an empty database\n',
    });
    expect(await sql(foreign, 'select client_id from shop_statements')).toEqual([{ client_id: 'theirs' }]);
    expect(await sql(foreign, 'select 1 from notifications')).toEqual([]);
    expect((await here(['copy', '--from', from, '--to', from], env)).err).toBe(
      'error: the source and the target are the same database\n',
    );
  });

  test('says which kinds differ, exit code 1', async () => {
    const { env } = place();
    const from = await fill(place());
    const to = await server.createDatabase();
    await here(['copy', '--from', from, '--to', to], env);
    await sql(to, "update notifications set first_received_at = 946684800000 where outcome = 'MALFORMED'");
    const { code, out, err } = await here(['copy', '--from', from, '--to', to], env);
    expect(code).toBe(1);
    expect(out).toMatch(/notifications +4 +4 +[0-9a-f]{16} ≠ [0-9a-f]{16}\n/);
    expect(err).toBe(
      'error: source and target differ in notifications: if a service writes to one of them, stop it, and run the same again.\n',
    );
  });

  test('to a target that a service works on lets that hold more, and says so', async () => {
    const { env } = place();
    const from = await fill(place());
    const to = await server.createDatabase();
    await here(['copy', '--from', from, '--to', to], env);
    await sql(to, "insert into settings values ('copy in use', 'true')");
    await sql(to, "insert into shop_statements values ('theirs', 'refund', 'R', 0, 'P', '{}', 0, 0, 0)");
    for (const words of [['copy'], ['copy', '--merge']]) {
      const { code, out } = await here([...words, '--from', from, '--to', to], env);
      expect(code).toBe(0);
      expect(out).toMatch(/\nshop statements +0 +1 /);
      expect(out).toMatch(/\n\nAll of the source is in the target, which also holds its own \(shop statements\)\.\n$/);
    }
  });

  test.each([
    ['no source', ['--to', 'sqlite:x']],
    ['no target', ['--from', 'sqlite:x']],
    ['a source that is no database', ['--from', 'mysql://x', '--to', 'sqlite:x']],
  ])('refuses %s as usage, 64', async (_what, words) => {
    expect(await here(['copy', ...words])).toMatchObject({ code: 64, out: '' });
  });

  test('names the option whose database cannot be opened', async () => {
    const { env } = place();
    const from = await fill(place());
    const [away, nowhere] = ['postgres://u@127.0.0.1:1/src', new URL(await server.createDatabase())];
    nowhere.pathname = '/nowhere';
    const said = async (...words: readonly string[]) => {
      const { code, err } = await here(['copy', ...words], env);
      return [code, err.split(' (')[0]];
    };
    expect(await said('--from', away, '--to', from)).toEqual([1, 'error: --from']);
    expect(await said('--from', from, '--to', away)).toEqual([1, 'error: --to']);
    expect(await said('--from', nowhere.href, '--to', from)).toEqual([78, 'error: --from']);
    expect(await said('--from', from, '--to', nowhere.href)).toEqual([78, 'error: --to']);
    const { code, err } = await here(['copy', '--merge', '--from', from], { ...env, DATABASE_URL: away });
    expect({ code, err }).toEqual({ code: 1, err: expect.stringMatching(/^error: DATABASE_URL \(/) });
  });

  test('makes no source where there is none', async () => {
    const { directory, env } = place();
    const { code, err } = await here(
      ['copy', '--from', `sqlite:${join(directory, 'none.db')}`, '--to', `sqlite:${join(directory, 'to.db')}`],
      env,
    );
    expect({ code, err }).toEqual({ code: 78, err: `error: there is no database at ${join(directory, 'none.db')}\n` });
  });
});

const progressOf = async (url: string): Promise<string> => {
  try {
    return (await sql<{ value: string }>(url, "select value from settings where name = 'copy'"))[0]?.value ?? '';
  } catch {
    // There are no tables yet.
    return '';
  }
};
