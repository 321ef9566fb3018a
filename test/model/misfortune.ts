import type { DisputeStatement } from '../../src/order/statement.ts';
import type { Acquirer } from './acquirer.ts';
import { type Around, instant, sendPayment, toResult } from './around.ts';
import { DAY, HOUR, MINUTE } from './clock.ts';
import { jpy } from './facts.ts';
import { type DisputeCase, held, isDisputed, type Payment } from './payment.ts';
import type { Letter } from './post.ts';

/* What buyers, issuers and the merchant's own accountants do, whatever the shop does. */

type Outcome = 'WON' | 'LOST' | 'ACCEPTED' | 'CANCELLED' | 'RDR' | 'REQUEST';

/** What becomes of a payment after it was placed. */
export const createMisfortune = (around: Around, acquirer: Acquirer) => {
  const { random, clock } = around;
  const dispute = createDisputing(around);
  let dashboard = 0;
  /** The dashboard refunds: nothing is registered, so nothing joins it at first. */
  const refundByDashboard = (payment: Payment): void => {
    const most = held(payment);
    if (most <= 0 || isDisputed(payment)) return;
    dashboard += 1;
    const refundRequestId = `dashboard-${dashboard}`;
    acquirer.refund(payment, refundRequestId, random.chance(0.6) ? most : random.between(1, most));
    // Until someone sees it in the list of those that are not joined.
    if (random.chance(0.6))
      clock.after(random.between(1, 24) * HOUR, () => {
        around.facts.registerRefund(refundRequestId, payment.paymentId);
      });
  };
  const sometime = (probability: number, days: number, act: () => void): void => {
    if (random.chance(probability)) clock.after(random.between(1, days * 24 * 60) * MINUTE, act);
  };
  const afterwards = (payment: Payment): void => {
    sometime(0.04, 4, () => {
      refundByDashboard(payment);
    });
    sometime(0.07, 15, () => {
      dispute(payment);
    });
    sometime(0.03, 2, () => {
      acquirer.cancel(payment, random.chance(0.6));
    });
  };
  const pay = (payment: Payment): void => {
    // A cancelled one can no longer be paid.
    if (payment.state !== 'OPEN' && payment.state !== 'FAILED') return;
    if (payment.gone !== null) return;
    acquirer.pay(payment);
    afterwards(payment);
  };
  return (payment: Payment): void => {
    const soon = random.chance(0.9) ? random.between(0, 30) * MINUTE : random.between(1, 48) * HOUR;
    if (random.chance(0.2))
      clock.after(random.between(0, 5) * MINUTE, () => {
        sendPayment(around, payment, {
          pending: true,
          result: toResult('S', 'SUCCESS'),
          paymentCreateTime: instant(clock.now()),
        });
      });
    if (random.chance(0.08)) {
      // An abandoned checkout: APO closes it, and may say so.
      clock.after(random.between(1, 24) * HOUR, () => {
        if (payment.state !== 'OPEN') return;
        payment.state = 'FAILED';
        if (random.chance(0.5)) acquirer.fail(payment, 'ORDER_IS_CLOSED');
      });
      return;
    }
    if (!random.chance(0.15)) {
      clock.after(soon, () => {
        pay(payment);
      });
      return;
    }
    clock.after(soon, () => {
      if (payment.state !== 'OPEN') return;
      // Not RISK_REJECT, which takes money back later: once reviewed, a second failure of one code is no news.
      acquirer.fail(payment, random.pick(['PROCESS_FAIL', 'USER_NOT_EXIST', 'USER_BALANCE_NOT_ENOUGH']));
      // The buyer tries again with another card: a failure, then a success.
      if (random.chance(around.contradictory * 5))
        clock.after(random.between(1, 30) * MINUTE, () => {
          pay(payment);
        });
    });
  };
};

interface Ending {
  readonly one: DisputeCase;
  readonly outcome: Exclude<Outcome, 'RDR' | 'REQUEST'>;
  readonly amount: number;
  readonly say: (type: string, fields?: Partial<DisputeStatement>) => Letter;
}

const createDisputing = (around: Around) => {
  const { random, clock, post, tell } = around;
  let number = 0;
  const end = (payment: Payment, { one, outcome, amount, say }: Ending): void => {
    const judgedTime = instant(clock.now());
    const taken = Math.min(outcome === 'LOST' && random.chance(0.3) ? Math.ceil(amount / 2) : amount, held(payment));
    one.isOpen = false;
    tell(`${payment.paymentId} dispute ${one.disputeId} ends: ${outcome}`);
    const said = {
      WON: () => say('DISPUTE_JUDGED', { judgedResult: 'ACCEPT_BY_CUSTOMER', judgedTime }),
      LOST: () => say('DISPUTE_JUDGED', { judgedResult: 'ACCEPT_BY_MERCHANT', judgedTime, judgedAmount: jpy(taken) }),
      ACCEPTED: () => say('DISPUTE_ACCEPTED'),
      CANCELLED: () => say('DISPUTE_CANCELLED'),
    }[outcome]();
    if (outcome === 'LOST' || outcome === 'ACCEPTED')
      payment.returns.push({ amount: taken, isTold: () => said.state === 'ARRIVED' });
  };
  return (payment: Payment): void => {
    const most = held(payment);
    if (most <= 0 || isDisputed(payment)) return;
    number += 1;
    const one: DisputeCase = { disputeId: `D${number}`, isOpen: true, opening: [] };
    const outcome = random.pick<Outcome>(['WON', 'LOST', 'ACCEPTED', 'CANCELLED', 'RDR', 'REQUEST']);
    const amount = random.chance(0.6) ? most : random.between(1, most);
    const say = (notificationType: string, fields: Partial<DisputeStatement> = {}) =>
      post.send(payment.paymentId, {
        about: 'dispute',
        disputeId: one.disputeId,
        notificationType,
        type: outcome === 'REQUEST' ? random.pick(['RETRIEVAL_REQUEST', 'COMPLIANCE_REQUEST']) : 'CHARGEBACK',
        amount: jpy(amount),
        disputeTime: instant(clock.now()),
        ...fields,
      });
    tell(`${payment.paymentId} disputed: ${amount}, to end as ${outcome}`);
    if (outcome === 'RDR') {
      const letter = say('RDR_RESOLVED');
      one.isOpen = false;
      payment.returns.push({ amount, isTold: () => letter.state === 'ARRIVED' });
      return;
    }
    const dueTime = instant(clock.now() + 14 * DAY);
    const created = say('DISPUTE_CREATED', { dueTime });
    if (outcome === 'REQUEST') {
      const judgedResult = random.pick(['VALIDATE_SUCCESS', 'VALIDATE_FAIL']);
      clock.after(random.between(1, 14) * DAY, () => {
        say('DISPUTE_JUDGED', { judgedResult, judgedTime: instant(clock.now()) });
      });
      return;
    }
    payment.disputes.push(one);
    one.opening.push(created);
    if (random.chance(0.4))
      clock.after(random.between(1, 3) * DAY, () => {
        one.opening.push(random.chance(0.5) ? say('DEFENSE_SUPPLIED') : say('DEFENSE_DUE_ALERT', { dueTime }));
      });
    clock.after(random.between(3, 14) * DAY, () => {
      end(payment, { one, outcome, amount, say });
    });
  };
};
