import { z } from 'zod';
import { optionalAmount, optionalIdentifier, result, toleratedTime } from './fields.ts';
import { createHandler, hasType } from './handler.ts';

/** The final state of a refund. It seldom names its payment: the shop's registration of the refund does. */
export const refund = createHandler({
  kind: 'REFUND',
  matches: hasType('REFUND_RESULT'),
  schema: z
    .object({
      refundId: optionalIdentifier,
      refundRequestId: optionalIdentifier,
      paymentId: optionalIdentifier,
      captureId: optionalIdentifier,
      result,
      refundAmount: optionalAmount,
      refundTime: toleratedTime,
    })
    .refine(({ refundId, refundRequestId }) => refundId !== undefined || refundRequestId !== undefined, {
      path: ['refundId'],
      error: 'is missing, and so is refundRequestId',
    }),
  state: (fields) => [
    {
      about: 'refund',
      refundId: fields.refundId,
      refundRequestId: fields.refundRequestId,
      paymentId: fields.paymentId,
      captureId: fields.captureId,
      result: fields.result,
      amount: fields.refundAmount,
      refundTime: fields.refundTime,
    },
  ],
});
