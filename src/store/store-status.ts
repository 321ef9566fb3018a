import type { UnverifiedReason } from '../antom/signature.ts';
import type { MovesUnderWay } from './move.ts';

/** Orders that changed and cannot be read from the change feed yet: callbacks wait for them too. */
export interface HeldUp {
  /** When the first of them changed, ISO time. */
  readonly since: string;
  /** Who keeps them back, in words; null where that transaction ended meanwhile. */
  readonly by: string | null;
}

/** What a person looks at first. */
export interface StoreStatus {
  /** The version of the schema. */
  readonly schema: number;
  /** Of the change feed: the start that cursors are of; null before the first change. */
  readonly generation: string | null;
  /** When the notification that came last was received last; null where none has ever verified. */
  readonly lastVerifiedAt: string | null;
  /** Null where the change feed goes on. */
  readonly heldUp: HeldUp | null;
  /** Notifications that wait to be applied again. */
  readonly failed: number;
  /** Notifications that cannot be read, most of them on the order that they name; redriven, they may be applied. */
  readonly malformed: number;
  readonly moves: MovesUnderWay;
  /** Unverified requests by reason; those that there are. */
  readonly unverified: Readonly<Partial<Record<UnverifiedReason, number>>>;
}
