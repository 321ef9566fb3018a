import { type Asked, textOfAsked } from '../order/asked.ts';
import { countedRegistration, type OrderEvidence } from '../order/evidence.ts';
import { linksOf } from '../order/statement.ts';
import { EVIDENCE_COLUMNS, type EvidenceColumns, toEvidenceRow } from './evidence-row.ts';
import { hasLaterAt, registrationAt, shopOrdersOf, siblingsAt, standingAt } from './history-family.ts';
import { type Completed, namesOf } from './joined.ts';
import { linksStated } from './links.ts';
import type { Move } from './move.ts';
import { listMoves } from './move-row.ts';
import { movingAt } from './moving.ts';
import { type Link, type OrderKey, paymentIdOf, registrationKey, requestIdOf } from './order-key.ts';
import { notificationsNaming, type RefundGroup, refundGroupAt } from './refund-groups.ts';
import { toReview } from './review.ts';
import { isRefundName, OF_ORDERS } from './row.ts';
import { idsSaidOf, readHistory } from './say.ts';
import type { ShopStatement } from './shop.ts';
import {
  type EvidenceRow,
  newestIn,
  newestOf,
  problemsOf,
  statementsOf,
  type StoredOrder,
  together,
} from './stored-order.ts';
import type { Query, Snapshot } from './transaction.ts';

/** All that is stored about an order and what it looks at, with the shop's words as they changed. */
export interface History {
  readonly completed: Completed;
  /** The `paymentRequestId`s that each of its own notifications names, by digest. */
  readonly named: ReadonlyMap<string, readonly string[]>;
  /** All versions under each id, the oldest first: of its own registrations and of its shop orders'. */
  readonly registrations: ReadonlyMap<string, readonly ShopStatement[]>;
  /** The same of the refunds that were ever registered for it. */
  readonly refunds: ReadonlyMap<string, readonly ShopStatement[]>;
  readonly reviews: readonly ShopStatement[];
  /** The other payments of the shop orders that it was ever registered for. */
  readonly others: readonly StoredOrder[];
  /** Notifications of other payments that name one of its identifiers. */
  readonly sharing: readonly Sharing[];
  /** Notifications that name its payment and say nothing about it: nobody handles their kind. */
  readonly unhandled: readonly EvidenceRow[];
  /** Answers to questions about it that name no payment: APO does not know it, or cannot say. */
  readonly unanswered: readonly EvidenceRow[];
  /** Captures, cancels and refunds that we sent. */
  readonly moves: readonly Move[];
}

interface Sharing {
  readonly link: Link;
  readonly row: EvidenceRow & { readonly paymentId: string };
}

/**
 * So many are looked up of what one order names, or the shop said about it; what an order says now knows no such limit.
 */
const AT_MOST = 100;

export const readOrderHistory = async (snapshot: Snapshot, completed: Completed): Promise<History> => {
  const { query } = snapshot;
  const { clientId, orderKey } = completed.gathered;
  const named = await namedBy(query, completed);
  const registered = requestIdOf(orderKey);
  const requestIds = registered === null ? [...new Set([...named.values()].flat())] : [registered];
  const own = await historiesOf(query, { clientId, about: 'registration' }, requestIds);
  const said = [...own.values()].flat();
  const shopOrders = await shopOrdersOf(snapshot, completed.gathered, { said, atMost: AT_MOST });
  const ofOthers = shopOrders.requestIds.filter((id) => !own.has(id));
  return {
    completed,
    named,
    registrations: new Map([...own, ...(await historiesOf(query, { clientId, about: 'registration' }, ofOthers))]),
    others: shopOrders.payments,
    refunds: await refundsRegistered(query, completed, requestIds),
    reviews: await readHistory(query, { clientId, about: 'review', id: orderKey }),
    sharing: await sharingWith(query, completed),
    unhandled: await unhandledOf(query, completed.gathered),
    unanswered: await unansweredOf(query, completed.gathered, requestIds),
    moves: await listMoves(query, clientId, orderKey),
  };
};

