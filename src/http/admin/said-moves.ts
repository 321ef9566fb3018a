import { z } from 'zod';
import { LONGEST_REQUEST_ID, type MoveAsked } from '../../order/move.ts';
import { identifier, orNull } from './query.ts';
import { amountToSay, clientToSay, NOT_AN_OBJECT } from './said.ts';

/* What to send to APO: the bodies of the admin API, which the command line says too. */

const requestId = orNull(
  identifier
    .refine((id) => id.length <= LONGEST_REQUEST_ID, `must have at most ${LONGEST_REQUEST_ID} characters`)
    .nullable()
    .describe('Makes a repetition the same one. Made of the paymentId where absent.'),
);

export const captureToSend = z
  .strictObject(
    {
      amount: orNull(amountToSay.nullable()),
      captureRequestId: requestId,
      isLast: orNull(z.boolean('must be true or false').nullable()),
      clientId: clientToSay,
    },
    NOT_AN_OBJECT,
  )
  .meta({ id: 'CaptureToSend' });

export const cancelToSend = z.strictObject({ clientId: clientToSay }, NOT_AN_OBJECT).meta({ id: 'CancelToSend' });

export const refundToSend = z
  .strictObject(
    {
      amount: amountToSay,
      refundRequestId: requestId,
      captureId: orNull(identifier.nullable()),
      clientId: clientToSay,
    },
    NOT_AN_OBJECT,
  )
  .meta({ id: 'RefundToSend' });

export const captureAsked = ({ amount, captureRequestId, isLast }: z.output<typeof captureToSend>): MoveAsked => ({
  kind: 'capture',
  amount,
  requestId: captureRequestId,
  captureId: null,
  isLast,
});

export const CANCEL: MoveAsked = { kind: 'cancel', amount: null, requestId: null, captureId: null, isLast: null };

export const refundAsked = ({ amount, refundRequestId, captureId }: z.output<typeof refundToSend>): MoveAsked => ({
  kind: 'refund',
  amount,
  requestId: refundRequestId,
  captureId,
  isLast: null,
});
