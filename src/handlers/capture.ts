import { z } from 'zod';
import { furtherAction } from '../antom/result-codes.ts';
import {
  acquirerInfo,
  identifier,
  optionalAmount,
  optionalIdentifier,
  result,
  toleratedText,
  toleratedTime,
} from './fields.ts';
import { createHandler, hasType } from './handler.ts';

/** The money itself. It joins its order through `paymentId`; a `paymentRequestId` in it joins nothing. */
export const capture = createHandler({
  kind: 'CAPTURE',
  matches: hasType('CAPTURE_RESULT'),
  schema: z
    .object({
      paymentId: identifier,
      captureId: optionalIdentifier,
      captureRequestId: optionalIdentifier,
      result,
      captureAmount: optionalAmount,
      captureTime: toleratedTime,
      acquirerInfo,
      acquirerReferenceNo: toleratedText,
    })
    .refine(({ captureId, captureRequestId }) => captureId !== undefined || captureRequestId !== undefined, {
      path: ['captureId'],
      error: 'is missing, and so is captureRequestId',
    }),
  state: (fields) => [
    {
      about: 'capture',
      captureId: fields.captureId,
      captureRequestId: fields.captureRequestId,
      result: fields.result,
      amount: fields.captureAmount,
      captureTime: fields.captureTime,
      furtherAction: furtherAction(fields.result.resultCode),
      acquirerInfo: fields.acquirerInfo,
      acquirerReferenceNo: fields.acquirerReferenceNo,
    },
  ],
});
