import { countedRegistration, type OrderEvidence, type RegistrationFact } from '../order/evidence.ts';
import { linksOf } from '../order/statement.ts';
import { paymentFacts } from './joined.ts';
import { paymentsLinkedBy } from './links.ts';
import { nameOfOrder, type OrderKey, paymentIdOf, requestLink } from './order-key.ts';
import { toRegistration } from './register.ts';
import { idsSaidOf } from './say.ts';
import type { ShopStatement } from './shop.ts';
import { statementsOf, type StoredOrder } from './stored-order.ts';
import type { Snapshot } from './transaction.ts';

/** The shop orders that a payment was ever registered for. */
interface ShopOrders {
  /** The `paymentRequestId`s that were ever registered for one of them. */
  readonly requestIds: readonly string[];
  /** The other payments that name one of these. */
  readonly payments: readonly StoredOrder[];
}

/** By all versions of the payment's own registrations, of which at most so many are looked up. */
export const shopOrdersOf = async (
  snapshot: Snapshot,
  order: OrderKey,
  { said, atMost }: { readonly said: readonly ShopStatement[]; readonly atMost: number },
): Promise<ShopOrders> => {
  const { query } = snapshot;
  const { clientId, orderKey } = order;
  const targets = [...new Set(said.map(({ target }) => target))].filter((target) => target !== '').slice(0, atMost);
  const about = 'registration';
  const ids = targets.map(async (target) => await idsSaidOf(query, { clientId, about, target }, atMost));
  const requestIds = [...new Set((await Promise.all(ids)).flat())];
  if (paymentIdOf(orderKey) === null) return { requestIds, payments: [] };
  const links = requestIds.map((id) => requestLink(clientId, id));
  const linked = await paymentsLinkedBy(query, links);
  const others = new Map(linked.map((key) => [nameOfOrder(key), key]));
  others.delete(nameOfOrder(order));
  return { requestIds, payments: await paymentFacts(snapshot, [...others.values()].slice(0, atMost), []) };
};

/** What stood at a time; null for nothing. */
export const standingAt = (history: readonly ShopStatement[], at: number): ShopStatement | null => {
  const said = history.findLast(({ updatedAt }) => Date.parse(updatedAt) <= at);
  if (said === undefined) return null;
  return said.replacedAt !== null && Date.parse(said.replacedAt) <= at ? null : said;
};

type Versions = ReadonlyMap<string, readonly ShopStatement[]>;

/** The registration of a `paymentRequestId` as it stood at a time; none where there was none. */
export const registrationAt = (versions: Versions, id: string, at: number): readonly RegistrationFact[] => {
  const said = standingAt(versions.get(id) ?? [], at);
  return said === null ? [] : [{ ...toRegistration(said), createdAt: Date.parse(said.createdAt) }];
};

/** What there was at a time: the other payments, and all versions of all registrations of the shop orders. */
interface Family {
  readonly others: readonly StoredOrder[];
  readonly registrations: Versions;
}

/** The other payments of the shop order that it was of at a time, by the registration that counted then. */
export const siblingsAt = (
  { others, registrations }: Family,
  counted: RegistrationFact | null,
  at: number,
): readonly OrderEvidence[] =>
  others.flatMap(({ evidence, notifications }) => {
    const statements = statementsOf(notifications.filter(({ firstReceivedAt }) => firstReceivedAt <= at));
    const links = statements.flatMap(linksOf).filter(({ name }) => name === 'paymentRequestId');
    const names = [...new Set(links.map(({ value }) => value))];
    const own = names.flatMap((id) => registrationAt(registrations, id, at));
    const shopOrder = countedRegistration(own)?.referenceOrderId ?? null;
    const isOfSame = shopOrder !== null && shopOrder === counted?.referenceOrderId;
    return isOfSame ? [{ ...evidence, statements, registrations: own }] : [];
  });

/** A registration of the same shop order was made later than the one that counts. */
export const hasLaterAt = ({ registrations }: Family, counted: RegistrationFact | null, at: number): boolean => {
  if (counted === null || counted.referenceOrderId === null) return false;
  return [...registrations].some(([id, versions]) => {
    const said = standingAt(versions, at);
    if (said === null || said.target !== counted.referenceOrderId) return false;
    const createdAt = Date.parse(said.createdAt);
    return createdAt > counted.createdAt || (createdAt === counted.createdAt && id > counted.paymentRequestId);
  });
};
