import { createHash } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { nameOfRules } from '../../src/order/rules.ts';
import { captureResult, jpy, paymentPending, paymentResult, refundResult, result } from '../support/facts.ts';
import { deriveOrders, registered, RULES, toReceived, toCoded } from './core.ts';

const NOTIFICATIONS = [
  paymentPending({ paymentAmount: jpy('120') }),
  paymentResult('S', { paymentAmount: jpy('120'), paymentTime: '2025-05-17T07:58:04Z' }),
  paymentResult('F'),
  paymentResult('U', { paymentMethodType: 'ALIPAY_CN', paymentAmount: jpy('100') }),
  paymentResult('S', { paymentId: 'P2', paymentAmount: jpy('120') }),
  captureResult('S', { captureId: 'C1', captureAmount: jpy('120') }),
  captureResult('F', { captureId: 'C2', captureRequestId: 'Q2', captureAmount: jpy('60') }),
  captureResult('S', { captureId: 'C3', captureAmount: { currency: 'EUR', value: '7' } }),
  {
    disputeNotificationType: 'DISPUTE_JUDGED',
    disputeJudgedResult: 'ACCEPT_BY_MERCHANT',
    disputeId: 'D1',
    paymentId: 'P1',
    disputeAmount: jpy('30'),
  },
  {
    notifyType: 'UPDATE_AMOUNT_RESULT',
    result: result('S'),
    paymentId: 'P1',
    paymentAmount: jpy('150'),
  },
  refundResult('S', { paymentId: 'P1', refundId: 'F1', refundAmount: jpy('50') }),
  refundResult('S', { paymentId: 'P1', refundId: 'F2' }),
].map((fields) => toReceived(fields));

/** Every set of these notifications, with a registration and without. */
const orders = (): readonly unknown[] =>
  Array.from({ length: 2 ** NOTIFICATIONS.length }, (_, set) =>
    NOTIFICATIONS.filter((__, index) => (set >> index) % 2 === 1),
  ).flatMap((received) =>
    [[], [registered()]].flatMap((registrations) =>
      deriveOrders({ received, registrations, rules: RULES }).map(toCoded),
    ),
  );

/**
 * Where orders change, those that are stored have to be derived again: raise DERIVATION in src/order/rules.ts, and put
 * the number and the digest here.
 */
test('what orders say has not changed since DERIVATION was raised', () => {
  const [number] = JSON.parse(nameOfRules(RULES)) as readonly [number];
  const digest = createHash('sha256').update(JSON.stringify(orders())).digest('hex').slice(0, 16);
  expect([number, digest]).toEqual([10, '9f74a19108e789f5']);
});
