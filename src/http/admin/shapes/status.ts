import { z } from 'zod';
import type { OrderRules } from '../../../order/rules.ts';
import type { CallbackLag } from '../../../upkeep/callbacks.ts';
import type { InquiryLag } from '../../../upkeep/inquiries.ts';
import type { Status } from '../../../upkeep/status.ts';
import { count, ourTime, ourTimeOrNull, text, textOrNull } from './plain.ts';
import { listOf, shapeOf } from './shape.ts';

type NumberedRules = NonNullable<Status['rules']>;
type Versions = NonNullable<Status['versions']>;
const mapOf = <T>(value: z.ZodType<T>): z.ZodType<Readonly<Record<string, T>>> => z.record(z.string(), value);
export const status = shapeOf<Status>('Status')({
  versions: shapeOf<Versions>()({ paynotify: text, node: text }).nullable(),
  startedAt: ourTimeOrNull,
  database: shapeOf<Status['database']>()({ name: text, schema: count, generation: textOrNull }),
  rules: shapeOf<NumberedRules>()({
    number: count,
    derivation: count,
    rules: shapeOf<OrderRules>()({
      captureRequired: z.enum(['methods', 'always']),
      noCaptureMethods: listOf(text),
      captureMode: z.enum(['AUTOMATIC', 'MANUAL']),
      requireRegistration: z.boolean(),
      production: z.boolean(),
    }),
  }).nullable(),
  configuration: mapOf(text).nullable(),
  keys: listOf(shapeOf<Status['keys'][number]>()({ clientId: text, keyVersion: textOrNull, fingerprint: text })),
  lastVerifiedAt: ourTimeOrNull,
  heldUp: shapeOf<NonNullable<Status['heldUp']>>()({
    since: ourTime.describe('When the first order changed that cannot be read from the change feed yet.'),
    by: textOrNull.describe('Which transaction keeps it back; null where that ended meanwhile.'),
  })
    .nullable()
    .describe('Null where the change feed goes on.'),
  backlog: shapeOf<Status['backlog']>()({
    failed: count,
    malformed: count.describe('Notifications that cannot be read: most of them on the order that they name.'),
    unverified: shapeOf<Status['backlog']['unverified']>()({
      DUPLICATE_HEADER: count.optional(),
      MISSING_HEADER: count.optional(),
      MALFORMED_SIGNATURE: count.optional(),
      UNSUPPORTED_ALGORITHM: count.optional(),
      UNKNOWN_CLIENT: count.optional(),
      UNKNOWN_KEY_VERSION: count.optional(),
      SIGNATURE_MISMATCH: count.optional(),
    }),
  }),
  moves: shapeOf<Status['moves']>('MovesUnderWay')({
    underWay: count.describe('Captures, cancels and refunds of which APO has not said yet what became of them.'),
    since: ourTimeOrNull.describe('When the oldest of them was written down.'),
  }),
  callbacks: listOf(
    shapeOf<CallbackLag>('CallbackLag')({
      clientId: text,
      origin: text.describe('Of the URL, which is not shown.'),
      waiting: count.describe('Orders that wait to be posted.'),
      waitingSince: ourTimeOrNull,
      lagSeconds: count.describe(
        'How long the order that waits longest has waited; 0 where the shop was told everything.',
      ),
      paused: z.boolean(),
      why: textOrNull.describe('What the last attempt came to.'),
      nextAttemptAt: ourTimeOrNull,
      deliveredAt: ourTimeOrNull.describe('The last 2xx.'),
    }),
  ),
  inquiries: listOf(
    shapeOf<InquiryLag>('InquiryLag')({
      clientId: text,
      due: count.describe('Inquiries that are to be made by now.'),
      dueSince: ourTimeOrNull,
      planned: count.describe('Those that are due later.'),
      nextAt: ourTimeOrNull,
      stopped: count.describe('Not asked again by themselves: APO refused to answer, or knows of no such payment.'),
      heldBack: shapeOf<NonNullable<InquiryLag['heldBack']>>()({
        since: ourTime,
        until: ourTime.describe('Then one is tried.'),
        code: text.describe("APO's code, or why there is none."),
      })
        .nullable()
        .describe("APO's API does not answer; null where it does."),
    }),
  ),
});
