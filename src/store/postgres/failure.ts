import { DatabaseError } from 'pg';
import { codeOf, propertyOf } from '../../thrown.ts';
import { StoreError, StoreRejectedError, StoreUnavailableError, StoreUnusableError } from '../errors.ts';
import { WITHOUT_POOLER } from './check.ts';

/** SQLSTATE classes that speak of the values, not of the moment: data, integrity, limits of what a row may be. */
const REJECTIONS: ReadonlySet<string> = new Set(['22', '23', '54']);
/** Errors of ours or of the language while values were written or read: trying again will not help either. */
const FAULTS: ReadonlySet<string> = new Set(['TypeError', 'RangeError', 'SyntaxError', 'ReferenceError']);
/** A prepared statement is not there, or is there already: the session is not ours alone. */
const FOREIGN_SESSION: ReadonlySet<string | null> = new Set(['26000', '42P05']);

/** The five characters by which PostgreSQL names a failure; null where it did not answer at all. */
export const sqlStateOf = (error: unknown): string | null =>
  error instanceof DatabaseError ? (error.code ?? null) : null;

/** Whether the connection can go on after this failure: PostgreSQL answered, and is not on its way out. */
export const isConnectionUsable = (error: unknown): boolean => {
  const state = sqlStateOf(error);
  return state !== null && !/^(?:57P|08|25P03|25P04)/.test(state);
};

/**
 * Whether this failure tells of the server rather than of one connection: it ends or starts (57P), cannot be reached
 * (08), or is no primary any more (25006).
 */
export const isServerGone = (error: unknown): boolean => /^(?:57P|08|25006)/.test(sqlStateOf(error) ?? '');

const textOf = (error: unknown, name: 'message' | 'syscall'): string => {
  const text = propertyOf(error, name);
  return typeof text === 'string' ? text : '';
};

const messageOf = (error: unknown): string => textOf(error, 'message') || (codeOf(error) ?? String(error));

/**
 * Names a failure in the port's words. What is not a refusal of the values is an outage, connections that broke
 * without a word included: whether a COMMIT that got no answer happened is then unknown, and never claimed.
 */
export const toStoreError = (error: unknown): Error => {
  if (error instanceof StoreError) return error;
  const state = sqlStateOf(error);
  const hint = FOREIGN_SESSION.has(state) ? ' (does a pooler in transaction mode stand in between?)' : '';
  const rejected =
    state === null ? error instanceof Error && FAULTS.has(error.name) : REJECTIONS.has(state.slice(0, 2));
  const Refusal = rejected ? StoreRejectedError : StoreUnavailableError;
  // Without a cause: a command prints that too, and it would say the same twice.
  return new Refusal(`PostgreSQL${state === null ? '' : ` (${state})`}: ${messageOf(error)}${hint}`);
};

/** Where a connection leads, for the person who has to act. */
export interface Place {
  /** `host:port`. */
  readonly server: string;
  readonly user: string;
  readonly database: string;
  /** As SQL names it; null where the server has not told it. */
  readonly schema: string | null;
}

/** What went wrong while opening a database: a StoreUnusableError with the remedy where waiting does not help. */
export const toOpeningError = (error: unknown, place: Place | null): Error => {
  const remedy = remedyOf(error, place);
  const cause = toStoreError(error);
  const Failure = remedy !== null || cause instanceof StoreUnusableError ? StoreUnusableError : StoreUnavailableError;
  const words = remedy === null ? cause.message : `${messageOf(error)}: ${remedy}`;
  const where = place === null ? '' : ` (${place.server}, user ${place.user}, database ${place.database})`;
  return new Failure(`DATABASE_URL${where}: ${words}`);
};

const OCCUPIED = 'give paynotify a database of its own';

/** By SQLSTATE: what a person has to do, where the server will answer the same for ever. */
const REMEDIES: Readonly<Record<string, (place: Place, message: string) => string>> = {
  '28P01': () => 'set the right password',
  '28000': () => 'the server does not admit this user to this database: see its roles and pg_hba.conf',
  '3D000': ({ database, user }) => `create it with: create database "${database}" owner "${user}" encoding 'UTF8'`,
  '3F000': ({ user }) => `set search_path for "${user}" to a schema that exists`,
  '42501': ({ user, schema }, message) =>
    message.startsWith('permission denied for table')
      ? `grant select, insert, update, delete on all tables in schema ${schema ?? 'public'} to "${user}"`
      : `grant create on schema ${schema ?? 'public'} to "${user}", or let a role that owns the tables run paynotify migrate and grant "${user}" their use`,
  '42P07': () => OCCUPIED,
  '42710': () => OCCUPIED,
  '42723': () => OCCUPIED,
};

const remedyOf = (error: unknown, place: Place | null): string | null => {
  const state = sqlStateOf(error);
  if (state !== null) {
    if (state.startsWith('08') && /startup parameter/i.test(messageOf(error)))
      return `a pooler in between takes no session settings: ${WITHOUT_POOLER}`;
    return place === null ? null : (REMEDIES[state]?.(place, messageOf(error)) ?? null);
  }
  const message = messageOf(error);
  // The driver's own words, before the server was asked anything.
  if (message.startsWith('SASL: ') && message.includes('client password')) return 'give a password';
  if (message === 'The server does not support SSL connections') return 'remove sslmode, or set up TLS at the server';
  const code = codeOf(error) ?? '';
  if (/SELF_SIGNED|UNABLE_TO_(?:GET|VERIFY)/.test(code))
    return 'add sslmode=verify-full&sslrootcert=/path/of/ca.pem, the certificate of the authority that signed it';
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return 'connect by a name that stands in the certificate of the server';
  if (/^ERR_TLS_|^ERR_SSL_|CERT/.test(code)) return 'see sslmode and sslrootcert, and the certificate of the server';
  // The driver reads these files itself; a socket that is missing is an outage.
  return ['open', 'read'].includes(textOf(error, 'syscall')) ? 'see sslcert, sslkey and sslrootcert' : null;
};
