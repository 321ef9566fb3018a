import type { Registration } from '../../src/order/registration.ts';
import type { ReviewDecision } from '../../src/order/review.ts';
import type { OrderRules } from '../../src/order/rules.ts';
import type { Acquirer } from './acquirer.ts';
import type { Around } from './around.ts';
import { Broken } from './broken.ts';
import { HOUR, MINUTE } from './clock.ts';
import { jpy, registrationKey } from './facts.ts';
import { held, heldAsTold, isDisputed, isDisputedAsTold, type Method, METHODS, type Payment } from './payment.ts';
import type { Letter } from './post.ts';

/* One shop order, and all that the shop and its people can do about it. */

/** The shop order: one buyer, one parcel. */
export interface Sale {
  readonly referenceOrderId: string;
  readonly isPlayMoney: boolean;
  price: number;
  /** When the goods are there: captures and the parcel wait for them. */
  readonly readyAt: number;
  /** The `paymentId` for which the parcel has left: the unique key that ships once. */
  shippedFor: string | null;
  /** What was asked for it when it left, or when a person decided that it may. */
  agreed: number;
  /** A person has decided which payment the parcel goes for. */
  chosen: string | null;
  raise: Raise | null;
  /** Oldest first. */
  readonly requests: string[];
  /** He does not want to pay any more. */
  hasBuyerGone: boolean;
  /** Payments on which a person has decided. */
  readonly decided: Set<string>;
}

/** An incremental authorization. */
interface Raise {
  readonly payment: Payment;
  readonly total: number;
  /** The price until then. */
  readonly before: number;
  readonly letter: Letter;
  readonly isRaised: boolean;
}

/** The new total of its authorization where there is one, else 0. */
export const raisedTo = (
  { raise }: Pick<Sale, 'raise'>,
  payment: Payment,
  counts: (letter: Letter) => boolean = () => true,
): number => (raise !== null && raise.payment === payment && raise.isRaised && counts(raise.letter) ? raise.total : 0);

export interface Office {
  readonly sale: Sale;
  /** Registers and places a new payment of the shop order. */
  readonly sell: () => void;
  /** Registers what was forgotten. */
  readonly registerAll: () => void;
  readonly paymentOf: (key: string) => Payment | undefined;
  readonly requestIdOf: (key: string) => string;
  /** Registers what is not, then changes these fields. */
  readonly patch: (paymentRequestId: string, fields: Partial<Registration>) => void;
  readonly isRegisteredCancelled: (paymentRequestId: string) => boolean;
  /** What the shop wants for the parcel before it leaves. */
  readonly asked: (payment: Payment) => number;
  /** False where the parcel has left for another payment. */
  readonly ship: (payment: Payment, why: 'advised' | 'decided') => boolean;
  /** Gives this much back, by registered refunds; in the end by bank transfer: false, APO tells nothing. */
  readonly giveBack: (payment: Payment, amount: number) => boolean;
  readonly review: (key: string, decision: ReviewDecision) => void;
  /** Closes the order of the payment, and the placeholder: only a payment's own notifications replace that. */
  readonly close: (payment: Payment) => void;
}

interface Setting {
  readonly rules: OrderRules;
  readonly sale: Sale;
  readonly acquirer: Acquirer;
  /** What becomes of a payment once placed. */
  readonly live: (payment: Payment) => void;
}

