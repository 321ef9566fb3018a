import type { Findings } from './findings.ts';
import type { OrderStatus } from './status.ts';

export const statusOf = (findings: Findings): OrderStatus => {
  const { amounts, hasSuccess, isCancelled, need, payments } = findings;
  const isCovered = amounts.due !== null && amounts.captured !== null && amounts.captured.value >= amounts.due.value;
  if (isCovered || (hasSuccess && !need.required && !isCancelled)) return 'CAPTURED';
  if (findings.succeeded.length > 0) return 'PARTIALLY_CAPTURED';
  if (isCancelled) return 'CANCELLED';
  if (hasSuccess) return 'AUTHORIZED';
  if (findings.hasFailure) return 'FAILED';
  return payments.length > 0 ? 'PROCESSING' : 'PENDING';
};
