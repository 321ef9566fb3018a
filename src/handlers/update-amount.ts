import { z } from 'zod';
import { identifier, optionalAmount, optionalIdentifier, result } from './fields.ts';
import { createHandler, hasType } from './handler.ts';

/** The outcome of an incremental authorization: with S, its amount is the new total. */
export const updateAmount = createHandler({
  kind: 'UPDATE_AMOUNT',
  matches: hasType('UPDATE_AMOUNT_RESULT'),
  schema: z.object({
    paymentId: identifier,
    paymentRequestId: optionalIdentifier,
    updateRequestId: optionalIdentifier,
    result,
    paymentAmount: optionalAmount,
  }),
  state: (fields) => [{ about: 'amount update', result: fields.result, amount: fields.paymentAmount }],
});
