import { randomBytes } from 'node:crypto';
import type { AntomClient } from '../antom/client.ts';
import type { Asked } from '../order/asked.ts';
import type { Order } from '../order/order.ts';
import type { ClaimedInquiry, InquiryKey, KeptInquiry, Store } from '../store/store.ts';
import { isNeverPlaced, nextDue, questionAbout, readWhy, spread, UNANSWERED_AFTER, type Why, whyAsk } from './due.ts';
import { inquire, type Inquired } from './inquire.ts';

export interface ReconcilingOptions {
  readonly store: Store;
  /** Inquiries of each client, whoever makes them. */
  readonly perSecond: number;
  /** Epoch milliseconds. */
  readonly now?: () => number;
  /** From 0 to 1. */
  readonly random?: () => number;
  readonly leaseMs?: number;
}

/** An inquiry that was made. */
export interface Made {
  readonly kind: 'made';
  readonly key: InquiryKey;
  readonly why: Why;
  readonly inquired: Inquired;
}

export interface Making {
  readonly clientId: string;
  readonly client: AntomClient;
  /** Only this one, due or not. */
  readonly key?: InquiryKey;
  readonly signal?: AbortSignal;
}

/** Longer than a call and its writes take. */
const LEASE_MS = 60_000;

/** `settled`: there was nothing to ask any more. `early`: the client's next turn has not come. */
export type Taken =
  { readonly kind: 'taken'; readonly make: () => Promise<Made> } | { readonly kind: 'settled' | 'early' | 'none' };

export interface Reconciling {
  /** Takes an inquiry that nobody else makes meanwhile, and then makes it. Both reject where the store is away. */
  readonly take: (making: Making) => Promise<Taken>;
}

export const createReconciling = (options: ReconcilingOptions): Reconciling => {
  const settings = { now: Date.now, random: Math.random, leaseMs: LEASE_MS, ...options };
  const { store, perSecond, leaseMs } = settings;
  const owner = randomBytes(8).toString('hex');
  const everyMs = Math.ceil(1_000 / perSecond);
  return {
    take: async (making) => {
      const { clientId, key = null } = making;
      const claim = { clientId, owner, leaseMs, everyMs, now: settings.now(), key };
      const claiming = await store.claimInquiry(claim);
      if (claiming.kind !== 'claimed') return { kind: claiming.kind };
      const { inquiry } = claiming;
      const question = questionOf(inquiry, key !== null);
      if (question === null) {
        await store.keepInquiry({ ...keptAs(inquiry, owner), next: 'needless' });
        return { kind: 'settled' };
      }
      return { kind: 'taken', make: async () => await make({ ...settings, ...making, owner, inquiry, question }) };
    },
  };
};

interface Question {
  readonly asked: Asked;
  readonly why: Why;
}

/** Null where there is nothing to ask any more. What is asked by hand is asked whatever is known. */
const questionOf = ({ about, id, order, isJoined }: ClaimedInquiry, isByHand: boolean): Question | null => {
  if (about !== 'order') {
    const asked = (
      about === 'refundId'
        ? { operation: 'inquiryRefund', refundId: id }
        : { operation: 'inquiryRefund', refundRequestId: id }
    ) satisfies Asked;
    return isJoined && !isByHand ? null : { asked, why: 'unjoined refund' };
  }
  const why = order === null ? null : (whyAsk(order) ?? (isByHand ? 'by hand' : null));
  return order === null || why === null ? null : { asked: questionAbout(order), why };
};

const keptAs = (inquiry: ClaimedInquiry, owner: string): Omit<KeptInquiry, 'next'> => {
  const { clientId, about, id, why, attempts, outcome, askedAt } = inquiry;
  return { key: { clientId, about, id }, owner, why, attempts, outcome, askedAt };
};

type Course = Required<Omit<ReconcilingOptions, 'perSecond'>> &
  Making & { readonly owner: string; readonly inquiry: ClaimedInquiry; readonly question: Question };

const make = async (course: Course): Promise<Made> => {
  const { store, client, owner, inquiry, question, signal, now } = course;
  const inquired = await inquire(store, { client, asked: question.asked, signal });
  const { why } = question;
  const kept = keptAs(inquiry, owner);
  const askedAt = now();
  // Without an answer nothing was asked; who stopped meanwhile leaves it as it was.
  const isAnswered = inquired.trouble === null && inquired.outcome !== 'STOPPED';
  const attempts = (readWhy(inquiry.why) === why ? inquiry.attempts : 0) + Number(isAnswered);
  const outcome = inquired.outcome === 'OK' ? 'OK' : `${inquired.outcome} ${inquired.code}`;
  const next = await nextOf(course, { inquired, attempts, askedAt });
  await store.keepInquiry({ ...kept, why, attempts, outcome, askedAt, next });
  return { kind: 'made', key: kept.key, why, inquired };
};

interface Come {
  readonly inquired: Inquired;
  readonly attempts: number;
  readonly askedAt: number;
}

/** By what the order says once the answer is stored. */
const nextOf = async (course: Course, { inquired, attempts, askedAt }: Come): Promise<KeptInquiry['next']> => {
  const { inquiry, question, random } = course;
  const order = await orderNow(course);
  // A refund that has found its payment meanwhile is settled when its turn comes.
  if (inquiry.about === 'order') {
    const why = order === null ? null : whyAsk(order);
    if (why === null) return 'settled';
  } else if (inquired.recorded !== null && inquired.recorded.reading.paymentId !== null) return 'settled';
  if (inquired.outcome === 'STOPPED') return { dueAt: inquiry.dueAt };
  if (inquired.trouble !== null) return { dueAt: askedAt + spread(UNANSWERED_AFTER, random) };
  if (isNeverPlaced(question.why, { attempts, code: inquired.code })) return { dueAt: null };
  return { dueAt: nextDue(order, { why: question.why, attempts, now: askedAt, random }) };
};

/** The order that was asked about; null where it is gone, as a placeholder whose payment has been named. */
const orderNow = async ({ store, inquiry }: Course): Promise<Order | null> => {
  if (inquiry.order === null) return null;
  const { clientId, paymentId, paymentRequestId } = inquiry.order;
  const id = paymentId ?? paymentRequestId ?? '';
  return (await store.findOrders({ clientId, id })).find((order) => order.paymentId === paymentId) ?? null;
};
