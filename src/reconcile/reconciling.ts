import { randomBytes } from 'node:crypto';
import type { AntomClient } from '../antom/client.ts';
import type { ClaimedInquiry, InquiryKey, KeptInquiry, Store } from '../store/store.ts';
import { isNeverPlaced, nextDue, readWhy, spread, UNANSWERED_AFTER, type Why, whyAsk } from './due.ts';
import { inquire, type Inquired } from './inquire.ts';
import { orderOf } from './order-of.ts';
import { paymentsOfRefund } from './payments-of-refund.ts';
import { notYetDue, type Question, questionOf } from './question.ts';

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

/**
 * `settled`: there was nothing to ask any more, or not yet. `early`: the client's next turn comes in so many
 * milliseconds. `none`: nothing is due, or somebody else asks at this moment.
 */
export type Taken =
  | { readonly kind: 'taken'; readonly make: () => Promise<Made> }
  | { readonly kind: 'early'; readonly inMs: number }
  | { readonly kind: 'settled' | 'none' };

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
      if (claiming.kind !== 'claimed') return claiming;
      const { inquiry } = claiming;
      const question = questionOf(inquiry, key !== null);
      const notYet = question === null || key !== null ? null : notYetDue(inquiry, question.why, settings.now());
      if (question === null || notYet !== null) {
        await store.keepInquiry({ ...keptAs(inquiry, owner), next: 'settled', ...notYet, tookTurn: false });
        return { kind: 'settled' };
      }
      return { kind: 'taken', make: async () => await make({ ...settings, ...making, owner, inquiry, question }) };
    },
  };
};

const keptAs = (inquiry: ClaimedInquiry, owner: string): Omit<KeptInquiry, 'next' | 'tookTurn'> => {
  const { clientId, about, id, why, attempts, outcome, askedAt } = inquiry;
  return { key: { clientId, about, id }, owner, why, attempts, outcome, askedAt };
};

type Course = Required<Omit<ReconcilingOptions, 'perSecond'>> &
  Making & { readonly owner: string; readonly inquiry: ClaimedInquiry; readonly question: Question };

const make = async (course: Course): Promise<Made> => {
  const { store, client, owner, inquiry, question, signal, now, random } = course;
  const kept = { ...keptAs(inquiry, owner), tookTurn: true };
  const { why } = question;
  try {
    const inquired = await inquire(store, { client, asked: question.asked, signal });
    const made: Made = { kind: 'made', key: kept.key, why, inquired };
    if (inquired.outcome === 'STOPPED') {
      await store.keepInquiry({ ...kept, next: { dueAt: inquiry.dueAt } });
      return made;
    }
    const askedAt = now();
    // Without an answer nothing was asked.
    const attempts = (readWhy(inquiry.why) === why ? inquiry.attempts : 0) + Number(inquired.trouble === null);
    const outcome = inquired.outcome === 'OK' ? 'OK' : `${inquired.outcome} ${inquired.code}`;
    const next = await nextOf(course, { inquired, attempts, askedAt });
    if (inquiry.about !== 'order' && inquired.outcome === 'OK' && next !== 'settled')
      await store.planInquiries(await paymentsOfRefund(store, inquiry, { round: attempts, now: askedAt }));
    await store.keepInquiry({ ...kept, why, attempts, outcome, askedAt, next });
    return made;
  } catch (error) {
    // One that fails by itself lets the others go first; while the store is away, its lease has the same effect.
    await store.keepInquiry({ ...kept, next: { dueAt: now() + spread(UNANSWERED_AFTER, random) } }).catch(() => false);
    throw error;
  }
};

interface Come {
  readonly inquired: Inquired;
  readonly attempts: number;
  readonly askedAt: number;
}

/** By what the order says once the answer is stored. */
const nextOf = async (course: Course, { inquired, attempts, askedAt }: Come): Promise<KeptInquiry['next']> => {
  const { store, inquiry, question, random } = course;
  // A placeholder is gone once its payment has been named.
  const order = inquiry.order === null ? null : await orderOf(store, inquiry.order);
  // A refund that has found its payment meanwhile is settled when its turn comes.
  if (inquiry.about === 'order') {
    const isAgain = question.why === 'refund of it' && inquired.trouble !== null;
    if (order === null || (whyAsk(order) === null && !isAgain)) return 'settled';
  } else if (inquired.recorded !== null && inquired.recorded.reading.paymentId !== null) return 'settled';
  if (inquired.trouble !== null) return { dueAt: askedAt + spread(UNANSWERED_AFTER, random) };
  if (isNeverPlaced(question.why, { attempts, code: inquired.code })) return { dueAt: null };
  const { isRefused } = inquired;
  return { dueAt: nextDue(order, { why: question.why, attempts, isRefused, now: askedAt, random }) };
};
