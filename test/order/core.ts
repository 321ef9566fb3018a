import { createHash } from 'node:crypto';
import { readStored } from '../../src/handlers/read-stored.ts';
import type { Asked } from '../../src/order/asked.ts';
import { NO_SIBLINGS } from '../../src/order/evidence.ts';
import type { DerivedOrder } from '../../src/order/order.ts';
import type { Registration } from '../../src/order/registration.ts';
import type { OrderRules } from '../../src/order/rules.ts';
import { project } from '../../src/store/derive.ts';
import { registrationKey } from '../../src/store/order-key.ts';
import { type IdentifierRow, type Joins, orderOf as orderOfEntry, toReadingColumns } from '../../src/store/row.ts';
import { type EvidenceRow, readStatements, toStoredOrder } from '../../src/store/stored-order.ts';
import type { Fields } from '../support/facts.ts';
import { CLIENT } from '../support/facts.ts';
import type { AttentionCode } from '../../src/order/attention-code.ts';
import type { ReceivedNotification } from './oracle/tell-orders.ts';
import { DEFAULTS, registration } from './settings.ts';

/*
 * The pure core run over notifications held in an array, as a store runs it over its rows: orders without a
 * database. The rows keep the order of arrival, so that a core that looks at it is found out.
 */

/** A capture is always required: most tests are not about methods. */
export const RULES: OrderRules = { ...DEFAULTS, captureRequired: 'always' };

export interface Known {
  readonly received: readonly ReceivedNotification[];
  /** The current ones: one a client and `paymentRequestId`. */
  readonly registrations: readonly Registration[];
  readonly rules: OrderRules;
  /** Epoch milliseconds; everything is received and registered at 0. */
  readonly now?: number;
}

/** An order with the codes of its attention alone. */
export type CodedOrder = Omit<DerivedOrder, 'attention'> & { readonly attention: readonly AttentionCode[] };

interface Row extends EvidenceRow {
  readonly clientId: string;
  /** Null where it belongs to no order. */
  readonly paymentId: string | null;
  /** By what it states. */
  readonly links: readonly string[];
  /** By what is legible in one that could not be read. */
  readonly legible: readonly string[];
}

/** Reading is the same for the same bytes, and an exhaustive table reads the same few bodies very often. */
const readings = new Map<string, Omit<Row, 'clientId'>>();

const rowOf = ({ body, askedAbout }: Received): Omit<Row, 'clientId'> => {
  const name = nameOf({ body, askedAbout });
  const known = readings.get(name) ?? toRow({ body, askedAbout });
  readings.set(name, known);
  return known;
};

type Received = Omit<ReceivedNotification, 'clientId'>;

const nameOf = ({ body, askedAbout }: Received): string => (askedAbout === undefined ? body : `${askedAbout} ${body}`);

/** What was asked; null for a notification. */
export const askedOf = ({ askedAbout }: Pick<ReceivedNotification, 'askedAbout'>): Asked | null =>
  askedAbout === undefined ? null : { operation: 'inquiryPayment', paymentId: askedAbout };

const namesWith = (wanted: Joins, identifiers: readonly IdentifierRow[]): readonly string[] =>
  identifiers.filter(({ joins }) => joins === wanted).map(({ name, value }) => `${name} ${value}`);

const toRow = ({ body, askedAbout }: Received): Omit<Row, 'clientId'> => {
  const asked = askedOf({ askedAbout });
  const columns = toReadingColumns(readStored({ asked, body: Buffer.from(body) }));
  const { outcome, problem, statements, identifiers } = columns;
  const digest = createHash('sha256').update(nameOf({ body, askedAbout })).digest('hex');
  const [order = null] = orderOfEntry({ clientId: '', ...columns });
  return {
    position: '0',
    digest,
    kind: columns.kind,
    outcome,
    problem,
    statements: readStatements(statements, { outcome, digest }),
    firstReceivedAt: 0,
    paymentId: order?.orderKey ?? null,
    links: namesWith(1, identifiers),
    legible: namesWith(2, identifiers),
  };
};