const namedBy = async (query: Query, { gathered }: Completed): Promise<History['named']> => {
  const named = new Map<string, readonly string[]>();
  let lookedUp = 0;
  for (const one of gathered.notifications) {
    // What was read says so itself.
    if (one.outcome !== 'APPLIED' && (lookedUp += 1) > AT_MOST) continue;
    const names =
      one.outcome === 'APPLIED'
        ? one.statements.flatMap(linksOf)
        : await namesOf(query, { ...gathered, notifications: [one] });
    named.set(
      one.digest,
      names.flatMap(({ name, value }) => (name === 'paymentRequestId' ? [value] : [])),
    );
  }
  return named;
};

const historiesOf = async (
  query: Query,
  key: Pick<ShopStatement, 'clientId' | 'about'>,
  ids: readonly string[],
): Promise<ReadonlyMap<string, readonly ShopStatement[]>> => {
  const read = [...new Set(ids)].map(async (id) => [id, await readHistory(query, { ...key, id })] as const);
  return new Map((await Promise.all(read)).filter(([, history]) => history.length > 0));
};

/** Also of refunds that were registered for it once, and are for another payment now. */
const refundsRegistered = async (
  query: Query,
  { gathered, refunds }: Completed,
  requestIds: readonly string[],
): Promise<History['refunds']> => {
  const { clientId, orderKey } = gathered;
  if (paymentIdOf(orderKey) === null) return new Map();
  const targets = [orderKey, ...requestIds.map(registrationKey)];
  const ids = targets.map(async (target) => await idsSaidOf(query, { clientId, about: 'refund', target }, AT_MOST));
  const joined = refunds.flatMap(({ names }) => names).filter(({ name }) => name === 'refundRequestId');
  return await historiesOf(query, { clientId, about: 'refund' }, [
    ...(await Promise.all(ids)).flat(),
    ...joined.map(({ value }) => value),
  ]);
};

const sharingWith = async (query: Query, { gathered, order }: Completed): Promise<readonly Sharing[]> => {
  const { clientId, orderKey, notifications, hints } = gathered;
  if (!hints.shared && order.evidence.sharedIdentities.length === 0) return [];
  const found = linksStated(statementsOf(notifications), clientId)
    .filter(({ name }) => !isRefundName(name))
    .slice(0, AT_MOST)
    .map(async (link) => (await notificationsNaming(query, link, 'readable or not')).map((row) => ({ link, row })));
  return (await Promise.all(found)).flat().filter(({ row }) => row.paymentId !== '' && row.paymentId !== orderKey);
};

const unhandledOf = async (query: Query, { clientId, orderKey }: OrderKey): Promise<readonly EvidenceRow[]> => {
  const rows = await query<EvidenceColumns>(
    `select ${EVIDENCE_COLUMNS}
     from notifications n
     where client_id = $1 and payment_id = $2 and not (${OF_ORDERS})
     limit $3`,
    [clientId, orderKey, AT_MOST],
  );
  return rows.map(toEvidenceRow);
};

const unansweredOf = async (
  query: Query,
  { clientId, orderKey }: OrderKey,
  requestIds: readonly string[],
): Promise<readonly EvidenceRow[]> => {
  const paymentId = paymentIdOf(orderKey);
  const questions: readonly Asked[] = [
    ...(paymentId === null ? [] : [{ operation: 'inquiryPayment', paymentId } as const]),
    ...requestIds.map((paymentRequestId) => ({ operation: 'inquiryPayment', paymentRequestId }) as const),
  ];
  const found = questions.slice(0, AT_MOST).map(
    async (asked) =>
      await query<EvidenceColumns>(
        `select ${EVIDENCE_COLUMNS}
         from notifications n
         where client_id = $1 and asked = $2 and payment_id = ''
         limit $3`,
        [clientId, textOfAsked(asked), AT_MOST],
      ),
  );
  return (await Promise.all(found)).flat().map(toEvidenceRow);
};

const isBy =
  (at: number) =>
  ({ firstReceivedAt }: EvidenceRow): boolean =>
    firstReceivedAt <= at;

