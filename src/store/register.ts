import { isDeepStrictEqual } from 'node:util';
import { finalAmountProblem, type Registration, sameRegistration } from '../order/registration.ts';
import type { Order } from '../order/order.ts';
import type { Around } from './around.ts';
import { paymentsLinkedBy } from './links.ts';
import { type Lock, linkLock } from './lock.ts';
import { requestLink } from './order-key.ts';
import { readStanding } from './orders.ts';
import { sayAndDerive } from './said.ts';
import { findSaid } from './say.ts';
import type { ShopStatement } from './shop.ts';
import type { Amendment, AmendResult, RegisterResult, StoredRegistration } from './store.ts';
import type { Database, Transaction } from './transaction.ts';

type Name = Pick<Registration, 'clientId' | 'paymentRequestId'>;

/** Registers what to expect, and derives every order that it belongs to. */
export const register = async (
  database: Database,
  registration: Registration,
  { replace, ...saying }: Around & { readonly replace: boolean },
): Promise<RegisterResult> =>
  await database.transact([lockOf(registration)], async (transaction) => {
    const standing = await find(transaction, registration);
    if (standing === null) {
      const order = await paymentOfThisId(transaction, registration);
      if (order !== null) return { kind: 'payment', order };
      return { kind: 'created', registration: await write(transaction, registration, saying) };
    }
    if (sameRegistration(standing, registration)) return { kind: 'unchanged', registration: standing };
    const kept = { ...registration, finalAmount: standing.finalAmount, cancelled: standing.cancelled };
    if (!replace || finalAmountProblem(kept) !== null) return { kind: 'conflict', registration: standing };
    return { kind: 'replaced', registration: await write(transaction, kept, saying) };
  });

/** The payment whose paymentId stands where a paymentRequestId has to: it would not be checked against what is said. */
const paymentOfThisId = async (
  transaction: Transaction,
  { clientId, paymentRequestId: id }: Name,
): Promise<Order | null> => {
  const [order = null] = await readStanding(transaction, [{ clientId, orderKey: id }]);
  if (order === null) return null;
  const named = await paymentsLinkedBy(transaction.query, [requestLink(clientId, id)]);
  return named.length === 0 ? order : null;
};

/** Changes some fields of what is registered; what stood stays on record. */
export const amend = async (database: Database, amendment: Amendment, saying: Around): Promise<AmendResult> =>
  await database.transact([lockOf(amendment)], async (transaction) => {
    const standing = await find(transaction, amendment);
    if (standing === null) return { kind: 'unknown' };
    const registration = { ...standing, ...amendment.changes };
    const problem = finalAmountProblem(registration);
    if (problem !== null) return { kind: 'invalid', problem };
    if (isDeepStrictEqual(standing, registration)) return { kind: 'unchanged', registration: standing };
    return { kind: 'replaced', registration: await write(transaction, registration, saying) };
  });

const write = async (
  transaction: Transaction,
  registration: Registration,
  saying: Around,
): Promise<StoredRegistration> => {
  const content = { target: registration.referenceOrderId ?? '', said: toSaid(registration) };
  // What is said with content stands.
  return toStored((await sayAndDerive(transaction, { key: keyOf(registration), content }, saying)) as ShopStatement);
};

/** Held from the beginning: what stands must not change between looking and writing. */
const lockOf = ({ clientId, paymentRequestId }: Name): Lock => linkLock(requestLink(clientId, paymentRequestId));

const keyOf = ({ clientId, paymentRequestId }: Name) =>
  ({ clientId, about: 'registration', id: paymentRequestId }) as const;

const find = async ({ query }: Transaction, name: Name): Promise<StoredRegistration | null> => {
  const said = await findSaid(query, keyOf(name));
  return said === null ? null : toStored(said);
};

/** Without what is in other columns. */
const toSaid = (registration: Registration): string => {
  const { clientId: _client, paymentRequestId: _request, referenceOrderId: _reference, ...others } = registration;
  return JSON.stringify(withoutTimes(others));
};

/** One that stood came with its times. */
const withoutTimes = (said: object): object =>
  Object.fromEntries(Object.entries(said).filter(([name]) => name !== 'createdAt' && name !== 'updatedAt'));

export const toRegistration = ({
  clientId,
  id,
  target,
  said,
}: Pick<ShopStatement, 'clientId' | 'id' | 'target' | 'said'>): Registration => ({
  clientId,
  paymentRequestId: id,
  referenceOrderId: target === '' ? null : target,
  // Written by `toSaid`.
  ...(JSON.parse(said) as Omit<Registration, 'clientId' | 'paymentRequestId' | 'referenceOrderId'>),
});

const toStored = (statement: ShopStatement): StoredRegistration => ({
  ...toRegistration(statement),
  createdAt: statement.createdAt,
  updatedAt: statement.updatedAt,
});
