import { type Amount, type AmountText, toAmount } from './amount.ts';
import type { Identifier, IdentifierName } from './identifier.ts';
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

/** Who says it. */
interface Told {
  /** SHA-256 of the answer, lower-case hex, where APO was asked; absent where a notification says it. */
  readonly answer?: string | undefined;
}

interface Stated extends Told {
  readonly result: Result;
  readonly amount?: AmountText | undefined;
}

interface Acquired {
  readonly acquirerInfo?: JsonObject | undefined;
  readonly acquirerReferenceNo?: string | undefined;
}

/** What is said of a payment besides its result. Times are as received. */
export interface PaymentDetails extends Acquired {
  readonly amount?: AmountText | undefined;
  readonly paymentRequestId?: string | undefined;
  readonly paymentTime?: string | undefined;
  readonly paymentCreateTime?: string | undefined;
  readonly authExpiryTime?: string | undefined;
  readonly paymentMethodType?: string | undefined;
  readonly pspName?: string | undefined;
  /** At least one field of `paymentResultInfo` is filled. */
  readonly hasResultInfo?: true | undefined;
}

/** What a PAYMENT_RESULT or PAYMENT_PENDING says about its payment; so does an inquiry's `paymentStatus`. */
export interface PaymentStatement extends Stated, PaymentDetails {
  readonly about: 'payment';
  /** PAYMENT_PENDING: its `S` says that the payment is under way, never that it was paid. */
  readonly pending: boolean;
}

/** An inquiry's CANCELLED: it has no result, and all else that a PAYMENT_RESULT has. */
export interface CancelledPaymentStatement extends Told, PaymentDetails {
  readonly about: 'cancelled payment';
}

/** What is said of a payment, with a result or without one. */
export type AnyPaymentStatement = PaymentStatement | CancelledPaymentStatement;

/** What an UPDATE_AMOUNT_RESULT says: with S, the new total of an incremental authorization. */
export interface AmountUpdateStatement extends Stated {
  readonly about: 'amount update';
}

/** What a CAPTURE_RESULT says about its capture; it has a `captureId` or a `captureRequestId`. */
export interface CaptureStatement extends Stated, Acquired {
  readonly about: 'capture';
  readonly captureId?: string | undefined;
  readonly captureRequestId?: string | undefined;
  readonly captureTime?: string | undefined;
  /** APO's advice for the result's code, verbatim; absent for a code that APO does not list. */
  readonly furtherAction?: string | undefined;
}

/** What a REFUND_RESULT says about its refund; it has a `refundId` or a `refundRequestId`. */
export interface RefundStatement extends Stated {
  readonly about: 'refund';
  readonly refundId?: string | undefined;
  readonly refundRequestId?: string | undefined;
  /** Seldom stated: a refund joins its payment by what the shop registered. */
  readonly paymentId?: string | undefined;
  readonly captureId?: string | undefined;
  readonly refundTime?: string | undefined;
}

/** A cancellation that an inquiry shows among the transactions: CANCEL of the payment, VOID of its authorization. */
export interface CancellationStatement extends Stated {
  readonly about: 'cancellation';
  readonly type: 'CANCEL' | 'VOID';
  readonly cancelTime?: string | undefined;
}

/** APO answered, and told nothing of what it was asked about: it does not know it, or not now. It changes no order. */
export interface UnansweredStatement extends Told {
  readonly about: 'inquiry';
  /** Of the call. */
  readonly result: Result;
}

/** What a dispute's notification says. It has no result: its type decides (`dispute.ts`). */
export interface DisputeStatement extends Told {
  readonly about: 'dispute';
  readonly disputeId: string;
  /** `disputeNotificationType`, an open set. */
  readonly notificationType: string;
  /** CHARGEBACK, RETRIEVAL_REQUEST, COMPLIANCE_REQUEST: an open set. */
  readonly type?: string | undefined;
  readonly amount?: AmountText | undefined;
  readonly judgedAmount?: AmountText | undefined;
  readonly judgedResult?: string | undefined;
  readonly judgedTime?: string | undefined;
  readonly disputeTime?: string | undefined;
  readonly dueTime?: string | undefined;
  readonly reasonCode?: string | undefined;
  readonly reasonMessage?: string | undefined;
}

/**
 * What one notification, or one answer, says about its payment: plain JSON, stored with it. Absent means absent, null
 * or empty. Amounts count the smallest unit.
 */
