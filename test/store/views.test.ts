import { mkdtemp, rm } from 'node:fs/promises';
import { DatabaseSync } from 'node:sqlite';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Client, types } from 'pg';
import type { Order } from '../../src/order/order.ts';
import { readInstant } from '../../src/order/time.ts';
import { openPostgres } from '../../src/store/postgres/postgres-store.ts';
import { openSqlite } from '../../src/store/sqlite/sqlite-store.ts';
import type { Store } from '../../src/store/store.ts';
import {
  amount,
  captureResult,
  CLIENT,
  type Fields,
  jpy,
  paymentPending,
  paymentResult,
  refundResult,
  result,
} from '../support/facts.ts';
import { startServer } from '../support/postgres.ts';
import { later, record, registration, RULES } from './support.ts';

/** A value of a view, in one form on both databases: digits, ISO 8601, JSON. */
type Cell = string | boolean | null | readonly unknown[] | object;
type Row = Readonly<Record<string, Cell>>;

interface World {
  readonly store: Store;
  readonly select: (sql: string, values?: readonly string[]) => Promise<readonly Row[]>;
  readonly remove: () => Promise<void>;
}

const JSON_COLUMNS: ReadonlySet<string> = new Set(['attention', 'attention_codes', 'acquirer_info']);
const BOOLEANS: ReadonlySet<string> = new Set(['fulfillable', 'capture_required']);

/** Of a text or a number. */
const textOf = (value: unknown): string => `${value as string | number | bigint}`;

const fromSqlite = (row: Readonly<Record<string, unknown>>): Row =>
  Object.fromEntries(
    Object.entries(row).map(([name, value]): [string, Cell] => {
      if (JSON_COLUMNS.has(name) && value !== null) return [name, JSON.parse(textOf(value)) as Cell];
      if (BOOLEANS.has(name)) return [name, value === 1n];
      return [name, value === null ? null : textOf(value)];
    }),
  );

const onSqlite = async (): Promise<World> => {
  const directory = await mkdtemp(join(tmpdir(), 'paynotify-'));
  const file = join(directory, 'paynotify.db');
  const store = await openSqlite({ file, rules: RULES });
  // As somebody reads it while the service runs.
  const db = new DatabaseSync(file, { readOnly: true });
  return {
    store,
    select: async (sql, values = []) => {
      const statement = db.prepare(sql.replaceAll(/\$(\d+)/g, '?$1'));
      statement.setReadBigInts(true);
      return await Promise.resolve(statement.all(...values).map(fromSqlite));
    },
    remove: async () => {
      db.close();
      await store.close();
      await rm(directory, { recursive: true });
    },
  };
};

const iso = (name: string): string => `to_char(${name} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as ${name}`;

const onPostgres = async (): Promise<World> => {
  const server = await startServer();
  const url = await server.createDatabase();
  const store = await openPostgres({ url, rules: RULES });
  // A session of another time zone and another way to write a date.
  const client = new Client({ connectionString: url, options: '-c timezone=Asia/Tokyo -c datestyle=SQL,DMY' });
  await client.connect();
  const select: World['select'] = async (sql, values = []) =>
    (
      await client.query<Row>({
        text: sql,
        values: [...values],
        types: { getTypeParser: (id) => (id === types.builtins.TIMESTAMPTZ ? String : types.getTypeParser(id)) },
      })
    ).rows;
  const timed = async (): Promise<ReadonlySet<string>> => {
    const rows = await select(
      `select table_name || '.' || column_name as name
       from information_schema.columns
       where table_schema = 'public' and data_type = 'timestamp with time zone'`,
    );
    return new Set(rows.map(({ name }) => textOf(name)));
  };
  const times = await timed();
  return {
    store,
    select: async (sql, values) => {
      // Written by the database, to the microsecond: what is finer than a millisecond would show.
      const [, view = ''] = /from (\w+)/.exec(sql) ?? [];
      const columns = [...times].flatMap((name) => (name.startsWith(`${view}.`) ? [name.slice(view.length + 1)] : []));
      const more = columns.length === 0 ? '' : `, ${columns.map(iso).join(', ')}`;
      const rows = await select(sql.replace('*', `*${more}`), values);
      return rows.map((row) =>
        Object.fromEntries(
          Object.entries(row).map(([name, value]) => [
            name,
            columns.includes(name) && value !== null ? textOf(value).replace(/000Z$/, 'Z') : value,
          ]),
        ),
      );
    },
    remove: async () => {
      await client.end();
      await store.close();
      await server.stop();
    },
  };
};

const snake = (name: string): string => name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;

/** By its name. */
const isTime = (name: string): boolean => /(Time|At)$/.test(name);

const LISTS = { captures: 'captures_v1', refunds: 'refunds_v1', disputes: 'disputes_v1' } as const;

