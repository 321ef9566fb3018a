import type { DerivedOrder } from '../../src/order/order.ts';
import type { Acquirer } from './acquirer.ts';
import type { Around } from './around.ts';
import { jpy } from './facts.ts';
import type { Office } from './office.ts';
import { held, isDisputed, type Payment } from './payment.ts';

/*
 * A person of the shop, who has APO's dashboard before her: she knows the truth, and what she does about an order
 * settles it. What she cannot do yet she does tomorrow, for whoever is asked looks again every day.
 */

export interface Person {
  readonly review: (asked: Asked) => void;
  readonly inquire: (asked: Asked) => void;
  /** With APO's support on the line. */
  readonly support: (asked: Asked) => void;
}

export interface Asked {
  readonly key: string;
  readonly order: DerivedOrder;
}

interface Shop {
  readonly office: Office;
  readonly acquirer: Acquirer;
}

/** Nothing came in, or it went back with the payment. */
const isOver = ({ state, received, method }: Payment): boolean =>
  state === 'FAILED' ? received === 0 : state === 'CANCELLED' && (received === 0 || !method.isCaptured);

export const createPerson = (around: Around, { office, acquirer }: Shop): Person => {
  const { random, post } = around;
  const { sale } = office;
  let captures = 0;

  const read = (payment: Payment): boolean => {
    const unreadable = post.lettersOf(payment.paymentId).filter(({ state }) => state === 'UNREADABLE');
    for (const letter of unreadable) post.redrive(letter);
    return unreadable.length > 0;
  };
  /** True while something may still come. */
  const waits = (payment: Payment): boolean => {
    const letters = post.lettersOf(payment.paymentId);
    const lost = letters.filter(({ state }) => state === 'LOST');
    for (const letter of lost) post.resend(letter);
    return lost.length > 0 || letters.some(({ state }) => state === 'UNDER_WAY');
  };
  const captureByHand = (payment: Payment): boolean => {
    const left = Math.min(office.asked(payment), payment.authorized) - payment.received;
    if (!payment.method.isCaptured || payment.state !== 'PAID' || payment.gone !== null || left <= 0) return false;
    captures += 1;
    return acquirer.capture(payment, `${payment.paymentId}-hand-${captures}`, left) === 'S';
  };
  /** The payment is over, and nothing came in: that is a fact that the shop may state. */
  const stateCancelled = (paymentRequestId: string): boolean => {
    const isShared = acquirer.payments().filter((one) => one.paymentRequestId === paymentRequestId).length > 1;
    // A registration that two payments name would cancel both.
    if (isShared || office.isRegisteredCancelled(paymentRequestId)) return false;
    office.patch(paymentRequestId, { cancelled: true });
    return true;
  };
  const undo = ({ order }: Asked, payment: Payment): void => {
    const { paymentRequestId } = payment;
    const isUnpaid = payment.received === 0 && payment.gone === null && payment.state !== 'FAILED';
    // Now and then she forgets to have the rest released, and it is paid or captured after all. Never of a method
    // without capture that counts as one with: closed, the order takes its payment for an authorization, and is silent.
    if (random.chance(0.75) || (order.captureRequired && !payment.method.isCaptured)) {
      if (isUnpaid && acquirer.cancel(payment, random.chance(0.3))) stateCancelled(paymentRequestId);
      payment.gone ??= 'ORDER_IS_CANCELED';
    }
  };
  const takeBack = (payment: Payment): void => {
    if (held(payment) > 0) office.giveBack(payment, held(payment));
    office.close(payment);
  };

  /** Decides by the truth. */
  const decide = ({ key, order }: Asked, payment: Payment): void => {
    const { paymentId } = payment;
    const chosen = sale.chosen === null ? undefined : office.paymentOf(sale.chosen);
    const isOthers =
      (sale.shippedFor !== null && sale.shippedFor !== paymentId) ||
      (chosen !== undefined && chosen !== payment && sale.shippedFor === null && held(chosen) >= office.asked(chosen));
    const isPaid = !sale.isPlayMoney && held(payment) >= office.asked(payment);
    const isCaptured = order.status === 'CAPTURED';
    const returnSurplus = (): void => {
      const surplus = held(payment) - office.asked(payment);
      if (surplus > 0) office.giveBack(payment, surplus);
    };
    if (sale.shippedFor === paymentId) {
      returnSurplus();
      office.review(key, isCaptured && isPaid && random.chance(0.5) ? 'FULFIL' : 'CLOSE');
    } else if (!isOthers && isPaid) {
      returnSurplus();
      // What was decided before, for a payment that has gone back since, unnoticed or in part, is taken back.
      if (chosen !== undefined && chosen !== payment) takeBack(chosen);
      sale.chosen = paymentId;
      sale.agreed = office.asked(payment);
      office.review(key, isCaptured ? 'FULFIL' : 'CLOSE');
      // What we were not told of cannot be fulfilled by advice: she ships herself, by what the dashboard shows.
      if (!isCaptured) office.ship(payment, 'decided');
    } else if (!isOthers && contentWithPart({ key, order }, payment)) {
      office.patch(payment.paymentRequestId, { finalAmount: order.capturedAmount });
    } else {
      undo({ key, order }, payment);
      takeBack(payment);
    }
  };
  const contentWithPart = ({ order }: Asked, payment: Payment): boolean =>
    order.status === 'PARTIALLY_CAPTURED' &&
    order.finalAmount === null &&
    order.capturedAmount !== null &&
    order.capturedAmount.currency === 'JPY' &&
    Number(order.capturedAmount.value) === held(payment) &&
    held(payment) > 0 &&
    random.chance(0.5);

  /** What is wrong with the registration, put right; true where something was. */
  const correct = ({ order }: Asked, payment: Payment): boolean => {
    const { paymentRequestId, method } = payment;
    const open = new Set(order.attention.filter(({ settled }) => !settled).map(({ code }) => code));
    if (open.has('UNREGISTERED') && order.paymentRequestId !== null) {
      office.patch(paymentRequestId, {});
      return true;
    }
    if (open.has('CAPTURE_UNDECIDED')) {
      if (method.isCaptured) return captureByHand(payment);
      office.patch(paymentRequestId, { captureMode: 'NONE' });
      return true;
    }
    const { raise } = sale;
    if (open.has('AMOUNT_MISMATCH') && raise !== null && !raise.isRaised && sale.price === raise.total) {
      sale.price = raise.before;
      office.patch(paymentRequestId, { amount: jpy(raise.before) });
      return true;
    }
    return false;
  };
  const inquire = (asked: Asked): void => {
    const payment = office.paymentOf(asked.key);
    // ORDER_NOT_EXIST.
    if (payment === undefined) {
      stateCancelled(office.requestIdOf(asked.key));
      return;
    }
    if (read(payment) || waits(payment) || payment.state === 'OPEN' || payment.capturesItself) return;
    if (isOver(payment) && stateCancelled(payment.paymentRequestId)) return;
    if (isDisputed(payment) || captureByHand(payment)) return;
    decide(asked, payment);
  };
  return {
    inquire,
    review: (asked) => {
      const payment = office.paymentOf(asked.key);
      if (payment === undefined) throw new Error('a review of a payment that was never placed');
      if (read(payment) || correct(asked, payment) || isDisputed(payment)) return;
      // She may be hasty: then what is still under way comes after her decision.
      if (random.chance(0.5) && waits(payment)) return;
      decide(asked, payment);
    },
    support: (asked) => {
      const payment = office.paymentOf(asked.key);
      if (payment !== undefined && random.chance(0.8)) payment.trouble = null;
      inquire(asked);
    },
  };
};
