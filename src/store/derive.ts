import { type Derivation, deriveOrder, underivable } from '../order/order.ts';
import type { Kind } from '../order/reading.ts';
import { DERIVATION } from '../order/rules.ts';
import { AHEAD_MS } from './ahead.ts';
import type { Around } from './around.ts';
import { evidenceOf } from './evidence.ts';
import { foldCaptures, type Folding } from './fold.ts';
import { type FoldedCapture, keepFolded, type Kept, withoutFolded } from './folded-captures.ts';
import { ordersLinkedBy } from './joined.ts';
import { identifiersOf, linksAmong } from './links.ts';
import { linkLock, orderLock } from './lock.ts';
import { nameOfOrder, type OrderKey, registrationKey, type Touched } from './order-key.ts';
import { bytesOf, leads } from './row.ts';
import { FORGET_DERIVED } from './setting.ts';
import { toContent } from './shown.ts';
import type { Fold, StoredOrder } from './stored-order.ts';
import { wake } from './siblings.ts';
import type { NotificationKey } from './store.ts';
import type { OrderRow, Transaction } from './transaction.ts';

export interface Derived {
  /** How many orders were not already as they should be. The statement is sent: nothing has to wait for it. */
  readonly changed: Promise<number>;
  /** Notifications that FAILED just now. */
  readonly failed: readonly NotificationKey[];
}

interface Projected {
  readonly stored: StoredOrder;
  /** Null while nothing makes an order: no notification of a handled kind and no registration. */
  readonly derived: Derivation | null;
  readonly fold: Fold | null;
  /** What of it was not folded before; all of it where the order was read in full. */
  readonly captures: readonly FoldedCapture[];
  /** Digests of the notifications that it could not be derived from: a fault of ours. */
  readonly failed: readonly string[];
}

/** Derives an order from what is stored, as of `now`, to show it. Never throws. */
export const project = (stored: StoredOrder, around: Around): Projected =>
  projectFolded(stored, { evidence: stored.evidence, fold: null, captures: [] }, around);

/** Derives an order as it is to stand in its row. Never throws. */
const projectWhole = (stored: StoredOrder, around: Around): Projected =>
  projectFolded(stored, foldCaptures(stored), around);

/**
 * Derives an order as it should stand in its row: as of its last commit or sweep. Never before that commit, whatever
 * the clock of who asks, unless the clock of that commit was ahead. Never throws.
 */
export const projectRow = (stored: StoredOrder, { rules, now }: Around): Projected => {
  const { row } = stored;
  const due = row === null || row.dueAt === null ? now : Math.min(now, row.dueAt - 1);
  const isBound = row !== null && row.updatedAt <= now + AHEAD_MS;
  return projectWhole(stored, { rules, now: isBound ? Math.max(row.updatedAt, due) : due });
};

/** Derives an order from this evidence, in which captures that are folded stand together. Never throws. */
const projectFolded = (
  stored: StoredOrder,
  { evidence, fold, captures }: Folding,
  { rules, now }: Around,
): Projected => {
  const projected = { stored, fold, captures };
  if (!stored.exists) return { ...projected, derived: null, failed: [] };
  try {
    return { ...projected, derived: deriveOrder(evidence, rules, now), failed: [] };
  } catch {
    return { ...projected, derived: underivable(evidence), failed: appliedIn(stored) };
  }
};

const isOrWasFolded = ({ stored, fold }: Projected): boolean => fold !== null || (stored.row?.fold ?? null) !== null;

const toKept = ({ stored, derived, fold, captures }: Projected): Kept => ({
  key: stored,
  isFolded: derived !== null && fold !== null,
  isWhole: stored.before === null,
  captures,
});