/** What a view has to show of a field of an order: its columns, each with its value; null in all of what is null. */
const columnsOf = (
  name: string,
  value: unknown,
  columns: readonly string[],
): readonly (readonly [string, unknown])[] => {
  const column = snake(name);
  if (JSON_COLUMNS.has(column)) return [[column, value]];
  if (isObject(value) && 'currency' in value && 'value' in value)
    return [
      [column, value.value],
      [`${column}_currency`, value.currency],
    ];
  // The fields of a result have names of their own.
  const prefix = name === 'result' ? '' : `${name} `;
  if (isObject(value))
    return Object.entries(value).flatMap(([inner, one]) =>
      columnsOf(
        `${prefix}${inner}`.replace(/ (.)/, (_, letter: string) => letter.toUpperCase()),
        one,
        columns,
      ),
    );
  const own = columns.filter((one) => one === column || one.startsWith(`${column}_`));
  if (value === null) return own.length === 0 ? [[column, null]] : own.map((one) => [one, null]);
  if (isTime(name)) {
    const instant = readInstant(textOf(value));
    return [[column, instant === null ? null : new Date(instant).toISOString()]];
  }
  return [[column, typeof value === 'number' ? String(value) : value]];
};

const rowOf = (fields: object, columns: readonly string[]): Record<string, unknown> =>
  Object.fromEntries(Object.entries(fields).flatMap(([name, value]) => columnsOf(name, value, columns)));

/** What the views have to show of these orders. */
const expected = (
  orders: readonly Order[],
  columns: ReadonlyMap<string, readonly string[]>,
): Readonly<Record<string, readonly object[]>> =>
  Object.fromEntries([
    [
      'orders_v1',
      orders.map(({ captures: _captures, refunds: _refunds, disputes: _disputes, ...order }) => ({
        ...rowOf(order, columns.get('orders_v1') ?? []),
        attention_codes: order.attention.map(({ code }) => code),
      })),
    ],
    ...Object.entries(LISTS).map(([list, view]) => [
      view,
      orders.flatMap((order) =>
        order[list as keyof typeof LISTS].map((part) => ({
          client_id: order.clientId,
          payment_id: order.paymentId,
          payment_request_id: order.paymentRequestId,
          ...rowOf(part, columns.get(view) ?? []),
        })),
      ),
    ]),
  ]);

const byText = (a: object, b: object): number => (sortedText(a) < sortedText(b) ? -1 : 1);
const sortedText = (row: object): string => JSON.stringify(Object.entries(row).sort(([a], [b]) => (a < b ? -1 : 1)));

const TIMES = [
  '2025-02-16T21:48:05-08:00',
  '2025-02-16T21:48:05.9999+0530',
  '2024-02-29T23:59:59,1Z',
  '2025-02-29T00:00:00Z',
  '2025-06-31T00:00:00Z',
  '2025-06-30T24:00:00Z',
  '2025-06-30T23:59:60Z',
  '2025-06-00T12:00:00Z',
  '2025-06-30T23:59+23:59',
  '2025-06-30T23:59-2359',
  '2025-06-30T23:59.5Z',
  '2025-06-30T23:59:00.Z',
  '2025-06-30T23:59:00.1234567890Z',
  '2025-06-30T23:59:00+24:00',
  '2025-06-30T23:59:00+05:60',
  '2025-06-30T23:59:00',
  '2025-06-30T23:59:00Z\n',
  '2025-06-30 23:59:00Z',
  '2025-06-30',
  '1739771285123',
  '173977128512',
  '0099-01-01T00:00:00Z',
  '9999-12-31T23:59:59.999Z',
  '٢٠٢٥-06-30T23:59:00Z',
  'soon',
  "'; drop table orders; --",
];
const LARGE = ['0', '9223372036854775807', '9223372036854775808', '10000000000000000000', '9'.repeat(64)];

const of = (payment: string, fields: Fields): Fields => ({ ...fields, paymentId: payment });

const dispute = (fields: Fields): Fields => ({
  notifyType: 'DISPUTE_CREATED',
  disputeNotificationType: 'DISPUTE_CREATED',
  disputeType: 'CHARGEBACK',
  ...fields,
});

