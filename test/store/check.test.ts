import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { openPostgres } from '../../src/store/postgres/postgres-store.ts';
import { openSqlite } from '../../src/store/sqlite/sqlite-store.ts';
import type { Store } from '../../src/store/store.ts';
import { type StoreVerification, verifyStore } from '../../src/upkeep/verify-store.ts';
import { readPage } from '../docs/blocks.ts';
import { answerTo, captureResult, CLIENT, jpy, paymentAnswer, paymentResult, TRUST } from '../support/facts.ts';
import { startServer } from '../support/postgres.ts';
import { type Cell, flipped, type Hand, postgresHand, type Row, sqliteHand } from './flip.ts';
import { AMPLE, delivery, later, record, registration, RULES, T0, unverified, paid } from './support.ts';

/** What no check can see, and why: docs/operating.md names them too. */
const UNSEEN: Readonly<Record<string, readonly string[]>> = {
  // Counts and times of our own: nothing else tells them.
  notifications: ['deliveries', 'first_received_at', 'last_received_at'],
  shop_statements: ['replaced_at', 'created_at', 'updated_at'],
  // What failed under another trust is verified again.
  unverified: ['request', 'trust', 'diagnosis', 'explanation', 'deliveries', 'first_received_at', 'last_received_at'],
  raw_batches: ['received_at'],
  orders: ['position', 'revision', 'updated_at'],
  // Where the feed goes on, and what tasks remember.
  settings: ['name', 'value'],
  starts: ['number', 'id', 'began', 'began_notifications', 'identity'],
  // What the shop was told is not derived from anything.
  leases: ['name', 'owner', 'until'],
  // What was asked for, and sent, is not derived from anything.
  moves: [
    'client_id',
    'kind',
    'request_id',
    'payment_id',
    'content',
    'status',
    'attempts',
    'next_attempt_at',
    'result_code',
    'reason',
    'apo_id',
    'created_at',
    'updated_at',
  ],
  // Derived from the orders again, at worst too early.
  inquiries: [
    'client_id',
    'about',
    'id',
    'position',
    'why',
    'due_at',
    'attempts',
    'outcome',
    'asked_at',
    'owner',
    'until',
  ],
  callback_urls: [
    'client_id',
    'url',
    'number',
    'origin',
    'in_use',
    'followed_since',
    'start',
    'position',
    'floor',
    'again_until',
    'paused_until',
    'paused_since',
    'attempts',
    'why',
    'delivered_at',
    'alarmed_at',
  ],
  callback_orders: [
    'client_id',
    'number',
    'order_key',
    'delivered_revision',
    'delivered',
    'delivered_at',
    'copied',
    'pending_revision',
    'pending_since',
    'attempts',
    'next_attempt_at',
    'why',
  ],
  // Looked at when the database is opened.
  place: ['mark', 'before', 'salts', 'closed'],
  migrations: ['version', 'oldest_program', 'shape'],
};

const TABLES = [
  'notifications',
  'raw_batches',
  'identifiers',
  'orders',
  'folded_captures',
  'shop_statements',
  'unverified',
  'unverified_totals',
  'leases',
  'moves',
  'inquiries',
  'callback_urls',
  'callback_orders',
  'settings',
  'place',
  'starts',
  'migrations',
];
/** A flip is a run of all checks: a few rows show that they look at a column. */
const ROWS = 3;
/** Some hundred runs of all checks. */
const LONG_MS = 180_000;

/** Seen where the notification states an identifier beside its payment: those know their notification by it. */
const PARTLY: ReadonlySet<string> = new Set(['notifications.position']);

/** What belongs to a notification is named with it. */
const NAMED_BY: Readonly<Record<string, readonly string[]>> = {
  identifiers: ['identifiers', 'notifications'],
  notifications: ['notifications', 'raw_batches'],
  raw_batches: ['notifications', 'raw_batches'],
  folded_captures: ['orders'],
};

