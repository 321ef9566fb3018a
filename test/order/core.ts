import { createHash } from 'node:crypto';
import { type Reading, readBody } from '../../src/antom/notification.ts';
import { handlers } from '../../src/handlers/index.ts';
import type { Derivation, EvidenceRow } from '../../src/store/projection.ts';
import { linksOf, project } from '../../src/store/projection.ts';
import type { DerivedOrder, OrderRules } from '../../src/order/order.ts';
import type { Registration } from '../../src/order/registration.ts';
import type { Fields } from '../support/facts.ts';
import { CLIENT } from '../support/facts.ts';
import type { ReceivedNotification, Told, ToldOrder } from './oracle.ts';

/*
 * The pure core run over notifications held in an array, as a store runs it over its rows: orders without a
 * database. The rows keep the order of arrival, so that a core that looks at it is found out.
 */

/** The contract's defaults. */
export const RULES: OrderRules = { captureRequired: 'always', captureMode: 'AUTOMATIC', production: false };

interface Row extends EvidenceRow {
  readonly clientId: string;
  readonly paymentId: string | null;
  readonly paymentRequestId: string | null;
  readonly captureId: string | null;
}

/** Reading is the same for the same bytes, and an exhaustive table reads the same few bodies very often. */
const readings = new Map<string, Omit<Row, 'clientId'>>();

const rowOf = (body: string): Omit<Row, 'clientId'> => {
  const known = readings.get(body) ?? columnsOf(readBody(Buffer.from(body), handlers), body);
  readings.set(body, known);
  return known;
};

const columnsOf = (reading: Reading, body: string): Omit<Row, 'clientId'> => {
  const bodyDigest = createHash('sha256').update(body).digest('hex');
  const { outcome } = reading;
  const notifyType = reading.notifyType ?? '';
  const none = { paymentRequestId: null, captureId: null };
  if (reading.outcome === 'APPLIED') {
    const { facts } = reading;
    return {
      bodyDigest,
      notifyType,
      outcome,
      facts,
      paymentId: facts.paymentId,
      ...linksOf(notifyType, facts, handlers),
    };
  }
  return {
    bodyDigest,
    notifyType,
    outcome,
    facts: null,
    paymentId: reading.outcome === 'MALFORMED' ? reading.paymentId : null,
    ...none,
  };
};

/** Every order of every client, in the order of the oracle's. `received` and `registrations` are as they arrived. */
export const deriveOrders = ({ received, registrations, rules }: Told): readonly DerivedOrder[] => {
  const distinct = new Map(received.map(({ clientId, body }) => [`${clientId} ${body}`, { clientId, ...rowOf(body) }]));
  const current = new Map(registrations.map((one) => [`${one.clientId} ${one.paymentRequestId}`, one]));
  const clientIds = new Set([...received, ...registrations].map(({ clientId }) => clientId));
  return [...clientIds].sort().flatMap((clientId) =>
    deriveOrdersOf({
      clientId,
      rows: [...distinct.values()].filter((row) => row.clientId === clientId),
      registrations: [...current.values()].filter((one) => one.clientId === clientId),
      derivation: { handlers, rules },
    }),
  );
};

interface OfClient {
  readonly clientId: string;
  readonly rows: readonly Row[];
  readonly registrations: readonly Registration[];
  readonly derivation: Derivation;
}

const deriveOrdersOf = ({ clientId, rows, registrations, derivation }: OfClient): readonly DerivedOrder[] => {
  const paymentIds = [...new Set(rows.flatMap(({ paymentId }) => paymentId ?? []))].sort();
  const byPayments = paymentIds.map((paymentId) => {
    const own = rows.filter((row) => row.paymentId === paymentId);
    const shares = (name: 'paymentRequestId' | 'captureId') =>
      own.some(
        (row) => row[name] !== null && rows.some((other) => other.paymentId !== paymentId && other[name] === row[name]),
      );
    return project(
      {
        clientId,
        paymentId,
        rows: own,
        registrations: registrations.filter((one) => own.some((row) => row.paymentRequestId === one.paymentRequestId)),
        sharesIdentity: shares('paymentRequestId') || shares('captureId'),
      },
      derivation,
    ).order;
  });
  const unnamed = registrations.filter((one) => !rows.some((row) => row.paymentRequestId === one.paymentRequestId));
  const byRegistrations = [...unnamed]
    .sort((a, b) => (a.paymentRequestId < b.paymentRequestId ? -1 : 1))
    .map(
      (one) =>
        project({ clientId, paymentId: null, rows: [], registrations: [one], sharesIdentity: false }, derivation).order,
    );
  return [...byPayments, ...byRegistrations].filter((order) => order !== null);
};

/** An order in the oracle's words. */
export const toTold = (order: DerivedOrder): ToldOrder => ({
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
}

/** A registration of JPY 120 under R1. */
export const registered = (fields: Partial<Registration> = {}): Registration => ({
  clientId: CLIENT,
  paymentRequestId: 'R1',
  amount: { currency: 'JPY', value: '120' },
  referenceOrderId: null,
  captureMode: null,
  ...fields,
});

/** The only order that these notifications make. */
export const orderOf = (
  notifications: readonly Fields[],
  { registrations = [], rules, clientId = CLIENT }: Around = {},
): ToldOrder => {
  const [order, ...others] = deriveOrders({
    received: notifications.map((fields) => toReceived(fields, clientId)),
    registrations: registrations.map((one) => registered({ clientId, ...one })),
    rules: { ...RULES, ...rules },
  });
  if (order === undefined || others.length > 0)
    throw new Error(`expected one order, got ${others.length + Number(order !== undefined)}`);
  return toTold(order);
};
