import { z } from 'zod';
import { CAPTURE_MODES, type Registration } from '../../../order/registration.ts';
import type {
  ListedRefund,
  RefundRegistration,
  StoredRefundRegistration,
  StoredRegistration,
} from '../../../store/store.ts';
import { movementStatus } from './order.ts';
import { amount, amountOrNull, digest, ourTime, result, statedTime, text, textOrNull } from './plain.ts';
import { listOf, shapeOf } from './shape.ts';

/* What the shop has said. */

/** A registration without its client. */
export const expected = {
  paymentRequestId: text,
  amount,
  referenceOrderId: textOrNull,
  captureMode: z.enum(CAPTURE_MODES).nullable(),
  paymentMethodType: textOrNull,
  authExpiryTime: statedTime,
  finalAmount: amountOrNull.describe('All that is going to be captured.'),
  cancelled: z.boolean(),
};
const times = { createdAt: ourTime, updatedAt: ourTime };

export const requestedRegistration = shapeOf<Registration>('RequestedRegistration')({ clientId: text, ...expected });
export const registration = shapeOf<StoredRegistration>('Registration')({ clientId: text, ...expected, ...times });

/** The same of a refund. */
export const ofRefund = { refundRequestId: text, paymentId: textOrNull, paymentRequestId: textOrNull };

export const requestedRefund = shapeOf<RefundRegistration>('RequestedRefundRegistration')({
  clientId: text,
  ...ofRefund,
});
export const refundRegistration = shapeOf<StoredRefundRegistration>('RefundRegistration')({
  clientId: text,
  ...ofRefund,
  ...times,
});

export const listedRefund = shapeOf<ListedRefund>('ListedRefund')({
  clientId: text,
  refundId: textOrNull,
  refundRequestId: textOrNull,
  status: movementStatus.nullable().describe('Null where no notification of it could be read.'),
  amount: amountOrNull,
  refundTime: statedTime,
  result: result.nullable(),
  paymentIds: listOf(text).describe('The known payments that it joins.'),
  registration: refundRegistration.nullable(),
  notifications: listOf(digest).describe('The ids of its notifications.'),
  firstReceivedAt: ourTime,
});
