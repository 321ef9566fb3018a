import type { ClientBase } from 'pg';
import { StoreUnavailableError, StoreUnusableError } from '../store.ts';

/** What a new connection has to be like. */
export interface Expected {
  /** Session settings that must be in force, as `pg_settings` shows them. */
  readonly settings: Readonly<Record<string, string>>;
  /** False for a database that is only copied from: a standby will do. */
  readonly writable: boolean;
  /** Also where commits are not durable. */
  readonly allowUnsafe: boolean;
}

/** Why a connection must not be used. */
export interface Problem {
  readonly text: string;
  /** Waiting does not help: somebody has to change something. */
  readonly lasting: boolean;
}

const DURABILITY = ['fsync', 'full_page_writes', 'synchronous_commit'] as const;

interface Facts extends Readonly<Record<(typeof DURABILITY)[number], string>> {
  readonly version: number;
  readonly encoding: string;
  readonly standby: boolean;
  readonly read_only: string;
  readonly settings: Readonly<Record<string, string>> | null;
  readonly backend: string;
  readonly schema: string | null;
}

/** Names a connection at its server for good: a process id alone is used again. */
const BACKEND = `pid || ' ' || extract(epoch from backend_start)`;

const FACTS = `
  select current_setting('server_version_num')::integer as version,
    current_setting('server_encoding') as encoding,
    current_setting('fsync') as fsync,
    current_setting('full_page_writes') as full_page_writes,
    current_setting('synchronous_commit') as synchronous_commit,
    pg_is_in_recovery() as standby,
    current_setting('transaction_read_only') as read_only,
    (select json_object_agg(name, setting) from pg_settings where name = any($1)) as settings,
    (select ${BACKEND} from pg_stat_activity where pid = pg_backend_pid()) as backend,
    quote_ident(current_schema()) as schema`;

/**
 * The connections of this role that the server works for, or has heard of within the last second: where our own machine
 * is slow, it is the server that waits. And whether its COMMIT waits for a synchronous standby.
 */
export const WORKING = `
  select ${BACKEND} as backend, coalesce(wait_event = 'SyncRep', false) as for_standby
  from pg_stat_activity
  where state = 'active' or state_change > clock_timestamp() - interval '1 second'`;

/** pg_current_xact_id() came with 13. */
const OLDEST_SERVER = 130_000;

export interface Checked {
  /** See `WORKING`. */
  readonly backend: string;
  /** Settings that are off, so that a COMMIT that returned may still be lost; allowed here. */
  readonly unsafe: readonly string[];
  /** Where tables are made, as SQL names it; null for no schema that this role may use. */
  readonly schema: string | null;
}

/**
 * The one place where a new connection is checked: after a fail-over, or behind a pooler, it may lead anywhere. One
 * query. Throws a StoreUnavailableError where waiting may help, else a StoreUnusableError.
 */
export const check = async (client: ClientBase, expected: Expected): Promise<Checked> => {
  const { rows } = await client.query<Facts>(FACTS, [Object.keys(expected.settings)]);
  const [facts] = rows;
  if (facts === undefined) throw new StoreUnavailableError('PostgreSQL does not tell its settings');
  const problems = problemsOf(facts, expected);
  if (problems.length > 0) {
    const Failure = problems.every(({ lasting }) => lasting) ? StoreUnusableError : StoreUnavailableError;
    throw new Failure(problems.map(({ text }) => text).join('; '));
  }
  return { backend: facts.backend, unsafe: unsafeIn(facts), schema: facts.schema };
};

const problemsOf = (facts: Facts, expected: Expected): readonly Problem[] =>
  [
    versionProblem(facts),
    writeProblem(facts, expected),
    durabilityProblem(facts, expected),
    settingsProblem(facts, expected),
  ].filter((problem) => problem !== null);

const versionProblem = ({ version, encoding }: Facts): Problem | null => {
  if (version < OLDEST_SERVER) return { text: 'PostgreSQL 13 or newer is needed', lasting: true };
  return encoding === 'UTF8' ? null : { text: `the database's encoding is ${encoding}; UTF8 is needed`, lasting: true };
};

/** A standby becomes a primary, and a name leads to another server: so it is waited for. */
const writeProblem = ({ standby, read_only: readOnly }: Facts, { writable }: Expected): Problem | null => {
  if (!writable) return null;
  if (standby) return { text: 'the server is a standby: paynotify waits for a primary', lasting: false };
  return readOnly === 'off'
    ? null
    : { text: 'the server takes no writes (default_transaction_read_only is on)', lasting: false };
};

const DURABLE_REMEDY =
  'Turn it on (in the configuration of the server; what was set for a role or a database ends with `alter role … reset synchronous_commit`, `alter database … reset synchronous_commit`), or set ALLOW_UNSAFE_DATABASE=true, with which a crash of the server may lose what was acknowledged';

/** A COMMIT that returned must be durable (postgresql.org/docs/current/runtime-config-wal.html). */
const durabilityProblem = (facts: Facts, { allowUnsafe }: Expected): Problem | null => {
  const off = unsafeIn(facts);
  return off.length === 0 || allowUnsafe
    ? null
    : { text: `commits would not be durable here: ${off.join(', ')} off. ${DURABLE_REMEDY}`, lasting: true };
};

const unsafeIn = (facts: Facts): readonly string[] => DURABILITY.filter((name) => facts[name] === 'off');

export const WITHOUT_POOLER =
  'connect to PostgreSQL itself, or through a pooler in session mode that passes on what is sent at connect';

/** They are sent when the connection is made. Where they are missing, that was not the connection of this session. */
const settingsProblem = ({ settings }: Facts, expected: Expected): Problem | null => {
  const missing = Object.entries(expected.settings).filter(([name, value]) => settings?.[name] !== value);
  return missing.length === 0
    ? null
    : {
        text: `a pooler in between drops session settings (${missing[0]?.[0]} …): ${WITHOUT_POOLER}`,
        lasting: true,
      };
};
