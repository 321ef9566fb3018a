import type { Findings } from './evidence.ts';

/** In the order in which they are tried: the first that holds. */
export const ORDER_STATUSES = [
  'CAPTURED',
  'PARTIALLY_CAPTURED',
  'AUTHORIZED',
  'FAILED',
  'PROCESSING',
  'PENDING',
] as const;
export type OrderStatus = (typeof ORDER_STATUSES)[number];

export const statusOf = (findings: Findings): OrderStatus => {
  const { paymentAmount, capturedAmount, payments } = findings;
  const covered =
    paymentAmount !== null &&
    paymentAmount.value > 0n &&
    capturedAmount !== null &&
    capturedAmount.value >= paymentAmount.value;
  if (covered || (findings.paid && !findings.captureRequired)) return 'CAPTURED';
  if (findings.captureSucceeded) return 'PARTIALLY_CAPTURED';
  if (findings.paid) return 'AUTHORIZED';
  if (findings.declined) return 'FAILED';
  return payments.length > 0 ? 'PROCESSING' : 'PENDING';
};
