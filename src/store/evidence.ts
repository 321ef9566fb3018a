import { gatherTouched } from './fold.ts';
import { complete, throughRefunds } from './joined.ts';
import type { Lock } from './lock.ts';
import { distinctKeys, nameOfOrder, type Touched } from './order-key.ts';
import type { Beyond } from './siblings.ts';
import type { StoredOrder } from './stored-order.ts';
import type { Snapshot } from './transaction.ts';

/** Orders to derive, and the locks under which they are derived besides their own. */
export interface Evidence {
  readonly orders: readonly StoredOrder[];
  readonly locks: readonly Lock[];
  /** Orders that look at these, too many to derive at once. */
  readonly beyond: readonly Beyond[];
}

/** All that is stored about what is touched, and about the orders that look at it. */
export const evidenceOf = async (snapshot: Snapshot, touched: Touched): Promise<Evidence> => {
  const through = await throughRefunds(snapshot.query, touched.links);
  const gathered = await gatherTouched(snapshot, {
    keys: [...touched.keys, ...through.keys],
    links: through.links,
  });
  const completed = await complete(snapshot, gathered);
  const known = new Set(gathered.map(nameOfOrder));
  const onlookers = distinctKeys(completed.flatMap((one) => one.onlookers)).filter(
    (key) => !known.has(nameOfOrder(key)),
  );
  const also = onlookers.length === 0 ? [] : await gatherTouched(snapshot, { keys: onlookers, links: [] });
  const all = [...completed, ...(await complete(snapshot, also, [...gathered, ...also]))];
  return {
    orders: all.map(({ order }) => order),
    beyond: completed.flatMap(({ beyond }) => beyond),
    locks: [...through.locks, ...all.flatMap(({ locks }) => locks)],
  };
};

/** All that is stored about these orders, of one moment. */
export const evidenceOfEach = async (snapshot: Snapshot, keys: Touched['keys']): Promise<readonly StoredOrder[]> => {
  const gathered = await snapshot.evidence({ keys, links: [] }, 'all');
  return (await complete(snapshot, gathered)).map(({ order }) => order);
};
