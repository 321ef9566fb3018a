import { countedRegistration, type RegistrationFact } from '../order/evidence.ts';
import { type Link, type OrderKey, paymentIdOf, requestLink } from './order-key.ts';
import type { GatheredOrder } from './stored-order.ts';
import type { Query } from './transaction.ts';

/** So many of the other payments of a shop order are looked at, those of the smallest `paymentId`s. */
const LOOKED_AT = 50;

/** A shop order: the registrations of one `referenceOrderId`. */
export interface ShopOrder {
  readonly clientId: string;
  readonly referenceOrderId: string;
}

/** The shop order of a payment, by the registration that counts; null for none. */
export const shopOrderOf = ({ clientId, registrations }: GatheredOrder): ShopOrder | null => {
  const referenceOrderId = countedRegistration(registrations)?.referenceOrderId ?? null;
  return referenceOrderId === null ? null : { clientId, referenceOrderId };
};

/** No `paymentId` begins with a space: the keys of registrations come before those of payments. */
const FIRST_PAYMENT = '!';

/**
 * The payments of a shop order, those of the smallest ids, at most one more than are looked at: as the rows of `orders`
 * have them, but for those in hand, which may not be written yet.
 */
export const paymentsOf = async (
  query: Query,
  { clientId, referenceOrderId }: ShopOrder,
  inHand: readonly GatheredOrder[],
): Promise<readonly OrderKey[]> => {
  const rows = await query<{ order_key: string }>(
    `select order_key
     from orders
     where client_id = $1 and reference_order_id = $2 and order_key >= $3
     order by order_key
     limit $4`,
    [clientId, referenceOrderId, FIRST_PAYMENT, LOOKED_AT + 1 + inHand.length],
  );
  const own = inHand.filter((one) => one.clientId === clientId && paymentIdOf(one.orderKey) !== null);
  const known = new Set(own.map(({ orderKey }) => orderKey));
  const keys = [
    ...rows.map((row) => row.order_key).filter((orderKey) => !known.has(orderKey)),
    ...own
      .filter((one) => one.notifications.length > 0 && shopOrderOf(one)?.referenceOrderId === referenceOrderId)
      .map(({ orderKey }) => orderKey),
  ];
  return keys
    .sort((a, b) => (a < b ? -1 : 1))
    .slice(0, LOOKED_AT + 1)
    .map((orderKey) => ({ clientId, orderKey }));
};

/** The other payments that an order looks at. */
export const othersOf = (order: OrderKey, payments: readonly OrderKey[]): readonly OrderKey[] =>
  payments.filter(({ orderKey }) => orderKey !== order.orderKey).slice(0, LOOKED_AT);

/** The payments that look at one of these (`paymentsOf`); beyond them nobody is looked at. */
interface Onlookers {
  readonly keys: readonly OrderKey[];
  /** Further ones, after these keys: too many to derive at once. */
  readonly beyond: readonly Beyond[];
}

export interface Beyond extends ShopOrder {
  readonly after: string;
}

export const onlookersOf = ({ orderKey }: OrderKey, shopOrder: ShopOrder, payments: readonly OrderKey[]): Onlookers => {
  const last = payments.at(LOOKED_AT);
  if (last === undefined) return { keys: payments, beyond: [] };
  return orderKey > last.orderKey
    ? { keys: [], beyond: [] }
    : { keys: payments, beyond: [{ ...shopOrder, after: last.orderKey }] };
};

/** Has the next sweep derive them. `now` is in epoch milliseconds. */
export const wake = async (query: Query, { clientId, referenceOrderId, after }: Beyond, now: number): Promise<void> => {
  await query(
    `update orders
     set due_at = cast($4 as bigint)
     where client_id = $1 and reference_order_id = $2 and order_key > $3
       and (due_at is null or due_at > cast($4 as bigint))`,
    [clientId, referenceOrderId, after, now],
  );
};

/** A registration of the same shop order was made later. */
export const hasLaterRegistration = async (
  query: Query,
  { clientId, referenceOrderId, paymentRequestId, createdAt }: RegistrationFact,
): Promise<boolean> => {
  if (referenceOrderId === null) return false;
  const [latest] = await latestRegistrations(query, clientId, referenceOrderId);
  if (latest === undefined) return false;
  return latest.createdAt > createdAt || (latest.createdAt === createdAt && latest.value > paymentRequestId);
};

interface Registered extends Link {
  readonly createdAt: number;
}

/** The two latest registrations of a shop order, the latest first. */
export const latestRegistrations = async (
  query: Query,
  clientId: string,
  referenceOrderId: string,
): Promise<readonly Registered[]> => {
  const rows = await query<{ id: string; created_at: number | string }>(
    `select id, created_at
     from shop_statements
     where client_id = $1 and about = 'registration' and target = $2 and target <> '' and replaced_at = 0
     order by created_at desc, id desc
     limit 2`,
    [clientId, referenceOrderId],
  );
  return rows.map(({ id, created_at }) => Object.assign(requestLink(clientId, id), { createdAt: Number(created_at) }));
};
