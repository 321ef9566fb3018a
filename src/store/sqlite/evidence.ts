import type { DatabaseSync } from 'node:sqlite';
import type { Registration } from '../../order/registration.ts';
import { factsOf } from '../entry.ts';
import { paymentIdOf } from '../order-key.ts';
import type { EvidenceRow, StoredEvidence } from '../projection.ts';
import type { Outcome, StoredRegistration } from '../store.ts';
import type { Clients } from './clients.ts';
import { hex, isoTime, prepare, prepareLists, type Query } from './query.ts';

/** Reads all that is stored about an order, from whichever connection. */
export interface Evidence {
  readonly read: (client: number, orderKey: string) => StoredEvidence;
  readonly registration: (client: number, paymentRequestId: string) => StoredRegistration | null;
  /** The payments whose notifications name this `paymentRequestId`. */
  readonly paymentsNaming: (client: number, paymentRequestId: string) => readonly string[];
  /** The payments whose notifications name this `captureId`. */
  readonly paymentsCapturedAs: (client: number, captureId: string) => readonly string[];
  /** What was looked up is remembered until then: to be called when notifications change, and after a transaction. */
  readonly forget: () => void;
}

type FactsRow = readonly [
  digest: Uint8Array,
  notifyType: string,
  paymentRequestId: string | null,
  captureId: string | null,
  outcome: Outcome,
  facts: string | null,
];

interface RegistrationRow {
  readonly currency: string;
  readonly value: string;
  readonly reference_order_id: string | null;
  readonly capture_mode: Registration['captureMode'];
  readonly created_at: number;
  readonly updated_at: number;
}

export const openEvidence = (db: DatabaseSync, clients: Clients): Evidence => {
  const selectFacts = prepareLists<FactsRow>(
    db,
    `select digest, notify_type, payment_request_id, capture_id, outcome, facts
     from notifications
     where client = ? and payment_id = ?`,
  );
  const selectRegistration = prepare<RegistrationRow>(
    db,
    `select currency, value, reference_order_id, capture_mode, created_at, updated_at
     from registrations
     where client = ? and payment_request_id = ?`,
  );
  const selectNaming = prepareLists<readonly [paymentId: string]>(
    db,
    `select payment_id
     from notifications
     where client = ? and payment_request_id = ? and outcome = 'APPLIED'`,
  );
  const selectCapturedAs = prepareLists<readonly [paymentId: string]>(
    db,
    `select payment_id
     from notifications
     where client = ? and capture_id = ? and outcome = 'APPLIED'`,
  );

  const registration = (client: number, paymentRequestId: string): StoredRegistration | null => {
    const row = selectRegistration.get(client, paymentRequestId);
    if (row === undefined) return null;
    return {
      clientId: clients.idOf(client),
      paymentRequestId,
      amount: { currency: row.currency, value: row.value },
      referenceOrderId: row.reference_order_id,
      captureMode: row.capture_mode,
      createdAt: isoTime(row.created_at),
      updatedAt: isoTime(row.updated_at),
    };
  };
  const naming = lookUp(selectNaming);
  const capturedAs = lookUp(selectCapturedAs);
  const paymentsNaming = naming.payments;
  const paymentsCapturedAs = capturedAs.payments;

  const readRegistered = (client: number, orderKey: string): StoredEvidence => {
    const registered = registration(client, orderKey.slice(1));
    return {
      clientId: clients.idOf(client),
      paymentId: null,
      rows: [],
      registrations: registered === null ? [] : [registered],
      sharesIdentity: false,
    };
  };

  const readPayment = (client: number, paymentId: string): StoredEvidence => {
    const rows = selectFacts.all(client, paymentId);
    const requests = new Set<string>();
    const captures = new Set<string>();
    for (const [, , paymentRequestId, captureId, outcome] of rows) {
      if (outcome !== 'APPLIED') continue;
      if (paymentRequestId !== null) requests.add(paymentRequestId);
      if (captureId !== null) captures.add(captureId);
    }
    return {
      clientId: clients.idOf(client),
      paymentId,
      rows: rows.map((row) => toEvidenceRow(row, paymentId)),
      registrations: [...requests].flatMap((request) => registration(client, request) ?? []),
      sharesIdentity:
        [...requests].some((request) => paymentsNaming(client, request).length > 1) ||
        [...captures].some((capture) => paymentsCapturedAs(client, capture).length > 1),
    };
  };

  return {
    read: (client, orderKey) =>
      paymentIdOf(orderKey) === null ? readRegistered(client, orderKey) : readPayment(client, orderKey),
    registration,
    paymentsNaming,
    paymentsCapturedAs,
    forget: () => {
      naming.forget();
      capturedAs.forget();
    },
  };
};

interface LookUp {
  readonly payments: (client: number, identifier: string) => readonly string[];
  readonly forget: () => void;
}

/** Looks each identifier up once, until it is told to forget. */
const lookUp = (query: Pick<Query<readonly [paymentId: string]>, 'all'>): LookUp => {
  const known = new Map<string, readonly string[]>();
  return {
    payments: (client, identifier) => {
      const name = `${client} ${identifier}`;
      const found = known.get(name) ?? [...new Set(query.all(client, identifier).map(([paymentId]) => paymentId))];
      known.set(name, found);
      return found;
    },
    forget: () => known.clear(),
  };
};

const toEvidenceRow = ([digest, notifyType, , , outcome, facts]: FactsRow, paymentId: string): EvidenceRow => ({
  bodyDigest: hex(digest),
  notifyType,
  outcome,
  facts: facts === null ? null : factsOf(JSON.parse(facts) as object, paymentId),
});
