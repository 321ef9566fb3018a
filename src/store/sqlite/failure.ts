import {
  InvalidCursorError,
  OutdatedCursorError,
  StoreRejectedError,
  StoreUnavailableError,
  StoreUnusableError,
} from '../errors.ts';
import { codeOf } from '../../thrown.ts';
import { sqliteCodeOf } from './file.ts';
import { DatabaseLostError } from './watch.ts';

/** Errors by the names under which they pass from a thread to its caller. The first that an error is an instance of. */
const ERRORS = {
  lost: DatabaseLostError,
  unusable: StoreUnusableError,
  unavailable: StoreUnavailableError,
  rejected: StoreRejectedError,
  'invalid cursor': InvalidCursorError,
  'outdated cursor': OutdatedCursorError,
} as const;
export type Failure = keyof typeof ERRORS;

/** Result codes of SQLite that speak of the values, not of the moment: constraint, mismatch, too big, out of range. */
const REJECTIONS: ReadonlySet<number> = new Set([18, 19, 20, 25]);

const isOfFileSystem = (error: unknown): boolean => /^E(?!RR_)/.test(codeOf(error) ?? '');

/** Which error the caller gets; what is no error of the database is a bug, and the values that met it are rejected. */
export const failureOf = (error: unknown): Failure => {
  const names = Object.keys(ERRORS) as Failure[];
  const name = names.find((one) => error instanceof ERRORS[one]);
  if (name !== undefined) return name;
  const code = sqliteCodeOf(error);
  if (code === null) return isOfFileSystem(error) ? 'unavailable' : 'rejected';
  return REJECTIONS.has(code) ? 'rejected' : 'unavailable';
};

export const toError = (failure: Failure, message: string): Error => new ERRORS[failure](message);
