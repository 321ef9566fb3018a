import { DatabaseError } from 'pg';
import {
  InvalidCursorError,
  OutdatedCursorError,
  StoreRejectedError,
  StoreUnavailableError,
  StoreUnusableError,
} from '../store.ts';

/** SQLSTATE classes that speak of the values, not of the moment: data, integrity, limits of what a row may be. */
const REJECTIONS: ReadonlySet<string> = new Set(['22', '23', '54']);
/** Errors of ours or of the language while values were written or read: trying again will not help either. */
const FAULTS: ReadonlySet<string> = new Set(['TypeError', 'RangeError', 'SyntaxError', 'ReferenceError']);

const OWN = [StoreUnavailableError, StoreRejectedError, StoreUnusableError, InvalidCursorError, OutdatedCursorError];

/** The five characters by which PostgreSQL names a failure; null where it did not answer at all. */
export const sqlStateOf = (error: unknown): string | null =>
  error instanceof DatabaseError ? (error.code ?? null) : null;

/** Whether the connection can go on after this failure: PostgreSQL answered, and is not on its way out. */
export const isConnectionUsable = (error: unknown): boolean => {
  const state = sqlStateOf(error);
  return state !== null && !/^(?:57P|08|25P03|25P04)/.test(state);
};

/**
 * Names a failure in the port's words. What is not a refusal of the values is an outage, connections that broke
 * without a word included: whether a COMMIT that got no answer happened is then unknown, and never claimed.
 */
export const toStoreError = (error: unknown): Error => {
  if (OWN.some((Failure) => error instanceof Failure)) return error as Error;
  const state = sqlStateOf(error);
  const message = error instanceof Error && error.message !== '' ? error.message : String(error);
  const rejected =
    state === null ? error instanceof Error && FAULTS.has(error.name) : REJECTIONS.has(state.slice(0, 2));
  const Refusal = rejected ? StoreRejectedError : StoreUnavailableError;
  return new Refusal(`PostgreSQL${state === null ? '' : ` (${state})`}: ${message}`, { cause: error });
};