/** Of the captures that are folded a few stand for all: each row costs a run of all checks for each of its columns. */
const fewOfTheFolded = (rows: readonly Row[]): readonly Row[] => [
  ...rows.filter((row) => !isFolded(row)),
  ...rows.filter(isFolded).slice(0, 3),
];

const isFolded = (row: Row): boolean =>
  row['payment_id'] === 'P7' || [row['value'], row['capture_id']].some((id) => /^[FG]\d+$/.test(String(id)));

const captured = (number: number) =>
  captureResult('S', { paymentId: `P${number}`, captureId: `C${number}`, captureAmount: jpy('100') });

/** One row at least of every table: one batch that is compressed, several that are not. */
const fill = async (store: Store): Promise<void> => {
  await record(store, paid(1), captured(1), paid(2), captured(2), paid(3));
  await record(store, paymentResult('F', { paymentId: 'P3', paymentRequestId: 'R3' }));
  await record(store, { notifyType: 'OTHER', refundId: 'F1' });
  await store.recordInquiry({
    read: answerTo({ operation: 'inquiryPayment', paymentId: 'P1' }, JSON.stringify(paymentAnswer('SUCCESS'))),
    receivedAt: T0,
  });
  await record(store, captureResult('S', { paymentId: 'P4', captureAmount: { currency: 'yen', value: '1' } }));
  await store.record([{ ...delivery(captured(5)), inapplicable: true }], AMPLE);
  await store.record([unverified(), unverified({ target: '/payNotify?2' }, { reason: 'UNKNOWN_CLIENT' })], AMPLE);
  // So many that they are folded.
  const folded = Array.from({ length: 33 }, (_, part) =>
    captureResult('S', {
      paymentId: 'P7',
      captureId: `F${part}`,
      captureRequestId: `G${part}`,
      captureAmount: jpy('1'),
    }),
  );
  await record(store, ...folded);
  const now = later(1);
  await store.register(registration(), { replace: false, now });
  await store.register(registration({ referenceOrderId: 'basket-2' }), { replace: true, now });
  await store.register(registration({ paymentRequestId: 'R9' }), { replace: false, now });
  await store.registerRefund(
    { clientId: CLIENT, refundRequestId: 'RR1', paymentId: 'P2', paymentRequestId: null },
    { replace: false, now },
  );
  const [order] = await store.findOrders({ clientId: CLIENT, id: 'P3' });
  const decision = { clientId: CLIENT, id: 'P3', decision: 'CLOSE', note: null } as const;
  await store.review({ ...decision, revision: order?.revision ?? 0 }, now);
  await store.ping();
};

interface World {
  readonly store: Store;
  readonly hand: Hand;
  readonly remove: () => Promise<void>;
}

const onSqlite = async (): Promise<World> => {
  const directory = await mkdtemp(join(tmpdir(), 'paynotify-'));
  const file = join(directory, 'paynotify.db');
  const store = await openSqlite({ file, rules: RULES });
  await fill(store);
  const hand = sqliteHand(file);
  return {
    store,
    hand,
    remove: async () => {
      await hand.close();
      await store.close();
      await rm(directory, { recursive: true });
    },
  };
};

const onPostgres = async (): Promise<World> => {
  const server = await startServer();
  const url = await server.createDatabase();
  const store = await openPostgres({ url, rules: RULES });
  await fill(store);
  const hand = await postgresHand(url);
  return {
    store,
    hand,
    remove: async () => {
      await hand.close();
      await store.close();
      await server.stop();
    },
  };
};

/** Whether the row is named, or the one that it belongs to. */
const isFound = ({ flaws }: StoreVerification, table: string): boolean =>
  flaws.some((flaw) => (NAMED_BY[table] ?? [table]).includes(flaw.table) && flaw.key !== '' && flaw.remedy !== '');