/** All that was stored by a time (epoch milliseconds), as far as it is of the order; null while nothing made one. */
export const evidenceAt = (history: History, at: number): OrderEvidence | null => {
  const { gathered } = history.completed;
  const { clientId, orderKey } = gathered;
  const own = gathered.notifications.filter(isBy(at));
  const names = new Set(own.flatMap(({ digest }) => history.named.get(digest) ?? []));
  const joined = joinedAt(history, { at, own, names });
  const rows = together(own, joined);
  const isPayment = own.length > 0;
  const registrations = [...history.registrations.keys()].flatMap((id) => {
    // Before any notification the registration is an order by itself.
    const isOwn = isPayment ? names.has(id) : isRegisteredAs(history, id);
    return isOwn ? registrationAt(history.registrations, id, at) : [];
  });
  if (rows.length === 0 && registrations.length === 0) return null;
  const counted = countedRegistration(registrations);
  const review = standingAt(history.reviews, at);
  const moving = movingAt(history.moves, at);
  return {
    clientId,
    paymentId: isPayment ? paymentIdOf(orderKey) : null,
    statements: [...statementsOf(rows), ...moving.map(({ statement }) => statement)],
    registrations,
    problems: problemsOf(rows),
    sharedIdentities: sharedAt(history, at),
    siblings: {
      payments: isPayment ? siblingsAt(history, counted, at) : [],
      hasLaterRegistration: isPayment && hasLaterAt(history, counted, at),
    },
    newestAt: newestOf(
      newestIn(rows, { registered: registrations.map(({ createdAt }) => createdAt), before: null }),
      moving,
    ),
    review: review === null ? null : toReview(review.said, Date.parse(review.updatedAt)),
  };
};

/** It is the registration of this order, or of none of the payments of its shop order. */
const isRegisteredAs = ({ completed, named }: History, id: string): boolean => {
  const { orderKey } = completed.gathered;
  return paymentIdOf(orderKey) === null ? orderKey === registrationKey(id) : [...named.values()].flat().includes(id);
};

interface AtTime {
  readonly at: number;
  readonly own: readonly EvidenceRow[];
  /** The `paymentRequestId`s that the order's own notifications name. */
  readonly names: ReadonlySet<string>;
}

/** What joins it by something else than its payment. */
const joinedAt = (history: History, time: AtTime): readonly EvidenceRow[] => {
  const { gathered, order, refunds } = history.completed;
  const ofRefunds = refunds.filter((group) => isJoinedAt(history, group, time)).flatMap(({ rows }) => rows);
  const apart = new Set([...gathered.notifications, ...refunds.flatMap(({ rows }) => rows)].map((row) => row.position));
  const unreadable = time.names.size === 0 ? [] : order.notifications.filter(({ position }) => !apart.has(position));
  return [...ofRefunds, ...unreadable].filter(isBy(time.at));
};

/** A refund is of the payment that one of its notifications states, else of the one that it was registered for. */
const isJoinedAt = (history: History, { rows }: RefundGroup, { at, names }: AtTime): boolean => {
  const { orderKey } = history.completed.gathered;
  const targets = new Set([orderKey, ...[...names].map(registrationKey)]);
  return rows.filter(isBy(at)).some((row) => {
    if (row.paymentId !== '') return row.paymentId === orderKey;
    return row.names.some(({ name, value }) => {
      const said = name === 'refundRequestId' ? standingAt(history.refunds.get(value) ?? [], at) : null;
      return said !== null && targets.has(said.target);
    });
  });
};

const sharedAt = (history: History, at: number): readonly string[] => {
  const { gathered, order, refunds } = history.completed;
  const saidIn = (groups: readonly RefundGroup[]): readonly string[] =>
    groups.flatMap(({ contradictions }) => contradictions.get(gathered.orderKey) ?? []);
  const ofRefunds = new Set(saidIn(refunds));
  const ofOthers = order.evidence.sharedIdentities.filter((words) => !ofRefunds.has(words));
  return [
    ...ofOthers.filter((words) => isSharedAt(history, words, at)),
    ...saidIn(refunds.map((group) => refundGroupAt(group, at))),
  ];
};

/** What contradicts an identity is told in words, which begin with the identifier. */
const isSharedAt = ({ sharing }: History, words: string, at: number): boolean => {
  const same = sharing.filter(({ link }) => words.startsWith(`${link.name} ${link.value} `));
  return same.length === 0 || same.some(({ row }) => row.firstReceivedAt <= at);
};
