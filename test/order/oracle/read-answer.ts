import { createHash } from 'node:crypto';
import type { JsonObject, Result, ResultStatus, Statement } from '../../../src/order/statement.ts';
import {
  type Fields,
  isFilled,
  isIdentifier,
  isMissing,
  isObject,
  named,
  parse,
  type Reading,
  resultIn,
  text,
  toAmount,
} from './read.ts';

/* What an answer to inquiryPayment says, by order.md, *Facts*, and wire.md §4; read once more, without zod. */

const FINAL: ReadonlyMap<unknown, ResultStatus> = new Map([
  ['SUCCESS', 'S'],
  ['FAIL', 'F'],
]);

const acquirerOf = (fields: Fields): JsonObject | undefined =>
  isObject(fields['acquirerInfo']) ? (fields['acquirerInfo'] as JsonObject) : undefined;

const idOf = (value: unknown): string | undefined => (isMissing(value) ? undefined : (value as string));

const isWellFormed = (value: unknown): boolean => isMissing(value) || isIdentifier(value);

/** Captures, refunds and cancellations; null where one of them is malformed. Others say nothing. */
const statedBy = (transaction: unknown, paymentId: string): readonly Statement[] | null => {
  if (!isObject(transaction)) return null;
  const type = transaction['transactionType'];
  if (isMissing(type)) return null;
  if (type !== 'CAPTURE' && type !== 'REFUND' && type !== 'CANCEL' && type !== 'VOID') return [];
  const {
    transactionId: id,
    transactionRequestId: requestId,
    transactionAmount,
    transactionResult: said,
  } = transaction;
  const amount = toAmount(transactionAmount) ?? undefined;
  const isNamed = !isMissing(id) || !isMissing(requestId);
  const decided = isObject(said) ? said['resultStatus'] : undefined;
  if (!isWellFormed(id) || !isWellFormed(requestId)) return null;
  if (!isMissing(transactionAmount) && amount === undefined) return null;
  if ((type === 'CAPTURE' || type === 'REFUND') && !isNamed) return null;
  const result: Result = {
    resultStatus: (decided as ResultStatus | undefined) ?? FINAL.get(transaction['transactionStatus']) ?? 'U',
    resultCode: (isObject(said) ? text(said['resultCode']) : undefined) ?? null,
    resultMessage: (isObject(said) ? text(said['resultMessage']) : undefined) ?? null,
  };
  const time = text(transaction['transactionTime']);
  const names = [idOf(id), idOf(requestId)] as const;
  if (type === 'CAPTURE')
    return [
      {
        about: 'capture',
        result,
        amount,
        captureId: names[0],
        captureRequestId: names[1],
        captureTime: time,
        acquirerInfo: acquirerOf(transaction),
      },
    ];
  if (type === 'REFUND')
    return [
      { about: 'refund', result, amount, refundId: names[0], refundRequestId: names[1], paymentId, refundTime: time },
    ];
  return [{ about: 'cancellation', type, result, amount, cancelTime: time }];
};

/** What names the refunds among its transactions, whatever else of them can be read. */
const refundsIn = ({ transactions }: Fields): readonly string[] => {
  const all: readonly unknown[] = Array.isArray(transactions) ? transactions : [];
  const refunds = all.filter(isObject).filter((one) => one['transactionType'] === 'REFUND');
  return refunds.flatMap(({ transactionId, transactionRequestId }) =>
    named(transactionId, 'refund').concat(named(transactionRequestId, 'refund request')),
  );
};

const paymentIn = (json: Fields): Statement => {
  const [psp, info] = [json['pspCustomerInfo'], json['paymentResultInfo']];
  const said = {
    amount: toAmount(json['paymentAmount']) ?? undefined,
    paymentRequestId: idOf(json['paymentRequestId']),
    paymentTime: text(json['paymentTime']),
    paymentCreateTime: text(json['paymentCreateTime']),
    authExpiryTime: text(json['authExpiryTime']),
    paymentMethodType: text(json['paymentMethodType']),
    pspName: isObject(psp) ? text(psp['pspName']) : undefined,
    hasResultInfo: isObject(info) && Object.values(info).some(isFilled) ? (true as const) : undefined,
    acquirerInfo: acquirerOf(json),
    acquirerReferenceNo: text(json['acquirerReferenceNo']),
  };
  const status = json['paymentStatus'];
  if (status === 'CANCELLED') return { about: 'cancelled payment', ...said };
  const resultCode = text(json['paymentResultCode']) ?? null;
  const resultMessage = text(json['paymentResultMessage']) ?? null;
  return {
    about: 'payment',
    pending: false,
    result: { resultStatus: FINAL.get(status) ?? 'U', resultCode, resultMessage },
    ...said,
  };
};

/** `name` tells the answer from others of the same bytes. */
export const readAnswer = (body: string, name: string): Reading => {
  const json = parse(body);
  const call = isObject(json) ? resultIn(json) : null;
  // A call that did not succeed says nothing of the payment, and names none.
  if (call !== null && call.resultStatus !== 'S') return { outcome: 'UNHANDLED', paymentId: null, statements: [] };
  const answer: Fields = isObject(json) ? json : {};
  const paymentId = isIdentifier(answer['paymentId']) ? answer['paymentId'] : null;
  const requestId = answer['paymentRequestId'];
  const all = answer['transactions'];
  const moved = (Array.isArray(all) ? all : []).map((one) => statedBy(one, paymentId ?? ''));
  const isReadable =
    call !== null &&
    paymentId !== null &&
    !isMissing(answer['paymentStatus']) &&
    isWellFormed(requestId) &&
    (isMissing(answer['paymentAmount']) || toAmount(answer['paymentAmount']) !== null) &&
    moved.every((one) => one !== null);
  if (!isReadable)
    return {
      outcome: 'MALFORMED',
      paymentId,
      statements: [],
      legible: [...named(requestId, 'request'), ...refundsIn(answer)],
    };
  const bytes = createHash('sha256').update(body).digest('hex');
  const digest = createHash('sha256').update(name).digest('hex');
  return {
    outcome: 'APPLIED',
    paymentId,
    statements: [paymentIn(answer), ...moved.flatMap((one) => one ?? [])].map((one, place) =>
      Object.assign(one, { answer: bytes, digest, place }),
    ),
  };
};
