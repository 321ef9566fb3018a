import { NO_SIBLINGS, type OrderEvidence } from '../../../src/order/evidence.ts';
import type { DerivedOrder } from '../../../src/order/order.ts';
import type { Registration } from '../../../src/order/registration.ts';
import type { OrderRules } from '../../../src/order/rules.ts';
import { type Reading, read } from './read.ts';
import { readAnswer } from './read-answer.ts';
import { tell, type ToldOrder } from './tell.ts';

/* Which facts make which order (order.md, *Facts*), but for what joins through other payments: siblings, and refunds that do not
 * name their payment. */

/** A verified notification: the text of its body, and whose it is. */
export interface ReceivedNotification {
  readonly clientId: string;
  readonly body: string;
  /** Of an answer to inquiryPayment: the payment that was asked about. */
  readonly askedAbout?: string | undefined;
}

export interface World {
  readonly received: readonly ReceivedNotification[];
  /** The current ones: one a client and `paymentRequestId`. */
  readonly registrations: readonly Registration[];
  readonly rules: OrderRules;
  /** Epoch milliseconds; everything is received at 0, and registered then if not said otherwise. */
  readonly now?: number;
  readonly registeredAt?: number;
}

/** Every order of every client, by `clientId`, then `paymentId`, those without one last by `paymentRequestId`. */
export const tellOrders = ({
  received,
  registrations,
  rules,
  now = 0,
  registeredAt = 0,
}: World): readonly ToldOrder[] => {
  const clientIds = [...new Set([...received, ...registrations].map(({ clientId }) => clientId))].sort();
  return clientIds
    .flatMap((clientId) => {
      // A resend, the same body again, is not a new notification.
      const bodies = new Set(
        received.filter((one) => one.clientId === clientId && one.askedAbout === undefined).map(({ body }) => body),
      );
      // The same answer to the same question once more is none either.
      const answers = new Map(
        received.flatMap((one) =>
          one.clientId === clientId && one.askedAbout !== undefined
            ? [[`${one.askedAbout} ${one.body}`, one.body] as const]
            : [],
        ),
      );
      const own = registrations.filter((one) => one.clientId === clientId);
      return evidenceIn(clientId, {
        notified: [...bodies].map(read),
        answered: [...answers].map(([name, body]) => readAnswer(body, name)),
        registrations: own,
        registeredAt,
      });
    })
    .map((evidence) => tell(evidence, rules)(now).order);
};

/** An order as the oracle tells it. */
export const toTold = (order: DerivedOrder): ToldOrder => ({
  ...order,
  attention: order.attention.map(({ code, settled }) => ({ code, settled })),
});

/** By what two payments of one client meet. */
const namesIn = ({ statements }: Reading): readonly string[] =>
  statements.flatMap((one) => {
    if (one.about === 'payment' || one.about === 'cancelled payment')
      return one.paymentRequestId === undefined ? [] : [`request ${one.paymentRequestId}`];
    if (one.about === 'capture') return one.captureId === undefined ? [] : [`capture ${one.captureId}`];
    if (one.about === 'refund')
      return [
        ...(one.refundId === undefined ? [] : [`refund ${one.refundId}`]),
        ...(one.refundRequestId === undefined ? [] : [`refund request ${one.refundRequestId}`]),
      ];
    return [];
  });

const legibleIn = (reading: Reading): readonly string[] => (reading.outcome === 'MALFORMED' ? reading.legible : []);

interface Known {
  readonly notified: readonly Reading[];
  readonly answered: readonly Reading[];
  readonly registrations: readonly Registration[];
  readonly registeredAt: number;
}

const evidenceIn = (
  clientId: string,
  { notified, answered, registrations, registeredAt }: Known,
): readonly OrderEvidence[] => {
  const readings = [...notified, ...answered];
  // What is received is received at 0; answers count for nothing where something was notified, or registered.
  const newestAt = (of: readonly Reading[], own: readonly Registration[]): number =>
    own.length === 0 || of.some((one) => notified.includes(one)) ? 0 : registeredAt;
  const make = (fields: Partial<OrderEvidence>, own: readonly Registration[]): OrderEvidence => ({
    clientId,
    paymentId: null,
    statements: [],
    problems: [],
    sharedIdentities: [],
    siblings: NO_SIBLINGS,
    newestAt: 0,
    review: null,
    ...fields,
    registrations: own.map((one) => ({ ...one, createdAt: 0 })),
  });
  const paymentIds = [...new Set(readings.flatMap(({ paymentId }) => paymentId ?? []))].sort();
  const byPayments = paymentIds.map((paymentId) => {
    const own = readings.filter((one) => one.paymentId === paymentId);
    const names = new Set(own.flatMap(namesIn));
    const requests = new Set([...names, ...own.flatMap(legibleIn)].filter((name) => name.startsWith('request ')));
    const unreadable = readings.filter(
      (one) =>
        one.outcome === 'MALFORMED' &&
        (one.paymentId === paymentId || one.legible.some((name) => names.has(name) || requests.has(name))),
    );
    const others = readings.filter((one) => one.paymentId !== paymentId).flatMap(namesIn);
    const registered = registrations.filter((one) => requests.has(`request ${one.paymentRequestId}`));
    return make(
      {
        paymentId,
        newestAt: newestAt([...own, ...unreadable], registered),
        statements: own.flatMap(({ statements }) => statements),
        problems: unreadable.map((_, index) => ({ digest: `u${index}`, text: 'unreadable' })),
        sharedIdentities: others.filter((name) => names.has(name)),
      },
      registered,
    );
  });
  const ofPayments = readings.filter((one) => one.paymentId !== null);
  const named = new Set([...ofPayments.flatMap(namesIn), ...ofPayments.flatMap(legibleIn)]);
  const waiting = registrations
    .filter((one) => !named.has(`request ${one.paymentRequestId}`))
    .toSorted((a, b) => (a.paymentRequestId < b.paymentRequestId ? -1 : 1));
  const placeholders = waiting.map((one) => {
    const unreadable = readings.filter((other) => legibleIn(other).includes(`request ${one.paymentRequestId}`));
    return make(
      {
        newestAt: newestAt(unreadable, [one]),
        problems: unreadable.map((_, index) => ({ digest: `u${index}`, text: 'unreadable' })),
      },
      [one],
    );
  });
  return [...byPayments, ...placeholders];
};
