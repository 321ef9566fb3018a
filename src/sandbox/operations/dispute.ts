import type { AmountText } from '../../order/amount.ts';
import { tellDispute } from '../announce.ts';
import { type DisputeEntry, moneyOf, type PaymentEntry } from '../ledger.ts';
import { apoId, change, type World } from '../world.ts';

const MINUTE = 60;
const OPENED_AFTER = 2 * MINUTE;
const ENDS_AFTER = 10 * MINUTE;

export const DISPUTE_TYPES = [
  'DISPUTE_CREATED',
  'DEFENSE_DUE_ALERT',
  'DEFENSE_SUPPLIED',
  'DISPUTE_ACCEPTED',
  'DISPUTE_JUDGED',
  'DISPUTE_CANCELLED',
  'RDR_RESOLVED',
] as const;
export type DisputeType = (typeof DISPUTE_TYPES)[number];
export const JUDGEMENTS = ['ACCEPT_BY_CUSTOMER', 'ACCEPT_BY_MERCHANT'] as const;

export interface DisputeStep {
  readonly type: DisputeType;
  /** With DISPUTE_JUDGED. */
  readonly judged?: (typeof JUDGEMENTS)[number] | undefined;
  /** The first step of a dispute has none. */
  readonly disputeId?: string | undefined;
  /** All that was paid and has not gone back, where absent. */
  readonly amount?: AmountText | undefined;
}

/** Takes a dispute one step further and tells the merchant; null where there is none, or nothing to dispute. */
export const dispute = (world: World, payment: PaymentEntry, step: DisputeStep): DisputeEntry | null => {
  const { disputeId = apoId(world, 'dispute', `${payment.paymentId} ${payment.disputes.length}`) } = step;
  const before = payment.disputes.find((one) => one.disputeId === disputeId);
  const { paid, returned } = moneyOf(payment);
  const left = paid - returned;
  if (before === undefined && (step.disputeId !== undefined || left === 0n)) return null;
  const entry: DisputeEntry = {
    disputeId,
    amount: step.amount ?? before?.amount ?? { currency: payment.amount.currency, value: left.toString() },
    type: step.type,
    judged: step.type === 'DISPUTE_JUDGED' ? (step.judged ?? 'ACCEPT_BY_MERCHANT') : null,
    time: new Date().toISOString(),
  };
  const others = payment.disputes.filter((one) => one !== before);
  tellDispute(world, change(world, payment, { disputes: [...others, entry] }), entry);
  return entry;
};

const ENDS: readonly [Pick<DisputeStep, 'type' | 'judged'>, ...Pick<DisputeStep, 'type' | 'judged'>[]] = [
  { type: 'DISPUTE_JUDGED', judged: 'ACCEPT_BY_CUSTOMER' },
  { type: 'DISPUTE_JUDGED', judged: 'ACCEPT_BY_MERCHANT' },
  { type: 'DISPUTE_ACCEPTED' },
  { type: 'DISPUTE_CANCELLED' },
];

/** Opens a dispute in a while, and ends it, one way or another. */
export const disputeLater = (world: World, paymentId: string): void =>
  world.later(OPENED_AFTER, () => {
    const payment = world.ledger.byId(paymentId);
    const opened = payment === null ? null : dispute(world, payment, { type: 'DISPUTE_CREATED' });
    if (opened === null) return;
    world.later(ENDS_AFTER, () => {
      const now = world.ledger.byId(paymentId);
      const end = world.chance.pick(ENDS, 'end of dispute', opened.disputeId);
      if (now !== null) dispute(world, now, { ...end, disputeId: opened.disputeId });
    });
  });
