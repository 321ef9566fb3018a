import type { DatabaseSync } from 'node:sqlite';
import { readRules, SETTING } from '../setting.ts';
import type { Database, Dialect, Snapshot, Transaction } from '../transaction.ts';
import { createEvidence } from './evidence.ts';
import { createPositionOf, createPutting, createRawPutting, createRaws } from './notifications.ts';
import { createOrderWriting } from './orders.ts';
import { createQuery, prepare } from './query.ts';
import { createRawBatches, createRawRemoval, createStrayRaws } from './raw.ts';
import { createStarting, NEXT_NOTIFICATION, NEXT_POSITION } from './starts.ts';
import { createUnverifiedWriting } from './unverified.ts';
import type { Watch } from './watch.ts';

const DIALECT: Dialect = {
  // There is one writer: nobody else holds a row.
  skipLocked: '',
  // Positions are in the order of commits.
  feeds: {
    orders: { horizon: NEXT_POSITION, began: 'began' },
    notifications: { horizon: NEXT_NOTIFICATION, began: 'began_notifications' },
  },
  // Who writes has the file to himself: a long transaction keeps everybody out, and that is told as what it is.
  horizonHolder: null,
  nextPosition: NEXT_POSITION,
  positionSetting: SETTING.position,
  identifierKey: { columns: 'position, name, value, client_id', after: 'cast($3 as bigint), $4, $5, $2' },
  recordset: (value, columns) =>
    `(select ${columns.map((column) => `value ->> '${column}' as ${column}`).join(', ')} from json_each(${value}))`,
  integrityCheck: 'select integrity_check as problem from pragma_integrity_check',
  // No batch has this number.
  withoutRaw: 'raw_batch = 0, raw_place = -1',
  hasRaw: 'raw_batch <> 0',
  holds: (column, value) => `instr(${column}, ${value}) > 0`,
  orderTotal: '(select count(*) from orders)',
  databaseBytes: '(select page_count * page_size from pragma_page_count, pragma_page_size)',
  clock: "cast(unixepoch('subsec') * 1000 as integer)",
  hasOneService: true,
};

const createRules = (db: DatabaseSync): Snapshot['rules'] => {
  const select = prepare<readonly [value: string]>(db, `select value from settings where name = '${SETTING.rules}'`);
  return async () => readRules(select.get()?.[0]);
};

const createSnapshot = (db: DatabaseSync): Snapshot => ({
  dialect: DIALECT,
  query: createQuery(db),
  rules: createRules(db),
  evidence: createEvidence(db),
  raws: createRaws(db),
  strayRaws: createStrayRaws(db),
  positionOf: createPositionOf(db),
});

/**
 * A connection as the algorithms use it. They are async, but nothing that they await leaves this thread: what runs
 * between `begin` and `commit` is one transaction, as long as one call at a time is carried out (worker.ts).
 */
export const createReadDatabase = (db: DatabaseSync): Database => toReadDatabase(db, createSnapshot(db));

const toReadDatabase = (db: DatabaseSync, snapshot: Snapshot): Database => ({
  dialect: DIALECT,
  query: snapshot.query,
  snapshot: async (work) => {
    db.exec('begin');
    try {
      return await work(snapshot);
    } finally {
      db.exec('rollback');
    }
  },
  transact: () => Promise.reject(new Error('this connection only reads')),
  inParts: async (items, work) => [await work(items)],
});

export const createDatabase = (db: DatabaseSync, watch: Watch): Database => {
  const snapshot = createSnapshot(db);
  const starting = createStarting(db);
  const put = createPutting(db, starting);
  const putRaw = createRawPutting(db);
  const createBatch = createRawBatches(db);
  const removeRaw = createRawRemoval(db);
  const writeOrders = createOrderWriting(db, starting);
  const common = {
    ...snapshot,
    need: () => {},
    ...createUnverifiedWriting(db),
    removeRaw: async (before: number, limit: number) => removeRaw(before, limit),
  };
  return {
    ...toReadDatabase(db, snapshot),
    transact: async (_locks, work) => {
      const batch = createBatch();
      starting.begin();
      const written: Promise<number>[] = [];
      const transaction: Transaction = {
        ...common,
        putNotifications: async (rows) => rows.map((row) => put(row, batch)),
        putRaw: putRaw(batch),
        writeOrders: (...values) => {
          const changed = writeOrders(...values);
          written.push(changed);
          return changed;
        },
      };
      watch.assertOurs();
      try {
        // It takes the write lock at once: a later upgrade could not wait for it.
        db.exec('begin immediate');
        const result = await work(transaction);
        await Promise.all(written);
        batch.write();
        watch.touch();
        db.exec('commit');
        watch.committed();
        return result;
      } catch (error) {
        if (db.isTransaction) db.exec('rollback');
        throw watch.explain(error);
      }
    },
  };
};
