import { countedRegistration, NO_SIBLINGS, type Siblings } from '../order/evidence.ts';
import { linksAt, linksStated, paymentsLinkedBy, paymentsStating } from './links.ts';
import { type Lock, referenceLock } from './lock.ts';
import {
  distinctLinks,
  type Link,
  nameOfOrder,
  type OrderKey,
  paymentIdOf,
  registrationKey,
  requestIdOf,
  requestLink,
} from './order-key.ts';
import { listMoves } from './move-row.ts';
import { movingOf } from './moving.ts';
import { gatherRefundGroups, locksOf, notificationsNaming, ordersOf, type RefundGroup } from './refund-groups.ts';
import { isRefundName } from './row.ts';
import {
  type Beyond,
  hasLaterRegistration,
  onlookersOf,
  othersOf,
  paymentsOf,
  type ShopOrder,
  shopOrderOf,
} from './siblings.ts';
import {
  type EvidenceRow,
  type GatheredOrder,
  type Joined,
  statementsOf,
  type StoredOrder,
  toStoredOrder,
} from './stored-order.ts';
import type { Query, Snapshot } from './transaction.ts';

/*
 * What joins an order by something else than its payment: refunds, unreadable notifications, other payments of its shop
 * order, what was sent and is not answered. The hints tell where there is any, so an ordinary order is complete as it
 * was read.
 */

/** An order with all that concerns it. */
export interface Completed {
  /** As it was read. */
  readonly gathered: GatheredOrder;
  readonly order: StoredOrder;
  /** Orders that say something else when this one changes. */
  readonly onlookers: readonly OrderKey[];
  readonly beyond: readonly Beyond[];
  readonly locks: readonly Lock[];
  /** Refunds that concern it. */
  readonly refunds: readonly RefundGroup[];
}

/** `orders` are those in hand: what is not written yet is read from them. */
export const complete = async (
  snapshot: Snapshot,
  orders: readonly GatheredOrder[],
  inHand: readonly GatheredOrder[] = orders,
): Promise<readonly Completed[]> =>
  await Promise.all(
    orders.map(async (order) => {
      const refunds = await refundsOf(snapshot.query, order);
      const family = await familyOf(snapshot, order, inHand);
      const joined = await joinedTo(snapshot.query, order, refunds);
      const replaces = await replacedBy(snapshot.query, order);
      return {
        gathered: order,
        order: toStoredOrder(order, { ...joined, siblings: family.siblings, replaces }),
        onlookers: [...refunds.flatMap(ordersOf), ...family.onlookers],
        beyond: family.beyond,
        locks: [...refunds.flatMap(locksOf), ...family.locks],
        refunds,
      };
    }),
  );

const joinedTo = async (
  query: Query,
  order: GatheredOrder,
  refunds: readonly RefundGroup[],
): Promise<Omit<Joined, 'siblings' | 'replaces'>> => {
  const own = refunds.filter(({ payments }) => payments.includes(order.orderKey));
  return {
    notifications: [...own.flatMap(({ rows }) => rows), ...(await unreadableOf(query, order))],
    moving: order.hints.moving ? movingOf(await listMoves(query, order.clientId, order.orderKey)) : [],
    sharedIdentities: [
      ...(await sharedIn(query, order)),
      ...refunds.flatMap(({ contradictions }) => contradictions.get(order.orderKey) ?? []),
    ],
  };
};

/** The names by which an order's own notifications join others. */
export const namesOf = async (query: Query, { clientId, notifications }: GatheredOrder): Promise<readonly Link[]> => {
  const unreadable = notifications.filter(({ outcome }) => outcome !== 'APPLIED');
  const legible = await Promise.all(
    unreadable.map(async ({ position }) => await linksAt(query, { clientId, position })),
  );
  return distinctLinks([...linksStated(statementsOf(notifications), clientId), ...legible.flat()]);
};

/** The `paymentRequestId`s of an order; a placeholder's is its key. */
const requestIdsOf = async (query: Query, order: GatheredOrder): Promise<readonly Link[]> => {
  const { clientId, orderKey } = order;
  const requestId = requestIdOf(orderKey);
  if (requestId !== null) return [requestLink(clientId, requestId)];
  return (await namesOf(query, order)).filter(({ name }) => name === 'paymentRequestId');
};

const refundsOf = async (query: Query, order: GatheredOrder): Promise<readonly RefundGroup[]> => {
  const { clientId, orderKey, hints } = order;
  if (!hints.refunds || paymentIdOf(orderKey) === null) return [];
  const names = await namesOf(query, order);
  const targets = [
    orderKey,
    ...names.flatMap(({ name, value }) => (name === 'paymentRequestId' ? [registrationKey(value)] : [])),
  ];
  const registered = await Promise.all(
    targets.map(
      async (target) =>
        await query<{ id: string }>(
          `select id
           from shop_statements
           where client_id = $1 and about = 'refund' and target = $2 and target <> '' and replaced_at = 0`,
          [clientId, target],
        ),
    ),
  );
  const seeds = registered.flat().map(({ id }): Link => ({ clientId, name: 'refundRequestId', value: id }));
  return await gatherRefundGroups(query, [...names.filter(({ name }) => isRefundName(name)), ...seeds]);
};

/** A notification that could not be read is of all that state its `paymentRequestId`. */
const unreadableOf = async (query: Query, order: GatheredOrder): Promise<readonly EvidenceRow[]> => {
  if (!order.hints.unreadable) return [];
  const names = await requestIdsOf(query, order);
  return (await Promise.all(names.map(async (name) => await notificationsNaming(query, name, 'unreadable')))).flat();
};

