import { isDeepStrictEqual } from 'node:util';
import { finalAmountProblem, type Registration, sameRegistration } from '../order/registration.ts';
import type { OrderRules } from '../order/rules.ts';
import { registrationCheck } from './checksum.ts';
import { derive } from './derive.ts';
import { linkLock } from './lock.ts';
import type { Link } from './order-key.ts';
import { isoTime } from './row.ts';
import type { Amendment, AmendResult, RegisterResult, RegistrationVersion, StoredRegistration } from './store.ts';
import type { Count, Database, Query, Transaction } from './transaction.ts';

/** A row of `registrations`; `replaced_at` is 0 while it stands. */
export interface RegistrationColumns {
  readonly client_id: string;
  readonly payment_request_id: string;
  readonly replaced_at: Count;
  /** JSON: everything that the shop said, but for the names of client and payment. */
  readonly expectation: string;
  readonly created_at: Count;
  readonly updated_at: Count;
}

export const REGISTRATION_COLUMNS = 'client_id, payment_request_id, replaced_at, expectation, created_at, updated_at';

interface Around {
  readonly rules: OrderRules;
  /** Epoch milliseconds. */
  readonly now: number;
}

/** Registers what to expect, and derives every order that it belongs to. */
export const register = async (
  database: Database,
  registration: Registration,
  { replace, ...around }: Around & { readonly replace: boolean },
): Promise<RegisterResult> =>
  await database.transact([linkLock(linkOf(registration))], async (transaction) => {
    const standing = await find(transaction.query, registration);
    if (standing === null) return { kind: 'created', registration: await write(transaction, { registration }, around) };
    if (sameRegistration(standing, registration)) return { kind: 'unchanged', registration: standing };
    const kept = { ...registration, finalAmount: standing.finalAmount, cancelled: standing.cancelled };
    if (!replace || finalAmountProblem(kept) !== null) return { kind: 'conflict', registration: standing };
    return { kind: 'replaced', registration: await write(transaction, { registration: kept, standing }, around) };
  });

/** Changes some fields of what is registered; what stood stays on record. */
export const amend = async (database: Database, amendment: Amendment, around: Around): Promise<AmendResult> =>
  await database.transact([linkLock(linkOf(amendment))], async (transaction) => {
    const standing = await find(transaction.query, amendment);
    if (standing === null) return { kind: 'unknown' };
    const registration = { ...standing, ...amendment.changes };
    const problem = finalAmountProblem(registration);
    if (problem !== null) return { kind: 'invalid', problem };
    if (isDeepStrictEqual(standing, registration)) return { kind: 'unchanged', registration: standing };
    return { kind: 'replaced', registration: await write(transaction, { registration, standing }, around) };
  });

interface Around {
  readonly rules: OrderRules;
  /** Epoch milliseconds. */
  readonly now: number;
}

interface Written {
  readonly registration: Registration;
  readonly standing?: StoredRegistration;
}

const write = async (
  transaction: Transaction,
  { registration, standing }: Written,
  { rules, now }: Around,
): Promise<StoredRegistration> => {
  const { query } = transaction;
  const written = { ...registration, createdAt: standing?.createdAt ?? isoTime(now), updatedAt: isoTime(now) };
  if (standing !== undefined) await markReplaced(query, registration, now);
  await insert(query, { ...written, replacedAt: null });
  await derive(transaction, { keys: [], links: [linkOf(registration)] }, { rules, now });
  return written;
};

export const linkOf = ({ clientId, paymentRequestId }: Pick<Registration, 'clientId' | 'paymentRequestId'>): Link => ({
  clientId,
  name: 'paymentRequestId',
  value: paymentRequestId,
});