export const createOffice = (around: Around, { rules, sale, acquirer, live }: Setting): Office => {
  const { random, clock, facts, tell } = around;
  const intended = new Map<string, Partial<Registration>>();
  let refunds = 0;

  const paymentOf = (key: string): Payment | undefined =>
    acquirer
      .payments()
      .find(({ paymentId, paymentRequestId }) => key === paymentId || key === registrationKey(paymentRequestId));
  const register = (paymentRequestId: string): void => {
    if (facts.registrationOf(paymentRequestId) !== undefined) return;
    tell(`registered ${paymentRequestId}: ${sale.price}`);
    facts.register(paymentRequestId, { ...intended.get(paymentRequestId), amount: jpy(sale.price) });
  };
  /** What the registration says of the method; a wallet under CAPTURE_REQUIRED=always needs a NONE. */
  const describe = (method: Method, explicit: 'AUTOMATIC' | 'MANUAL' | null): Partial<Registration> => ({
    referenceOrderId: sale.referenceOrderId,
    captureMode:
      !method.isCaptured && random.chance(rules.captureRequired === 'always' ? 0.8 : 0.3) ? 'NONE' : explicit,
    paymentMethodType: random.chance(0.3) ? method.name : null,
  });
  const asked = (payment: Payment): number => {
    const registration = facts.registrationOf(payment.paymentRequestId);
    if (registration !== undefined && registration.finalAmount !== null) return Number(registration.finalAmount.value);
    const raised = raisedTo(sale, payment, (letter) => letter.state === 'ARRIVED');
    // Who does not say what he expects gets what the payment is said to be.
    const said = Math.min(payment.placedFor, payment.misstated?.amount ?? payment.placedFor);
    return Math.max(registration === undefined ? said : Number(registration.amount.value), raised);
  };
  const review = (key: string, decision: ReviewDecision): void => {
    const isTaken = facts.review(key, decision);
    if (isTaken) sale.decided.add(paymentOf(key)?.paymentId ?? key);
    tell(`review of ${key}: ${decision}${isTaken ? '' : ', refused'}`);
  };
  return {
    sale,
    paymentOf,
    requestIdOf: (key) => paymentOf(key)?.paymentRequestId ?? key.replace(registrationKey(''), ''),
    asked,
    registerAll: () => {
      sale.requests.forEach(register);
    },
    sell: () => {
      // Without it nobody could tell that two payments are of one shop order.
      sale.requests.forEach(register);
      const paymentRequestId = `R${sale.requests.length + 1}`;
      const method = random.pick(METHODS);
      const explicit = random.pick(['AUTOMATIC', 'MANUAL', null] as const);
      sale.requests.push(paymentRequestId);
      intended.set(paymentRequestId, describe(method, explicit));
      const isFirst = sale.requests.length === 1;
      if (isFirst && random.chance(0.15))
        clock.after(random.between(1, 120) * MINUTE, () => {
          if (random.chance(0.8)) register(paymentRequestId);
        });
      else register(paymentRequestId);
      // The call never reached APO.
      if (random.chance(0.02)) return;
      const captureMode = explicit ?? rules.captureMode;
      // An amount that is not the registered one.
      const amount = random.chance(0.02) ? sale.price + random.pick([-10, 10]) : sale.price;
      const placed = { paymentRequestId, amount, method, captureMode };
      live(acquirer.place(placed));
      // The call is repeated, and makes a second payment of the one request.
      if (random.chance(0.01)) live(acquirer.place(placed));
    },
    patch: (paymentRequestId, fields) => {
      register(paymentRequestId);
      tell(`patched ${paymentRequestId}: ${JSON.stringify(fields)}`);
      facts.register(paymentRequestId, fields);
    },
    isRegisteredCancelled: (paymentRequestId) => facts.registrationOf(paymentRequestId)?.cancelled === true,
    ship: (payment, why) => {
      const { paymentId } = payment;
      if (sale.shippedFor === null) tell(`the parcel leaves for ${paymentId}, ${why}`);
      const before = sale.shippedFor === null ? undefined : paymentOf(sale.shippedFor);
      ship(sale, { payment, why, asked: asked(payment), before });
      return sale.shippedFor === paymentId;
    },
    giveBack: (payment, amount) => {
      for (let tries = 0; tries < 4; tries += 1) {
        refunds += 1;
        const refundRequestId = `refund-${refunds}`;
        facts.registerRefund(refundRequestId, payment.paymentId);
        if (acquirer.refund(payment, refundRequestId, amount)) return true;
      }
      tell(`${payment.paymentId}: ${amount} given back by bank transfer`);
      payment.returns.push({ amount, isTold: () => false });
      return false;
    },
    review,
    close: ({ paymentId, paymentRequestId }) => {
      const keys = new Set([paymentId, registrationKey(paymentRequestId)]);
      for (const key of facts.keys()) if (keys.has(key)) review(key, 'CLOSE');
    },
  };
};

interface Shipment {
  readonly payment: Payment;
  readonly why: 'advised' | 'decided';
  readonly asked: number;
  /** For which the parcel has left already. */
  readonly before: Payment | undefined;
}

/**
 * The parcel leaves, once. It may only leave if at this moment
 * - the money is real, no sandbox's;
 * - what the shop asks for has come in, in truth: captured, or paid by a method without capture. An authorization is no
 *   money, and a notification that says otherwise is no excuse;
 * - it has not gone back as far as anyone could know: of refunds, disputes and cancellations those count of which
 *   what is stored tells, for nobody can know of a refund whose notification is still under way;
 * - no dispute of which what is stored tells has frozen it.
 * A second payment of the shop order must never be advised to ship, unless a person has decided on one of the two, or
 * the first has gone back since.
 */