describe.each([
  ['SQLite', onSqlite],
  ['PostgreSQL', onPostgres],
])('verify-store on %s', (_, lay) => {
  let world: World;
  beforeAll(async () => {
    world = await lay();
  });
  afterAll(async () => await world.remove());

  const verifyAll = async (): Promise<StoreVerification> =>
    await verifyStore({ check: world.store.check, recall: async () => await Promise.resolve(null) }, TRUST);

  test('finds nothing wrong where nothing is', async () => {
    expect(await verifyAll()).toMatchObject({ verified: 43, failed: [], flaws: [], withoutBytes: 0 });
  });

  test('every table is looked at', async () => {
    const tables = [...(await world.hand.columns()).keys()];
    expect(TABLES.filter((table) => tables.includes(table)).toSorted()).toEqual(tables.toSorted());
  });

  test.each(TABLES)(
    'finds a byte that changed in any row of %s, but in columns that are documented',
    async (table) => {
      const columns = (await world.hand.columns()).get(table) ?? [];
      const found = columns.length === 0 ? [] : fewOfTheFolded(await world.hand.rows(table));
      const missed: string[] = [];
      for (const column of columns.filter((name) => UNSEEN[table]?.includes(name) !== true)) {
        const verdicts: boolean[] = [];
        for (const [index, row] of found.entries()) {
          if (verdicts.length === ROWS) break;
          const verification = await withFlip(table, row, { column, where: index });
          if (verification === null) continue;
          verdicts.push(isFound(verification, table));
          if (verdicts.at(-1) === false) missed.push(`${column} ${String(row[column])}`);
        }
        // Of each column one byte at least was changed, and found.
        expect([column, verdicts.includes(true)]).toEqual([column, true]);
      }
      expect(missed.filter((one) => !PARTLY.has(`${table}.${one.split(' ')[0]}`))).toEqual([]);
      expect(await verifyAll()).toMatchObject({ failed: [], flaws: [] });
    },
    LONG_MS,
  );

  test(
    'finds it in what was read, also once retention has removed the bytes',
    async () => {
      while ((await world.store.removeRaw(later(1e9), 100)) > 0);
      const { withoutBytes } = await verifyAll();
      expect(withoutBytes).toBeGreaterThan(6);
      const columns = { notifications: ['client_id', 'payment_id', 'digest', 'kind', 'statements', 'reading_check'] };
      for (const [table, names] of Object.entries({
        ...columns,
        identifiers: ['name', 'value', 'client_id', 'joins'],
      })) {
        // Each row costs a run of all checks for each of its columns.
        for (const row of (await world.hand.rows(table)).filter((_row, index) => index % 4 === 0)) {
          for (const column of names) {
            const verification = await withFlip(table, row, { column, where: 1 });
            expect([column, verification === null || isFound(verification, table)]).toEqual([column, true]);
          }
        }
      }
    },
    LONG_MS,
  );

  /** Another row may have that very key: then it is another byte. */
  const firstTaken = async (
    table: string,
    row: Row,
    { column, where }: { readonly column: string; readonly where: number },
  ): Promise<Cell> => {
    for (const shift of [0, 1, 2]) {
      const value = flipped(row[column] ?? null, where + shift);
      if (value === null) return null;
      try {
        await world.hand.write(table, row, { column, value });
        return value;
      } catch (error) {
        if (!/unique/i.test(String(error)) || shift === 2) throw error;
      }
    }
    return null;
  };

  const withFlip = async (
    table: string,
    row: Row,
    { column, where }: { readonly column: string; readonly where: number },
  ): Promise<StoreVerification | null> => {
    const value = await firstTaken(table, row, { column, where });
    if (value === null) return null;
    try {
      return await verifyAll();
    } finally {
      await world.hand.write(table, { ...row, [column]: value }, { column, value: row[column] ?? null });
    }
  };
});

test.each([
  ...Object.entries(UNSEEN),
  ...[...PARTLY].map((name) => [name.split('.')[0] ?? '', [name.split('.')[1] ?? '']] as const),
])('docs/operating.md says that of %s this cannot be seen: %j', (table, columns) => {
  const { text } = readPage('docs/operating.md');
  const rows = text.split('\n').filter((line) => line.startsWith(`| \`${table}\``));
  const names = columns.map((column) => `\`${column}\``);
  expect(rows.filter((row) => names.every((name) => row.includes(name)))).toHaveLength(1);
});
