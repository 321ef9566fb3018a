import type { Amount } from './amount.ts';
import { readInstant } from './time.ts';

export type ResultStatus = 'S' | 'F' | 'U';

/** APO's verdict as received; `resultStatus` decides, `resultCode` is an open set. */
export interface Result {
  readonly resultStatus: ResultStatus;
  readonly resultCode: string | null;
  readonly resultMessage: string | null;
}

export type Json = null | boolean | number | string | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [name: string]: Json;
}

interface Stated {
  readonly result: Result;
  readonly amount: Amount | null;
  readonly acquirerInfo: JsonObject | null;
  readonly acquirerReferenceNo: string | null;
  /** SHA-256 of the notification's body, lower-case hex: the last tie-break, and what makes a statement one. */
  readonly bodyDigest: string;
}

/** What one PAYMENT_RESULT or PAYMENT_PENDING says of its payment. Times are kept as received. */
export interface PaymentStatement extends Stated {
  readonly about: 'payment';
  /** PAYMENT_PENDING: its `S` says that the payment is under way, never that it was paid. */
  readonly pending: boolean;
  readonly paymentRequestId: string | null;
  readonly paymentTime: string | null;
  readonly paymentCreateTime: string | null;
  readonly authExpiryTime: string | null;
  readonly paymentMethodType: string | null;
  readonly pspName: string | null;
  /** At least one field that only a card payment has was filled. */
  readonly cardFields: boolean;
}

/** What to do about a failed capture, by its code. */
export type FailedCaptureAction = 'RETRY_CAPTURE' | 'NEW_PAYMENT_REQUEST' | 'CONTACT_SUPPORT';

/** What one CAPTURE_RESULT says of its capture. */
export interface CaptureStatement extends Stated {
  readonly about: 'capture';
  readonly captureId: string | null;
  readonly captureRequestId: string | null;
  readonly captureTime: string | null;
  /** APO's advice for the result's code, verbatim; null for a code it does not list. */
  readonly furtherAction: string | null;
  readonly onFailure: FailedCaptureAction;
}

export type Statement = PaymentStatement | CaptureStatement;

const RANK: Readonly<Record<ResultStatus, number>> = { S: 0, F: 1, U: 2 };
const PENDING_RANK = 3;

const rankOf = (statement: Statement): number =>
  statement.about === 'payment' && statement.pending ? PENDING_RANK : RANK[statement.result.resultStatus];

const timeOf = (statement: Statement): string | null =>
  statement.about === 'capture' ? statement.captureTime : (statement.paymentTime ?? statement.paymentCreateTime);

const captureIdOf = (statement: Statement): string =>
  statement.about === 'capture' ? (statement.captureId ?? '') : '';
const captureRequestIdOf = (statement: Statement): string =>
  statement.about === 'capture' ? (statement.captureRequestId ?? '') : '';

/** Code units, not locale: the same on every machine. A missing identifier is the empty string, the smallest. */
export const byCodeUnit = (a: string, b: string): number => {
  if (a === b) return 0;
  return a < b ? -1 : 1;
};

/**
 * The one order in which statements speak: S, F, U, then PAYMENT_PENDING; the later time; the greater
 * `captureId`, `captureRequestId`, digest. A total order on distinct statements, so what it picks does not
 * depend on the order of arrival.
 */
export const byPrecedence = (a: Statement, b: Statement): number =>
  rankOf(a) - rankOf(b) ||
  Number(instantOf(b) > instantOf(a)) - Number(instantOf(b) < instantOf(a)) ||
  byCodeUnit(captureIdOf(b), captureIdOf(a)) ||
  byCodeUnit(captureRequestIdOf(b), captureRequestIdOf(a)) ||
  byCodeUnit(b.bodyDigest, a.bodyDigest);

const instantOf = (statement: Statement): number => readInstant(timeOf(statement)) ?? Number.NEGATIVE_INFINITY;

/** The first value that is not null, of statements already sorted by precedence. */
export const firstOf = <S extends Statement, T>(sorted: readonly S[], read: (statement: S) => T | null): T | null => {
  for (const statement of sorted) {
    const value = read(statement);
    if (value !== null) return value;
  }
  return null;
};
