import { z } from 'zod';
import { type Attention, ATTENTION_CODES } from '../../../order/attention-code.ts';
import type { Capture } from '../../../order/capture.ts';
import type { Dispute } from '../../../order/dispute.ts';
import { NEXT_ACTIONS } from '../../../order/next-action.ts';
import type { Order, ShownReview } from '../../../order/order.ts';
import type { Refund } from '../../../order/refund.ts';
import { CAPTURE_MODES } from '../../../order/registration.ts';
import { REVIEW_DECISIONS } from '../../../order/review.ts';
import { ORDER_STATUSES } from '../../../order/status.ts';
import {
  amountOrNull,
  anyObject,
  count,
  ourTime,
  ourTimeOrNull,
  result,
  statedTime,
  text,
  textOrNull,
} from './plain.ts';
import { listOf, shapeOf } from './shape.ts';

/** Of a capture, or of a refund. */
export const movementStatus = z.enum(['SUCCEEDED', 'FAILED', 'PROCESSING']);

const capture = shapeOf<Capture>('Capture')({
  captureId: textOrNull,
  captureRequestId: textOrNull,
  status: movementStatus,
  amount: amountOrNull,
  captureTime: statedTime,
  result,
  furtherAction: textOrNull.describe("APO's advice for a failure's code."),
  acquirerInfo: anyObject.nullable(),
  acquirerReferenceNo: textOrNull,
});

const refund = shapeOf<Refund>('Refund')({
  refundId: textOrNull,
  refundRequestId: textOrNull,
  status: movementStatus,
  amount: amountOrNull,
  refundTime: statedTime,
  captureId: textOrNull,
  result,
});

const dispute = shapeOf<Dispute>('Dispute')({
  disputeId: text,
  type: textOrNull,
  state: z.enum(['OPEN', 'DEFENDED', 'ACCEPTED', 'WON', 'LOST', 'VALIDATED', 'VALIDATION_FAILED', 'CANCELLED', 'RDR']),
  amount: amountOrNull,
  dueTime: statedTime,
  reasonCode: textOrNull,
  reasonMessage: textOrNull,
});

const attention = shapeOf<Attention>('Attention')({
  code: z.enum(ATTENTION_CODES),
  message: text.describe('Names the values that matter, and says what to do.'),
  settled: z.boolean().describe('A review has settled it, with these values.'),
});

const review = shapeOf<ShownReview>('Review')({
  decision: z.enum(REVIEW_DECISIONS),
  revision: count.describe('Of the order that the person saw.'),
  note: textOrNull,
  createdAt: ourTime,
});

export const order = shapeOf<Order>('Order')({
  clientId: text,
  paymentId: textOrNull.describe('Null for a registration that no payment has named yet.'),
  paymentRequestId: textOrNull,
  referenceOrderId: textOrNull.describe("The order's number in the shop, as registered."),
  status: z.enum(ORDER_STATUSES),
  fulfillable: z.boolean().describe('Ship where this is true, and only there.'),
  nextAction: z.enum(NEXT_ACTIONS),
  paymentAmount: amountOrNull.describe('What APO says was paid or authorized.'),
  expectedAmount: amountOrNull.describe('What the shop registered.'),
  finalAmount: amountOrNull.describe('All that is going to be captured, as registered.'),
  capturedAmount: amountOrNull,
  remainingAmount: amountOrNull.describe('What is still to be captured.'),
  refundedAmount: amountOrNull,
  paymentMethod: textOrNull,
  captureRequired: z.boolean(),
  captureMode: z.enum(CAPTURE_MODES),
  result: result.nullable(),
  paymentTime: statedTime,
  authorizationExpiresAt: ourTimeOrNull,
  acquirerInfo: anyObject.nullable(),
  acquirerReferenceNo: textOrNull,
  captures: listOf(capture),
  refunds: listOf(refund),
  disputes: listOf(dispute),
  attention: listOf(attention).describe('Why a person should look at it.'),
  review: review.nullable(),
  revision: count.describe('Grows with every change and never goes back.'),
  replaces: textOrNull.describe('The `paymentRequestId` of the registration whose place this order took.'),
  createdAt: ourTime,
  updatedAt: ourTime,
});

/** What names an order among several. */
export const orderName = shapeOf<Pick<Order, 'clientId' | 'paymentId' | 'paymentRequestId'>>('OrderName')({
  clientId: text,
  paymentId: textOrNull,
  paymentRequestId: textOrNull,
});
