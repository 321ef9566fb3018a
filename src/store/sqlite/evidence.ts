import type { DatabaseSync } from 'node:sqlite';
import type { Outcome } from '../../order/reading.ts';
import { linksOf } from '../../order/statement.ts';
import { type Link, nameOfOrder, type OrderKey, paymentIdOf, registrationKey, type TouchedKey } from '../order-key.ts';
import { linkOf, toRegistration } from '../register.ts';
import { hexOf, OF_ORDERS, type RegistrationRow, statementsOf, type StoredOrder, toStoredOrder } from '../row.ts';
import type { Snapshot } from '../transaction.ts';
import { prepare } from './query.ts';

type NotificationRow = readonly [
  position: number,
  digest: Uint8Array,
  outcome: Outcome,
  problem: string | null,
  statements: string | null,
  firstReceivedAt: number,
];

/** Reads all that is stored about orders, from whichever connection. */
export const createEvidence = (db: DatabaseSync): Snapshot['evidence'] => {
  const columns = 'position, digest, outcome, problem, statements, first_received_at';
  const selectNotifications = prepare<NotificationRow>(
    db,
    `select ${columns} from notifications where client_id = ? and payment_id = ? and ${OF_ORDERS}`,
  );
  const selectNotification = prepare<NotificationRow>(
    db,
    `select ${columns} from notifications where position = ? and ${OF_ORDERS}`,
  );
  const selectRow = prepare<readonly [updatedAt: number, position: number, fold: string | null]>(
    db,
    'select updated_at, position, fold from orders where client_id = ? and order_key = ?',
  );
  const createLookUp = createLookUps(db);

  return async ({ keys, links }, extent) => {
    const lookUp = createLookUp();

    const read = ({ clientId, orderKey, positions = [] }: TouchedKey): StoredOrder => {
      const paymentId = paymentIdOf(orderKey);
      const row = selectRow.get(clientId, orderKey);
      const selectRows = (): readonly NotificationRow[] => {
        if (extent === 'given') return positions.flatMap((position) => selectNotification.all(Number(position)));
        const isLeftOut = extent === 'unless folded' && (row?.[2] ?? null) !== null;
        return paymentId === null || isLeftOut ? [] : selectNotifications.all(clientId, paymentId);
      };
      const notifications = selectRows().map(([position, digest, outcome, problem, statements, firstReceivedAt]) => ({
        position: String(position),
        digest: hexOf(digest),
        outcome,
        problem,
        statements,
        firstReceivedAt,
      }));
      const statements = statementsOf(notifications);
      const own =
        paymentId === null
          ? [linkOf({ clientId, paymentRequestId: orderKey.slice(1) })]
          : distinctLinks(statements.flatMap(linksOf).map(({ name, value }) => ({ clientId, name, value })));
      return toStoredOrder({
        clientId,
        orderKey,
        notifications,
        statements,
        registrations: own.flatMap((link) => lookUp.registration(link) ?? []),
        isShared: own.some((link) => lookUp.payments(link).some((other) => other !== orderKey)),
        row: row === undefined ? null : { updatedAt: row[0], position: String(row[1]), fold: row[2] },
      });
    };

    const touched = new Map<string, TouchedKey>(keys.map((key) => [nameOfOrder(key), key]));
    for (const link of links) {
      for (const key of keysOf(link, lookUp)) touched.set(nameOfOrder(key), key);
    }
    return [...touched.values()].map(read);
  };
};

const distinctLinks = (links: readonly Link[]): readonly Link[] =>
  links.length < 2 ? links : [...new Map(links.map((link) => [nameOfLink(link), link])).values()];

const nameOfLink = ({ clientId, name, value }: Link): string => `${name}\n${value}\n${clientId}`;

/** The orders that a link leads to: of payments, and of a registration. */
const keysOf = (link: Link, lookUp: LookUp): readonly OrderKey[] => {
  const { clientId, value } = link;
  const payments = lookUp.payments(link).map((orderKey) => ({ clientId, orderKey }));
  return lookUp.registration(link) === null ? payments : [...payments, { clientId, orderKey: registrationKey(value) }];
};

/** Looks each link up once. */
interface LookUp {
  /** The payments whose notifications name it. */
  readonly payments: (link: Link) => readonly string[];
  readonly registration: (link: Link) => RegistrationRow | null;
}

const createLookUps = (db: DatabaseSync): (() => LookUp) => {
  const selectPayments = prepare<readonly [paymentId: string]>(
    db,
    `select n.payment_id
     from identifiers i
     join notifications n on n.position = i.position
     where i.value = ? and i.name = ? and i.client_id = ? and i.joins = 1`,
  );
  const selectRegistration = prepare<readonly [expectation: string, createdAt: number]>(
    db,
    `select expectation, created_at
     from registrations
     where client_id = ? and payment_request_id = ? and replaced_at = 0`,
  );

  const findPayments = ({ clientId, name, value }: Link): readonly string[] => [
    ...new Set(selectPayments.all(value, name, clientId).map(([paymentId]) => paymentId)),
  ];
  const findRegistration = ({ clientId, name, value }: Link): RegistrationRow | null => {
    const row = name === 'paymentRequestId' ? selectRegistration.get(clientId, value) : undefined;
    if (row === undefined) return null;
    const [expectation, createdAt] = row;
    return {
      registration: toRegistration({ client_id: clientId, payment_request_id: value, expectation }),
      createdAt,
    };
  };
  return () => ({ payments: remembering(findPayments), registration: remembering(findRegistration) });
};

const remembering = <T>(find: (link: Link) => T): ((link: Link) => T) => {
  const found = new Map<string, T>();
  return (link) => {
    const name = nameOfLink(link);
    const before = found.get(name);
    if (before !== undefined) return before;
    const value = find(link);
    found.set(name, value);
    return value;
  };
};
