import { type AttentionCode, isBlocking } from './attention.ts';
import { failedCaptureAction } from './capture.ts';
import type { Findings } from './evidence.ts';
import type { OrderStatus } from './status.ts';

export type NextAction =
  'REVIEW' | 'FULFIL' | 'WAIT' | 'NEW_PAYMENT_REQUEST' | 'RETRY_CAPTURE' | 'CONTACT_SUPPORT' | 'CAPTURE';

interface Derived {
  readonly status: OrderStatus;
  readonly codes: readonly AttentionCode[];
  readonly fulfillable: boolean;
}

/** What the merchant should do next; the first rule that holds. */
export const nextActionOf = (findings: Findings, derived: Derived): NextAction => {
  const { status, codes, fulfillable } = derived;
  const amountUnknown = codes.includes('AMOUNT_UNKNOWN');
  if (codes.some((code) => isBlocking(code) && code !== 'AMOUNT_UNKNOWN')) return 'REVIEW';
  if (fulfillable) return 'FULFIL';
  if (findings.captures.some((capture) => capture.status === 'PROCESSING')) return 'WAIT';
  if (status === 'FAILED') return 'NEW_PAYMENT_REQUEST';
  const afterFailure = status === 'CAPTURED' || status === 'PENDING' ? null : afterFailedCapture(findings);
  if (afterFailure !== null) return afterFailure;
  if (awaitsCapture(findings, derived) && !amountUnknown) return 'CAPTURE';
  return status === 'CAPTURED' && amountUnknown ? 'REVIEW' : 'WAIT';
};

const afterFailedCapture = (findings: Findings): NextAction | null => {
  const action = failedCaptureAction(findings.captures);
  // What is captured already cannot be paid again: a person has to sort out the rest.
  return action === 'NEW_PAYMENT_REQUEST' && findings.captureSucceeded ? 'CONTACT_SUPPORT' : action;
};

const awaitsCapture = ({ paymentAmount, captureMode }: Findings, { status }: Derived): boolean =>
  captureMode === 'MANUAL' &&
  paymentAmount !== null &&
  paymentAmount.value > 0n &&
  (status === 'AUTHORIZED' || status === 'PARTIALLY_CAPTURED');
