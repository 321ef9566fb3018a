import type { OrderEvidence } from '../../src/order/evidence.ts';
import { deriveOrder, type Derivation } from '../../src/order/order.ts';
import type { Review, ReviewDecision } from '../../src/order/review.ts';
import type { OrderRules } from '../../src/order/rules.ts';
import { tell, type Told } from './oracle/tell.ts';

/* Reviews, made by core and oracle each of what it says itself. */

export interface Reviewing {
  readonly evidence: OrderEvidence;
  readonly rules: OrderRules;
  readonly decision: ReviewDecision;
  readonly now: number;
}

interface Reviewed {
  readonly byCore: Review;
  /** With the values in the oracle's words. */
  readonly byOracle: Review;
}

const FORM = { revision: 7, note: 'asked APO', createdAt: Date.parse('2025-05-17T10:00:00Z') } as const;

/** A review of an order as it stands, as a store keeps it. */
export const reviewOf = ({ order, settleable, captured }: Derivation, decision: ReviewDecision): Review => ({
  ...FORM,
  decision,
  settled: settleable,
  captured: String(captured),
  status: order.status,
});

export const review = ({ evidence, rules, decision, now }: Reviewing): Reviewed => {
  const { order, settleable, captured } = tell(evidence, rules)(now);
  return {
    byCore: reviewOf(deriveOrder(evidence, rules, now), decision),
    byOracle: { ...FORM, decision, settled: settleable, captured: String(captured), status: order.status },
  };
};

export interface Later {
  readonly evidence: OrderEvidence;
  readonly rules: OrderRules;
  readonly reviewed: Reviewed;
  readonly now: number;
}

/** What both say later of an order that was reviewed. */
export const afterwards = ({
  evidence,
  rules,
  reviewed,
  now,
}: Later): { readonly derived: Derivation; readonly told: Told } => ({
  derived: deriveOrder({ ...evidence, review: reviewed.byCore }, rules, now),
  told: tell(evidence, rules, reviewed.byOracle)(now),
});
