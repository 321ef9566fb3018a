import { handlers as builtIn, type Handlers } from '../../handlers/index.ts';
import type { OrderRules } from '../../order/order.ts';
import { toEntry, toPromotionEntry, toReapplicationEntry } from '../entry.ts';
import { type Backlog, type Store, StoreRejectedError } from '../store.ts';
import { connectedAlone, GRACE_MS, migratePostgres, openPool } from './connect.ts';
import { toStoreError } from './failure.ts';
import { bitsOf, taskLock, UNVERIFIED_LOCK } from './locks.ts';
import { openNotificationReading, openUnverifiedReading } from './notifications.ts';
import { openOrderReading } from './orders.ts';
import { openReapplying } from './reapply.ts';
import { openRebuilding } from './rebuild.ts';
import { openRecording } from './record.ts';
import { openRefresh } from './refresh.ts';
import { openRegistering } from './registrations.ts';
import { openRetention } from './retention.ts';
import { type Database, openDatabase } from './transaction.ts';
import { changeReasons, purgeSome } from './unverified.ts';

export interface PostgresOptions {
  readonly url: string;
  readonly rules: OrderRules;
  /** A module that exports `handlers`, instead of the built-in table. */
  readonly handlersModule?: URL;
  /** Milliseconds after which the server gives up a statement; half a second later we give up the server. */
  readonly statementTimeoutMs?: number;
  readonly poolSize?: number;
  /** Open it although `fsync`, `full_page_writes` or `synchronous_commit` is off. */
  readonly allowUnsafe?: boolean;
  /** Told once which of them are off, where that is allowed. */
  readonly onUnsafe?: (settings: readonly string[]) => void;
}

const DEFAULTS = { statementTimeoutMs: 4_000, poolSize: 5, allowUnsafe: false };
/** While one batch waits for the server's answer the others go on; the pool's other connections are for readers and probes. */
const CONCURRENCY = 3;
/** Small enough that nobody waits long for the unverified store. */
const PURGED_AT_ONCE = 500;

/**
 * The PostgreSQL store, for as many replicas as there are. Handlers run here, between two statements of a
 * transaction: they are pure and synchronous, and what they derive is what the transaction read under its locks.
 */
export const openPostgres = async (options: PostgresOptions): Promise<Store> => {
  const { url, rules, handlersModule, statementTimeoutMs, poolSize, allowUnsafe } = { ...DEFAULTS, ...options };
  const handlers =
    handlersModule === undefined ? builtIn : ((await import(handlersModule.href)) as { handlers: Handlers }).handlers;
  const { unsafe } = await migratePostgres(url, allowUnsafe);
  if (unsafe.length > 0) options.onUnsafe?.(unsafe);
  const pool = openPool({ url, statementTimeoutMs, poolSize, allowUnsafe });
  const database = openDatabase(pool, statementTimeoutMs + GRACE_MS);
  const derivation = { handlers, rules };
  const refresh = openRefresh(derivation);
  const recording = openRecording(database, refresh);
  const reapply = openReapplying(database, refresh);

  return {
    ...openOrderReading(database, derivation),
    ...openNotificationReading(database),
    ...openUnverifiedReading(database),
    ...openSettings(database),
    ...openRetention(database),
    concurrency: Math.min(CONCURRENCY, poolSize),
    record: async (batch, bounds) =>
      await recording.record(
        batch.map((delivery) => toEntry(delivery, handlers)),
        bounds,
      ),
    register: openRegistering(database, refresh),
    reapply: async (reapplications, now) =>
      await reapply(
        reapplications.map((one) => toReapplicationEntry(one, handlers)),
        now,
      ),
    promote: async (promotions, now) =>
      await recording.promote(
        promotions.map((one) => toPromotionEntry(one, { handlers, now })),
        now,
      ),
    changeReasons: async (changes) =>
      await database.transact([UNVERIFIED_LOCK], async ({ query }) => await changeReasons(query, changes)),
    purgeUnverified: async (reason) => {
      let purged = 0;
      for (let some = -1; some !== 0; purged += some) {
        some = await database.transact(
          [UNVERIFIED_LOCK],
          async ({ query }) => await purgeSome(query, reason, PURGED_AT_ONCE),
        );
      }
      return purged;
    },
    rebuild: openRebuilding(database, refresh),
    exclusively: async (task, work) => await runExclusively(options, { task, work }),
    backup: () =>
      Promise.reject(
        new StoreRejectedError('PostgreSQL is backed up with its own tools: pg_dump, or a physical backup'),
      ),
    close: async () => await pool.end(),
  };
};

const openSettings = ({ query }: Database): Pick<Store, 'backlog' | 'ping' | 'recall' | 'remember'> => {
  const remember: Store['remember'] = async (name, value) => {
    await query(
      `insert into settings
       values ($1, $2)
       on conflict (name) do update
       set value = excluded.value`,
      [name, value],
    );
  };
  return {
    // It writes: a server that became read-only, or cannot sync its log, must not count as ready.
    ping: async () => await remember('probe', ''),
    backlog: async () => {
      const [row] = await query<Backlog>(
        `select
           exists (select from notifications where outcome = 'FAILED') as failed,
           exists (select from unverified) as unverified`,
      );
      return row ?? { failed: false, unverified: false };
    },
    recall: async (name) => {
      const [row] = await query<{ value: string }>('select value from settings where name = $1', [name]);
      return row?.value ?? null;
    },
    remember,
  };
};

interface Task<T> {
  readonly task: string;
  readonly work: () => Promise<T>;
}

/**
 * Holds a lock of the session, on a connection of its own, while the work runs. Where that connection breaks, the
 * lock is free and another replica may begin the same task: tasks are such that this does no harm.
 */
const runExclusively = async <T>(
  { url, statementTimeoutMs }: PostgresOptions,
  { task, work }: Task<T>,
): Promise<T | null> => {
  let begun = false;
  try {
    return await connectedAlone(
      url,
      async (client) => {
        const { rows } = await client.query<{ free: boolean }>('select pg_try_advisory_lock($1) as free', [
          String(bitsOf(taskLock(task))),
        ]);
        begun = rows[0]?.free === true;
        return begun ? await work() : null;
      },
      statementTimeoutMs ?? DEFAULTS.statementTimeoutMs,
    );
  } catch (error) {
    // What the work itself throws is the caller's own.
    throw begun ? error : toStoreError(error);
  }
};