/** Varied orders: at least one with a value in every column. */
const fill = async (store: Store): Promise<void> => {
  const now = later(1);
  // An order by itself until the payment comes.
  await store.register(registration({ referenceOrderId: 'basket' }), { replace: false, now: later(-1) });
  await store.register(registration({ paymentRequestId: 'R8', referenceOrderId: null }), { replace: false, now });
  await store.register(
    { ...registration({ paymentRequestId: 'R9' }), finalAmount: { currency: 'JPY', value: '7' } },
    { replace: false, now },
  );
  const acquirer = {
    acquirerReferenceNo: 'N "1"',
    acquirerInfo: { acquirerName: 'ADYEN', "it's": ['%', { deep: 1e21, none: null }], '\\u0000': 'back\\slash' },
  };
  await record(store, paymentResult('S', { paymentAmount: jpy('120'), paymentTime: TIMES[0], ...acquirer }));
  await record(
    store,
    captureResult('S', { captureId: 'C1', captureRequestId: 'Q1', captureAmount: jpy('100'), ...acquirer }),
  );
  await record(store, captureResult('F', { captureId: 'C2', result: result('F', 'PARAM_ILLEGAL') }));
  await record(
    store,
    of(
      'W1',
      paymentResult('S', {
        paymentRequestId: 'RW1',
        paymentMethodType: 'ALIPAY_CN',
        paymentAmount: amount('HKD', '5'),
      }),
    ),
  );
  await record(
    store,
    of('W2', paymentPending({ paymentRequestId: 'RW2' })),
    of('W3', paymentResult('F', { paymentRequestId: 'RW3' })),
  );
  await record(store, of('M1', captureResult('S', { captureId: 'M', captureAmount: { currency: 'yen', value: '1' } })));
  for (const [index, time] of TIMES.entries()) {
    const payment = `T${index}`;
    await record(
      store,
      of(payment, paymentResult('S', { paymentRequestId: `RT${index}`, paymentAmount: jpy('9'), paymentTime: time })),
      of(payment, captureResult('S', { captureId: `CT${index}`, captureTime: time, captureAmount: jpy('9') })),
      of(
        payment,
        dispute({
          disputeId: `D${index}`,
          disputeAmount: jpy('3'),
          defenseDueTime: time,
          disputeReasonCode: '4853',
          disputeReasonMsg: 'never "arrived"',
        }),
      ),
    );
  }
  for (const [index, value] of LARGE.entries())
    await record(
      store,
      of(`L${index}`, paymentResult('S', { paymentRequestId: `RL${index}`, paymentAmount: jpy(value) })),
      of(`L${index}`, captureResult('S', { captureId: `CL${index}`, captureAmount: jpy(value) })),
    );
  await record(
    store,
    ...Array.from({ length: 40 }, (_, number) =>
      of(
        'F1',
        captureResult('S', {
          captureId: `F${number}`,
          captureAmount: jpy('10'),
          captureTime: TIMES[number % 3],
          ...acquirer,
        }),
      ),
    ),
  );
  await record(store, of('F1', captureResult('U', { captureId: 'FU', captureAmount: jpy('10') })));
  await store.registerRefund(
    { clientId: CLIENT, refundRequestId: 'X1', paymentId: 'P1', paymentRequestId: null },
    { replace: false, now },
  );
  await record(
    store,
    refundResult('S', {
      refundId: 'RF1',
      refundRequestId: 'X1',
      captureId: 'C1',
      refundAmount: jpy('40'),
      refundTime: TIMES[1],
    }),
  );
  const [order] = await store.findOrders({ clientId: CLIENT, id: 'W3' });
  await store.review(
    { clientId: CLIENT, id: 'W3', decision: 'CLOSE', revision: order?.revision ?? 0, note: 'by "phone"' },
    now,
  );
};

describe.each([
  ['SQLite', onSqlite, '0000-01-01T00:00:00.000Z'],
  ['PostgreSQL', onPostgres, null],
])('the views on %s', (_, lay, yearZero) => {
  let world: World;
  let orders: readonly Order[];
  const shown = new Map<string, readonly Row[]>();
  beforeAll(async () => {
    world = await lay();
    await fill(world.store);
    ({ items: orders } = await world.store.followOrders({ clientId: null, limit: 1_000, cursor: null }));
    for (const view of ['orders_v1', ...Object.values(LISTS)])
      shown.set(view, await world.select(`select * from ${view}`));
  });
  afterAll(async () => await world.remove());

  test('show what the API shows of every order, each field in a column', () => {
    const columns = new Map([...shown].map(([view, rows]) => [view, Object.keys(rows[0] ?? {})]));
    for (const [view, rows] of Object.entries(expected(orders, columns)))
      expect([view, (shown.get(view) ?? []).toSorted(byText)]).toEqual([view, rows.toSorted(byText)]);
  });

  test('are compared with values in every column', () => {
    for (const [view, rows] of shown) {
      const never = Object.keys(rows[0] ?? {}).filter((column) => rows.every((row) => row[column] === null));
      expect([view, never]).toEqual([view, []]);
    }
  });

  test('find one order by its payment, and those of a shop order', async () => {
    const found = await world.select('select * from orders_v1 where client_id = $1 and payment_id = $2', [
      CLIENT,
      'P1',
    ]);
    expect(found).toMatchObject([{ payment_id: 'P1', reference_order_id: 'basket', captured_amount: '100' }]);
    expect(await world.select('select * from orders_v1 where payment_id is null')).toHaveLength(2);
  });

  test('do not fail at a time of the year 0, which PostgreSQL does not have', async () => {
    const time = '0000-01-01T00:00:00Z';
    await record(world.store, of('Y0', paymentResult('S', { paymentRequestId: 'RY0', paymentTime: time })));
    expect(await world.select("select * from orders_v1 where payment_id = 'Y0'")).toMatchObject([
      { payment_time: yearZero },
    ]);
  });
});
