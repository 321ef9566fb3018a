import { z } from 'zod';
import { MOVE_KINDS } from '../../../order/move.ts';
import type { Move } from '../../../store/store.ts';
import { movementStatus } from './order.ts';
import { amountOrNull, count, ourTime, text, textOrNull } from './plain.ts';
import { shapeOf } from './shape.ts';

/** A capture, cancel or refund that we send. */
export const move = shapeOf<Move>('Move')({
  clientId: text,
  kind: z.enum(MOVE_KINDS),
  requestId: text.describe('The captureRequestId or refundRequestId; a cancel has none at APO, and this is ours.'),
  paymentId: text,
  amount: amountOrNull.describe('Null of a cancel.'),
  captureId: textOrNull.describe('Of a refund: the capture that it gives back.'),
  isLast: z.boolean().nullable().describe('Of a capture: none follows it.'),
  status: movementStatus.describe('PROCESSING until APO has said what became of it.'),
  attempts: count.describe('How often it has been sent.'),
  resultCode: textOrNull.describe("APO's last code."),
  reason: textOrNull.describe('What a failure, or a silence, asks for.'),
  id: textOrNull.describe("APO's captureId or refundId."),
  createdAt: ourTime,
  updatedAt: ourTime,
});
