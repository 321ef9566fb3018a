import { hash } from 'node:crypto';
import type { Lock } from '../lock.ts';
import { StoreUnavailableError } from '../store.ts';

/** The 64 bits by which an advisory lock goes. Two things that fall on the same ones only wait for each other. */
export const bitsOf = (lock: Lock): bigint =>
  BigInt.asIntN(64, BigInt(`0x${hash('sha256', lock, 'hex').slice(0, 16)}`));

export const MIGRATION_LOCK: Lock = 'migration';
export const START_LOCK: Lock = 'start';

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
