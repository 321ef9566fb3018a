import type { UnverifiedReason } from '../antom/signature.ts';
import type { AttentionCode } from '../order/attention-code.ts';
import type { NextAction } from '../order/next-action.ts';
import type { OrderStatus } from '../order/status.ts';
import type { MovesUnderWay } from './move.ts';
import type { UnverifiedRoom } from './verification-failure.ts';

/** How many; a key that is missing stands for none. */
export type Counts<Key extends string> = ReadonlyMap<Key, number>;

/** What is stored, counted for metrics. */
export interface Measures {
  readonly orders: Counts<OrderStatus>;
  /** Orders that have it, settled by a review or not. */
  readonly attention: Counts<AttentionCode>;
  /** Orders with an action other than FULFIL, WAIT and NONE. */
  readonly actions: Counts<NextAction>;
  readonly failed: { readonly count: number; readonly oldestReceivedAt: string | null };
  readonly lastVerifiedAt: string | null;
  readonly unverified: Counts<UnverifiedReason>;
  readonly unverifiedRoom: readonly UnverifiedRoom[];
  /**
   * Of the callback URLs in use: orders that wait to be posted, since when the oldest does, and URLs that are paused.
   */
  readonly callbacks: { readonly waiting: number; readonly waitingSince: string | null; readonly paused: number };
  /** Since when the change feed has been held up; null where it goes on. */
  readonly heldUpSince: string | null;
  /** Since when APO has not answered inquiries of a client; null while it does. */
  readonly inquiriesHeldBackSince: string | null;
  readonly moves: MovesUnderWay;
  /** Of the database. */
  readonly bytes: number;
  /** SQLite: of its disk, and what of it is left for who may write the file. */
  readonly disk: { readonly bytes: number; readonly freeBytes: number } | null;
}
