import type { CaptureStatement, PaymentStatement, Result, ResultStatus } from '../../src/order/statement.ts';
import { type Clock, DAY, HOUR, MINUTE } from './clock.ts';
import { type Facts, jpy } from './facts.ts';
import { held, type Method, type Payment } from './payment.ts';
import type { Letter, Post } from './post.ts';
import type { Random } from './random.ts';

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

export interface Around {
  readonly random: Random;
  readonly clock: Clock;
  readonly facts: Facts;
  readonly post: Post;
  readonly tell: (line: string) => void;
  /** How often APO contradicts itself, from 0 to 1. */
  readonly contradictory: number;
}

export const toResult = (resultStatus: ResultStatus, resultCode: string): Result => ({
  resultStatus,
  resultCode,
  resultMessage: null,
});

const SUCCESS = toResult('S', 'SUCCESS');

export const instant = (at: number): string => new Date(at).toISOString();

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

type Said = Pick<PaymentStatement, 'result'> & Partial<PaymentStatement>;

/** A notification of the payment: what it says beyond what all of them say. */
export const sendPayment = ({ random, post }: Around, payment: Payment, said: Said): Letter =>
  post.send(payment.paymentId, {
    about: 'payment',
    pending: false,
    paymentRequestId: payment.paymentRequestId,
    amount: jpy(payment.authorized),
    ...(random.chance(0.9) ? payment.method.shown : {}),
    ...said,
  });

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

const createCapturing = (around: Around) => {
  const { random, clock, tell, post, contradictory } = around;
  let number = 0;
  /** Why it cannot be captured; null where it can. */
  const refusal = (payment: Payment, amount: number): string | null => {
    if (payment.gone !== null) return payment.gone;
    if (payment.state !== 'PAID') return 'ORDER_STATUS_INVALID';
    if (!payment.method.isCaptured) return 'PAYMENT_METHOD_NOT_SUPPORTED';
    const { trouble } = payment;
    if (trouble !== null && trouble.times > 0) {
      trouble.times -= 1;
      return trouble.code;
    }
    return payment.received + amount > payment.authorized ? 'CAPTURE_AMOUNT_EXCEED_AUTH_LIMIT' : null;
  };
  const say = (payment: Payment, stated: Omit<CaptureStatement, 'about'>): Letter =>
    post.send(payment.paymentId, { about: 'capture', captureTime: instant(clock.now()), ...stated });
  const contradict = (payment: Payment, stated: Omit<CaptureStatement, 'about' | 'result'>, amount: number): void => {
    const isTrue = random.chance(0.5);
    clock.after(random.between(1, 40) * MINUTE, () => {
      const letter = say(payment, { ...stated, result: toResult('F', 'PROCESS_FAIL') });
      tell(
        `${payment.paymentId}: a failure of ${stated.captureRequestId} after its success, ${isTrue ? 'and so it is' : 'in error'}`,
      );
      if (isTrue && held(payment) >= amount) payment.returns.push({ amount, isTold: () => letter.state === 'ARRIVED' });
    });
  };
  const capture = (payment: Payment, captureRequestId: string, amount: number): 'S' | 'F' => {
    const before = payment.captures.get(captureRequestId);
    if (before !== undefined) return before;
    const code = refusal(payment, amount);
    number += 1;
    const named = { captureRequestId, ...(random.chance(0.95) ? { captureId: `C${number}` } : {}) };
    // Only of the whole: beside a part that went back again REFUNDED says NONE, and an amount that is not stated is missed.
    const isUnstated = random.chance(0.02) && amount === payment.authorized;
    const stated = { ...named, amount: isUnstated ? undefined : jpy(amount) };
    if (random.chance(0.1)) say(payment, { ...stated, result: toResult('U', 'CAPTURE_IN_PROCESS') });
    payment.captures.set(captureRequestId, code === null ? 'S' : 'F');
    tell(`${payment.paymentId} capture ${captureRequestId} of ${amount}: ${code ?? 'captured'}`);
    if (code !== null) {
      say(payment, { ...stated, result: toResult('F', code) });
      return 'F';
    }
    payment.received += amount;
    const foreign = random.chance(contradictory / 4) ? { amount: { currency: 'USD', value: String(amount) } } : {};
    say(payment, { ...stated, ...foreign, result: SUCCESS });
    if (random.chance(contradictory)) contradict(payment, stated, amount);
    return 'S';
  };
  /** In one or two parts; now and then it forgets the last. A failure is the merchant's matter. */
  const captureItself = (payment: Payment): void => {
    const parts = random.chance(0.15) ? [Math.floor(payment.authorized / 3)] : [];
    const rest = payment.authorized - (parts[0] ?? 0);
    const all = random.chance(0.04) ? parts : [...parts, rest];
    let delay = 0;
    payment.capturesItself = all.length > 0;
    for (const [index, amount] of all.entries()) {
      delay += random.chance(0.9) ? random.between(1, 60) * MINUTE : random.between(1, 60) * HOUR;
      clock.after(delay, () => {
        if (index === all.length - 1) payment.capturesItself = false;
        if ([...payment.captures.values()].includes('F') || payment.gone !== null) return;
        capture(payment, `${payment.paymentId}-auto-${index}`, amount);
      });
    }
  };
  return { capture, captureItself };
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
      amount: jpy(amount),
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
