import { type Around, instant, type Said, sendPayment, SUCCESS, toResult } from './around.ts';
import { createCapturing } from './capturing.ts';
import { DAY, HOUR } from './clock.ts';
import { jpy } from './facts.ts';
import { held, type Method, type Payment } from './payment.ts';
import type { Letter } from './post.ts';

/*
 * APO with what stands behind it. It keeps the truth, and tells of it by post. What it may do is what the documents
 * allow: spec, wire.md.
 */

export interface Placed {
  readonly paymentRequestId: string;
  readonly amount: number;
  readonly method: Method;
  readonly captureMode: 'AUTOMATIC' | 'MANUAL';
}

export interface Acquirer {
  readonly payments: () => readonly Payment[];
  readonly place: (placed: Placed) => Payment;
  /** The buyer has paid. */
  readonly pay: (payment: Payment) => void;
  readonly fail: (payment: Payment, code: string) => Letter;
  /** Once per `captureRequestId`; asked again it answers as before. */
  readonly capture: (payment: Payment, captureRequestId: string, amount: number) => 'S' | 'F';
  /** False where it is refused. `isNotified`: it sends an F too, as some acquirers do. */
  readonly cancel: (payment: Payment, isNotified: boolean) => boolean;
  /** False where it fails. */
  readonly refund: (payment: Payment, refundRequestId: string, amount: number) => boolean;
  /** A new total of the authorization. Null where it is refused at once. */
  readonly update: (payment: Payment, total: number) => { readonly letter: Letter; readonly isRaised: boolean } | null;
}

const captureTroubles: readonly [string, ...string[]] = [
  'CURRENCY_NOT_SUPPORT',
  'PARAM_ILLEGAL',
  'USER_AMOUNT_EXCEED_LIMIT',
  'CAPTURE_AMOUNT_EXCEED_AUTH_LIMIT',
  'RISK_REJECT',
  'PROCESS_FAIL',
  'MULTI_CAPTURE_NOT_SUPPORTED',
  'A_CODE_THAT_NOBODY_KNOWS',
];

export const createAcquirer = (around: Around): Acquirer => {
  const { random, tell } = around;
  const payments: Payment[] = [];
  const capturing = createCapturing(around);
  return {
    payments: () => payments,
    place: ({ paymentRequestId, amount, method, captureMode }) => {
      const payment: Payment = {
        paymentId: `P${payments.length + 1}`,
        paymentRequestId,
        method,
        captureMode,
        placedFor: amount,
        authorized: amount,
        state: 'OPEN',
        gone: null,
        captures: new Map(),
        received: 0,
        misstated: null,
        returns: [],
        disputes: [],
        trouble: random.chance(0.15) ? { code: random.pick(captureTroubles), times: random.between(1, 5) } : null,
        capturesItself: false,
      };
      payments.push(payment);
      tell(`${payment.paymentId} placed as ${paymentRequestId}: ${amount} by ${method.name}, ${captureMode}`);
      return payment;
    },
    pay: createPaying(around, capturing.captureItself),
    fail: (payment, code) => {
      payment.state = 'FAILED';
      tell(`${payment.paymentId} failed: ${code}`);
      return sendPayment(around, payment, { result: toResult('F', code) });
    },
    capture: capturing.capture,
    cancel: createCancelling(around),
    refund: createRefunding(around),
    update: (payment, total) => {
      if (!payment.method.isCaptured || payment.state !== 'PAID' || payment.gone !== null) return null;
      if (payment.captures.size > 0) return null;
      const isRaised = random.chance(0.7);
      const amount = jpy(total);
      if (isRaised) payment.authorized = total;
      tell(`${payment.paymentId} ${isRaised ? 'raised' : 'not raised'} to ${total}`);
      const result = isRaised ? SUCCESS : toResult('F', 'PROCESS_FAIL');
      if (random.chance(0.2))
        around.post.send(payment.paymentId, {
          about: 'amount update',
          result: toResult('U', 'UNKNOWN_EXCEPTION'),
          amount,
        });
      return { letter: around.post.send(payment.paymentId, { about: 'amount update', result, amount }), isRaised };
    },
  };
};

