import { hash } from 'node:crypto';
import { StoreUnavailableError } from '../store.ts';

/** What is locked, by name. */
export type Lock = string;

const lockOf = (...names: readonly string[]): Lock => names.join('\0');

/** The 64 bits by which an advisory lock goes. Two things that fall on the same ones only wait for each other. */
export const bitsOf = (lock: Lock): bigint =>
  BigInt.asIntN(64, BigInt(`0x${hash('sha256', lock, 'hex').slice(0, 16)}`));

export const paymentLock = (clientId: string, paymentId: string): Lock => lockOf('payment', clientId, paymentId);
export const paymentRequestLock = (clientId: string, paymentRequestId: string): Lock =>
  lockOf('paymentRequest', clientId, paymentRequestId);
export const captureLock = (clientId: string, captureId: string): Lock => lockOf('capture', clientId, captureId);
export const taskLock = (task: string): Lock => lockOf('task', task);
/** All writing to the unverified store, so that its bounds are kept together by all replicas. */
export const UNVERIFIED_LOCK: Lock = lockOf('unverified');
export const MIGRATION_LOCK: Lock = lockOf('migration');

/** A transaction found out that it needs locks it does not hold: it starts over with them, never out of order. */
export class MoreLocksNeeded extends Error {
  override readonly name = 'MoreLocksNeeded';
  readonly locks: ReadonlySet<Lock>;
  constructor(locks: ReadonlySet<Lock>) {
    super('more locks are needed');
    this.locks = locks;
  }
}

/** PostgreSQL's lock table is full (`max_locks_per_transaction`): the same in smaller parts may pass. */
export class LockTableFullError extends StoreUnavailableError {}

/** Does the work in one go or, where the locks of all of it do not fit, in halves one after the other. */
export const inParts = async <In, Out>(
  items: readonly In[],
  work: (part: readonly In[]) => Promise<Out>,
): Promise<readonly Out[]> => {
  try {
    return [await work(items)];
  } catch (error) {
    if (!(error instanceof LockTableFullError) || items.length < 2) throw error;
    const middle = items.length >> 1;
    return [...(await inParts(items.slice(0, middle), work)), ...(await inParts(items.slice(middle), work))];
  }
};
