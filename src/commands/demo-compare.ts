import type { Order } from '../order/order.ts';
import { moneyOf, type PaymentEntry } from '../sandbox/ledger.ts';

/** What truly became of a payment, and what became of it in the shop. */
export interface Told {
  readonly entry: PaymentEntry;
  readonly order: Order | null;
  readonly isShipped: boolean;
}

export interface Difference {
  readonly paymentRequestId: string;
  readonly what: string;
}

/** Where an order and the shop say something else than the ledger. */
export const differences = ({ entry, order, isShipped }: Told): readonly Difference[] => {
  const { paid, returned, taken } = moneyOf(entry);
  // A dispute may have come before the parcel.
  const wasDisputed = entry.disputes.length > 0 && order?.fulfillable !== true;
  const isPaid = paid === BigInt(entry.amount.value);
  const expected: Readonly<Record<string, unknown>> = {
    status: statusOf(entry, paid),
    fulfillable: isPaid && returned < paid && taken === 0n,
    refunded: returned.toString(),
    shipped: isPaid && (isShipped || !wasDisputed),
  };
  const found: Readonly<Record<string, unknown>> = {
    status: order?.status,
    fulfillable: order?.fulfillable,
    refunded: order?.refundedAmount?.value ?? '0',
    shipped: isShipped,
  };
  return Object.entries(expected)
    .filter(([name, value]) => found[name] !== value)
    .map(([name, value]) => ({
      paymentRequestId: entry.paymentRequestId,
      what: `${name} is ${String(found[name])}, and in truth ${String(value)}`,
    }));
};

const statusOf = ({ result, amount }: PaymentEntry, paid: bigint): string => {
  if (result.resultStatus !== 'S') return 'FAILED';
  if (paid === BigInt(amount.value)) return 'CAPTURED';
  return paid === 0n ? 'AUTHORIZED' : 'PARTIALLY_CAPTURED';
};
