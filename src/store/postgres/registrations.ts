import { type Registration, sameRegistration } from '../../order/registration.ts';
import type { RegisterResult, StoredRegistration } from '../store.ts';
import { paymentRequestLock } from './locks.ts';
import type { Query } from './query.ts';
import type { Refresh } from './refresh.ts';
import type { Database, Transaction } from './transaction.ts';

interface Options {
  readonly replace: boolean;
  readonly now: Date;
}

/** Registers what to expect, and derives every order that it belongs to. */
export type Registering = (registration: Registration, options: Options) => Promise<RegisterResult>;

export const openRegistering = ({ transact }: Database, refresh: Refresh): Registering => {
  const write = async (
    transaction: Transaction,
    registration: Registration,
    now: Date,
  ): Promise<StoredRegistration> => {
    const { clientId, paymentRequestId } = registration;
    const written = await upsert(transaction.query, registration, now);
    await refresh(transaction, { keys: [], links: [{ clientId, paymentRequestId, captureId: null }] }, now);
    return written;
  };

  return async (registration, { replace, now }) =>
    await transact([paymentRequestLock(registration.clientId, registration.paymentRequestId)], async (transaction) => {
      const known = await find(transaction.query, registration);
      if (known === null) return { kind: 'created', registration: await write(transaction, registration, now) };
      if (sameRegistration(known, registration)) return { kind: 'unchanged', registration: known };
      if (!replace) return { kind: 'conflict', registration: known };
      await keepReplaced(transaction.query, registration, now);
      return { kind: 'replaced', registration: await write(transaction, registration, now) };
    });
};

interface Row {
  readonly client_id: string;
  readonly payment_request_id: string;
  readonly currency: string;
  readonly value: string;
  readonly reference_order_id: string | null;
  readonly capture_mode: Registration['captureMode'];
  readonly created_at: Date;
  readonly updated_at: Date;
}

const COLUMNS =
  'client_id, payment_request_id, currency, value, reference_order_id, capture_mode, created_at, updated_at';

const find = async (query: Query, { clientId, paymentRequestId }: Registration): Promise<StoredRegistration | null> => {
  const [row] = await query<Row>(
    `select ${COLUMNS}
     from registrations
     where client_id = $1 and payment_request_id = $2`,
    [clientId, paymentRequestId],
  );
  return row === undefined ? null : toStored(row);
};

const upsert = async (query: Query, registration: Registration, now: Date): Promise<StoredRegistration> => {
  const { clientId, paymentRequestId, amount, referenceOrderId, captureMode } = registration;
  const [row] = await query<Row>(
    `insert into registrations (${COLUMNS})
     values ($1, $2, $3, $4, $5, $6, $7, $7)
     on conflict (client_id, payment_request_id) do update
     set currency = excluded.currency, value = excluded.value, reference_order_id = excluded.reference_order_id,
       capture_mode = excluded.capture_mode, updated_at = excluded.updated_at
     returning ${COLUMNS}`,
    [clientId, paymentRequestId, amount.currency, amount.value, referenceOrderId, captureMode, now.toISOString()],
  );
  return toStored(row as Row);
};

const keepReplaced = async (query: Query, { clientId, paymentRequestId }: Registration, now: Date): Promise<void> => {
  await query(
    `insert into replaced_registrations (${COLUMNS}, replaced_at)
     select ${COLUMNS}, greatest($3::timestamptz, (
       select max(replaced_at) + interval '1 millisecond'
       from replaced_registrations
       where client_id = $1 and payment_request_id = $2
     ))
     from registrations
     where client_id = $1 and payment_request_id = $2`,
    [clientId, paymentRequestId, now.toISOString()],
  );
};

const toStored = (row: Row): StoredRegistration => ({
  clientId: row.client_id,
  paymentRequestId: row.payment_request_id,
  amount: { currency: row.currency, value: row.value },
  referenceOrderId: row.reference_order_id,
  captureMode: row.capture_mode,
  createdAt: row.created_at.toISOString(),
  updatedAt: row.updated_at.toISOString(),
});
