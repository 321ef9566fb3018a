import { hash } from 'node:crypto';
import { type Derivation, deriveOrder, underivable } from '../order/order.ts';
import type { OrderRules } from '../order/rules.ts';
import { evidenceOf, foldCaptures, type Folding } from './fold.ts';
import { linkLock, orderLock } from './lock.ts';
import type { Link, OrderKey, Touched } from './order-key.ts';
import { bytesOf, type Fold, type StoredOrder } from './row.ts';
import type { NotificationKey } from './store.ts';
import type { OrderRow, Transaction } from './transaction.ts';

export interface Derived {
  /** How many orders were not already as they should be. The statement is sent: nothing has to wait for it. */
  readonly changed: Promise<number>;
  /** Notifications that FAILED just now. */
  readonly failed: readonly NotificationKey[];
}

/** By which rules, and as of when (epoch milliseconds). */
export interface Around {
  readonly rules: OrderRules;
  readonly now: number;
}

interface Projected {
  readonly stored: StoredOrder;
  /** Null while nothing makes an order: no notification of a handled kind and no registration. */
  readonly derived: Derivation | null;
  readonly fold: Fold | null;
  /** Digests of the notifications that it could not be derived from: a fault of ours. */
  readonly failed: readonly string[];
}

/** Derives an order from what is stored, as of `now`, to show it. Never throws. */
export const project = (stored: StoredOrder, around: Around): Projected =>
  projectFolded(stored, { evidence: stored.evidence, fold: null }, around);

/** Derives an order from all that is stored about it, to compare it with its row. Never throws. */
export const projectWhole = (stored: StoredOrder, around: Around): Projected =>
  projectFolded(stored, foldCaptures(stored), around);

/** The same as far as what is folded says; the captures that it holds are taken together. */
const projectFolded = (stored: StoredOrder, { evidence, fold }: Folding, { rules, now }: Around): Projected => {
  if (!stored.exists) return { stored, derived: null, fold, failed: [] };
  try {
    return { stored, derived: deriveOrder(evidence, rules, now), fold, failed: [] };
  } catch {
    return { stored, derived: underivable(evidence), fold, failed: appliedIn(stored) };
  }
};

/** Digests of the notifications that its statements come from. */
const appliedIn = ({ notifications }: StoredOrder): readonly string[] =>
  notifications.flatMap(({ outcome, digest }) => (outcome === 'APPLIED' ? [digest] : []));

/**
 * Derives every touched order from what is stored, inside the caller's transaction, and writes those that changed.
 * Notifications that an order cannot be derived from are FAILED: they join nothing any more, so all that they joined is
 * derived once more without them.
 */
export const derive = async (transaction: Transaction, touched: Touched, around: Around): Promise<Derived> => {
  const failed: NotificationKey[] = [];
  const [keys, links] = [[...touched.keys], [...touched.links]];
  if (keys.length === 0 && links.length === 0) return { changed: Promise.resolve(0), failed };
  for (;;) {
    const orders = await evidenceOf(transaction, { keys, links });
    transaction.need(orders.map(orderLock));
    const projections = orders.map((order) => projectWhole(order, around));
    const failing = projections.filter((one) => one.failed.length > 0);
    if (failing.length === 0) {
      const { kept, gone } = toRows(projections);
      const changed = transaction.writeOrders(kept, gone, around.now);
      // Who does not ask for it learns of a failure from the transaction, which fails with it.
      changed.catch(() => {});
      return { changed, failed };
    }
    // One that was read in part is read in full first.
    const failures = failing
      .filter(({ stored }) => stored.before === null)
      .flatMap((one) => one.failed.map((id) => ({ clientId: one.stored.clientId, id })));
    failed.push(...failures);
    const unlinked = (await Promise.all(failures.map(async (key) => await fail(transaction, key)))).flat();
    transaction.need(unlinked.map(linkLock));
    keys.push(...orders.map(({ clientId, orderKey }) => ({ clientId, orderKey })));
    links.push(...unlinked);
  }
};

/** Marks a notification as FAILED; returns by what it was joined until now. */
const fail = async (
  { query, positionOf }: Transaction,
  { clientId, id }: NotificationKey,
): Promise<readonly Link[]> => {
  const position = await positionOf(clientId, bytesOf(id));
  if (position === null) return [];
  await query(`update notifications set outcome = 'FAILED' where position = cast($1 as bigint)`, [position]);
  const rows = await query<Pick<Link, 'name' | 'value'>>(
    `update identifiers
     set joins = 0
     where client_id = $1 and position = cast($2 as bigint) and joins = 1
     returning name, value`,
    [clientId, position],
  );
  return rows.map(({ name, value }) => ({ clientId, name, value }));
};

/** What is to stand in `orders`, and what no longer is. */
export const toRows = (
  projections: readonly Projected[],
): { readonly kept: readonly OrderRow[]; readonly gone: readonly OrderKey[] } => {
  const kept: OrderRow[] = [];
  const gone: OrderKey[] = [];
  for (const { stored, derived, fold } of projections) {
    if (derived !== null) kept.push(toOrderRow(stored, derived, fold));
    else if (stored.row !== null) gone.push(stored);
  }
  return { kept, gone };
};

const toOrderRow = ({ clientId, orderKey }: OrderKey, { order, dueAt }: Derivation, fold: Fold | null): OrderRow => ({
  clientId,
  orderKey,
  status: order.status,
  nextAction: order.nextAction,
  attention: order.attention.map(({ code }) => ` ${code} `).join(''),
  dueAt,
  digest: bytesOf(hash('sha256', JSON.stringify(order) + (fold?.shown ?? ''), 'hex').slice(0, 32)),
  fold: fold === null ? null : JSON.stringify(fold),
});
