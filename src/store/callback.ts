import type { NextAction } from '../order/next-action.ts';
import type { Order } from '../order/order.ts';
import type { OrderStatus } from '../order/status.ts';
import type { Page, PageRequest } from './lists.ts';
import type { OrderKey } from './order-key.ts';
import type { OrderName } from './shop.ts';

/* What is stored of callbacks, and what a store does for who posts them (relay/) and who looks after them. */

/** Whoever has waited for longer is late: somebody has to look. */
export const CALLBACKS_LATE_MS = 15 * 60_000;

/** No attempt waits for longer: so much a shop may ask for. */
export const LONGEST_RETRY_AFTER_MS = 3_600_000;

/** One client's orders go to one URL. Of the URL only this is stored: it may hold a secret. */
export interface CallbackDestination {
  readonly clientId: string;
  /** SHA-256 of the URL, lower-case hex. */
  readonly url: string;
  /** All of it that is ever shown. */
  readonly origin: string;
}

/**
 * One relay at a time posts. Its lease runs for `ms` from when it was taken or last written with, by the clock of the
 * database. What is written under a lease that has run out, or is another owner's, does nothing and says so.
 */
export interface Lease {
  readonly owner: string;
  readonly ms: number;
}

/** What the shop last answered 2xx for. */
export interface DeliveredState {
  readonly revision: number;
  readonly status: OrderStatus;
  readonly fulfillable: boolean;
  readonly nextAction: NextAction;
}

/** An order in its state as of its last commit or sweep, with what makes its callback. */
export interface CallbackContent {
  readonly order: Order;
  /** The id of the start in which this revision was committed. */
  readonly start: string;
  readonly previous: DeliveredState | null;
}

/** An order that the shop is to be told of, to one URL. */
export interface DueCallback extends OrderKey {
  /** Stands for the client and the URL. */
  readonly number: number;
  /** Since it waits. */
  readonly attempts: number;
  /** Null where the order is gone: a payment took the place of a registration. */
  readonly content: CallbackContent | null;
  /**
   * Whether it is as the shop knew it in the database that it was copied from; null where it was not, or that does not
   * count any more.
   */
  readonly copied: 'same' | 'different' | null;
}

/** What is due at a URL. Times are epoch milliseconds. */
export interface DueCallbacks {
  /** When the next probe is due; null while nothing is wrong with the URL. */
  readonly pausedUntil: number | null;
  /** Since it is paused. */
  readonly attempts: number;
  /** Those that wait longest first. */
  readonly due: readonly DueCallback[];
}

/** What became of a due callback. */
export type CallbackResult = Pick<DueCallback, 'clientId' | 'orderKey' | 'number'> &
  (
    | {
        readonly kind: 'delivered';
        readonly state: DeliveredState;
        /** The `paymentRequestId` of a payment's order that was delivered for the first time. */
        readonly paymentRequestId: string | null;
      }
    /** `again` is when it may be posted again, epoch milliseconds. */
    | { readonly kind: 'failed'; readonly why: string; readonly again: number }
    /** There is no such order any more. */
    | { readonly kind: 'gone' }
    /** The shop knows it so. */
    | { readonly kind: 'same'; readonly revision: number }
    /** It is not as the shop knew it: it is posted from now on whatever it comes to. */
    | { readonly kind: 'different' }
  );

/** What the results say of the URL: paused until then (epoch milliseconds), or working; null changes nothing. */
export type UrlState =
  | { readonly kind: 'paused'; readonly until: number; readonly attempts: number; readonly why: string }
  | { readonly kind: 'working' }
  | null;

export interface CallbackResults {
  /** SHA-256 of the URL, lower-case hex. */
  readonly digest: string;
  readonly results: readonly CallbackResult[];
  readonly url: UrlState;
}

/** How far the relay follows the feed. */
export interface TakenChanges {
  /** There is more to take. */
  readonly more: boolean;
  /** A cursor: whatever changes after it has not been taken. */
  readonly end: string;
}

/** A callback URL of a client. Times are ISO. */
export interface CallbackUrl {
  readonly clientId: string;
  readonly origin: string;
  /** It is configured; otherwise it was, and nothing is posted to it. */
  readonly inUse: boolean;
  readonly followedSince: string;
  /** The last 2xx. */
  readonly deliveredAt: string | null;
  /** How many orders wait to be posted. */
  readonly waiting: number;
  /** Since when the one waits that waits longest; null where the shop has been told everything. */
  readonly waitingSince: string | null;
  /** What the last attempt came to, of the URL while it is paused, else of that order; null where there was none. */
  readonly why: string | null;
  /** While the URL is paused: since when, until when, how many attempts, and what the last one came to. */
  readonly paused: {
    readonly since: string;
    readonly until: string;
    readonly attempts: number;
    readonly why: string;
  } | null;
}

