import type { ClientBase, PoolClient } from 'pg';
import { type Lock, MoreLocksNeeded } from '../lock.ts';
import { readRules, SETTING } from '../setting.ts';
import { StoreUnavailableError } from '../store.ts';
import type { Database, Dialect, Query, Snapshot, Transaction, Value } from '../transaction.ts';
import { commit } from './commit.ts';
import type { Connections } from './connections.ts';
import { evidence } from './evidence.ts';
import { isConnectionUsable, sqlStateOf, toStoreError } from './failure.ts';
import { bitsOf, inParts, LockTableFullError } from './locks.ts';
import { positionOf, putNotifications, putRaw, raws, removeRaw, WITHOUT_RAW } from './notifications.ts';
import { writeOrders } from './orders.ts';
import { HORIZON, HORIZON_HOLDER, NEXT_POSITION } from './positions.ts';
import { prepared, queryOn } from './query.ts';
import { countUnverified, insertUnverified } from './unverified.ts';

/** serialization_failure, deadlock_detected: nothing happened, and it may pass now. */
const RETRIED: ReadonlySet<string | null> = new Set(['40001', '40P01']);
const OUT_OF_MEMORY = '53200';
const IN_FAILED_TRANSACTION = '25P02';
const ATTEMPTS = 8;

// Both take their positions of one sequence.
const FEED = { horizon: HORIZON, began: 'began' };
const DIALECT: Dialect = {
  skipLocked: 'for update skip locked',
  feeds: { orders: FEED, notifications: FEED },
  horizonHolder: HORIZON_HOLDER,
  nextPosition: NEXT_POSITION,
  positionSetting: SETTING.feedBase,
  identifierKey: { columns: 'client_id, position, name, value', after: '$2, cast($3 as bigint), $4, $5' },
  recordset: (value, columns) =>
    `json_to_recordset(${value}::json) as given (${columns.map((column) => `${column} text`).join(', ')})`,
  integrityCheck: null,
  withoutRaw: WITHOUT_RAW,
  hasRaw: 'body is not null',
  holds: (column, value) => `position(${value}::${column === 'body' ? 'bytea' : 'text'} in ${column}) > 0`,
  // Exact while counting is quick; then as of the last (auto)vacuum or analyze.
  orderTotal: `(
    select case when reltuples > 1e5 then reltuples::bigint else (select count(*) from orders) end
    from pg_class
    where oid = 'orders'::regclass
  )`,
  databaseBytes: 'pg_database_size(current_database())',
  clock: '(extract(epoch from clock_timestamp()) * 1000)::bigint',
  hasOneService: false,
};

const SELECT_RULES = prepared(`select value from settings where name = '${SETTING.rules}'`);

const snapshotOn = (query: Query): Snapshot => ({
  dialect: DIALECT,
  query,
  rules: async () => readRules((await query<{ value: string }>(SELECT_RULES))[0]?.value),
  evidence: evidence(query),
  raws: raws(query),
  // It stands in the row of its notification.
  strayRaws: async () => await Promise.resolve([]),
  positionOf: positionOf(query),
});

/** Connections as the algorithms use them: failures come in the port's words, and within the time limit. */
export const createDatabase = (connections: Connections, timeoutMs: number): Database => {
  const alone = async <T>(work: (client: PoolClient) => Promise<T>): Promise<T> => {
    try {
      return await connections.use(work, performance.now() + timeoutMs);
    } catch (error) {
      throw toStoreError(error);
    }
  };
  return {
    dialect: DIALECT,
    query: async <Row extends object>(sql: string, values: readonly Value[] = []) =>
      await alone(async (client) => await queryOn(client)<Row>(sql, values)),
    snapshot: async (work) => await alone(async (client) => await snapshotOf(client, work)),
    transact: async (locks, work) => await transact({ connections, timeoutMs }, { locks, work }),
    inParts,
  };
};

