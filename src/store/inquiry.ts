import type { Order } from '../order/order.ts';

/* What is stored of the inquiries that are to be made, and what a store does for who makes them (reconcile/). */

/** What is asked about: an order by its key, or a refund that joins none by one of its ids. */
export interface InquiryKey {
  readonly clientId: string;
  readonly about: 'order' | 'refundId' | 'refundRequestId';
  readonly id: string;
}

/** An order that may be due and has not been looked at since its latest change. */
export interface Unplanned {
  readonly key: InquiryKey;
  /** Of its latest change. */
  readonly position: string;
  readonly order: Order;
}

/** When to ask. Where an order is planned for the same reason already, the pauses go on. */
export interface InquiryPlan {
  readonly key: InquiryKey;
  /** Of the change of the order that it was planned by; 0 for a refund. */
  readonly position: string;
  readonly why: string;
  /** Epoch milliseconds; null where there is nothing to ask until the order changes. */
  readonly dueAt: number | null;
}

/** An inquiry as it is planned. Times are epoch milliseconds. */
export interface PlannedInquiry extends InquiryKey {
  readonly why: string;
  readonly dueAt: number | null;
  readonly attempts: number;
  /** What the last one came to; null before the first. */
  readonly outcome: string | null;
  readonly askedAt: number | null;
}

/** An inquiry that this owner alone makes. */
export interface ClaimedInquiry extends PlannedInquiry {
  /** As of its last commit or sweep; null where it is gone, and for a refund. */
  readonly order: Order | null;
  /** A refund has found its payment. */
  readonly isJoined: boolean;
}

export interface InquiryClaim {
  readonly clientId: string;
  readonly owner: string;
  /** For so many milliseconds, by the clock of the database. */
  readonly leaseMs: number;
  /** Milliseconds between two inquiries of this client, whoever makes them; by the same clock. */
  readonly everyMs: number;
  /** What is due by then, epoch milliseconds. */
  readonly now: number;
  /** Only this one, due or not; null takes the one that is due longest. */
  readonly key: InquiryKey | null;
}

/**
 * `early`: another inquiry of this client was made too short a time ago; the next turn comes in so many milliseconds.
 * `none`: nothing is due, or it is held.
 */
export type Claiming =
  | { readonly kind: 'claimed'; readonly inquiry: ClaimedInquiry }
  | { readonly kind: 'early'; readonly inMs: number }
  | { readonly kind: 'none' };

/** What became of a claimed inquiry. */
export interface KeptInquiry {
  readonly key: InquiryKey;
  readonly owner: string;
  readonly why: string;
  readonly attempts: number;
  readonly outcome: string | null;
  readonly askedAt: number | null;
  /** As in a plan. `settled`: there is nothing to ask any more. */
  readonly next: { readonly dueAt: number | null } | 'settled';
  /** False where it was not asked after all: then the client's turn is free again. */
  readonly tookTurn: boolean;
}

/** How many inquiries of a client are planned, and what of them waits. Times are epoch milliseconds. */
export interface InquiryBacklog {
  readonly clientId: string;
  readonly due: number;
  /** Since when the one is due that is due longest; null for none. */
  readonly dueSince: number | null;
  /** Due later, and when the next of them is. */
  readonly planned: number;
  readonly nextAt: number | null;
  /** Not asked again by themselves: APO refused to answer, or knows of no such payment. */
  readonly stopped: number;
}

export interface StoreInquiryReads {
  /** Of these clients, those whose change is oldest first; what changed after `before` (epoch milliseconds) not yet. */
  readonly unplannedOrders: (
    clientIds: readonly string[],
    page: { readonly before: number; readonly limit: number },
  ) => Promise<readonly Unplanned[]>;
  /** What is due by `now`, longest first. */
  readonly dueInquiries: (
    clientIds: readonly string[],
    page: { readonly now: number; readonly limit: number },
  ) => Promise<readonly PlannedInquiry[]>;
  /** Of every client of whom something is planned. */
  readonly inquiryBacklog: (now: number) => Promise<readonly InquiryBacklog[]>;
}

export interface StoreInquiryWrites {
  readonly planInquiries: (plans: readonly InquiryPlan[]) => Promise<void>;
  /** All that is planned of these clients is due at once. */
  readonly hurryInquiries: (clientIds: readonly string[], now: number) => Promise<void>;
  readonly claimInquiry: (claim: InquiryClaim) => Promise<Claiming>;
  /** False where another owner has it by now, and then nothing is written. */
  readonly keepInquiry: (kept: KeptInquiry) => Promise<boolean>;
}
