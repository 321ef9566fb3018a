import type { Asked } from '../order/asked.ts';
import type { ClaimedInquiry, KeptInquiry } from '../store/store.ts';
import { firstDue, questionAbout, readWhy, type Why, whyAsk } from './due.ts';

export interface Question {
  readonly asked: Asked;
  readonly why: Why;
}

/** Null where there is nothing to ask any more. What is asked by hand is asked whatever is known. */
export const questionOf = (inquiry: ClaimedInquiry, isByHand: boolean): Question | null => {
  const { about, id, order, isJoined } = inquiry;
  if (about !== 'order') {
    const asked = (
      about === 'refundId'
        ? { operation: 'inquiryRefund', refundId: id }
        : { operation: 'inquiryRefund', refundRequestId: id }
    ) satisfies Asked;
    return isJoined && !isByHand ? null : { asked, why: 'unjoined refund' };
  }
  const why = order === null ? null : (whyAsk(order) ?? otherwise(inquiry, isByHand));
  return order === null || why === null ? null : { asked: questionAbout(order), why };
};

/** Nothing is waited for from this order itself. */
const otherwise = ({ why }: ClaimedInquiry, isByHand: boolean): Why | null => {
  if (isByHand) return 'by hand';
  return readWhy(why) === 'refund of it' ? 'refund of it' : null;
};

/** The order has changed since it was planned, and something else is waited for by now, which may come by itself. */
export const notYetDue = (
  { order, why: planned }: ClaimedInquiry,
  why: Why,
  now: number,
): Pick<KeptInquiry, 'next' | 'why' | 'attempts'> | null => {
  if (order === null || readWhy(planned) === why) return null;
  const dueAt = firstDue(order, why);
  return dueAt !== null && dueAt <= now ? null : { next: { dueAt }, why, attempts: 0 };
};
