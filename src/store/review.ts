import type { Review } from '../order/review.ts';
import { type Around, rulesIn } from './around.ts';
import { projectRow } from './derive.ts';
import { evidenceOfEach } from './evidence.ts';
import { orderLock } from './lock.ts';
import type { OrderKey } from './order-key.ts';
import { keysNamed, readOrders, readStanding } from './orders.ts';
import { sayAndDerive } from './said.ts';
import { findSaid } from './say.ts';
import type { OrderName, ReviewRequest, ReviewResult, WithdrawResult } from './shop.ts';
import type { Order } from '../order/order.ts';
import type { Database, Transaction } from './transaction.ts';

/**
 * Settles what a person has decided about an order, with the values that it has at the revision that the person saw.
 */
export const review = async (database: Database, request: ReviewRequest, saying: Around): Promise<ReviewResult> =>
  await database.transact([], async (transaction) => {
    const found = await findOne(transaction, request);
    if (!('key' in found)) return found;
    const { key, order } = found;
    if (order.revision !== request.revision) return { kind: 'outdated', order };
    const [stored] = await evidenceOfEach(transaction, [key]);
    const rules = await rulesIn(transaction, saying.rules);
    const derived = stored && projectRow(stored, { rules, now: saying.now }).derived;
    const status = derived?.order.status ?? order.status;
    if (request.decision === 'FULFIL' && status !== 'CAPTURED') return { kind: 'not captured', order };
    const decided: Omit<Review, 'createdAt'> = {
      decision: request.decision,
      revision: request.revision,
      note: request.note,
      settled: derived?.settleable ?? [],
      captured: String(derived?.captured ?? 0n),
      status,
    };
    const content = { target: '', said: JSON.stringify(decided) };
    await sayAndDerive(transaction, { key: keyOf(key), content }, saying);
    return { kind: 'reviewed', order: await readOne(transaction, key, saying) };
  });

/** Takes a review back: what it settled is open again. */
export const withdrawReview = async (database: Database, name: OrderName, saying: Around): Promise<WithdrawResult> =>
  await database.transact([], async (transaction) => {
    const found = await findOne(transaction, name);
    if (!('key' in found)) return found;
    if ((await findSaid(transaction.query, keyOf(found.key))) === null) return { kind: 'no review' };
    await sayAndDerive(transaction, { key: keyOf(found.key), content: null }, saying);
    return { kind: 'withdrawn', order: await readOne(transaction, found.key, saying) };
  });

const keyOf = ({ clientId, orderKey }: OrderKey) => ({ clientId, about: 'review', id: orderKey }) as const;

/** From what is stored of a review: its JSON, and when it was made (epoch milliseconds). */
export const toReview = (said: string, createdAt: number): Review => ({
  // Written by `review`.
  ...(JSON.parse(said) as Omit<Review, 'createdAt'>),
  createdAt,
});

type FoundOne =
  | { readonly key: OrderKey; readonly order: Order }
  | { readonly kind: 'unknown' }
  | { readonly kind: 'ambiguous'; readonly orders: readonly Order[] };

/** The order that is meant, as of its row, under its lock. */
const findOne = async (transaction: Transaction, name: OrderName): Promise<FoundOne> => {
  const keys = await keysNamed(transaction, name);
  transaction.need(keys.map(orderLock));
  const orders = await readStanding(transaction, keys);
  const [key, order] = [keys[0], orders[0]];
  if (key === undefined || order === undefined) return { kind: 'unknown' };
  return orders.length > 1 ? { kind: 'ambiguous', orders } : { key, order };
};

const readOne = async (transaction: Transaction, key: OrderKey, { rules }: Around): Promise<Order> => {
  const [order] = await readOrders(transaction, [key], rules);
  if (order === undefined) throw new Error('an order that was reviewed is gone');
  return order;
};
