import { z } from 'zod';
import { furtherAction } from '../antom/result-codes.ts';
import type { Identifier, IdentifierName } from '../order/identifier.ts';
import { isIdentifier } from '../order/identifier.ts';
import type { JsonObject, Result, ResultStatus, Statement } from '../order/statement.ts';
import { acquirerInfo, isObject, optionalAmount, optionalIdentifier, toleratedText, toleratedTime } from './fields.ts';
import { must } from './problem.ts';

/* What an inquiry shows among the `transactions` of its payment: captures, refunds, cancellations. */

const TYPES = ['CAPTURE', 'REFUND', 'CANCEL', 'VOID'] as const;
type Type = (typeof TYPES)[number];

/** One page of APO misspells the name. */
const typeOf = (transaction: JsonObject): unknown => transaction['transactionType'] ?? transaction['transationType'];

const isOfType = (type: unknown): type is Type => TYPES.some((one) => one === type);

/** One of another type states nothing, and is not looked at: the set is open. */
const ofOurTypes = (transaction: unknown): unknown => {
  if (!isObject(transaction)) return transaction;
  const type = typeOf(transaction);
  if (typeof type === 'string' && !isOfType(type)) return undefined;
  return { ...transaction, transactionType: type };
};

/** `transactionStatus` decides only where the result does not. */
const transactionResult = z
  .object(
    {
      resultStatus: z.enum(['S', 'F', 'U'], must('be S, F or U')).nullish(),
      resultCode: toleratedText,
      resultMessage: toleratedText,
    },
    must('be an object'),
  )
  .nullish();

const transaction = z
  .object(
    {
      transactionType: z.enum(TYPES, must('be a string')),
      transactionStatus: toleratedText,
      transactionResult,
      transactionId: optionalIdentifier,
      transactionRequestId: optionalIdentifier,
      transactionAmount: optionalAmount,
      transactionTime: toleratedTime,
      acquirerInfo,
    },
    must('be an object'),
  )
  .refine(
    ({ transactionType, transactionId, transactionRequestId }) =>
      transactionType === 'CANCEL' ||
      transactionType === 'VOID' ||
      transactionId !== undefined ||
      transactionRequestId !== undefined,
    { path: ['transactionId'], error: 'is missing, and so is transactionRequestId' },
  );
type Transaction = z.infer<typeof transaction>;

/** Null is absent. */
export const transactions = z
  .array(z.preprocess(ofOurTypes, transaction.optional()), must('be a list'))
  .nullish()
  .transform((all) => (all ?? []).filter((one) => one !== undefined));

const STATUSES: Readonly<Record<string, ResultStatus>> = { SUCCESS: 'S', FAIL: 'F' };

/** What a status of APO comes to: SUCCESS, FAIL, and all else that is not final. */
export const statusOf = (text: string | undefined): ResultStatus =>
  text !== undefined && Object.hasOwn(STATUSES, text) ? (STATUSES[text] as ResultStatus) : 'U';

const resultOf = ({ transactionResult: said, transactionStatus }: Transaction): Result => ({
  resultStatus: said?.resultStatus ?? statusOf(transactionStatus),
  resultCode: said?.resultCode ?? null,
  resultMessage: said?.resultMessage ?? null,
});

/** What a transaction of this payment states. */
export const stateTransaction = (fields: Transaction, paymentId: string): Statement => {
  const { transactionType: type, transactionId, transactionRequestId, transactionTime } = fields;
  const stated = { result: resultOf(fields), amount: fields.transactionAmount };
  switch (type) {
    case 'CAPTURE':
      return {
        about: 'capture',
        ...stated,
        captureId: transactionId,
        captureRequestId: transactionRequestId,
        captureTime: transactionTime,
        furtherAction: furtherAction(stated.result.resultCode),
        acquirerInfo: fields.acquirerInfo,
      };
    case 'REFUND':
      return {
        about: 'refund',
        ...stated,
        refundId: transactionId,
        refundRequestId: transactionRequestId,
        paymentId,
        refundTime: transactionTime,
      };
    case 'CANCEL':
    case 'VOID':
      return { about: 'cancellation', type, ...stated, cancelTime: transactionTime };
  }
};

const NAMES: Readonly<Partial<Record<Type, readonly [id: IdentifierName, requestId: IdentifierName]>>> = {
  CAPTURE: ['captureId', 'captureRequestId'],
  REFUND: ['refundId', 'refundRequestId'],
};

/** The identifiers that its transactions legibly state, whatever else of them can be read. */
export const identifiersIn = (json: JsonObject): readonly Identifier[] => {
  const all = json['transactions'];
  if (!Array.isArray(all)) return [];
  return all.filter(isObject).flatMap((one) => {
    const type = typeOf(one);
    const names = isOfType(type) ? NAMES[type] : undefined;
    if (names === undefined) return [];
    const [id, requestId] = names;
    return [
      { name: id, value: one['transactionId'] },
      { name: requestId, value: one['transactionRequestId'] },
    ].filter((identifier): identifier is Identifier => isIdentifier(identifier.value));
  });
};
