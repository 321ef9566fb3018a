import { type AmountText, toAmount } from './amount.ts';
import type { Asked } from './asked.ts';
import type { AttentionCode } from './attention-code.ts';
import type { OrderEvidence } from './evidence.ts';
import type { NextAction } from './next-action.ts';
import { type DerivedOrder, deriveOrder, underivable } from './order.ts';
import type { MoveKind } from './move.ts';
import type { MovementStatus } from './movement.ts';
import type { Kind, Outcome } from './reading.ts';
import type { Registration } from './registration.ts';
import type { ReviewDecision } from './review.ts';
import type { OrderRules } from './rules.ts';
import { show } from './show.ts';
import type { Statement } from './statement.ts';
import type { OrderStatus } from './status.ts';
import { isoTime } from './time.ts';

/** What an order said, in short. */
export interface Says {
  readonly status: OrderStatus;
  readonly fulfillable: boolean;
  readonly nextAction: NextAction;
  /** What a person has settled is not among them. */
  readonly attention: readonly AttentionCode[];
}

/** A notification that is of the order, or of another payment that the order looks at: `paymentId` tells. */
export interface NotificationHappened {
  readonly type: 'notification';
  /** Of its first receipt. */
  readonly at: string;
  /** SHA-256 of its body, hex. */
  readonly id: string;
  readonly kind: Kind;
  readonly outcome: Outcome;
  readonly problem: string | null;
  /** As it states it; null for a refund that states none. */
  readonly paymentId: string | null;
  readonly deliveries: number;
  readonly lastReceivedAt: string;
  /** What it states, in short: `S SUCCESS EUR 10000`. */
  readonly states: readonly string[];
}

/** APO was asked, and answered; `states` of an answer that tells nothing is the call's result. */
export interface InquiryHappened extends Omit<NotificationHappened, 'type' | 'kind'> {
  readonly type: 'inquiry';
  readonly asked: Asked;
}

/** The shop registered a payment, or changed that; also another payment of the same shop order. */
export interface RegistrationHappened extends Omit<Registration, 'clientId'> {
  readonly type: 'registration';
  readonly at: string;
}

export interface RefundRegistrationHappened {
  readonly type: 'refund registration';
  readonly at: string;
  readonly refundRequestId: string;
  readonly paymentId: string | null;
  readonly paymentRequestId: string | null;
}

export interface ReviewHappened {
  readonly type: 'review';
  readonly at: string;
  /** Null where a review was taken back. */
  readonly decision: ReviewDecision | null;
  readonly note: string | null;
}

/** A capture, cancel or refund that we send: once where it was written down, and once with what has become of it. */
export interface MoveHappened {
  readonly type: 'move';
  readonly at: string;
  readonly kind: MoveKind;
  readonly requestId: string;
  /** Null of a cancel. */
  readonly amount: AmountText | null;
  readonly captureId: string | null;
  readonly isLast: boolean | null;
  /** Null where it was written down. */
  readonly outcome: MovementStatus | null;
  /** How often it had been sent. */
  readonly attempts: number;
  readonly resultCode: string | null;
  readonly reason: string | null;
}

/** Nothing happened, and time alone changed the order. */
export interface ClockHappened {
  readonly type: 'clock';
  readonly at: string;
}

/** What the store knows about an order, each with its time: a closed set. `at` is UTC, ISO 8601 with milliseconds. */
export type Happened =
  | NotificationHappened
  | InquiryHappened
  | RegistrationHappened
  | RefundRegistrationHappened
  | ReviewHappened
  | MoveHappened
  | ClockHappened;

/** `says`: what the order said from then on, by the rules of today; null where that was not derived. */
export type TimelineEntry = Happened & { readonly says: Says | null };

/** At one millisecond. */
export interface Moment {
  /** Epoch milliseconds. */
  readonly at: number;
  readonly happened: readonly Happened[];
}

interface Telling {
  /** All that was stored by then; null while nothing made an order. */
  readonly evidenceAt: (at: number) => OrderEvidence | null;
  readonly rules: OrderRules;
  /** Epoch milliseconds. */
  readonly now: number;
  /** Of so many moments, the latest, is derived what the order said. */
  readonly derived: number;
}

const saysOf = ({ status, fulfillable, nextAction, attention }: DerivedOrder): Says => ({
  status,
  fulfillable,
  nextAction,
  attention: attention.filter(({ settled }) => !settled).map(({ code }) => code),
});

const derive = (
  evidence: OrderEvidence,
  rules: OrderRules,
  now: number,
): { readonly says: Says; readonly dueAt: number | null } => {
  try {
    const { order, dueAt } = deriveOrder(evidence, rules, now);
    return { says: saysOf(order), dueAt };
  } catch {
    return { says: saysOf(underivable(evidence).order), dueAt: null };
  }
};

/**
 * What happened, oldest first, with what the order said from then on, and what the clock changed in between. `moments`
 * are in the order of time.
 */
export const tellTimeline = (moments: readonly Moment[], telling: Telling): readonly TimelineEntry[] => {
  const { evidenceAt, rules, now, derived } = telling;
  const from = moments.length - derived;
  return moments.flatMap(({ at, happened }, index): readonly TimelineEntry[] => {
    const evidence = index < from ? null : evidenceAt(at);
    if (evidence === null) return happened.map((one) => ({ ...one, says: null }));
    // The clock of another replica may be ahead.
    const first = derive(evidence, rules, Math.min(at, now));
    const until = moments[index + 1]?.at ?? now + 1;
    const clock: TimelineEntry[] = [];
    let { says: said, dueAt: due } = first;
    while (due !== null && due < until && due <= now) {
      const { says, dueAt } = derive(evidence, rules, due);
      if (JSON.stringify(says) !== JSON.stringify(said)) clock.push({ type: 'clock', at: isoTime(due), says });
      [said, due] = [says, dueAt];
    }
    return [...happened.map((one) => ({ ...one, says: first.says })), ...clock];
  });
};

/** What a statement says, in short: `S SUCCESS EUR 10000 CARD`. */
export const shortly = (statement: Statement): string => {
  const words = wordsOf(statement).filter((word) => word !== undefined && word !== null && word !== '');
  return words.join(' ');
};

const amountIn = (amount: AmountText | undefined): string | null =>
  amount === undefined ? null : show(toAmount(amount));

const wordsOf = (statement: Statement): readonly (string | null | undefined)[] => {
  if (statement.about === 'dispute') {
    const { notificationType, type, judgedResult, judgedAmount, amount } = statement;
    return [notificationType, type, judgedResult, amountIn(judgedAmount ?? amount)];
  }
  if (statement.about === 'cancelled payment') return ['CANCELLED', amountIn(statement.amount)];
  const { resultStatus, resultCode } = statement.result;
  if (statement.about === 'inquiry') return [resultStatus, resultCode];
  const said = [resultStatus, resultCode, amountIn(statement.amount)];
  switch (statement.about) {
    case 'payment':
      return [...said, statement.paymentMethodType ?? statement.pspName];
    case 'capture':
      return [...said, statement.captureId ?? statement.captureRequestId];
    case 'refund':
      return [...said, statement.refundId ?? statement.refundRequestId];
    case 'cancellation':
      return [statement.type, ...said];
    case 'amount update':
      return said;
  }
};
