import type { Around } from './around.ts';
import { derive } from './derive.ts';
import { type Lock, linkLock, orderLock, referenceLock } from './lock.ts';
import { type Link, type OrderKey, paymentIdOf, requestLink, type Touched } from './order-key.ts';
import { paymentsMeant } from './refund-groups.ts';
import { findSaid, say, type SaidKey, takeBack } from './say.ts';
import type { ShopStatement } from './shop.ts';
import { latestRegistrations } from './siblings.ts';
import type { Query, Transaction } from './transaction.ts';

type Said = Omit<ShopStatement, `${string}At`>;

/** The name of what a statement of the shop is about; none for a review, which is of an order by its key. */
const linkOf = ({ clientId, about, id }: Said): readonly Link[] => {
  switch (about) {
    case 'registration':
      return [requestLink(clientId, id)];
    case 'refund':
      return [{ clientId, name: 'refundRequestId', value: id }];
    case 'review':
      return [];
  }
};

/** The orders that a statement of the shop concerns. */
const touchedBySaid = async (query: Query, said: Said): Promise<Touched> => {
  const { clientId, about, id, target } = said;
  const links = linkOf(said);
  switch (about) {
    case 'registration':
      // Whether a payment was asked for again depends on the latest registrations of its shop order.
      return { keys: [], links: [...links, ...(await latestOf(query, clientId, target))] };
    case 'refund':
      return { keys: toKeys(clientId, await paymentsMeant(query, said)), links };
    case 'review':
      return { keys: [{ clientId, orderKey: id }], links };
  }
};

const latestOf = async (query: Query, clientId: string, referenceOrderId: string): Promise<readonly Link[]> =>
  referenceOrderId === '' ? [] : await latestRegistrations(query, clientId, referenceOrderId);

const toKeys = (clientId: string, payments: readonly string[]): readonly OrderKey[] =>
  payments.map((orderKey) => ({ clientId, orderKey }));

/** What has to be held while it is said, so that nobody decides without it meanwhile. */
const locksOf = (said: Said): readonly Lock[] => {
  const { clientId, about, target } = said;
  const own = linkOf(said).map(linkLock);
  if (target === '') return own;
  // A payment that names the paymentRequestId of a refund's registration holds the lock of that name.
  if (about === 'registration') return [...own, referenceLock(clientId, target)];
  return about === 'refund' && paymentIdOf(target) === null ? [...own, orderLock({ clientId, orderKey: target })] : own;
};

/** Says something in place of what stands, or takes that back, and derives every order that it concerns. */
export const sayAndDerive = async (
  transaction: Transaction,
  { key, content }: { readonly key: SaidKey; readonly content: Pick<ShopStatement, 'target' | 'said'> | null },
  { rules, now }: Around,
): Promise<ShopStatement | null> => {
  const { query } = transaction;
  const standing = await findSaid(query, key);
  const said: readonly Said[] = [
    ...(standing === null ? [] : [standing]),
    ...(content === null ? [] : [{ ...key, ...content }]),
  ];
  const touched = await touchLocked(transaction, said);
  const stands = content === null ? null : await say(query, { ...key, ...content, standing, now });
  if (content === null) await takeBack(query, { ...key, now });
  await derive(transaction, touched, { rules, now });
  return stands;
};

/** What these statements concern, under all locks that it takes to say them and to derive that. */
export const touchLocked = async ({ query, need }: Transaction, said: readonly Said[]): Promise<Touched> => {
  const touched = await Promise.all(said.map(async (one) => await touchedBySaid(query, one)));
  const keys = touched.flatMap((one) => one.keys);
  const links = touched.flatMap((one) => one.links);
  need([...said.flatMap(locksOf), ...keys.map(orderLock), ...links.map(linkLock)]);
  return { keys, links };
};