const createPaying = (around: Around, captureItself: (payment: Payment) => void) => {
  const { random, clock, tell, contradictory } = around;
  return (payment: Payment): void => {
    const { method, paymentId } = payment;
    const days = random.pick([7, 7, 7, 7, 3, 29]);
    const lapse = days * DAY;
    payment.state = 'PAID';
    tell(`${paymentId} ${method.isCaptured ? `authorized for ${days} days` : 'paid'}`);
    if (!method.isCaptured) payment.received = payment.authorized;
    const success: Said = {
      result: SUCCESS,
      ...method.shown,
      ...(random.chance(0.97) ? {} : { amount: undefined }),
      paymentTime: instant(clock.now()),
      ...(days === 7 ? {} : { authExpiryTime: instant(clock.now() + lapse) }),
    };
    sendPayment(around, payment, success);
    if (random.chance(contradictory / 2)) {
      const amount = payment.authorized + random.pick([-7, 7]);
      const letter = sendPayment(around, payment, { ...success, amount: jpy(amount) });
      payment.misstated = { letter, amount };
    }
    if (method.isCaptured) {
      clock.after(lapse, () => {
        if (payment.gone !== null) return;
        payment.gone = 'AUTH_EXPIRED';
        tell(`${paymentId}: the authorization has lapsed, ${payment.received} captured`);
        if (payment.received === 0) payment.state = 'CANCELLED';
      });
      if (payment.captureMode === 'AUTOMATIC') captureItself(payment);
      if (random.chance(0.03))
        clock.after(random.between(1, 100) * HOUR, () => {
          payment.gone ??= random.pick(['AUTH_CANCELLED', 'ORDER_IS_CANCELED']);
          tell(`${paymentId}: the issuer has withdrawn the authorization`);
          if (payment.received === 0) payment.state = 'CANCELLED';
        });
      return;
    }
    // "If the user has already paid, the payment is refunded": a success, then a failure.
    if (random.chance(contradictory))
      clock.after(random.between(1, 48) * HOUR, () => {
        if (held(payment) !== payment.received) return;
        payment.gone = 'FAILED';
        const letter = sendPayment(around, payment, { result: toResult('F', 'RISK_REJECT') });
        tell(`${paymentId} rejected after it was paid, and given back`);
        payment.returns.push({ amount: payment.received, isTold: () => letter.state === 'ARRIVED' });
      });
  };
};

const createCancelling =
  (around: Around) =>
  (payment: Payment, isNotified: boolean): boolean => {
    if (payment.gone !== null || payment.state === 'FAILED' || payment.state === 'CANCELLED') return false;
    if (payment.method.isCaptured && payment.received > 0) return false;
    if (payment.returns.length > 0 || payment.disputes.length > 0) return false;
    payment.state = 'CANCELLED';
    payment.gone = 'ORDER_IS_CANCELED';
    around.tell(`${payment.paymentId} cancelled${isNotified ? ', and notified as failed' : ''}`);
    const letter = isNotified
      ? sendPayment(around, payment, {
          result: toResult('F', around.random.pick(['ORDER_IS_CANCELED', 'ORDER_IS_CLOSED'])),
        })
      : null;
    if (payment.received > 0)
      payment.returns.push({
        amount: payment.received,
        isTold: () =>
          letter?.state === 'ARRIVED' || around.facts.registrationOf(payment.paymentRequestId)?.cancelled === true,
      });
    return true;
  };

const createRefunding =
  ({ random, post, tell, clock, facts }: Around) =>
  (payment: Payment, refundRequestId: string, amount: number): boolean => {
    if (amount > held(payment)) return false;
    const isDone = random.chance(0.9);
    const result = isDone ? SUCCESS : toResult('F', 'MERCHANT_BALANCE_NOT_ENOUGH');
    tell(`${payment.paymentId} refund ${refundRequestId} of ${amount}: ${isDone ? 'done' : 'failed'}`);
    const letter = post.send(payment.paymentId, {
      about: 'refund',
      result,
      refundId: `F-${refundRequestId}`,
      refundRequestId,
      ...(random.chance(0.1) ? { paymentId: payment.paymentId } : {}),
      ...(random.chance(0.97) ? { amount: jpy(amount) } : {}),
      ...(isDone ? { refundTime: instant(clock.now()) } : {}),
    });
    if (!isDone) return false;
    const { statement } = letter.notification;
    const namesPayment = statement.about === 'refund' && statement.paymentId !== undefined;
    payment.returns.push({
      amount,
      isTold: () => letter.state === 'ARRIVED' && (namesPayment || facts.isRefundJoined(refundRequestId)),
    });
    return true;
  };
