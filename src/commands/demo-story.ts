import type { AttentionCode } from '../order/attention-code.ts';
import type { NextAction } from '../order/next-action.ts';
import type { JsonObject } from '../order/statement.ts';
import type { OrderStatus } from '../order/status.ts';
import { compose } from './compose.ts';
import { findSample, textOf } from './samples.ts';

/** What an order is to say after a step. */
export interface Expectation {
  readonly status: OrderStatus;
  readonly fulfillable: boolean;
  readonly nextAction: NextAction;
  readonly attention: readonly AttentionCode[];
}

export interface Step {
  /** The letter by which the table names its order. */
  readonly order: string;
  readonly what: string;
  readonly notification: JsonObject;
  readonly forged: boolean;
  readonly expected: Expectation;
}

const sample = (name: string): JsonObject => {
  const found = findSample(name);
  if (found === null) throw new Error(`no sample ${name}`);
  return found.notification;
};

const AUTHORIZED: Expectation = { status: 'AUTHORIZED', fulfillable: false, nextAction: 'WAIT', attention: [] };
const PARTLY: Expectation = { ...AUTHORIZED, status: 'PARTIALLY_CAPTURED' };
const CAPTURED: Expectation = { status: 'CAPTURED', fulfillable: true, nextAction: 'FULFIL', attention: [] };
const DECLINED: Expectation = {
  status: 'FAILED',
  fulfillable: false,
  nextAction: 'NEW_PAYMENT_REQUEST',
  attention: [],
};
const EARLY: Expectation = { ...PARTLY, attention: [] };

const payment = sample('payment-card');
const paymentId = textOf(payment, 'paymentId');
const declined = sample('payment-declined');
const inParts = compose(payment, {
  paymentId: '20250218164010890100111460207350077',
  paymentRequestId: '2025021886031300001258802960554',
  amount: { currency: 'BRL', value: '50000' },
});
const part = (value: string, captureId: string): JsonObject =>
  compose(sample('capture-brl'), {
    paymentId: textOf(inParts, 'paymentId'),
    captureId,
    captureRequestId: `capture-${captureId}`,
    amount: { currency: 'BRL', value },
  });
const capture = compose(sample('capture'), {
  paymentId,
  captureId: '20250217164010890100111460207311801',
  // With automatic capture it equals the paymentRequestId.
  captureRequestId: textOf(payment, 'paymentRequestId'),
  amount: { currency: 'GBP', value: '1523' },
});

const genuine = (order: string, what: string, step: Pick<Step, 'notification' | 'expected'>): Step => ({
  order,
  what,
  forged: false,
  ...step,
});

/** What the demo sends, in this order; samples of APO's pages wherever there are any. */
export const STORY: readonly Step[] = [
  genuine('A', 'PAYMENT_RESULT S, GBP 1523', { notification: payment, expected: AUTHORIZED }),
  genuine('A', 'CAPTURE_RESULT S, GBP 1523', { notification: capture, expected: CAPTURED }),
  genuine('A', 'PAYMENT_RESULT S again: a resend', { notification: payment, expected: CAPTURED }),
  genuine('B', 'PAYMENT_RESULT F: a decline', { notification: declined, expected: DECLINED }),
  genuine('C', 'CAPTURE_RESULT S, JPY 120, before its payment', { notification: sample('capture'), expected: EARLY }),
  genuine('C', 'PAYMENT_RESULT S, JPY 120', { notification: sample('payment-of-capture'), expected: CAPTURED }),
  genuine('D', 'PAYMENT_RESULT S, BRL 50000', { notification: inParts, expected: AUTHORIZED }),
  genuine('D', 'CAPTURE_RESULT S, BRL 20000: a part', {
    notification: part('20000', '20250218194010890100111600255670001'),
    expected: PARTLY,
  }),
  genuine('D', 'CAPTURE_RESULT S, BRL 30000: the rest', {
    notification: part('30000', '20250218194010890100111600255670002'),
    expected: CAPTURED,
  }),
  {
    order: 'B',
    what: 'PAYMENT_RESULT S: a forgery, by another key',
    notification: compose(declined, { status: 'S', amount: { currency: 'GBP', value: '999900' } }),
    forged: true,
    expected: DECLINED,
  },
];
