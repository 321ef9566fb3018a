import { z } from 'zod';
import type { RefundStatement, Result } from '../order/statement.ts';
import { optionalAmount, optionalIdentifier, result, toleratedTime } from './fields.ts';
import { createHandler, hasType } from './handler.ts';

export const refundFields = z.object({
  refundId: optionalIdentifier,
  refundRequestId: optionalIdentifier,
  paymentId: optionalIdentifier,
  captureId: optionalIdentifier,
  result,
  refundAmount: optionalAmount,
  refundTime: toleratedTime,
});

type Fields = z.infer<typeof refundFields>;

export const isNamed = ({ refundId, refundRequestId }: Pick<Fields, 'refundId' | 'refundRequestId'>): boolean =>
  refundId !== undefined || refundRequestId !== undefined;
export const NAMELESS = { path: ['refundId'], error: 'is missing, and so is refundRequestId' };

export const stateRefund = (fields: Omit<Fields, 'result'>, said: Result): RefundStatement => ({
  about: 'refund',
  refundId: fields.refundId,
  refundRequestId: fields.refundRequestId,
  paymentId: fields.paymentId,
  captureId: fields.captureId,
  result: said,
  amount: fields.refundAmount,
  refundTime: fields.refundTime,
});

/** The final state of a refund. It seldom names its payment: the shop's registration of the refund does. */
export const refund = createHandler({
  kind: 'REFUND',
  matches: hasType('REFUND_RESULT'),
  schema: refundFields.refine(isNamed, NAMELESS),
  state: (fields) => [stateRefund(fields, fields.result)],
});