/** What one URL was told of one order. Times are ISO. */
export interface OrderCallback extends OrderKey {
  readonly origin: string;
  readonly inUse: boolean;
  readonly delivered: (DeliveredState & { readonly at: string }) | null;
  /** Null where there is nothing to tell. `why` is what the last attempt came to; null before the first one. */
  readonly pending: {
    readonly revision: number;
    readonly since: string;
    readonly attempts: number;
    readonly nextAttemptAt: string;
    readonly why: string | null;
  } | null;
}

/** A row that a copy brings over (callback-copy.ts). */
export interface CopiedCallback extends OrderKey {
  readonly url: string;
  /** Digest of the order for which nothing need be sent; null where it has to be, whatever it says. */
  readonly settled: string | null;
  readonly delivered: (DeliveredState & { readonly at: string }) | null;
}

/** A URL that a copy brings over. */
export type CopiedUrl = CallbackDestination & Pick<CallbackUrl, 'followedSince'>;

/** The revision of an order that a copy brings over (revision-copy.ts). */
export interface CopiedRevision extends OrderKey {
  readonly revision: number;
}

export interface StoreCallbackReads {
  /** What is due by `now` (epoch milliseconds) at one URL, for each client that it serves. */
  readonly dueCallbacks: (
    destinations: readonly CallbackDestination[],
    page: { readonly limit: number; readonly now: number },
  ) => Promise<DueCallbacks>;
  /** Every URL that is or was configured. */
  readonly listCallbackUrls: () => Promise<readonly CallbackUrl[]>;
  /** Orders that wait to be posted to URLs in use, those that wait longest first; `clientId` null takes all. */
  readonly listWaitingCallbacks: (
    filter: { readonly clientId: string | null },
    page: PageRequest,
  ) => Promise<Page<OrderCallback>>;
  readonly readCallbackUrls: () => Promise<readonly CopiedUrl[]>;
  readonly readCallbacks: (page: PageRequest) => Promise<Page<CopiedCallback>>;
  readonly readRevisions: (page: PageRequest) => Promise<Page<CopiedRevision>>;
}

export interface StoreCallbackWrites {
  /**
   * Takes the lease, or goes on with it; false where another owner has it. `starting` at the first call of a relay.
   */
  readonly takeLease: (lease: Lease, options: { readonly starting: boolean }) => Promise<boolean>;
  readonly releaseLease: (owner: string) => Promise<void>;
  /**
   * Follows the feed for these destinations, which are from now on those in use: what changed is pending. One that is
   * followed for the first time begins at the feed's end. At most `limit` changes at a time. Null where the lease is
   * lost.
   */
  readonly takeChanges: (
    lease: Lease,
    destinations: readonly CallbackDestination[],
    limit: number,
  ) => Promise<TakenChanges | null>;
  /** Writes down what became of due callbacks to one URL, in one transaction; false where the lease is lost. */
  readonly keepCallbackResults: (lease: Lease, results: CallbackResults) => Promise<boolean>;
  /**
   * Which of the URLs have waited since before `since` and were not alarmed since `unless`; null: the lease is lost.
   * What waits by a clock that has been set back since is brought back first.
   */
  readonly alarmCallbacks: (
    lease: Lease,
    before: { readonly since: Date; readonly unless: Date },
  ) => Promise<readonly CallbackUrl[] | null>;

  /** Sends the orders of a name again, now; returns to how many URLs, 0 where there is no such order or no URL. */
  readonly sendCallbacks: (name: OrderName) => Promise<number>;
  /** Sends every order again, from the first; returns to how many URLs. `clientId` null takes all. */
  readonly sendAllCallbacks: (clientId: string | null) => Promise<number>;

  readonly importCallbackUrls: (urls: readonly CopiedUrl[]) => Promise<void>;
  /** Returns how many were not there, or older. */
  readonly importCallbacks: (rows: readonly CopiedCallback[]) => Promise<number>;
  /** Has orders go on after these revisions; returns how many did not yet. */
  readonly importRevisions: (rows: readonly CopiedRevision[], now: Date) => Promise<number>;
}