/** Identifiers that stand for other payments, too. */
const sharedIn = async (query: Query, order: GatheredOrder): Promise<readonly string[]> => {
  if (!order.hints.shared || paymentIdOf(order.orderKey) === null) return [];
  const { clientId, orderKey, notifications } = order;
  const found = await Promise.all(
    linksStated(statementsOf(notifications), clientId)
      .filter(({ name }) => !isRefundName(name))
      .map(async (link) => {
        const naming = (await paymentsStating(query, link)).map((other) => other.orderKey);
        const others = naming.filter((paymentId) => paymentId !== orderKey).sort();
        if (others.length === 0) return [];
        // With how many there are: a review settles these words, and another payment is another matter.
        const more = others.length > 3 ? ` and ${others.length - 3} more` : '';
        return [`${link.name} ${link.value} also names payment ${others.slice(0, 3).join(', ')}${more}`];
      }),
  );
  return found.flat();
};

/**
 * The `paymentRequestId` of the registration that was an order by itself until the first notification named it; null
 * for none.
 */
const replacedBy = async (query: Query, order: GatheredOrder): Promise<string | null> => {
  const counted = countedRegistration(order.registrations);
  if (counted === null || paymentIdOf(order.orderKey) === null) return null;
  const { paymentRequestId, createdAt } = counted;
  const earlier = order.notifications.filter(({ firstReceivedAt }) => firstReceivedAt < createdAt);
  const names = await namesOf(query, { ...order, notifications: earlier });
  const isNamedBefore = names.some(({ name, value }) => name === 'paymentRequestId' && value === paymentRequestId);
  return isNamedBefore ? null : paymentRequestId;
};

interface Family {
  readonly siblings: Siblings;
  readonly onlookers: readonly OrderKey[];
  readonly beyond: readonly Beyond[];
  readonly locks: readonly Lock[];
}

/** The other payments of the shop order; also of the one that it was of until now. */
const familyOf = async (
  snapshot: Snapshot,
  order: GatheredOrder,
  inHand: readonly GatheredOrder[],
): Promise<Family> => {
  const { query } = snapshot;
  const { clientId, row, hints } = order;
  const shopOrder = shopOrderOf(order);
  const isPayment = paymentIdOf(order.orderKey) !== null;
  const before = row?.referenceOrderId ?? null;
  const hasMoved = row !== null && before !== null && before !== (shopOrder?.referenceOrderId ?? null);
  const families: readonly ShopOrder[] = [
    ...(shopOrder !== null && (hints.siblings || hasMoved) ? [shopOrder] : []),
    ...(hasMoved ? [{ clientId, referenceOrderId: before }] : []),
  ];
  if (!isPayment || families.length === 0) return { siblings: NO_SIBLINGS, onlookers: [], beyond: [], locks: [] };
  const payments = await Promise.all(families.map(async (one) => await paymentsOf(query, one, inHand)));
  const onlookers = families.map((one, index) => onlookersOf(order, one, payments[index] ?? []));
  const counted = countedRegistration(order.registrations);
  const looked = shopOrder === null || !hints.siblings ? [] : othersOf(order, payments[0] ?? []);
  const others = await paymentFacts(snapshot, looked, inHand);
  return {
    siblings: {
      payments: others.map(({ evidence }) => evidence),
      hasLaterRegistration: counted !== null && (await hasLaterRegistration(query, counted)),
    },
    onlookers: onlookers.flatMap(({ keys }) => keys),
    beyond: onlookers.flatMap(({ beyond }) => beyond),
    locks: families.map((one) => referenceLock(clientId, one.referenceOrderId)),
  };
};

/** What is stored about other payments, without their own siblings. */
export const paymentFacts = async (
  snapshot: Snapshot,
  keys: readonly OrderKey[],
  inHand: readonly GatheredOrder[],
): Promise<readonly StoredOrder[]> => {
  const whole = new Map(inHand.filter(({ before }) => before === null).map((one) => [nameOfOrder(one), one]));
  const missing = keys.filter((key) => !whole.has(nameOfOrder(key)));
  const read = missing.length === 0 ? [] : await snapshot.evidence({ keys: missing, links: [] }, 'all');
  for (const one of read) whole.set(nameOfOrder(one), one);
  const found = keys.flatMap((key) => whole.get(nameOfOrder(key)) ?? []);
  return await Promise.all(
    found.map(async (order) => {
      const joined = await joinedTo(snapshot.query, order, await refundsOf(snapshot.query, order));
      return toStoredOrder(order, { ...joined, siblings: NO_SIBLINGS, replaces: null });
    }),
  );
};

/** Where names lead that are of refunds; and the names that are not. */
export const throughRefunds = async (
  query: Query,
  links: readonly Link[],
): Promise<{
  readonly keys: readonly OrderKey[];
  readonly locks: readonly Lock[];
  readonly links: readonly Link[];
}> => {
  const names = links.filter(({ name }) => isRefundName(name));
  const groups = names.length === 0 ? [] : await gatherRefundGroups(query, names);
  return {
    keys: groups.flatMap(ordersOf),
    locks: groups.flatMap(locksOf),
    links: links.filter(({ name }) => !isRefundName(name)),
  };
};

/** The orders of payments that these links lead to. */
export const ordersLinkedBy = async (query: Query, links: readonly Link[]): Promise<readonly OrderKey[]> => {
  const through = await throughRefunds(query, links);
  return [...through.keys, ...(await paymentsLinkedBy(query, through.links))];
};
