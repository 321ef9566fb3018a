import { furtherAction, onFailedCapture } from '../antom/result-codes.ts';
import { toAmount } from '../order/amount.ts';
import type { Handler } from './handler.ts';

/** CAPTURE_RESULT: the money itself. It joins its order through `paymentId`; a `paymentRequestId` in it is ignored. */
export const captureResult: Handler = {
  notifyType: 'CAPTURE_RESULT',
  about: 'capture',
  stateOf: ({ facts, bodyDigest }) => ({
    about: 'capture',
    result: facts.result,
    amount: facts.captureAmount === undefined ? null : toAmount(facts.captureAmount),
    captureId: facts.captureId ?? null,
    captureRequestId: facts.captureRequestId ?? null,
    captureTime: facts.captureTime ?? null,
    furtherAction: furtherAction(facts.result.resultCode),
    onFailure: onFailedCapture(facts.result.resultCode),
    acquirerInfo: facts.acquirerInfo ?? null,
    acquirerReferenceNo: facts.acquirerReferenceNo ?? null,
    bodyDigest,
  }),
};
