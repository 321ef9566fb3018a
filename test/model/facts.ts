import type { AmountText } from '../../src/order/amount.ts';
import { NO_SIBLINGS, type OrderEvidence, type RegistrationFact, type Siblings } from '../../src/order/evidence.ts';
import type { Derivation, deriveOrder } from '../../src/order/order.ts';
import type { Registration } from '../../src/order/registration.ts';
import type { Review, ReviewDecision } from '../../src/order/review.ts';
import type { OrderRules } from '../../src/order/rules.ts';
import type { Statement } from '../../src/order/statement.ts';

/*
 * What has been stored so far, and the orders that it makes: order.md, *Facts*, as plainly as possible, for one client.
 */

export type Derive = typeof deriveOrder;

export interface Notification {
  readonly digest: string;
  /** Null for a refund, which seldom states it. */
  readonly paymentId: string | null;
  readonly statement: Statement;
}

interface Stored extends Notification {
  readonly isReadable: boolean;
  readonly firstReceivedAt: number;
}

export interface Facts {
  /** The same digest again changes nothing, but that what could not be read is read now. */
  readonly receive: (notification: Notification, isReadable: boolean) => void;
  readonly register: (paymentRequestId: string, fields: Partial<Registration>) => void;
  readonly registrationOf: (paymentRequestId: string) => RegistrationFact | undefined;
  readonly registerRefund: (refundRequestId: string, paymentId: string) => void;
  readonly isRefundJoined: (refundRequestId: string) => boolean;
  /** False where it is refused (409). */
  readonly review: (key: string, decision: ReviewDecision) => boolean;
  /** Payments by `paymentId`; a registration that none names by `registrationKey`. */
  readonly keys: () => readonly string[];
  readonly derive: (key: string, at?: number) => Derivation;
}

export const jpy = (value: number): AmountText => ({ currency: 'JPY', value: String(value) });

export const registrationKey = (paymentRequestId: string): string => `registration ${paymentRequestId}`;

interface Setting {
  readonly clientId: string;
  readonly rules: OrderRules;
  readonly derive: Derive;
  readonly now: () => number;
  /** Told after every fact that is new. */
  readonly onChange: () => void;
}

const requestIdOf = ({ statement }: Stored): string | undefined =>
  statement.about === 'payment' || statement.about === 'cancelled payment' ? statement.paymentRequestId : undefined;

/** What must not stand for two payments. */
const namesIn = ({ statement }: Stored): readonly string[] => {
  switch (statement.about) {
    case 'payment':
    case 'cancelled payment':
      return statement.paymentRequestId === undefined ? [] : [`paymentRequestId ${statement.paymentRequestId}`];
    case 'capture':
      return statement.captureId === undefined ? [] : [`captureId ${statement.captureId}`];
    case 'refund':
      return [
        ...(statement.refundId === undefined ? [] : [`refundId ${statement.refundId}`]),
        ...(statement.refundRequestId === undefined ? [] : [`refundRequestId ${statement.refundRequestId}`]),
      ];
    case 'amount update':
    case 'cancellation':
    case 'inquiry':
    case 'dispute':
      return [];
  }
};

