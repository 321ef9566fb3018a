import { gatherRefunds, type RefundEvidence, toRefund } from '../order/refund.ts';
import { isoTime } from '../order/time.ts';
import type { Around } from './around.ts';
import { nextCursor, readPosition } from './cursor.ts';
import { type Lock, linkLock } from './lock.ts';
import { findMove } from './move-row.ts';
import { orderKeyOf, paymentIdOf, requestIdOf } from './order-key.ts';
import { standingKeys } from './orders.ts';
import { gatherRefundGroups, paymentsMeant, type RefundGroup, refundNames } from './refund-groups.ts';
import { OF_REFUNDS } from './row.ts';
import { sayAndDerive } from './said.ts';
import { findSaid } from './say.ts';
import type {
  ListedRefund,
  RefundRegistration,
  RegisterRefundResult,
  ShopStatement,
  StoredRefundRegistration,
} from './shop.ts';
import type { Page, PageRequest } from './store.ts';
import { statementsOf } from './stored-order.ts';
import type { Count, Database, Query, Snapshot } from './transaction.ts';

type Name = Pick<RefundRegistration, 'clientId' | 'refundRequestId'>;

/** Registers to which payment a refund belongs, and derives every order that it concerns. */
export const registerRefund = async (
  database: Database,
  registration: RefundRegistration,
  { replace, ...saying }: Around & { readonly replace: boolean },
): Promise<RegisterRefundResult> =>
  await database.transact([lockOf(registration)], async (transaction) => {
    const key = keyOf(registration);
    const standing = await findSaid(transaction.query, key);
    const target = orderKeyOf(registration);
    if (standing?.target === target) return { kind: 'unchanged', registration: toRefundRegistration(standing) };
    if (standing !== null && !replace) return { kind: 'conflict', registration: toRefundRegistration(standing) };
    if (standing !== null && !(await isOfItsPayment(transaction.query, registration)))
      return { kind: 'sent', registration: toRefundRegistration(standing) };
    const said = await sayAndDerive(transaction, { key, content: { target, said: '{}' } }, saying);
    return {
      kind: standing === null ? 'created' : 'replaced',
      // What is said with content stands.
      registration: toRefundRegistration(said as ShopStatement),
    };
  });

/** A refund that was sent to APO is of the payment that it was sent for. */
const isOfItsPayment = async (query: Query, registration: RefundRegistration): Promise<boolean> => {
  const { clientId, refundRequestId: requestId } = registration;
  const move = await findMove(query, { clientId, kind: 'refund', requestId });
  if (move === null || move.status === 'FAILED') return true;
  return (await paymentsMeant(query, { clientId, target: orderKeyOf(registration) })).includes(move.paymentId);
};

const lockOf = ({ clientId, refundRequestId }: Name): Lock =>
  linkLock({ clientId, name: 'refundRequestId', value: refundRequestId });

const keyOf = ({ clientId, refundRequestId }: Name) => ({ clientId, about: 'refund', id: refundRequestId }) as const;

export const toRefundRegistration = ({ clientId, id, target, ...times }: ShopStatement): StoredRefundRegistration => ({
  clientId,
  refundRequestId: id,
  paymentId: paymentIdOf(target),
  paymentRequestId: requestIdOf(target),
  createdAt: times.createdAt,
  updatedAt: times.updatedAt,
});

interface Row {
  readonly client_id: string;
  readonly position: Count;
}

/** Refunds, each once, by its notification that arrived last; a page may hold fewer than its limit. */
export const listRefunds = async (
  database: Database,
  { joined }: { readonly joined: boolean | null },
  page: PageRequest,
): Promise<Page<ListedRefund>> =>
  await database.snapshot(async (snapshot) => {
    // One that states its payment is joined: it makes the order.
    const open = joined === false ? "and payment_id = ''" : '';
    const rows = await snapshot.query<Row>(
      `select client_id, position
       from notifications
       where ${OF_REFUNDS} and outcome <> 'UNHANDLED' and position < cast($2 as bigint) ${open}
       order by position desc
       limit $1`,
      [page.limit, page.cursor === null ? LAST : readPosition(page.cursor)],
    );
    const listed = await Promise.all(rows.map(async (row) => await listAt(snapshot, row)));
    const items = listed.flat().filter((one) => joined === null || joined === one.paymentIds.length > 0);
    return { items, next: nextCursor(rows, page, ({ position }) => String(position)) };
  });

const LAST = String(2n ** 63n - 1n);

/** The refund whose last notification stands there; none where another one of it does. */
const listAt = async (
  { query }: Snapshot,
  { client_id: clientId, position }: Row,
): Promise<readonly ListedRefund[]> => {
  const seeds = await refundNames(query, { clientId, position: String(position) });
  const groups = await gatherRefundGroups(query, seeds);
  const own = groups.filter(({ rows }) => rows.every((row) => BigInt(row.position) <= BigInt(String(position))));
  return (await Promise.all(own.map(async (group) => await toListed(query, group)))).flat();
};

/** A refund as the list shows it; several where its identifiers contradict each other are still one. */
export const toListed = async (query: Query, group: RefundGroup): Promise<readonly ListedRefund[]> => {
  const { clientId, rows, registrations } = group;
  if (rows.length === 0) return [];
  const stated = statementsOf(rows).filter((one) => one.about === 'refund');
  const [refund]: readonly RefundEvidence[] = gatherRefunds(stated);
  const shown = refund === undefined ? null : toRefund(refund);
  const keys = group.payments.map((orderKey) => ({ clientId, orderKey }));
  const nameOf = (wanted: string): string | null =>
    group.names
      .filter(({ name }) => name === wanted)
      .map(({ value }) => value)
      .toSorted()[0] ?? null;
  return [
    {
      clientId,
      refundId: nameOf('refundId'),
      refundRequestId: nameOf('refundRequestId'),
      status: shown?.status ?? null,
      amount: shown?.amount ?? null,
      refundTime: shown?.refundTime ?? null,
      result: shown?.result ?? null,
      // Those that have an order.
      paymentIds: (await standingKeys(query, keys)).map(({ orderKey }) => orderKey),
      registration: registrations[0] === undefined ? null : toRefundRegistration(registrations[0].statement),
      notifications: [...new Set(rows.map(({ digest }) => digest))],
      firstReceivedAt: isoTime(Math.min(...rows.map(({ firstReceivedAt }) => firstReceivedAt))),
    },
  ];
};
