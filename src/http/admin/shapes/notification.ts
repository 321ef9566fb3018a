import { z } from 'zod';
import { DIAGNOSIS_CODES, type Diagnosed } from '../../../antom/diagnosis.ts';
import { UNVERIFIED_REASONS } from '../../../antom/signature.ts';
import type { Asked } from '../../../order/asked.ts';
import { KINDS, OUTCOMES } from '../../../order/reading.ts';
import type { NotificationSummary, UnverifiedSummary } from '../../../store/store.ts';
import type { RedriveReport } from '../../../upkeep/redrive.ts';
import type { RequestHeaders, ResponseHeaders, wholeNotification, wholeUnverified } from '../whole.ts';
import { count, digest, identifiers, ourTime, text, textOrNull } from './plain.ts';
import { listOf, shapeOf } from './shape.ts';

/* What came over the wire. */

const deliveries = count.min(1).describe('How often it came.');
const base64 = text.meta({ contentEncoding: 'base64', description: 'The very bytes of the body, as Base64.' });

type AskedBy<Name extends string> = Extract<Asked, { readonly [_ in Name]: string }>;

const [ofPayment, ofRefund] = [z.literal('inquiryPayment'), z.literal('inquiryRefund')];

/** The one question of an answer. */
export const asked: z.ZodType<Asked> = z
  .union([
    shapeOf<AskedBy<'paymentId'>>()({ operation: ofPayment, paymentId: text }),
    shapeOf<AskedBy<'paymentRequestId'>>()({ operation: ofPayment, paymentRequestId: text }),
    shapeOf<AskedBy<'refundId'>>()({ operation: ofRefund, refundId: text }),
    shapeOf<AskedBy<'refundRequestId'>>()({ operation: ofRefund, refundRequestId: text }),
  ])
  .meta({ description: 'What APO was asked: the call, and the identifier it was made with.' });

const summary = {
  clientId: text,
  id: digest.describe('Of a notification the SHA-256 of its body, in lower-case hex.'),
  kind: z.enum(KINDS),
  asked: asked.nullable().describe('Of kind INQUIRY, which is an answer and no notification; else null.'),
  outcome: z.enum(OUTCOMES),
  problem: textOrNull.describe('MALFORMED, FAILED: what is wrong, in one sentence.'),
  paymentId: textOrNull,
  identifiers,
  deliveries,
  firstReceivedAt: ourTime,
  lastReceivedAt: ourTime,
};

export const notification = shapeOf<NotificationSummary>('Notification')(summary);

export const notificationInFull = shapeOf<ReturnType<typeof wholeNotification>>('NotificationInFull')({
  ...summary,
  method: textOrNull,
  target: textOrNull,
  headers: z
    .union([
      shapeOf<RequestHeaders>()({ 'client-id': text, 'request-time': text, signature: text }),
      shapeOf<ResponseHeaders>()({ 'client-id': text, 'response-time': text, signature: text }),
    ])
    .nullable()
    .describe('Null once retention has removed what came over the wire; so are the method, the target and the body.'),
  body: base64.nullable(),
  signatureVerifies: z.boolean().nullable().describe('With the keys and paths of now; null where the bytes are gone.'),
});

const diagnosis = shapeOf<Diagnosed>('Diagnosis')({
  code: z.enum(DIAGNOSIS_CODES),
  message: text.describe('What it means and what to do, for a person to read.'),
});

export const unverifiedSummary = {
  id: digest.describe('SHA-256 over method, target, headers and body, in lower-case hex.'),
  reason: z.enum(UNVERIFIED_REASONS),
  deliveries,
  bytes: count,
  firstReceivedAt: ourTime,
  lastReceivedAt: ourTime,
  diagnosis: diagnosis.nullable().describe('Null until it is made, in the background.'),
};

export const unverified = shapeOf<UnverifiedSummary>('Unverified')(unverifiedSummary);

/** An unverified request among what is verified. */
export interface MarkedUnverified extends UnverifiedSummary {
  readonly verified: false;
}
export const markedUnverified = shapeOf<MarkedUnverified>('MarkedUnverified')({
  ...unverifiedSummary,
  verified: z.literal(false),
});

const occurrences = listOf(text);
export const unverifiedInFull = shapeOf<ReturnType<typeof wholeUnverified<Diagnosed>>>('UnverifiedInFull')({
  ...unverifiedSummary,
  method: text,
  target: text,
  headers: z
    .strictObject({ 'client-id': occurrences, 'request-time': occurrences, signature: occurrences })
    .describe('Every occurrence of each, in the order received.'),
  body: base64,
  diagnosis,
});

export const redriven = shapeOf<Pick<NotificationSummary, 'outcome'>>('Redriven')({ outcome: z.enum(OUTCOMES) });

export const redriveReport = shapeOf<RedriveReport>('RedriveReport')({
  redriven: count,
  outcomes: shapeOf<RedriveReport['outcomes']>('Outcomes')({
    APPLIED: count,
    UNHANDLED: count,
    MALFORMED: count,
    FAILED: count,
  }),
  withoutBytes: count.describe('Their bytes are gone: they cannot be applied again.'),
  held: count.describe('Another replica applied them at that moment.'),
});