/** As of the first statement, whatever commits meanwhile. */
const snapshotOf = async <T>(client: ClientBase, work: (snapshot: Snapshot) => Promise<T>): Promise<T> => {
  try {
    await client.query('begin isolation level repeatable read read only');
    const result = await work(snapshotOn(queryOn(client)));
    await client.query('commit');
    return result;
  } catch (error) {
    if (isConnectionUsable(error)) await client.query('rollback');
    throw error;
  }
};

interface Work<T> {
  readonly locks: Iterable<Lock>;
  readonly work: (transaction: Transaction) => Promise<T>;
}

interface Means {
  readonly connections: Connections;
  readonly timeoutMs: number;
}

const transact = async <T>({ connections, timeoutMs }: Means, { locks, work }: Work<T>): Promise<T> => {
  connections.assertNotAwaiting();
  const held = new Set(locks);
  const deadline = performance.now() + timeoutMs;
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await connections.use(async (client) => await attemptOn(client, { held, work }), deadline);
    } catch (error) {
      if (error instanceof MoreLocksNeeded && attempt < ATTEMPTS) {
        for (const lock of error.locks) held.add(lock);
      } else if (!RETRIED.has(sqlStateOf(error)) || attempt >= ATTEMPTS) throw translated(error);
    }
  }
};

const translated = (error: unknown): Error => {
  if (error instanceof MoreLocksNeeded)
    return new StoreUnavailableError('the payments that belong together kept changing');
  return sqlStateOf(error) === OUT_OF_MEMORY
    ? new LockTableFullError(String(error), { cause: error })
    : toStoreError(error);
};

interface Attempt<T> {
  readonly held: ReadonlySet<Lock>;
  readonly work: (transaction: Transaction) => Promise<T>;
}

const attemptOn = async <T>(client: PoolClient, { held, work }: Attempt<T>): Promise<T> => {
  const unanswered: Promise<unknown>[] = [];
  /** What was sent and failed: whatever is asked after it only says that the transaction is aborted. */
  const failures: unknown[] = [];
  try {
    await client.query(beginning(held));
    const query = queryOn(client);
    // COMMIT follows without waiting for these answers, which are checked with COMMIT's own.
    const send: Query = (sql, values) => {
      const answer = query<never>(sql, values);
      answer.catch((error: unknown) => failures.push(error));
      unanswered.push(answer);
      return answer;
    };
    const result = await work({
      ...snapshotOn(query),
      putNotifications: putNotifications(query, send),
      putRaw: putRaw(query),
      writeOrders: writeOrders(send),
      countUnverified: countUnverified(query),
      insertUnverified: insertUnverified(query),
      removeRaw: removeRaw(query),
      need: (locks) => {
        const missing = new Set([...locks].filter((lock) => !held.has(lock)));
        if (missing.size > 0) throw new MoreLocksNeeded(missing);
      },
    });
    // Right behind what was sent and is not answered yet: where that fails, PostgreSQL answers COMMIT with ROLLBACK.
    const committed = commit(client);
    committed.catch(() => {});
    // Before COMMIT's own answer: these say why.
    await Promise.all(unanswered);
    await committed;
    return result;
  } catch (error) {
    if (error instanceof MoreLocksNeeded || isConnectionUsable(error)) await client.query('rollback');
    throw sqlStateOf(error) === IN_FAILED_TRANSACTION ? (failures[0] ?? error) : error;
  }
};

/**
 * Begins and takes all locks, in ascending order, so that no two transactions can wait for each other: in one
 * round trip, and before the first read. In READ COMMITTED what is read after a lock was granted includes
 * everything that its last holder committed, which a snapshot taken before the wait (REPEATABLE READ,
 * SERIALIZABLE) would not.
 */
const beginning = (locks: ReadonlySet<Lock>): string => {
  const begin = 'begin isolation level read committed';
  if (locks.size === 0) return begin;
  const ascending = [...locks].map(bitsOf).sort((a, b) => (a < b ? -1 : 1));
  return `${begin}; select count(pg_advisory_xact_lock(lock)) from unnest('{${ascending.join(',')}}'::bigint[]) as lock`;
};
