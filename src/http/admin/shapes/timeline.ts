import { z } from 'zod';
import { ATTENTION_CODES } from '../../../order/attention-code.ts';
import type { Explanation } from '../../../order/explain.ts';
import { MOVE_KINDS } from '../../../order/move.ts';
import { NEXT_ACTIONS } from '../../../order/next-action.ts';
import { KINDS, OUTCOMES } from '../../../order/reading.ts';
import { REVIEW_DECISIONS } from '../../../order/review.ts';
import { ORDER_STATUSES } from '../../../order/status.ts';
import type { Says, TimelineEntry } from '../../../order/timeline.ts';
import type { CallbackEntry, ShownInquiry, ShownTimeline, UnverifiedEntry } from '../timeline-shown.ts';
import { asked as askedShape, unverifiedSummary } from './notification.ts';
import { movementStatus, order } from './order.ts';
import { amountOrNull, count, digest, ourTime, ourTimeOrNull, text, textOrNull } from './plain.ts';
import { listOf, shapeOf } from './shape.ts';
import { expected, ofRefund } from './shop.ts';

const says = shapeOf<Says>('Says')({
  status: z.enum(ORDER_STATUSES),
  fulfillable: z.boolean(),
  nextAction: z.enum(NEXT_ACTIONS),
  attention: listOf(z.enum(ATTENTION_CODES)),
});

/** What every entry has. */
const happened = { at: ourTime, says: says.nullable() };
/** What came of a notification or an answer. */
const received = {
  outcome: z.enum(OUTCOMES),
  problem: textOrNull,
  paymentId: textOrNull,
  deliveries: count,
  lastReceivedAt: ourTime,
  states: listOf(text),
};
type Entry<Type extends TimelineEntry['type']> = Extract<TimelineEntry, { readonly type: Type }>;

const notificationEntry = shapeOf<Entry<'notification'>>('NotificationEntry')({
  type: z.literal('notification'),
  ...happened,
  id: digest,
  kind: z.enum(KINDS),
  ...received,
});
const inquiryEntry = shapeOf<Entry<'inquiry'>>('InquiryEntry')({
  type: z.literal('inquiry'),
  ...happened,
  id: digest,
  asked: askedShape,
  ...received,
});
const registrationEntry = shapeOf<Entry<'registration'>>('RegistrationEntry')({
  type: z.literal('registration'),
  ...happened,
  ...expected,
});
const refundRegistrationEntry = shapeOf<Entry<'refund registration'>>('RefundRegistrationEntry')({
  type: z.literal('refund registration'),
  ...happened,
  ...ofRefund,
});
const reviewEntry = shapeOf<Entry<'review'>>('ReviewEntry')({
  type: z.literal('review'),
  ...happened,
  decision: z.enum(REVIEW_DECISIONS).nullable(),
  note: textOrNull,
});
const moveEntry = shapeOf<Entry<'move'>>('MoveEntry')({
  type: z.literal('move'),
  ...happened,
  kind: z.enum(MOVE_KINDS),
  requestId: text,
  amount: amountOrNull,
  captureId: textOrNull,
  isLast: z.boolean().nullable(),
  outcome: movementStatus.nullable().describe('Null where it was written down; else what has become of it.'),
  attempts: count.describe('How often it had been sent.'),
  resultCode: textOrNull,
  reason: textOrNull,
});
const clockEntry = shapeOf<Entry<'clock'>>('ClockEntry')({ type: z.literal('clock'), ...happened });
const unverifiedEntry = shapeOf<UnverifiedEntry>('UnverifiedEntry')({
  type: z.literal('unverified'),
  at: ourTime,
  says: z.null(),
  verified: z.literal(false),
  ...unverifiedSummary,
});
const callbackEntry = shapeOf<CallbackEntry>('CallbackEntry')({
  type: z.literal('callback'),
  at: ourTime.describe('When the shop answered 2xx; of what waits, since when.'),
  origin: text.describe('Of the URL, which is not shown.'),
  revision: count,
  waiting: shapeOf<NonNullable<CallbackEntry['waiting']>>()({
    attempts: count,
    nextAttemptAt: ourTime,
    why: textOrNull.describe('What the last attempt came to.'),
  })
    .nullable()
    .describe('Null where it was delivered.'),
  says: z.null(),
});
const sentences = listOf(text);
export const timeline = shapeOf<ShownTimeline>('Timeline')({
  order,
  why: shapeOf<Explanation>('Explanation')({
    status: sentences,
    fulfillable: sentences,
    nextAction: sentences,
    advice: sentences,
    isWrong: z.boolean(),
  }),
  items: listOf(
    z.union([
      notificationEntry,
      inquiryEntry,
      registrationEntry,
      refundRegistrationEntry,
      reviewEntry,
      moveEntry,
      clockEntry,
      unverifiedEntry,
      callbackEntry,
    ]),
  ),
  inquiry: shapeOf<ShownInquiry>('PlannedInquiry')({
    why: text,
    askedAt: ourTimeOrNull.describe('Null where APO has not been asked for this yet.'),
    outcome: textOrNull.describe('What that came to: OK, or UNKNOWN or FAILED and a code.'),
    attempts: count,
    nextAt: ourTimeOrNull.describe('When APO is asked next; null where it is not asked again by itself.'),
  })
    .nullable()
    .describe('What the service asks APO about the order; null for nothing.'),
  omitted: count,
  note: textOrNull,
  notSearched: textOrNull,
});
