import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { DatabaseSync } from 'node:sqlite';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { openPostgres } from '../../src/store/postgres/postgres-store.ts';
import { openSqlite } from '../../src/store/sqlite/sqlite-store.ts';
import type { Store } from '../../src/store/store.ts';
import { later, record, registration, RULES } from '../store/support.ts';
import { captureResult, type Fields, jpy, paymentResult } from '../support/facts.ts';
import { sql, startServer } from '../support/postgres.ts';
import { blocksOf, cellsOf, readPage, sectionOf } from './blocks.ts';

const page = readPage('docs/consuming.md');
const text = sectionOf(page, 'SQL');
const blocks = blocksOf({ ...page, text }, 'sql');
const queries = blocks.filter((block) => block.startsWith('select'));
const [, roles = '', grants = ''] =
  blocks
    .find((block) => block.includes('create role'))
    ?.split(/^-- As a superuser, or a role with CREATEROLE:$|^-- As the owner of the tables:$/m) ?? [];
const VIEWS = cellsOf(text).map(([view = '', , columns = '']) => ({ view: view.replaceAll('`', ''), columns }));

const captured = (payment: string, day: string, value: string): readonly Fields[] => [
  paymentResult('S', { paymentId: payment, paymentRequestId: `R-${payment}`, paymentAmount: jpy(value) }),
  captureResult('S', {
    paymentId: payment,
    captureId: `C-${payment}`,
    captureAmount: jpy(value),
    captureTime: `${day}T23:30:00-01:00`,
  }),
];

const dispute = (disputeId: string, defenseDueTime: string): Fields => ({
  notifyType: 'DISPUTE_CREATED',
  disputeNotificationType: 'DISPUTE_CREATED',
  disputeType: 'CHARGEBACK',
  paymentId: 'P3',
  disputeId,
  disputeAmount: jpy('30'),
  defenseDueTime,
});

const fill = async (store: Store): Promise<void> => {
  const expected = registration({ paymentRequestId: 'R-P1', referenceOrderId: 'basket-1' });
  await store.register({ ...expected, amount: { currency: 'JPY', value: '100' } }, { replace: false, now: later(-1) });
  const wallet = registration({ paymentRequestId: 'R-P6', referenceOrderId: null, captureMode: 'NONE' });
  await store.register({ ...wallet, amount: { currency: 'JPY', value: '9' } }, { replace: false, now: later(-1) });
  await record(
    store,
    ...captured('P1', '2025-06-01', '100'),
    ...captured('P2', '2025-06-01', '7'),
    ...captured('P3', '2025-06-02', '30'),
    paymentResult('S', { paymentId: 'P5', paymentRequestId: undefined, paymentAmount: jpy('3') }),
    ...captured('P5', '2025-06-01', '3').slice(1),
    paymentResult('S', { paymentId: 'P4', paymentRequestId: 'R-P4', paymentAmount: jpy('5') }),
    paymentResult('S', {
      paymentId: 'P6',
      paymentRequestId: 'R-P6',
      paymentAmount: jpy('9'),
      paymentTime: '2025-06-03T09:00:00Z',
    }),
    dispute('D2', '2025-07-02T00:00:00+08:00'),
    dispute('D1', '2025-07-01T00:00:00Z'),
  );
};

type Row = Readonly<Record<string, unknown>>;

/** What the queries of the page find, in one form on both databases. */
const toText = (row: Row): string =>
  Object.entries(row)
    .filter(([name]) => name !== 'revision')
    .map(([name, value]) => `${name}=${value instanceof Date ? value.toISOString() : String(value)}`)
    .join(' ');

const FOUND = [
  [
    'ship_once=P5 client_id=T_client payment_id=P5',
    'ship_once=R-P2 client_id=T_client payment_id=P2',
    'ship_once=R-P6 client_id=T_client payment_id=P6',
    'ship_once=basket-1 client_id=T_client payment_id=P1',
  ],
  ['day=2025-06-02 currency=JPY parts=3 paid=110', 'day=2025-06-03 currency=JPY parts=2 paid=39'],
  [
    'reference_order_id=null payment_id=P3 dispute_id=D1 amount=30 amount_currency=JPY due_time=2025-07-01T00:00:00.000Z',
    'reference_order_id=null payment_id=P3 dispute_id=D2 amount=30 amount_currency=JPY due_time=2025-07-01T16:00:00.000Z',
  ],
];

