import { type AmountText, largest, toAmountText } from './amount.ts';
import { gatherMovements, type Movement, type MovementStatus } from './movement.ts';
import { firstOf, type RefundStatement, type Result, type Sourced } from './statement.ts';

/** One refund as shown to the outside. */
export interface Refund {
  readonly refundId: string | null;
  readonly refundRequestId: string | null;
  readonly status: MovementStatus;
  readonly amount: AmountText | null;
  readonly refundTime: string | null;
  readonly captureId: string | null;
  readonly result: Result;
}

export type RefundEvidence = Movement<RefundStatement>;

/** Codes of a failed refund that no other try of it mends (spec: wire, §2.2). */
export const NEVER_REFUNDED: readonly string[] = [
  'REFUND_WINDOW_EXCEED',
  'REFUND_NOT_SUPPORTED',
  'PARTIAL_REFUND_NOT_SUPPORTED',
  'MULTIPLE_REFUNDS_NOT_SUPPORTED',
  'PAYMENT_METHOD_NOT_SUPPORTED',
  'ORDER_IS_CANCELED',
];

export const isNeverRefunded = ({ resultCode }: Result): boolean =>
  resultCode !== null && NEVER_REFUNDED.includes(resultCode);

/** Refunds, told apart. Of several amounts of one the largest counts. */
export const gatherRefunds = (statements: readonly Sourced<RefundStatement>[]): readonly RefundEvidence[] =>
  gatherMovements(statements, {
    id: ({ refundId }) => refundId,
    requestId: ({ refundRequestId }) => refundRequestId,
    pick: largest,
  });

export const toRefund = ({ statements, status, amount, id, requestId }: RefundEvidence): Refund => ({
  refundId: id,
  refundRequestId: requestId,
  status,
  amount: amount === null ? null : toAmountText(amount),
  refundTime: firstOf(statements, ({ refundTime }) => refundTime),
  captureId: firstOf(statements, ({ captureId }) => captureId),
  result: statements[0].result,
});
