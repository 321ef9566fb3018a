import { EVIDENCE_COLUMNS, type EvidenceColumns, toEvidenceRow } from './evidence-row.ts';
import { linksAt, linksStated, type NotificationPlace, paymentsLinkedBy } from './links.ts';
import { type Lock, linkLock } from './lock.ts';
import { type Link, nameOfLink, type OrderKey, requestIdOf, requestLink } from './order-key.ts';
import { isRefundName } from './row.ts';
import { findSaid } from './say.ts';
import type { ShopStatement } from './shop.ts';
import type { EvidenceRow } from './stored-order.ts';
import type { Query } from './transaction.ts';

/** A notification that an identifier leads to. */
interface Named extends EvidenceRow {
  /** Its own; empty where it states none. */
  readonly paymentId: string;
}

/** A notification of a refund, or what an answer says about one of the refunds that it shows. */
interface RefundRow extends Named {
  /** Its `refundId` and `refundRequestId`. */
  readonly names: readonly Link[];
}

/** One refund: the notifications that share its identifiers, transitively, and what was registered for it. */
export interface RefundGroup {
  readonly clientId: string;
  readonly names: readonly Link[];
  readonly rows: readonly RefundRow[];
  readonly registrations: readonly RegisteredRefund[];
  /** The payments that it joins. */
  readonly payments: readonly string[];
  /** What contradicts the identity of these payments, in words. */
  readonly contradictions: ReadonlyMap<string, readonly string[]>;
}

interface RegisteredRefund {
  readonly statement: ShopStatement;
  /** The payments that it names; none while its `paymentRequestId` is named by none. */
  readonly payments: readonly string[];
}

/** The refunds that these names lead to, each once. */
export const gatherRefundGroups = async (query: Query, seeds: readonly Link[]): Promise<readonly RefundGroup[]> => {
  const groups: RefundGroup[] = [];
  const seen = new Set<string>();
  for (const seed of seeds) {
    if (seen.has(nameOfLink(seed))) continue;
    const { names, rows } = await spread(query, seed);
    for (const name of names) seen.add(nameOfLink(name));
    const requestIds = names.filter(({ name }) => name === 'refundRequestId');
    const registrations = (await Promise.all(requestIds.map(async (name) => await findRegistered(query, name)))).flat();
    groups.push(resolve({ clientId: seed.clientId, names, rows, registrations }));
  }
  return groups;
};

/** All names and notifications that one name leads to. */
const spread = async (query: Query, seed: Link): Promise<Pick<RefundGroup, 'names' | 'rows'>> => {
  const names = new Map([[nameOfLink(seed), seed]]);
  const rows = new Map<string, RefundRow>();
  // What is added to a map while it is gone through is gone through, too.
  for (const link of names.values()) {
    for (const row of await rowsNaming(query, link)) {
      const place = `${row.position} ${row.statements[0]?.place ?? ''}`;
      if (rows.has(place)) continue;
      rows.set(place, row);
      for (const name of row.names) if (!names.has(nameOfLink(name))) names.set(nameOfLink(name), name);
    }
  }
  return { names: [...names.values()], rows: [...rows.values()] };
};

interface NamedRow extends EvidenceColumns {
  readonly payment_id: string;
}

/**
 * The notifications that join others by this name, and whether as readable ones; by the position alone, as links.ts.
 */
export const notificationsNaming = async (
  query: Query,
  { clientId, name, value }: Link,
  joins: 'readable or not' | 'unreadable',
): Promise<readonly Named[]> => {
  const rows = await query<NamedRow>(
    `select ${EVIDENCE_COLUMNS}, n.payment_id
     from identifiers i
     join notifications n on n.position = i.position
     where i.client_id = $1 and i.value = $2 and i.name = $3 and i.joins >= $4`,
    [clientId, value, name, joins === 'unreadable' ? 2 : 1],
  );
  return rows.map((row) => Object.assign(toEvidenceRow(row), { paymentId: row.payment_id }));
};

const rowsNaming = async (query: Query, link: Link): Promise<readonly RefundRow[]> => {
  const rows = await notificationsNaming(query, link, 'readable or not');
  return (await Promise.all(rows.map(async (row) => await refundsIn(query, row, link)))).flat();
};

