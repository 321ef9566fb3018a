import { type DerivedOrder, type Order, withExpiry } from '../../order/order.ts';
import { type Derivation, project, underivable } from '../projection.ts';
import { InvalidCursorError, type Page, type PageRequest, type Store } from '../store.ts';
import { paymentIdOf, registrationKey } from '../order-key.ts';
import { evidenceOf, readOrders, type StoredOrder } from './evidence.ts';
import { HORIZON, isPosition, LAST_POSITION } from './positions.ts';
import type { Database } from './transaction.ts';

/** Reads orders. They are derived at the moment of reading, by the rules in force; the columns serve to find them. */
export type OrderReading = Pick<Store, 'findOrders' | 'listOrders' | 'followOrders'>;

const COLUMNS = 'client_id, order_key, created_at, updated_at, position';

export const openOrderReading = ({ query }: Database, derivation: Derivation): OrderReading => {
  const toOrder = ({ evidence, row }: StoredOrder): readonly Order[] => {
    if (row === null) return [];
    const derived: DerivedOrder = project(evidence, derivation).order ?? underivable(evidence);
    return [
      withExpiry(
        { ...derived, createdAt: row.createdAt.toISOString(), updatedAt: row.updatedAt.toISOString() },
        new Date(),
      ),
    ];
  };

  return {
    findOrders: async (clientId, id) => {
      // What begins with a space is a key of ours, never an identifier.
      if (paymentIdOf(id) === null) return [];
      const found = await readOrders(
        query,
        evidenceOf(`
         select ${COLUMNS}
         from orders
         where client_id = $1 and order_key in (
           select $2 union all select $3 union all
           select payment_id
           from notifications
           where client_id = $1 and payment_request_id = $2 and outcome = 'APPLIED'
         )`),
        [clientId, id, registrationKey(id)],
      );
      const byPayment = found.filter(({ orderKey }) => orderKey === id);
      const byRequest = found.filter(({ orderKey }) => paymentIdOf(orderKey) !== null);
      return [byPayment, byRequest, found].find(({ length }) => length > 0)?.flatMap(toOrder) ?? [];
    },

    listOrders: async ({ status, attention }, { limit, cursor }) => {
      const found = await readOrders(
        query,
        evidenceOf(`
         select ${COLUMNS}
         from orders
         where position < $1::bigint
           and ($2::text is null or status = $2)
           and ($3::text is null or (attention <> '' and strpos(attention, $3) > 0))
         order by position desc
         limit $4`),
        [cursor === null ? String(LAST_POSITION) : toPosition(cursor), status, attention && ` ${attention} `, limit],
      );
      return toPage(sorted(found).toReversed(), { limit, toOrder });
    },

    followOrders: async ({ limit, cursor }) => {
      const after = toPosition(cursor ?? '0');
      const found = sorted(
        await readOrders(
          query,
          evidenceOf(`
           select ${COLUMNS}
           from orders
           where position > $1::bigint and position < ${HORIZON}
           order by position
           limit $2`),
          [after, limit],
        ),
      );
      return { items: found.flatMap(toOrder), next: found.at(-1)?.row?.position ?? after };
    },
  };
};

const toPosition = (cursor: string): string => {
  if (!isPosition(cursor)) throw new InvalidCursorError('not a cursor');
  return cursor;
};

const positionOf = ({ row }: StoredOrder): bigint => BigInt(row?.position ?? 0);
const sorted = (orders: readonly StoredOrder[]): StoredOrder[] =>
  [...orders].sort((a, b) => (positionOf(a) < positionOf(b) ? -1 : 1));

const toPage = (
  found: readonly StoredOrder[],
  {
    limit,
    toOrder,
  }: { readonly limit: PageRequest['limit']; readonly toOrder: (order: StoredOrder) => readonly Order[] },
): Page<Order> => ({
  items: found.flatMap(toOrder),
  next: found.length < limit ? null : (found.at(-1)?.row?.position ?? null),
});
