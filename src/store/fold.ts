import { hash } from 'node:crypto';
import { gatherCaptures, toCapture } from '../order/capture.ts';
import type { OrderEvidence } from '../order/evidence.ts';
import { FOLDED_ABOVE, foldAlike, isFoldable, toFolded } from '../order/fold.ts';
import { DERIVATION } from '../order/rules.ts';
import { type FoldedCapture, toFoldedCapture } from './folded-captures.ts';
import type { Touched, TouchedKey } from './order-key.ts';
import { earliest, type Fold, type GatheredOrder, newest, type StoredOrder } from './stored-order.ts';
import type { Count, Query, Snapshot } from './transaction.ts';

/** The evidence that an order is derived from, and what of it is kept folded; null for an ordinary order. */
export interface Folding {
  readonly evidence: OrderEvidence;
  readonly fold: Fold | null;
  /** What of it was not folded before. */
  readonly captures: readonly FoldedCapture[];
}

/**
 * Folds the captures of an order, those that were folded before included. A function of all that is stored about the
 * order: whether it was read in full or in part, and when it was folded before, makes no difference.
 */
export const foldCaptures = (stored: StoredOrder): Folding => {
  const { evidence, notifications, before } = stored;
  const { statements } = evidence;
  if (before === null && statements.length <= FOLDED_ABOVE) return { evidence, fold: null, captures: [] };
  // What states several things is only folded, or left out when it is read, as a whole: so it is not.
  const several = new Set(statements.filter(({ place }) => place > 0).map(({ digest }) => digest));
  const foldable = gatherCaptures(statements.filter((one) => one.about === 'capture')).filter(
    (capture) => isFoldable(capture) && !capture.statements.some(({ digest }) => several.has(digest)),
  );
  const count = (before?.count ?? 0) + foldable.length;
  if (count <= FOLDED_ABOVE || evidence.sharedIdentities.length > 0) return { evidence, fold: null, captures: [] };
  const digests = new Set(foldable.flatMap((capture) => capture.statements.map(({ digest }) => digest)));
  const folded = foldAlike([...(before?.statements ?? []), ...foldable.map(toFolded)]);
  const captures = foldable.map((capture) => toFoldedCapture(toCapture(capture)));
  // No answer to an inquiry is among them: it states its payment as well.
  const receivedAt = notifications.flatMap((one) => (digests.has(one.digest) ? [one.firstReceivedAt] : []));
  return {
    evidence: { ...evidence, statements: [...statements.filter(({ digest }) => !digests.has(digest)), ...folded] },
    fold: {
      derivation: DERIVATION,
      count,
      shown: sumOfDigests(before?.shown ?? '0', captures),
      statements: folded,
      oldestAt: earliest([...(before === null ? [] : [before.oldestAt]), ...receivedAt]),
      newestAt: newest([before?.newestAt ?? 0, ...receivedAt]),
      loose: notifications.flatMap(({ digest, position }) => (digests.has(digest) ? [] : [position])).sort(),
    },
    captures,
  };
};

const DIGEST = 1n << 128n;

/** Of the captures as they are shown: a sum, so that one more is added without the others. */
const sumOfDigests = (before: string, captures: readonly FoldedCapture[]): string =>
  captures
    .map(({ content }) => BigInt(`0x${hash('sha256', content, 'hex').slice(0, 32)}`))
    .reduce((sum, digest) => (sum + digest) % DIGEST, BigInt(`0x${before}`))
    .toString(16);

/**
 * All that is stored about what is touched, as it was gathered. Of an order with a fold only what is new and what is
 * not folded is read, where that says as much.
 */
export const gatherTouched = async (snapshot: Snapshot, touched: Touched): Promise<readonly GatheredOrder[]> => {
  const orders = await snapshot.evidence(touched, 'unless folded');
  if (orders.every(({ row }) => row === null || row.fold === null)) return orders;
  const read = orders.map(async (order) => await readFolded(snapshot, { order, touched }));
  return (await Promise.all(read)).flat();
};

interface Folded {
  readonly order: GatheredOrder;
  readonly touched: Touched;
}

const readFolded = async (snapshot: Snapshot, { order, touched }: Folded): Promise<readonly GatheredOrder[]> => {
  const { clientId, orderKey, row } = order;
  if (row === null || row.fold === null) return [order];
  const own = touched.keys.filter((key) => key.clientId === clientId && key.orderKey === orderKey);
  const before = readFold(row.fold);
  const positions = new Set([...(before?.loose ?? []), ...own.flatMap(({ added }) => added?.position ?? [])]);
  const isOnlyAddedTo = own.length > 0 && own.every(({ added }) => added !== undefined);
  if (before !== null && isOnlyAddedTo && !(await namesFolded(snapshot.query, { order, touched, positions }))) {
    const keys = [{ clientId, orderKey, positions: [...positions] }];
    const [part] = await snapshot.evidence({ keys, links: [] }, 'given');
    if (part !== undefined && !saysMore(part.hints)) return [{ ...part, before }];
  }
  return await snapshot.evidence({ keys: [{ clientId, orderKey }], links: [] }, 'all');
};

/** Something besides may be about a capture that is folded. */
const saysMore = ({ shared, refunds, moving }: GatheredOrder['hints']): boolean => shared || refunds || moving;

/** Null for one of other rules, and for one that somebody spoilt. */
const readFold = (text: string): Fold | null => {
  try {
    // Written by derive.
    const fold = JSON.parse(text) as Fold;
    return fold.derivation === DERIVATION ? fold : null;
  } catch {
    return null;
  }
};

/** Anything touched names a capture of the order that is folded: it may contradict or complete it. */
const namesFolded = async (
  query: Query,
  { order, touched, positions }: Folded & { readonly positions: ReadonlySet<string> },
): Promise<boolean> => {
  const { clientId, orderKey } = order;
  const identifiers = [...touched.keys.flatMap(identifiersAdded), ...touched.links];
  const names = new Map(
    identifiers
      .filter((one) => one.clientId === clientId && NAMES.has(one.name))
      .map(({ name, value }) => [`${name} ${value}`, { name, value }]),
  );
  const found = await Promise.all(
    [...names.values()].map(async ({ name, value }) => {
      // By the position alone: by client and payment a planner would go through all notifications of the payment.
      return await query<{ position: Count; payment_id: string }>(
        `select i.position, n.payment_id
         from identifiers i
         join notifications n on n.position = i.position
         where i.client_id = $1 and i.value = $2 and i.name = $3`,
        [clientId, value, name],
      );
    }),
  );
  return found.flat().some((row) => row.payment_id === orderKey && !positions.has(String(row.position)));
};

/** What tells captures apart. */
const NAMES: ReadonlySet<string> = new Set(['captureId', 'captureRequestId']);

const identifiersAdded = ({ clientId, added }: TouchedKey) =>
  added === undefined ? [] : added.identifiers.map(({ name, value }) => ({ clientId, name, value }));