/** What a notification or an answer says about the refund of this name. */
const refundsIn = async (query: Query, row: Named, link: Link): Promise<readonly RefundRow[]> => {
  const { clientId } = link;
  if (row.outcome !== 'APPLIED') {
    // Which of its names go together in an answer that could not be read, nobody can tell.
    const names = row.kind === 'INQUIRY' ? [link] : await refundNames(query, { clientId, position: row.position });
    return [{ ...row, names }];
  }
  return row.statements.flatMap((one) => {
    const names = linksStated([one], clientId);
    const isNamed = names.some(({ name, value }) => name === link.name && value === link.value);
    return isNamed ? [{ ...row, statements: [one], names }] : [];
  });
};

/** The refund names of a notification. */
export const refundNames = async (query: Query, place: NotificationPlace): Promise<readonly Link[]> =>
  (await linksAt(query, place)).filter(({ name }) => isRefundName(name));

const findRegistered = async (query: Query, { clientId, value }: Link): Promise<readonly RegisteredRefund[]> => {
  const statement = await findSaid(query, { clientId, about: 'refund', id: value });
  return statement === null ? [] : [{ statement, payments: await paymentsMeant(query, statement) }];
};

/** A refund is registered for a payment, or for the payments that name a `paymentRequestId`. */
export const paymentsMeant = async (
  query: Query,
  { clientId, target }: Pick<ShopStatement, 'clientId' | 'target'>,
): Promise<readonly string[]> => {
  const requestId = requestIdOf(target);
  if (requestId === null) return [target];
  const named = await paymentsLinkedBy(query, [requestLink(clientId, requestId)]);
  return named.map(({ orderKey }) => orderKey);
};

/** A notification is of the payment that it states, else of the one that is registered for its `refundRequestId`. */
const resolve = (group: Pick<RefundGroup, 'clientId' | 'names' | 'rows' | 'registrations'>): RefundGroup => {
  const contradictions = new Map<string, string[]>();
  const contradict = (payment: string, words: string): void => {
    const said = contradictions.get(payment) ?? [];
    if (!said.includes(words)) contradictions.set(payment, [...said, words]);
  };
  const payments = new Set<string>();
  for (const { paymentId, names } of group.rows) {
    const registered = group.registrations
      .filter(({ statement }) => names.some(({ name, value }) => name === 'refundRequestId' && value === statement.id))
      .flatMap((one) => one.payments)
      .toSorted();
    for (const payment of paymentId === '' ? registered : [paymentId]) payments.add(payment);
    if (paymentId === '' || registered.length === 0 || registered.includes(paymentId)) continue;
    const words = `${wordsFor(names)} states payment ${paymentId}, and is registered for payment ${registered.join(', ')}`;
    for (const payment of [paymentId, ...registered]) contradict(payment, words);
  }
  const joined = [...payments].sort((a, b) => (a < b ? -1 : 1));
  if (joined.length > 1) {
    for (const payment of joined)
      contradict(payment, `${wordsFor(group.names)} is of the payments ${joined.join(' and ')}`);
  }
  return { ...group, payments: joined, contradictions };
};

/** As it was at a time (epoch milliseconds), of the registrations that stand now. */
export const refundGroupAt = (group: RefundGroup, at: number): RefundGroup =>
  resolve({
    ...group,
    rows: group.rows.filter(({ firstReceivedAt }) => firstReceivedAt <= at),
    registrations: group.registrations.filter(({ statement }) => Date.parse(statement.updatedAt) <= at),
  });

/** `refund R1` */
const wordsFor = (names: readonly Link[]): string => {
  const [first] = [...names].sort((a, b) => (nameOfLink(a) < nameOfLink(b) ? -1 : 1));
  return `refund ${first?.value ?? ''}`;
};

/** The orders that a refund concerns. */
export const ordersOf = ({ clientId, payments, contradictions }: RefundGroup): readonly OrderKey[] =>
  [...new Set([...payments, ...contradictions.keys()])].map((orderKey) => ({ clientId, orderKey }));

/** Under which it is decided what belongs to it. */
export const locksOf = ({ names }: RefundGroup): readonly Lock[] => names.map(linkLock);
