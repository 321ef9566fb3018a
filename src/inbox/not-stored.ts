/** Why a request was not stored, and so is not acknowledged: a closed set. */
export type NotStoredReason =
  | 'QUEUE_FULL'
  | 'STORE_UNAVAILABLE'
  | 'STORE_SLOW'
  | 'UNVERIFIED_FULL'
  | 'UNVERIFIED_TOO_MANY';

export interface NotStored {
  readonly kind: 'not stored';
  readonly because: NotStoredReason;
}

export const notStored = (because: NotStoredReason): NotStored => ({ kind: 'not stored', because });