/** Digests of the notifications that its statements come from. */
const appliedIn = ({ notifications }: Pick<StoredOrder, 'notifications'>): readonly string[] =>
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
    // Asked under the locks, and together with the first look at the evidence.
    const [inForce, { orders, locks, beyond }] = await Promise.all([
      transaction.rules(),
      evidenceOf(transaction, { keys, links }),
    ]);
    transaction.need([...orders.map(orderLock), ...locks]);
    const by = { rules: inForce?.rules ?? around.rules, now: around.now };
    const projections = orders.map((order) => projectWhole(order, by));
    const failing = projections.filter((one) => one.failed.length > 0);
    if (failing.length === 0) {
      if (inForce !== null && inForce.derivation !== DERIVATION) await transaction.query(FORGET_DERIVED);
      for (const one of beyond) await wake(transaction.query, one, around.now);
      for (const one of projections.filter(isOrWasFolded)) await keepFolded(transaction, toKept(one));
      const { kept, gone } = toRows(projections, around.now);
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
    for (const key of failures) {
      const unlinked = await fail(transaction, key);
      keys.push(...unlinked.keys);
      links.push(...unlinked.links);
    }
    transaction.need(links.map(linkLock));
    keys.push(...orders.map(({ clientId, orderKey }) => ({ clientId, orderKey })));
  }
};

/** Marks a notification as FAILED; returns what it was joined to until now. */
const fail = async (transaction: Transaction, { clientId, id }: NotificationKey): Promise<Touched> => {
  const { query, positionOf } = transaction;
  const position = await positionOf(clientId, bytesOf(id));
  if (position === null) return { keys: [], links: [] };
  const identifiers = await identifiersOf(query, { clientId, position });
  const links = linksAmong(identifiers, clientId);
  const keys = await ordersLinkedBy(query, links);
  const [row] = await query<{ kind: Kind }>(
    `update notifications set outcome = 'FAILED' where position = cast($1 as bigint) returning kind`,
    [position],
  );
  for (const { name, value } of identifiers) {
    const joins = row !== undefined && leads(row.kind, name) ? 2 : 0;
    await query(
      `update identifiers
       set joins = $5
       where client_id = $1 and position = cast($2 as bigint) and name = $3 and value = $4`,
      [clientId, position, name, value, joins],
    );
  }
  return { keys, links };
};

/** What is to stand in `orders` as of `now` (epoch milliseconds), and what no longer is. */
export const toRows = (
  projections: readonly Projected[],
  now: number,
): { readonly kept: readonly OrderRow[]; readonly gone: readonly OrderKey[] } => {
  const gone = projections.flatMap(({ stored, derived }) => (derived === null && stored.row !== null ? [stored] : []));
  const revisions = new Map(gone.map((stored) => [nameOfOrder(stored), stored.row?.revision ?? 0]));
  const kept = projections.flatMap((one) => {
    if (one.derived === null) return [];
    const { clientId, evidence, row } = one.stored;
    const replaced = evidence.registrations.map(
      ({ paymentRequestId }) =>
        revisions.get(nameOfOrder({ clientId, orderKey: registrationKey(paymentRequestId) })) ?? 0,
    );
    const before = Math.max(row?.revision ?? 0, ...replaced);
    return [toOrderRow(one.stored, one.derived, { fold: one.fold, revision: Math.max(now, before + 1) })];
  });
  return { kept, gone };
};

const toOrderRow = (
  stored: StoredOrder,
  { order, dueAt }: Derivation,
  { fold, revision }: { readonly fold: Fold | null; readonly revision: number },
): OrderRow => ({
  clientId: stored.clientId,
  orderKey: stored.orderKey,
  revision,
  status: order.status,
  nextAction: order.nextAction,
  attention: order.attention.map(({ code }) => ` ${code} `).join(''),
  referenceOrderId: order.referenceOrderId,
  dueAt,
  dueBefore: stored.row?.dueAt ?? null,
  content: JSON.stringify(toContent(stored, { ...order, captures: withoutFolded(order.captures, fold) })),
  fold: fold === null ? null : JSON.stringify(fold),
});
