import type { DatabaseSync } from 'node:sqlite';
import { type Registration, sameRegistration } from '../../order/registration.ts';
import type { RegisterResult, StoredRegistration } from '../store.ts';
import { registrationKey } from '../order-key.ts';
import type { Clients } from './clients.ts';
import type { Evidence } from './evidence.ts';
import { prepare } from './query.ts';
import { type Deriving, nothingTouched, touch } from './touched.ts';

interface Tools {
  readonly clients: Clients;
  readonly evidence: Evidence;
  readonly deriving: Deriving;
}

interface Options {
  readonly replace: boolean;
  readonly now: number;
}

/** Registers what to expect, inside the caller's transaction, and derives every order that it belongs to. */
export type Registering = (registration: Registration, options: Options) => RegisterResult;

export const openRegistering = (db: DatabaseSync, { clients, evidence, deriving }: Tools): Registering => {
  const keepReplaced = prepare(
    db,
    `insert into replaced_registrations
     select *, max(?, coalesce((
       select max(replaced_at) + 1
       from replaced_registrations r
       where r.client = registrations.client and r.payment_request_id = registrations.payment_request_id
     ), 0))
     from registrations
     where client = ? and payment_request_id = ?`,
  );
  const upsert = prepare(
    db,
    `insert into registrations (currency, value, reference_order_id, capture_mode, created_at, updated_at, client, payment_request_id)
     values (?, ?, ?, ?, ?, ?, ?, ?)
     on conflict do update
     set currency = excluded.currency, value = excluded.value, reference_order_id = excluded.reference_order_id,
       capture_mode = excluded.capture_mode, updated_at = excluded.updated_at`,
  );

  const write = (client: number, registration: Registration, now: number): StoredRegistration => {
    const { paymentRequestId, amount, referenceOrderId, captureMode } = registration;
    upsert.run(amount.currency, amount.value, referenceOrderId, captureMode, now, now, client, paymentRequestId);
    const touched = nothingTouched();
    touch(touched, client, [registrationKey(paymentRequestId), ...evidence.paymentsNaming(client, paymentRequestId)]);
    deriving.derive(touched, now);
    return evidence.registration(client, paymentRequestId) as StoredRegistration;
  };

  return (registration, { replace, now }) => {
    const client = clients.numberOf(registration.clientId);
    const known = evidence.registration(client, registration.paymentRequestId);
    if (known === null) return { kind: 'created', registration: write(client, registration, now) };
    if (sameRegistration(known, registration)) return { kind: 'unchanged', registration: known };
    if (!replace) return { kind: 'conflict', registration: known };
    keepReplaced.run(now, client, registration.paymentRequestId);
    return { kind: 'replaced', registration: write(client, registration, now) };
  };
};
