import { createHash } from 'node:crypto';
import type { AmountText } from '../../../src/order/amount.ts';
import type { JsonObject, Result, Sourced, Statement } from '../../../src/order/statement.ts';

/* What a body says, by the table of kinds in order.md and the fields of wire.md; read once more, without zod. */

export type Reading =
  | {
      readonly outcome: 'APPLIED';
      readonly paymentId: string | null;
      readonly statements: readonly Sourced<Statement>[];
    }
  | {
      readonly outcome: 'MALFORMED';
      readonly paymentId: string | null;
      readonly statements: readonly [];
      /** The names by which it joins as a readable one would: `request R1`, `refund X1`, `refund request Q1`. */
      readonly legible: readonly string[];
    }
  | { readonly outcome: 'UNHANDLED'; readonly paymentId: null; readonly statements: readonly [] };

export type Fields = Readonly<Record<string, unknown>>;

const UNHANDLED: Reading = { outcome: 'UNHANDLED', paymentId: null, statements: [] };

export const isObject = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
export const isMissing = (value: unknown): boolean => value === undefined || value === null || value === '';
export const isFilled = (value: unknown): boolean => !isMissing(value) && !['{}', '[]'].includes(JSON.stringify(value));

export const isIdentifier = (value: unknown): value is string =>
  typeof value === 'string' &&
  /^.{1,128}$/su.test(value) &&
  value.trim() === value &&
  value.isWellFormed() &&
  !/\p{Cc}/u.test(value);

export const toAmount = (value: unknown): AmountText | null => {
  if (!isObject(value) || typeof value['currency'] !== 'string' || !/^[A-Z]{3}$/.test(value['currency'])) return null;
  const { currency, value: units } = value as { currency: string; value?: unknown };
  if (typeof units === 'number')
    return Number.isSafeInteger(units) && units >= 0 ? { currency, value: `${units}` } : null;
  return typeof units === 'string' && /^[0-9]{1,64}$/.test(units) ? { currency, value: units } : null;
};

export const text = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' ? value : undefined;

type Kind =
  | 'PAYMENT_RESULT'
  | 'PAYMENT_PENDING'
  | 'UPDATE_AMOUNT_RESULT'
  | 'CAPTURE_RESULT'
  | 'REFUND_RESULT'
  | 'DISPUTE';

/** Which identifiers and amount a kind has; the others are not looked at. */
const SHAPES: Readonly<Record<Kind, { readonly ids: readonly string[]; readonly amount: string }>> = {
  PAYMENT_RESULT: { ids: ['paymentId', 'paymentRequestId'], amount: 'paymentAmount' },
  PAYMENT_PENDING: { ids: ['paymentId', 'paymentRequestId'], amount: 'paymentAmount' },
  UPDATE_AMOUNT_RESULT: { ids: ['paymentId', 'paymentRequestId'], amount: 'paymentAmount' },
  CAPTURE_RESULT: { ids: ['paymentId', 'captureId', 'captureRequestId'], amount: 'captureAmount' },
  REFUND_RESULT: { ids: ['paymentId', 'captureId', 'refundId', 'refundRequestId'], amount: 'refundAmount' },
  DISPUTE: { ids: ['paymentId', 'paymentRequestId', 'captureId', 'disputeId'], amount: 'disputeAmount' },
};

/** Of each of these one is required. */
const NEEDED: Readonly<Record<Kind, readonly (readonly string[])[]>> = {
  PAYMENT_RESULT: [['paymentId']],
  PAYMENT_PENDING: [['paymentId']],
  UPDATE_AMOUNT_RESULT: [['paymentId']],
  CAPTURE_RESULT: [['paymentId'], ['captureId', 'captureRequestId']],
  REFUND_RESULT: [['refundId', 'refundRequestId']],
  DISPUTE: [['paymentId'], ['disputeId']],
};

export const resultIn = (json: Fields): Result | null => {
  const result = json['result'];
  if (!isObject(result)) return null;
  const status = result['resultStatus'];
  if (status !== 'S' && status !== 'F' && status !== 'U') return null;
  return {
    resultStatus: status,
    resultCode: text(result['resultCode']) ?? null,
    resultMessage: text(result['resultMessage']) ?? null,
  };
};

export const parse = (body: string): unknown => {
  try {
    return JSON.parse(body);
  } catch {
    return null;
  }
};

const isWellFormed = (json: Fields, kind: Kind): boolean => {
  const { ids, amount } = SHAPES[kind];
  return (
    NEEDED[kind].every((names) => names.some((name) => !isMissing(json[name]))) &&
    ids.every((name) => isMissing(json[name]) || isIdentifier(json[name])) &&
    (isMissing(json[amount]) || toAmount(json[amount]) !== null) &&
    (kind === 'DISPUTE' || resultIn(json) !== null)
  );
};

