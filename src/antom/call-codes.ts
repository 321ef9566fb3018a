import { NEVER_REFUNDED } from '../order/refund.ts';
import type { Result } from '../order/statement.ts';

/** The operations of Antom's API that are called, under its own names. */
export const OPERATIONS = ['inquiryPayment', 'capture', 'cancel', 'refund', 'inquiryRefund'] as const;
export type Operation = (typeof OPERATIONS)[number];

/**
 * What a call that failed asks for: a closed set.
 * - `CONFIGURATION`: client id, key, host or contract is wrong. Stop and alarm: no call will do better. Such a request
 *   was not executed, and of an earlier one with the same id it says nothing.
 * - `OUR_FAULT`: the request is wrong by itself.
 * - `USED_ID`: something else was sent under its request id, of which it says nothing. The record of that is lost here,
 *   and money may have moved: APO has to be asked before anything more is sent.
 * - `NOT_FOUND`: APO knows of nothing by this id, or not yet: again after 15 s, three times.
 * - `NEW_ID`: possible with another amount or currency, or later, under a new request id.
 * - `AUTHORIZATION_GONE`: nothing can be captured any more: the buyer has to pay under a new `paymentRequestId`.
 * - `NO_MORE_CAPTURES`: this payment takes no further partial capture.
 * - `BUYER`: the buyer or the issuer has to be asked.
 * - `LATER`: the same request may be sent again once the balance suffices.
 * - `REFUND_INSTEAD`: too late to cancel.
 * - `NEVER`: not possible for this payment.
 * - `PERSON`: all else, among it every code that APO adds.
 */
export const FAILURES = [
  'CONFIGURATION',
  'OUR_FAULT',
  'USED_ID',
  'NOT_FOUND',
  'NEW_ID',
  'AUTHORIZATION_GONE',
  'NO_MORE_CAPTURES',
  'BUYER',
  'LATER',
  'REFUND_INSTEAD',
  'NEVER',
  'PERSON',
] as const;
export type Failure = (typeof FAILURES)[number];

/**
 * What a call that APO has not decided asks for: a closed set.
 * - `IN_PROCESS`: wait for the notification, or inquire.
 * - `AGAIN`: send the same again, with the same request id, or inquire.
 * - `BACK_OFF`: the same, after a longer time.
 */
export const DELAYS = ['IN_PROCESS', 'AGAIN', 'BACK_OFF'] as const;
export type Delay = (typeof DELAYS)[number];

type Codes<T> = Readonly<Record<string, T>>;

const all = <T extends string>(meaning: T, ...codes: readonly string[]): Codes<T> =>
  Object.fromEntries(codes.map((code) => [code, meaning]));

/** Undecided whatever `resultStatus` stands beside them: a failure must not be believed of one that may succeed. */
const DELAY_CODES: Codes<Delay> = {
  ...all('IN_PROCESS', 'PAYMENT_IN_PROCESS', 'CAPTURE_IN_PROCESS', 'REFUND_IN_PROCESS'),
  ...all('AGAIN', 'UNKNOWN_EXCEPTION'),
  ...all('BACK_OFF', 'REQUEST_TRAFFIC_EXCEED_LIMIT'),
};

/** Come from the gate before a request is read, and so unsigned (spec: wire, §3.3). */
const UNSIGNED_CODES: ReadonlySet<string> = new Set(['INVALID_SIGNATURE', 'KEY_NOT_FOUND', 'CLIENT_INVALID']);

export const isUnsignedCode = (resultCode: string): boolean => UNSIGNED_CODES.has(resultCode);