test('the page has three queries, and one way to make a role', () => {
  expect([queries.length, blocks.length]).toEqual([3, 4]);
  expect(VIEWS.map(({ view }) => view)).toEqual(['orders_v1', 'captures_v1', 'refunds_v1', 'disputes_v1']);
});

const read = (file: string): readonly (readonly Row[])[] => {
  const db = new DatabaseSync(file, { readOnly: true });
  const rows = queries.map((query) => db.prepare(query).all());
  db.close();
  return rows;
};

describe('SQL as docs/consuming.md shows it, on SQLite', () => {
  let directory: string;
  let store: Store;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'paynotify-'));
    store = await openSqlite({ file: join(directory, 'paynotify.db'), rules: RULES });
    await fill(store);
  });
  afterAll(async () => {
    await store.close();
    await rm(directory, { recursive: true });
  });

  test('finds the same in the file of a running service and in a backup', async () => {
    const running = read(join(directory, 'paynotify.db'));
    expect(running.map((rows) => rows.map(toText))).toEqual(FOUND);
    const backup = join(directory, 'backup.db');
    await store.backup(backup);
    expect(read(backup)).toEqual(running);
  });

  test('each view has the columns of the page, beside currencies', () => {
    const db = new DatabaseSync(join(directory, 'paynotify.db'), { readOnly: true });
    for (const { view, columns } of VIEWS) {
      const names = db
        .prepare('select name from pragma_table_info(?)')
        .all(view)
        .map(({ name }) => String(name));
      const told = [...columns.matchAll(/`(\w+)`/g)].map(([, name = '']) => name);
      expect([view, names.filter((name) => !name.endsWith('_currency')).toSorted()]).toEqual([view, told.toSorted()]);
    }
    db.close();
  });
});

describe('SQL as docs/consuming.md shows it, on PostgreSQL', () => {
  const suffix = randomBytes(6).toString('hex');
  const [role, maker, holder] = [`reader_${suffix}`, `maker_${suffix}`, `holder_${suffix}`];
  let owner: string;
  let reader: string;
  let end: () => Promise<void>;
  beforeAll(async () => {
    const server = await startServer();
    const database = await server.createDatabase();
    const urlOf = (user: string): string =>
      Object.assign(new URL(database), { username: user, password: 'change-me' }).href;
    [owner, reader] = [urlOf(holder), urlOf(role)];
    await sql(
      database,
      `create role ${maker} createrole; create role ${holder} login password 'change-me';
       alter database ${new URL(database).pathname.slice(1)} owner to ${holder}`,
    );
    const store = await openPostgres({ url: owner, rules: RULES });
    await fill(store);
    await sql(database, `set role ${maker}; ${roles.replaceAll('paynotify_reader', role)}`);
    await sql(owner, grants.replaceAll('paynotify_reader', role));
    end = async () => {
      await store.close();
      await sql(
        database,
        `reassign owned by ${holder} to current_user; drop owned by ${role}, ${holder};
         drop role ${role}, ${maker}, ${holder}`,
      );
      await server.stop();
    };
  });
  afterAll(async () => await end());

  test('finds the same as on SQLite, as the role that it makes', async () => {
    for (const [index, query] of queries.entries()) {
      const rows = await sql<Row>(reader, query.replace('date(time) as day', 'date(time)::text as day'));
      expect(rows.map(toText)).toEqual(FOUND[index]);
    }
  });

  test('the role reads the four views and no table, and writes nothing', async () => {
    const relations = await sql<{ name: string; kind: string }>(
      owner,
      `select relname as name, relkind as kind from pg_class
       where relnamespace = 'public'::regnamespace and relkind in ('r', 'v')`,
    );
    expect(relations.length).toBeGreaterThan(10);
    for (const { name, kind } of relations) {
      const reading = sql(reader, `select * from ${name}`);
      if (kind === 'v') expect(await reading.then(() => name)).toBe(name);
      else await expect(reading).rejects.toMatchObject({ code: '42501' });
    }
    expect(
      relations
        .filter(({ kind }) => kind === 'v')
        .map(({ name }) => name)
        .toSorted(),
    ).toEqual(VIEWS.map(({ view }) => view).toSorted());
    for (const statement of [
      'delete from refunds_v1',
      `update orders_v1 set status = 'CAPTURED'`,
      'create table mine (id integer)',
      `insert into notifications (client_id) values ('')`,
    ])
      await expect(sql(reader, statement)).rejects.toMatchObject({ code: expect.stringMatching(/^(42501|55000)$/) });
  });
});