const FURTHER = { furtherAction: undefined } as const;

const stateDispute = (json: Fields): Statement => ({
  about: 'dispute',
  disputeId: text(json['disputeId']) ?? '',
  notificationType: text(json['disputeNotificationType']) ?? '',
  type: text(json['disputeType']),
  amount: toAmount(json['disputeAmount']) ?? undefined,
  judgedAmount: toAmount(json['disputeJudgedAmount']) ?? undefined,
  judgedResult: text(json['disputeJudgedResult']),
  judgedTime: text(json['disputeJudgedTime']),
  disputeTime: text(json['disputeTime']),
  dueTime: text(json['defenseDueTime']),
  reasonCode: text(json['disputeReasonCode']),
  reasonMessage: text(json['disputeReasonMsg']),
});

const stateRefund = (json: Fields, result: Result): Statement => ({
  about: 'refund',
  result,
  amount: toAmount(json['refundAmount']) ?? undefined,
  refundId: text(json['refundId']),
  refundRequestId: text(json['refundRequestId']),
  paymentId: text(json['paymentId']),
  captureId: text(json['captureId']),
  refundTime: text(json['refundTime']),
});

const state = (json: Fields, kind: Kind): Statement => {
  if (kind === 'DISPUTE') return stateDispute(json);
  const result = resultIn(json)!;
  const amount = toAmount(json[SHAPES[kind].amount]) ?? undefined;
  const acquirerInfo = isObject(json['acquirerInfo']) ? (json['acquirerInfo'] as JsonObject) : undefined;
  const acquired = { acquirerInfo, acquirerReferenceNo: text(json['acquirerReferenceNo']) };
  if (kind === 'REFUND_RESULT') return stateRefund(json, result);
  if (kind === 'UPDATE_AMOUNT_RESULT') return { about: 'amount update', result, amount };
  if (kind === 'CAPTURE_RESULT') {
    const ids = { captureId: text(json['captureId']), captureRequestId: text(json['captureRequestId']) };
    return {
      about: 'capture',
      result,
      amount,
      ...acquired,
      ...ids,
      ...FURTHER,
      captureTime: text(json['captureTime']),
    };
  }
  const psp = json['pspCustomerInfo'];
  const info = json['paymentResultInfo'];
  return {
    about: 'payment',
    pending: kind === 'PAYMENT_PENDING',
    result,
    amount,
    ...acquired,
    paymentRequestId: text(json['paymentRequestId']),
    paymentTime: text(json['paymentTime']),
    paymentCreateTime: text(json['paymentCreateTime']),
    authExpiryTime: text(json['authExpiryTime']),
    paymentMethodType: text(json['paymentMethodType']),
    pspName: isObject(psp) ? text(psp['pspName']) : undefined,
    hasResultInfo: isObject(info) && Object.values(info).some(isFilled) ? true : undefined,
  };
};

/** What an identifier names, where it is legible. */
export const named = (id: unknown, as: string): readonly string[] => (isIdentifier(id) ? [`${as} ${id}`] : []);

const legibleIn = (json: Fields, kind: Kind): readonly string[] => [
  ...named(json['paymentRequestId'], 'request'),
  ...(kind === 'REFUND_RESULT'
    ? [...named(json['refundId'], 'refund'), ...named(json['refundRequestId'], 'refund request')]
    : []),
];

const readAgain = (body: string): Reading => {
  const json = parse(body);
  // A byte order mark, or what is no object, names nothing.
  if (!isObject(json)) return { outcome: 'MALFORMED', paymentId: null, statements: [], legible: [] };
  const notifyType = json['notifyType'];
  const kind = isMissing(json['disputeNotificationType'])
    ? (Object.keys(SHAPES) as Kind[]).find((known) => known === notifyType && known !== 'DISPUTE')
    : 'DISPUTE';
  if (kind === undefined) return UNHANDLED;
  const paymentId = isIdentifier(json['paymentId']) ? json['paymentId'] : null;
  if (!isWellFormed(json, kind))
    return { outcome: 'MALFORMED', paymentId, statements: [], legible: legibleIn(json, kind) };
  const digest = createHash('sha256').update(body).digest('hex');
  return { outcome: 'APPLIED', paymentId, statements: [{ ...state(json, kind), digest, place: 0 }] };
};

const before = new Map<string, Reading>();

/** A body always reads the same, and the tables read the same few very often. */
export const read = (body: string): Reading => {
  const reading = before.get(body) ?? readAgain(body);
  before.set(body, reading);
  return reading;
};
