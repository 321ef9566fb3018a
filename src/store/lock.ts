import { type Link, type OrderKey, requestIdOf, requestLink } from './order-key.ts';

/** What a transaction has to itself, by name. SQLite has one writer and needs none. */
export type Lock = string;

const lockNamed = (...names: readonly string[]): Lock => names.join('\0');

export const linkLock = ({ clientId, name, value }: Link): Lock => lockNamed(name, clientId, value);

/** Whoever writes an order holds this. */
export const orderLock = ({ clientId, orderKey }: OrderKey): Lock => {
  const requestId = requestIdOf(orderKey);
  return requestId === null ? lockNamed('payment', clientId, orderKey) : linkLock(requestLink(clientId, requestId));
};

/** Whoever decides by the payments of a shop order, of which there are several, holds this. */
export const referenceLock = (clientId: string, referenceOrderId: string): Lock =>
  lockNamed('reference', clientId, referenceOrderId);

/** Whoever writes to the unverified store holds this, so that all replicas keep its bounds together. */
export const UNVERIFIED_LOCK: Lock = lockNamed('unverified');

export const taskLock = (task: string): Lock => lockNamed('task', task);

/** A transaction found that it needs locks it does not hold: it starts over with them, never out of order. */
export class MoreLocksNeeded extends Error {
  override readonly name = 'MoreLocksNeeded';
  readonly locks: ReadonlySet<Lock>;
  constructor(locks: ReadonlySet<Lock>) {
    super('more locks are needed');
    this.locks = locks;
  }
}