export const createFacts = ({ clientId, rules, derive, now, onChange }: Setting): Facts => {
  const notifications = new Map<string, Stored>();
  const registrations = new Map<string, RegistrationFact>();
  const refundsOf = new Map<string, string>();
  const reviews = new Map<string, Review>();

  const paymentOf = ({ paymentId, statement }: Stored): string | null =>
    paymentId ??
    (statement.about === 'refund'
      ? (statement.paymentId ?? refundsOf.get(statement.refundRequestId ?? '') ?? null)
      : null);
  const ofPayment = (paymentId: string): readonly Stored[] =>
    [...notifications.values()].filter((one) => paymentOf(one) === paymentId);
  const named = (own: readonly Stored[]): readonly RegistrationFact[] =>
    [...new Set(own.map(requestIdOf))].flatMap((id) => registrations.get(id ?? '') ?? []);
  const paymentIds = (): readonly string[] => [
    ...new Set([...notifications.values()].flatMap(({ paymentId }) => paymentId ?? [])),
  ];

  const shared = (paymentId: string, own: readonly Stored[]): readonly string[] => {
    const names = new Set(own.flatMap(namesIn));
    return [...notifications.values()].flatMap((one) => {
      const other = paymentOf(one);
      if (other === null || other === paymentId) return [];
      return namesIn(one).flatMap((name) => (names.has(name) ? [`${name} also names payment ${other}`] : []));
    });
  };

  const evidenceOf = (key: string, withSiblings: boolean): OrderEvidence => {
    const own = ofPayment(key);
    const waiting = own.length === 0 ? registrations.get(key.replace(registrationKey(''), '')) : undefined;
    const joined = waiting === undefined ? named(own) : [waiting];
    const [counting] = joined.toSorted((a, b) => (a.paymentRequestId < b.paymentRequestId ? -1 : 1));
    const newest = own.reduce((latest, { firstReceivedAt }) => Math.max(latest, firstReceivedAt), 0);
    return {
      clientId,
      paymentId: waiting === undefined ? key : null,
      statements: own.flatMap(({ isReadable, statement, digest }) =>
        isReadable ? [{ ...statement, digest, place: 0 }] : [],
      ),
      registrations: joined,
      problems: own.flatMap(({ isReadable, digest }) =>
        isReadable ? [] : [{ digest, text: 'It could not be read.' }],
      ),
      sharedIdentities: shared(key, own),
      siblings: withSiblings && counting !== undefined ? siblingsOf(counting, key) : NO_SIBLINGS,
      newestAt: own.length > 0 ? newest : (waiting?.createdAt ?? 0),
      review: reviews.get(key) ?? null,
    };
  };

  const siblingsOf = ({ referenceOrderId, createdAt, paymentRequestId }: RegistrationFact, key: string): Siblings => {
    if (referenceOrderId === null) return NO_SIBLINGS;
    const others = paymentIds()
      .filter((id) => id !== key)
      .sort();
    return {
      payments: others
        .map((id) => evidenceOf(id, false))
        .filter((other) => other.registrations.some((one) => one.referenceOrderId === referenceOrderId)),
      hasLaterRegistration: [...registrations.values()].some(
        (one) =>
          one.referenceOrderId === referenceOrderId &&
          (one.createdAt > createdAt || (one.createdAt === createdAt && one.paymentRequestId > paymentRequestId)),
      ),
    };
  };

  const deriveAt = (key: string, at: number = now()): Derivation => derive(evidenceOf(key, true), rules, at);

  return {
    receive: (notification, isReadable) => {
      const known = notifications.get(notification.digest);
      if (known !== undefined && (known.isReadable || !isReadable)) return;
      const firstReceivedAt = known?.firstReceivedAt ?? now();
      notifications.set(notification.digest, { ...notification, isReadable, firstReceivedAt });
      onChange();
    },
    register: (paymentRequestId, fields) => {
      const before = registrations.get(paymentRequestId);
      registrations.set(paymentRequestId, {
        clientId,
        paymentRequestId,
        amount: jpy(0),
        referenceOrderId: null,
        captureMode: null,
        paymentMethodType: null,
        authExpiryTime: null,
        finalAmount: null,
        cancelled: false,
        createdAt: now(),
        ...before,
        ...fields,
      });
      onChange();
    },
    registrationOf: (paymentRequestId) => registrations.get(paymentRequestId),
    registerRefund: (refundRequestId, paymentId) => {
      refundsOf.set(refundRequestId, paymentId);
      onChange();
    },
    isRefundJoined: (refundRequestId) => refundsOf.has(refundRequestId),
    review: (key, decision) => {
      const { order, settleable, captured } = deriveAt(key);
      if (decision === 'FULFIL' && order.status !== 'CAPTURED') return false;
      reviews.set(key, {
        decision,
        revision: 1,
        note: null,
        createdAt: now(),
        settled: settleable,
        captured: captured.toString(),
        status: order.status,
      });
      onChange();
      return true;
    },
    keys: () => {
      const joined = new Set([...notifications.values()].map(requestIdOf));
      const waiting = [...registrations.keys()].filter((id) => !joined.has(id));
      return [...paymentIds(), ...waiting.map(registrationKey)];
    },
    derive: deriveAt,
  };
};