/** Of every operation; what an operation says itself comes first. */
const COMMON: Codes<Failure> = {
  ...all('CONFIGURATION', ...UNSIGNED_CODES, 'SIGNATURE_INVALID', 'ACCESS_DENIED', 'INVALID_API', 'API_INVALID'),
  ...all('CONFIGURATION', 'NO_INTERFACE_DEF', 'MEDIA_TYPE_NOT_ACCEPTABLE', 'METHOD_NOT_SUPPORTED'),
  ...all('CONFIGURATION', 'MERCHANT_NOT_REGISTERED', 'INVALID_MERCHANT_STATUS'),
  ...all('OUR_FAULT', 'PARAM_ILLEGAL', 'REPEAT_REQ_INCONSISTENT'),
  ...all('NOT_FOUND', 'ORDER_NOT_EXIST', 'REFUND_NOT_EXIST'),
  ...all('PERSON', 'PROCESS_FAIL', 'SYSTEM_ERROR'),
};

const OWN: Readonly<Record<Operation, Codes<Failure>>> = {
  inquiryPayment: {},
  capture: {
    ...all('NEW_ID', 'CAPTURE_AMOUNT_EXCEED_AUTH_LIMIT', 'USER_AMOUNT_EXCEED_LIMIT', 'PAYMENT_AMOUNT_EXCEED_LIMIT'),
    ...all('NEW_ID', 'CURRENCY_NOT_SUPPORT', 'PARAM_ILLEGAL'),
    ...all('USED_ID', 'REPEAT_REQ_INCONSISTENT'),
    ...all('AUTHORIZATION_GONE', 'AUTH_CANCELLED', 'AUTH_EXPIRED', 'ORDER_IS_CANCELED'),
    ...all('NO_MORE_CAPTURES', 'MULTI_CAPTURE_NOT_SUPPORTED', 'PAYMENT_COUNT_EXCEED_LIMIT'),
    ...all('BUYER', 'USER_NOT_EXIST', 'RISK_REJECT'),
    ...all('PERSON', 'ACCESS_DENIED', 'AUTH_NOT_FOUND', 'INVALID_CONTRACT', 'NO_PAY_OPTIONS', 'ORDER_STATUS_INVALID'),
    ...all('PERSON', 'USER_BALANCE_NOT_ENOUGH', 'USER_STATUS_ABNORMAL', 'INVALID_TOKEN'),
  },
  cancel: {
    ...all('REFUND_INSTEAD', 'CANCEL_WINDOW_EXCEED'),
    ...all('LATER', 'MERCHANT_BALANCE_NOT_ENOUGH'),
    ...all('NEVER', 'PAYMENT_METHOD_NOT_SUPPORTED'),
  },
  refund: {
    ...all('NEW_ID', 'MERCHANT_BALANCE_NOT_ENOUGH', 'REFUND_AMOUNT_EXCEED'),
    ...all('USED_ID', 'REPEAT_REQ_INCONSISTENT'),
    ...all('NEVER', ...NEVER_REFUNDED),
  },
  inquiryRefund: {},
};

const lookUp = <T>(codes: Codes<T>, code: string): T | null =>
  Object.hasOwn(codes, code) ? (codes[code] ?? null) : null;

export type Verdict =
  | { readonly outcome: 'OK' }
  | { readonly outcome: 'FAILED'; readonly failure: Failure }
  | { readonly outcome: 'UNKNOWN'; readonly delay: Delay };

/**
 * What APO's signed word means. `resultStatus` decides, for the codes are an open set; but a code that says that
 * nothing is decided yet is believed beside any status.
 */
export const verdictOf = (operation: Operation, { resultStatus, resultCode }: Result): Verdict => {
  const code = resultCode ?? '';
  const delay = lookUp(DELAY_CODES, code);
  if (delay !== null) return { outcome: 'UNKNOWN', delay };
  switch (resultStatus) {
    case 'S':
      return { outcome: 'OK' };
    case 'F':
      return { outcome: 'FAILED', failure: lookUp(OWN[operation], code) ?? lookUp(COMMON, code) ?? 'PERSON' };
    case 'U':
      return { outcome: 'UNKNOWN', delay: 'AGAIN' };
  }
};