export type Statement =
  | PaymentStatement
  | CancelledPaymentStatement
  | AmountUpdateStatement
  | CaptureStatement
  | RefundStatement
  | CancellationStatement
  | UnansweredStatement
  | DisputeStatement;

/** Where a statement comes from; it decides where all else is equal. */
export interface Source {
  /** The id of its notification or answer, lower-case hex; of a notification the SHA-256 of its body. */
  readonly digest: string;
  /** Place among the statements of that, from 0. */
  readonly place: number;
}

export type Sourced<S extends Statement> = S & Source;

/**
 * The identifiers by which a statement joins its payment with what else is stored: with a registration, or with another
 * notification that names the same one. A `paymentRequestId` in a capture's notification joins nothing.
 */
export const linksOf = (statement: Statement): readonly Identifier[] => {
  switch (statement.about) {
    case 'payment':
    case 'cancelled payment':
      return named('paymentRequestId', statement.paymentRequestId);
    case 'capture':
      return named('captureId', statement.captureId);
    case 'refund':
      return [...named('refundId', statement.refundId), ...named('refundRequestId', statement.refundRequestId)];
    case 'amount update':
    case 'cancellation':
    case 'inquiry':
    case 'dispute':
      return [];
  }
};

const named = (name: IdentifierName, value: string | undefined): readonly Identifier[] =>
  value === undefined ? [] : [{ name, value }];

const RANK: Readonly<Record<ResultStatus, number>> = { S: 0, F: 1, U: 2 };
const PENDING_RANK = 3;
const CANCELLED_RANK = 4;

const rankOf = (statement: Statement): number => {
  switch (statement.about) {
    case 'payment':
      return statement.pending ? PENDING_RANK : RANK[statement.result.resultStatus];
    case 'cancelled payment':
      return CANCELLED_RANK;
    case 'amount update':
    case 'capture':
    case 'refund':
    case 'cancellation':
    case 'inquiry':
      return RANK[statement.result.resultStatus];
    case 'dispute':
      return 0;
  }
};

const timeOf = (statement: Statement): string | undefined => {
  switch (statement.about) {
    case 'payment':
    case 'cancelled payment':
      return statement.paymentTime ?? statement.paymentCreateTime;
    case 'capture':
      return statement.captureTime;
    case 'refund':
      return statement.refundTime;
    case 'cancellation':
      return statement.cancelTime;
    case 'dispute':
      return statement.judgedTime ?? statement.disputeTime;
    case 'amount update':
    case 'inquiry':
      return undefined;
  }
};

/** Code units, not locale: the same on every machine. A missing identifier is the empty string, the smallest. */
export const byCodeUnit = (a: string, b: string): number => {
  if (a === b) return 0;
  return a < b ? -1 : 1;
};

/**
 * The one order in which statements speak: S, F, U, PAYMENT_PENDING, then an inquiry's CANCELLED; notifications before
 * answers; the later time; the greater SHA-256 of the bytes; the earlier place. A total order on distinct statements,
 * so what it picks does not depend on the order of arrival.
 */
export const byPrecedence = (a: Sourced<Statement>, b: Sourced<Statement>): number => {
  return (
    rankOf(a) - rankOf(b) ||
    Number(a.answer !== undefined) - Number(b.answer !== undefined) ||
    byLaterTime(a, b) ||
    byCodeUnit(b.answer ?? b.digest, a.answer ?? a.digest) ||
    a.place - b.place ||
    // The same bytes in answer to two questions.
    byCodeUnit(b.digest, a.digest)
  );
};

const byLaterTime = (a: Statement, b: Statement): number => {
  const [atA, atB] = [instantOf(a), instantOf(b)];
  return Number(atB > atA) - Number(atB < atA);
};

/** What is no time sorts earliest. */
const instantOf = (statement: Statement): number => readInstant(timeOf(statement) ?? null) ?? Number.NEGATIVE_INFINITY;

/** The first value that is stated, of statements already sorted by precedence; null where none states one. */
export const firstOf = <S extends Statement, T>(
  sorted: readonly S[],
  read: (statement: S) => T | undefined,
): T | null => {
  for (const statement of sorted) {
    const value = read(statement);
    if (value !== undefined) return value;
  }
  return null;
};

/** The amounts that statements state, ready to reckon with. */
export const amountsOf = (statements: readonly { readonly amount?: AmountText | undefined }[]): readonly Amount[] =>
  statements.flatMap(({ amount }) => (amount === undefined ? [] : [toAmount(amount)]));
