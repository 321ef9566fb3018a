import type { DatabaseSync } from 'node:sqlite';
import type { Kind, Outcome } from '../../order/reading.ts';
import { linksStated } from '../links.ts';
import {
  distinctLinks,
  type Link,
  nameOfOrder,
  type OrderKey,
  paymentIdOf,
  registrationKey,
  type TouchedKey,
  requestIdOf,
  requestLink,
} from '../order-key.ts';
import { hexOf, isRefundName, OF_ORDERS } from '../row.ts';
import { type EvidenceRow, type GatheredOrder, readStatements, statementsOf } from '../stored-order.ts';
import type { Snapshot } from '../transaction.ts';
import { createLookUps, type LookUp } from './look-up.ts';
import { prepare } from './query.ts';

type NotificationRow = readonly [
  position: number,
  digest: Uint8Array,
  outcome: Outcome,
  problem: string | null,
  statements: string | null,
  firstReceivedAt: number,
  kind: Kind,
];

type StandingRow = readonly [
  revision: number,
  updatedAt: number,
  referenceOrderId: string | null,
  dueAt: number | null,
  fold: string | null,
];

/** Reads what is stored about orders, from whichever connection. */
export const createEvidence = (db: DatabaseSync): Snapshot['evidence'] => {
  const columns = 'position, digest, outcome, problem, statements, first_received_at, kind';
  const selectNotifications = prepare<NotificationRow>(
    db,
    `select ${columns} from notifications where client_id = ? and payment_id = ? and ${OF_ORDERS}`,
  );
  const selectNotification = prepare<NotificationRow>(
    db,
    `select ${columns} from notifications where position = ? and ${OF_ORDERS}`,
  );
  const selectRow = prepare<StandingRow>(
    db,
    'select revision, updated_at, reference_order_id, due_at, fold from orders where client_id = ? and order_key = ?',
  );
  const createLookUp = createLookUps(db);

  return async ({ keys, links }, extent) => {
    const lookUp = createLookUp();

    const read = ({ clientId, orderKey, positions = [] }: TouchedKey): GatheredOrder => {
      const paymentId = paymentIdOf(orderKey);
      const row = selectRow.get(clientId, orderKey);
      const selectRows = (): readonly NotificationRow[] => {
        if (extent === 'given') return positions.flatMap((position) => selectNotification.all(Number(position)));
        const isLeftOut = extent === 'unless folded' && (row?.[4] ?? null) !== null;
        return paymentId === null || isLeftOut ? [] : selectNotifications.all(clientId, paymentId);
      };
      const rows = selectRows();
      const notifications = rows.map(toEvidenceRow);
      const names = namesOf(lookUp, { clientId, orderKey }, { notifications, rows });
      return {
        clientId,
        orderKey,
        notifications,
        ...lookAround(lookUp, { clientId, orderKey }, names),
        before: null,
        row: row === undefined ? null : toStandingRow(row),
      };
    };

    const touched = new Map<string, TouchedKey>(keys.map((key) => [nameOfOrder(key), key]));
    for (const link of links) {
      for (const key of keysOf(link, lookUp)) if (!touched.has(nameOfOrder(key))) touched.set(nameOfOrder(key), key);
    }
    return [...touched.values()].map(read);
  };
};

const toEvidenceRow = ([
  position,
  digest,
  outcome,
  problem,
  statements,
  firstReceivedAt,
  kind,
]: NotificationRow): EvidenceRow => {
  const id = hexOf(digest);
  return {
    position: String(position),
    digest: id,
    kind,
    outcome,
    problem,
    statements: readStatements(statements, { outcome, digest: id }),
    firstReceivedAt,
  };
};

const toStandingRow = ([revision, updatedAt, referenceOrderId, dueAt, fold]: StandingRow): GatheredOrder['row'] => ({
  revision,
  updatedAt,
  referenceOrderId,
  dueAt,
  fold,
});

/** What an order's own notifications name. */
interface Names {
  /** By what was read from them. */
  readonly stated: readonly Link[];
  /** By what could not be read. */
  readonly legible: readonly Link[];
  readonly hasRefunds: boolean;
}

const namesOf = (
  lookUp: LookUp,
  { clientId, orderKey }: OrderKey,
  { notifications, rows }: Pick<GatheredOrder, 'notifications'> & { readonly rows: readonly NotificationRow[] },
): Names => {
  const requestId = requestIdOf(orderKey);
  if (requestId !== null) return { stated: [requestLink(clientId, requestId)], legible: [], hasRefunds: false };
  const stated = linksStated(statementsOf(notifications), clientId);
  const legible = rows.flatMap(([position, , outcome]) =>
    outcome === 'APPLIED' ? [] : lookUp.legible(clientId, position),
  );
  return {
    stated,
    legible,
    hasRefunds: [...stated, ...legible].some(({ name }) => isRefundName(name)),
  };
};

const lookAround = (
  lookUp: LookUp,
  { clientId, orderKey }: OrderKey,
  { stated, legible, hasRefunds }: Names,
): Pick<GatheredOrder, 'registrations' | 'review' | 'hints' | 'isNamed'> => {
  const requests = distinctLinks([...stated, ...legible].filter(({ name }) => name === 'paymentRequestId'));
  const registrations = requests.map((link) => lookUp.registration(link)).filter((one) => one !== null);
  const others = (link: Link) => lookUp.payments(link).filter(({ paymentId }) => paymentId !== orderKey);
  const isPayment = paymentIdOf(orderKey) !== null;
  const shared = stated.filter(({ name }) => !isRefundName(name)).some((link) => others(link).some(isStated));
  return {
    registrations,
    review: lookUp.review(clientId, orderKey),
    hints: {
      refunds:
        isPayment &&
        (hasRefunds ||
          lookUp.isRefunded(clientId, orderKey) ||
          requests.some(({ value }) => lookUp.isRefunded(clientId, registrationKey(value)))),
      unreadable: requests.some((link) => others(link).some((one) => !isStated(one))),
      siblings: registrations.some(
        ({ referenceOrderId, paymentRequestId }) =>
          referenceOrderId !== null &&
          (others(requestLink(clientId, paymentRequestId)).some(isOfPayment) ||
            lookUp.hasSibling({ clientId, referenceOrderId, paymentRequestId })),
      ),
      shared,
      moving: isPayment && lookUp.isMoving(clientId, orderKey),
    },
    isNamed: !isPayment && stated.some((link) => lookUp.payments(link).some(isOfPayment)),
  };
};

const isOfPayment = ({ paymentId }: { readonly paymentId: string }): boolean => paymentId !== '';

const isStated = ({ joins }: { readonly joins: number }): boolean => joins === 1;

/** The orders that a link leads to: of payments, and of a registration. */
const keysOf = (link: Link, lookUp: LookUp): readonly OrderKey[] => {
  const { clientId, value } = link;
  const payments = lookUp
    .payments(link)
    .flatMap(({ paymentId }) => (paymentId === '' ? [] : [{ clientId, orderKey: paymentId }]));
  return lookUp.registration(link) === null ? payments : [...payments, { clientId, orderKey: registrationKey(value) }];
};
