import { z } from 'zod';
import { identifier, optionalAmount, optionalIdentifier, toleratedText, toleratedTime } from './fields.ts';
import { createHandler, has } from './handler.ts';

/** A chargeback, or a request for documents. It has no result: its type says how far it has come. */
export const dispute = createHandler({
  kind: 'DISPUTE',
  matches: has('disputeNotificationType'),
  schema: z.object({
    disputeId: identifier,
    paymentId: identifier,
    paymentRequestId: optionalIdentifier,
    captureId: optionalIdentifier,
    disputeNotificationType: toleratedText,
    disputeType: toleratedText,
    disputeAmount: optionalAmount,
    disputeJudgedAmount: optionalAmount,
    disputeJudgedResult: toleratedText,
    disputeJudgedTime: toleratedTime,
    disputeTime: toleratedTime,
    defenseDueTime: toleratedTime,
    disputeReasonCode: toleratedText,
    disputeReasonMsg: toleratedText,
  }),
  state: (fields) => [
    {
      about: 'dispute',
      disputeId: fields.disputeId,
      notificationType: fields.disputeNotificationType ?? '',
      type: fields.disputeType,
      amount: fields.disputeAmount,
      judgedAmount: fields.disputeJudgedAmount,
      judgedResult: fields.disputeJudgedResult,
      judgedTime: fields.disputeJudgedTime,
      disputeTime: fields.disputeTime,
      dueTime: fields.defenseDueTime,
      reasonCode: fields.disputeReasonCode,
      reasonMessage: fields.disputeReasonMsg,
    },
  ],
});