const find = async (
  query: Query,
  { clientId, paymentRequestId }: Pick<Registration, 'clientId' | 'paymentRequestId'>,
): Promise<StoredRegistration | null> => {
  const [row] = await query<RegistrationColumns>(
    `select ${REGISTRATION_COLUMNS}
     from registrations
     where client_id = $1 and payment_request_id = $2 and replaced_at = 0`,
    [clientId, paymentRequestId],
  );
  if (row === undefined) return null;
  const { replacedAt: _replaced, ...standing } = toVersion(row);
  return standing;
};

/** Never at the time of an earlier replacement. */
const markReplaced = async (query: Query, { clientId, paymentRequestId }: Registration, now: number): Promise<void> => {
  const [row] = await query<{ last: Count | null }>(
    `select max(replaced_at) as last from registrations where client_id = $1 and payment_request_id = $2`,
    [clientId, paymentRequestId],
  );
  await query(
    `update registrations
     set replaced_at = $3
     where client_id = $1 and payment_request_id = $2 and replaced_at = 0`,
    [clientId, paymentRequestId, Math.max(now, Number(row?.last ?? 0) + 1)],
  );
};

const insert = async (query: Query, version: RegistrationVersion): Promise<boolean> => {
  const { clientId, paymentRequestId, createdAt, updatedAt, replacedAt, ...expectation } = version;
  const text = JSON.stringify(expectation);
  const inserted = await query(
    `insert into registrations (${REGISTRATION_COLUMNS}, expectation_check)
     values ($1, $2, $3, $4, $5, $6, $7)
     on conflict (client_id, payment_request_id, replaced_at) do nothing
     returning 1 as inserted`,
    [
      clientId,
      paymentRequestId,
      replacedAt === null ? 0 : Date.parse(replacedAt),
      text,
      Date.parse(createdAt),
      Date.parse(updatedAt),
      registrationCheck(clientId, paymentRequestId, text),
    ],
  );
  return inserted.length > 0;
};

export const toRegistration = ({
  client_id,
  payment_request_id,
  expectation,
}: Pick<RegistrationColumns, 'client_id' | 'payment_request_id' | 'expectation'>): Registration => ({
  clientId: client_id,
  paymentRequestId: payment_request_id,
  // Written by `insert`.
  ...(JSON.parse(expectation) as Omit<Registration, 'clientId' | 'paymentRequestId'>),
});

export const toVersion = (row: RegistrationColumns): RegistrationVersion => ({
  ...toRegistration(row),
  createdAt: isoTime(row.created_at),
  updatedAt: isoTime(row.updated_at),
  replacedAt: Number(row.replaced_at) === 0 ? null : isoTime(row.replaced_at),
});

/** Takes in registrations of another store; of two that stand the younger one does. Returns how many were not there. */
export const importRegistrations = async (
  database: Database,
  versions: readonly RegistrationVersion[],
  { rules, now }: { readonly rules: OrderRules; readonly now: number },
): Promise<number> => {
  const parts = await database.inParts(versions, async (part) => {
    const links = part.map(linkOf);
    return await database.transact(links.map(linkLock), async (transaction) => {
      let added = 0;
      for (const version of part) added += Number(await importOne(transaction.query, version));
      await derive(transaction, { keys: [], links }, { rules, now });
      return added;
    });
  });
  return parts.reduce((all, added) => all + added, 0);
};

const importOne = async (query: Query, version: RegistrationVersion): Promise<boolean> => {
  if (await insert(query, version)) return true;
  const { clientId, paymentRequestId, createdAt, updatedAt, replacedAt, ...expectation } = version;
  if (replacedAt !== null) return false;
  const text = JSON.stringify(expectation);
  await query(
    `update registrations
     set expectation = $3, expectation_check = $6, updated_at = $5,
       created_at = case when created_at < $4 then created_at else $4 end
     where client_id = $1 and payment_request_id = $2 and replaced_at = 0 and updated_at <= $5`,
    [
      clientId,
      paymentRequestId,
      text,
      Date.parse(createdAt),
      Date.parse(updatedAt),
      registrationCheck(clientId, paymentRequestId, text),
    ],
  );
  return false;
};
