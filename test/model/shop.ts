import type { DerivedOrder } from '../../src/order/order.ts';
import type { Acquirer } from './acquirer.ts';
import type { Around } from './around.ts';
import { Broken } from './broken.ts';
import { DAY } from './clock.ts';
import { jpy } from './facts.ts';
import type { Office } from './office.ts';
import type { Asked, Person } from './person.ts';

/* A shop without a thought of its own: it does what `nextAction` says, word for word. */

interface Staff {
  readonly office: Office;
  readonly acquirer: Acquirer;
  readonly person: Person;
}

const MOST_REQUESTS = 3;

export const createShop = (around: Around, { office, acquirer, person }: Staff): ((asked: Asked) => void) => {
  const { random, clock } = around;
  const { sale } = office;
  const askedAt = new Map<string, number>();
  const leftAt = new Map<string, number>();
  const isInParts = random.chance(0.2);

  /** What it captures of what is left: all, or in parts, the last of which may be announced as such. */
  const partOf = (order: DerivedOrder): number => {
    const left = Number(order.remainingAmount?.value);
    if (!isInParts || order.captures.length > 1 || left < 3) return left;
    const part = Math.floor(left / 3);
    if (order.captures.length === 1 && order.paymentRequestId !== null && random.chance(0.5)) {
      const sum = Number(order.capturedAmount?.value ?? 0) + part;
      office.patch(order.paymentRequestId, { finalAmount: jpy(sum) });
    }
    return part;
  };
  const capture = (asked: Asked): void => {
    const { key, order } = asked;
    const payment = office.paymentOf(key);
    if (payment === undefined || order.remainingAmount === null) throw new Broken(`${key}: nothing to capture`);
    if (clock.now() < sale.readyAt) return;
    const captureRequestId = `${key}-${order.captures.length}`;
    const before = askedAt.get(captureRequestId);
    if (before === undefined) askedAt.set(captureRequestId, clock.now());
    // It holds APO's answer, and a day later that is still not what the order shows: somebody has to look.
    else if (clock.now() >= before + DAY) person.inquire(asked);
    acquirer.capture(payment, captureRequestId, partOf(order));
  };
  const ask = (asked: Asked): void => {
    const { key } = asked;
    office.registerAll();
    const requestId = office.requestIdOf(key);
    if (sale.requests.indexOf(requestId) < sale.requests.length - 1)
      throw new Broken(`${key}: the buyer was asked for another payment already`);
    // What is shipped by hand, or will be shipped for another payment, needs no new one.
    if (sale.shippedFor !== null || sale.chosen !== null) office.review(key, 'CLOSE');
    else if (sale.requests.length < MOST_REQUESTS && random.chance(0.85)) office.sell();
    // The buyer has gone. A day later somebody closes the checkout, if it is still what it was.
    else if (!leftAt.has(key)) {
      sale.hasBuyerGone = true;
      leftAt.set(key, clock.now());
    } else if (clock.now() >= (leftAt.get(key) ?? 0) + DAY) person.inquire(asked);
  };
  return (asked) => {
    const { key, order } = asked;
    switch (order.nextAction) {
      case 'FULFIL': {
        const payment = office.paymentOf(key);
        if (payment === undefined) throw new Broken(`${key}: nothing was paid`);
        // It asks again when the goods are there: much may have come back until then.
        if (clock.now() < sale.readyAt) break;
        // It has left for another payment: of which too little was told, or which has gone back since.
        if (!office.ship(payment, 'advised')) person.review(asked);
        break;
      }
      case 'CAPTURE':
      case 'RETRY_CAPTURE':
        capture(asked);
        break;
      case 'NEW_PAYMENT_REQUEST':
        ask(asked);
        break;
      case 'REVIEW':
        person.review(asked);
        break;
      case 'INQUIRE':
        person.inquire(asked);
        break;
      case 'CONTACT_SUPPORT':
        person.support(asked);
        break;
      case 'WAIT':
      case 'NONE':
        break;
    }
  };
};
