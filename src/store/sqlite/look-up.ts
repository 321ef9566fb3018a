import type { DatabaseSync } from 'node:sqlite';
import type { RegistrationFact } from '../../order/evidence.ts';
import type { Review } from '../../order/review.ts';
import { type Link, nameOfLink } from '../order-key.ts';
import { toRegistration } from '../register.ts';
import { toReview } from '../review.ts';
import { prepare } from './query.ts';

/** Looks each link up once. */
export interface LookUp {
  /** The payments whose notifications name it (`''` for none), and how (`Joins`). */
  readonly payments: (link: Link) => readonly { readonly paymentId: string; readonly joins: number }[];
  readonly registration: (link: Link) => RegistrationFact | null;
  /** What a notification names that could not be read. */
  readonly legible: (clientId: string, position: number) => readonly Link[];
  readonly review: (clientId: string, orderKey: string) => Review | null;
  /** A refund is registered for this order. */
  readonly isRefunded: (clientId: string, orderKey: string) => boolean;
  /** A capture, cancel or refund of this payment was sent, and has not succeeded. */
  readonly isMoving: (clientId: string, paymentId: string) => boolean;
  /** Another registration has the same `referenceOrderId`. */
  readonly hasSibling: (
    registration: Readonly<Record<'clientId' | 'referenceOrderId' | 'paymentRequestId', string>>,
  ) => boolean;
}

export const createLookUps = (db: DatabaseSync): (() => LookUp) => {
  const selectPayments = prepare<readonly [paymentId: string, joins: number]>(
    db,
    `select distinct n.payment_id, i.joins
     from identifiers i
     join notifications n on n.position = i.position
     where i.value = ? and i.name = ? and i.client_id = ? and i.joins > 0`,
  );
  const selectLegible = prepare<readonly [name: Link['name'], value: string]>(
    db,
    'select name, value from identifiers where position = ? and joins > 0',
  );
  const selectSaid = prepare<readonly [target: string, said: string, createdAt: number, updatedAt: number]>(
    db,
    `select target, said, created_at, updated_at
     from shop_statements
     where client_id = ? and about = ? and id = ? and replaced_at = 0`,
  );
  const selectTarget = prepare<readonly [found: number]>(
    db,
    `select 1
     from shop_statements
     where client_id = ? and about = ? and target = ? and target <> '' and replaced_at = 0 and id <> ?
     limit 1`,
  );

  // Most services send none: asked once for all payments.
  const selectMoving = prepare<readonly [found: number]>(db, 'select 1 from moves limit 1');
  const selectMovingOf = prepare<readonly [found: number]>(
    db,
    'select 1 from moves where client_id = ? and payment_id = ? limit 1',
  );

  const registration = ({ clientId, name, value }: Link): RegistrationFact | null => {
    const row = name === 'paymentRequestId' ? selectSaid.get(clientId, 'registration', value) : undefined;
    if (row === undefined) return null;
    const [target, said, createdAt] = row;
    return { ...toRegistration({ clientId, id: value, target, said }), createdAt };
  };
  const payments = ({ clientId, name, value }: Link) =>
    selectPayments.all(value, name, clientId).map(([paymentId, joins]) => ({ paymentId, joins }));
  const review = (clientId: string, orderKey: string): Review | null => {
    const row = selectSaid.get(clientId, 'review', orderKey);
    return row === undefined ? null : toReview(row[1], row[3]);
  };
  const createIsMoving = (): LookUp['isMoving'] => {
    let isAny: boolean | null = null;
    return (clientId, paymentId) =>
      (isAny ??= selectMoving.get() !== undefined) && selectMovingOf.get(clientId, paymentId) !== undefined;
  };
  return () => ({
    isMoving: createIsMoving(),
    payments: remembering(payments),
    registration: remembering(registration),
    legible: (clientId, position) => selectLegible.all(position).map(([name, value]) => ({ clientId, name, value })),
    review,
    isRefunded: (clientId, orderKey) => selectTarget.get(clientId, 'refund', orderKey, '') !== undefined,
    hasSibling: ({ clientId, referenceOrderId, paymentRequestId }) =>
      selectTarget.get(clientId, 'registration', referenceOrderId, paymentRequestId) !== undefined,
  });
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