const ship = (sale: Sale, { payment, why, asked, before }: Shipment): void => {
  const { paymentId } = payment;
  if (before === payment) return;
  if (before !== undefined) {
    const isDecided = sale.decided.has(paymentId) || sale.decided.has(before.paymentId);
    if (why === 'decided' || isDecided || heldAsTold(before) <= 0) return;
    throw new Broken(`shipped twice: for ${before.paymentId}, then for ${paymentId}`);
  }
  const what = `shipped for ${paymentId}`;
  if (sale.isPlayMoney) throw new Broken(`${what} with play money`);
  if (payment.received < asked) throw new Broken(`${what}, not paid: ${payment.received} of ${asked}`);
  if (heldAsTold(payment) <= 0) throw new Broken(`${what}, and the money is known to have gone back`);
  if (isDisputedAsTold(payment)) throw new Broken(`${what}, and the money is known to be disputed`);
  if (why === 'decided' && held(payment) <= 0) throw new Broken(`${what}: a person has not looked`);
  sale.shippedFor = paymentId;
  sale.agreed = Math.max(sale.agreed, asked);
};

/** What the shop does of itself, whatever is advised. */
export const createHabits = (
  { random, clock, tell }: Around,
  { office, acquirer }: { readonly office: Office; readonly acquirer: Acquirer },
) => {
  const { sale } = office;
  const first = (): Payment | undefined => acquirer.payments()[0];
  const sometime = (probability: number, hours: number, act: (payment: Payment) => void): void => {
    if (!random.chance(probability)) return;
    clock.after(random.between(1, hours * 60) * MINUTE, () => {
      const payment = first();
      if (payment !== undefined) act(payment);
    });
  };
  return (): void => {
    // The buyer opens a second checkout.
    sometime(0.08, 2, () => {
      if (sale.shippedFor === null) office.sell();
    });
    // The buyer has changed his mind.
    sometime(0.08, 24, (payment) => {
      const { paymentRequestId } = payment;
      if (sale.shippedFor !== null) return;
      // A call that was repeated may have made two payments: the request is cancelled when both are.
      const all = acquirer.payments().filter((one) => one.paymentRequestId === paymentRequestId);
      for (const one of all) acquirer.cancel(one, random.chance(0.3));
      if (all.every(({ state }) => state === 'CANCELLED')) office.patch(paymentRequestId, { cancelled: true });
    });
    // A clerk takes a cancel that failed for one that worked. (Of a wallet that would be a lie that nothing shows.)
    sometime(0.03, 24, (payment) => {
      if (sale.shippedFor === null && payment.method.isCaptured)
        office.patch(payment.paymentRequestId, { cancelled: true });
    });
    // The parcel becomes dearer.
    sometime(0.2, 10, (payment) => {
      if (sale.shippedFor !== null || payment.captureMode !== 'MANUAL') return;
      const [before, total] = [sale.price, sale.price + 20];
      const answer = acquirer.update(payment, total);
      if (answer === null) return;
      sale.raise = { payment, total, before, ...answer };
      if (!random.chance(0.5)) return;
      sale.price = total;
      office.patch(payment.paymentRequestId, { amount: jpy(total) });
    });
    // Part of it is not to be had.
    sometime(0.05, 30, (payment) => {
      if (sale.shippedFor !== null) return;
      office.patch(payment.paymentRequestId, { finalAmount: jpy(Math.ceil(sale.price / 2)) });
    });
    // A clerk gives the money back before the parcel has left.
    sometime(0.06, 150, (payment) => {
      if (sale.shippedFor === null && held(payment) > 0 && !isDisputed(payment))
        office.giveBack(payment, held(payment));
    });
    // The buyer sends it back.
    if (random.chance(0.1))
      clock.after(random.between(24, 400) * HOUR, () => {
        const payment = office.paymentOf(sale.shippedFor ?? '');
        if (payment === undefined || held(payment) <= 0) return;
        tell('the parcel, or part of it, has come back');
        office.giveBack(payment, random.chance(0.5) ? held(payment) : Math.ceil(held(payment) / 3));
      });
  };
};