/** Every order of every client, in the order of the oracle's. `received` and `registrations` are as they arrived. */
export const deriveOrders = ({ received, registrations, rules, now = 0 }: Known): readonly DerivedOrder[] => {
  const distinct = new Map(
    received.map(({ clientId, ...one }) => [`${clientId} ${nameOf(one)}`, { clientId, ...rowOf(one) }]),
  );
  const current = new Map(registrations.map((one) => [`${one.clientId} ${one.paymentRequestId}`, one]));
  const clientIds = new Set([...received, ...registrations].map(({ clientId }) => clientId));
  return [...clientIds].sort().flatMap((clientId) =>
    deriveOrdersOf({
      clientId,
      rows: [...distinct.values()].filter((row) => row.clientId === clientId),
      registrations: [...current.values()].filter((one) => one.clientId === clientId),
      rules,
      now,
    }),
  );
};

interface OfClient {
  readonly clientId: string;
  readonly rows: readonly Row[];
  readonly registrations: readonly Registration[];
  readonly rules: OrderRules;
  readonly now: number;
}

const linkTo = ({ paymentRequestId }: Registration): string => `paymentRequestId ${paymentRequestId}`;

const deriveOrdersOf = ({ clientId, rows, registrations, rules, now }: OfClient): readonly DerivedOrder[] => {
  const derive = (
    { orderKey, isShared }: { readonly orderKey: string; readonly isShared: boolean },
    own: readonly Row[],
    named: readonly Registration[],
  ) =>
    project(
      toStoredOrder(
        {
          clientId,
          orderKey,
          notifications: own.map((row, index) => ({ ...row, position: String(index) })),
          registrations: named.map((one) => ({ ...one, createdAt: 0 })),
          review: null,
          hints: { refunds: false, unreadable: false, siblings: false, shared: false, moving: false },
          isNamed: isShared,
          before: null,
          row: null,
        },
        {
          notifications: [],
          moving: [],
          sharedIdentities: isShared ? ['an identifier of another payment'] : [],
          siblings: NO_SIBLINGS,
          replaces: null,
        },
      ),
      { rules, now },
    ).derived?.order ?? null;
  const paymentIds = [...new Set(rows.flatMap(({ paymentId }) => paymentId ?? []))].sort();
  const byPayments = paymentIds.map((paymentId) => {
    const own = rows.filter((row) => row.paymentId === paymentId);
    const links = new Set(own.flatMap((row) => row.links));
    const isShared = rows.some((row) => row.paymentId !== paymentId && row.links.some((link) => links.has(link)));
    const leads = new Set([...links, ...own.flatMap((row) => row.legible)]);
    const unreadable = rows.filter((row) => row.paymentId !== paymentId && row.legible.some((name) => leads.has(name)));
    return derive(
      { orderKey: paymentId, isShared },
      [...own, ...unreadable],
      registrations.filter((one) => leads.has(linkTo(one))),
    );
  });
  const byRegistrations = registrations
    .toSorted((a, b) => (a.paymentRequestId < b.paymentRequestId ? -1 : 1))
    .map((one) => {
      const naming = rows.filter((row) => [...row.links, ...row.legible].includes(linkTo(one)));
      const isShared = naming.some(({ paymentId }) => paymentId !== null);
      return derive({ orderKey: registrationKey(one.paymentRequestId), isShared }, naming, [one]);
    });
  return [...byPayments, ...byRegistrations].filter((order) => order !== null);
};

export const toCoded = (order: DerivedOrder): CodedOrder => ({
  ...order,
  attention: order.attention.map(({ code }) => code),
});

export const toReceived = (fields: Fields, clientId: string = CLIENT): ReceivedNotification => ({
  clientId,
  body: JSON.stringify(fields),
});

interface Around {
  readonly registrations?: readonly Partial<Registration>[];
  readonly rules?: Partial<OrderRules>;
  readonly clientId?: string;
  /** Epoch milliseconds. */
  readonly now?: number;
}

/** A registration of JPY 120 under R1. */
export const registered = (fields: Partial<Registration> = {}): Registration => {
  const { createdAt: _createdAt, ...rest } = registration(fields);
  return rest;
};

/** The only order that these notifications make. */
export const orderOf = (
  notifications: readonly Fields[],
  { registrations = [], rules, clientId = CLIENT, now = 0 }: Around = {},
): CodedOrder => {
  const [order, ...others] = deriveOrders({
    received: notifications.map((fields) => toReceived(fields, clientId)),
    registrations: registrations.map((one) => registered({ clientId, ...one })),
    rules: { ...RULES, ...rules },
    now,
  });
  if (order === undefined || others.length > 0)
    throw new Error(`expected one order, got ${others.length + Number(order !== undefined)}`);
  return toCoded(order);
};
