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

/** What APO sends, what somebody else sends in its name, and what the shop says about a paymentRequestId. */
export type Act =
  | { readonly by: 'APO' | 'a forger'; readonly notification: JsonObject }
  | { readonly by: 'the shop'; readonly method: 'PUT' | 'PATCH'; readonly said: JsonObject };

export interface Step {
  /** The paymentRequestId of its order. */
  readonly order: string;
  readonly what: string;
  readonly act: Act;
  readonly expected: Expectation;
}

const sample = (name: string): JsonObject => {
  const found = findSample(name);
  if (found === null) throw new Error(`no sample ${name}`);
  return found.notification;
};

const EXPECTED: Expectation = { status: 'PENDING', fulfillable: false, nextAction: 'WAIT', attention: [] };
const AUTHORIZED: Expectation = { ...EXPECTED, status: 'AUTHORIZED' };
const PARTLY: Expectation = { ...EXPECTED, status: 'PARTIALLY_CAPTURED' };
const CAPTURED: Expectation = { status: 'CAPTURED', fulfillable: true, nextAction: 'FULFIL', attention: [] };
const DECLINED: Expectation = { ...EXPECTED, status: 'FAILED', nextAction: 'NEW_PAYMENT_REQUEST' };
const held = (code: AttentionCode, nextAction: NextAction): Expectation => ({
  status: 'CAPTURED',
  fulfillable: false,
  nextAction,
  attention: [code],
});

const [GBP_1523, HKD_10000] = [
  { currency: 'GBP', value: '1523' },
  { currency: 'HKD', value: '10000' },
];
const [BRL_50000, BRL_30000] = [
  { currency: 'BRL', value: '50000' },
  { currency: 'BRL', value: '30000' },
];

const card = compose(sample('payment-card'), { paymentRequestId: 'card' });
const cardId = textOf(card, 'paymentId');
// With automatic capture the captureRequestId equals the paymentRequestId.
const capture = compose(sample('capture'), { paymentId: cardId, captureRequestId: 'card', amount: GBP_1523 });
const refund = compose(sample('refund'), { paymentId: cardId, amount: GBP_1523 });
const declined = compose(sample('payment-declined'), { paymentRequestId: 'declined' });
const forged = compose(declined, { status: 'S', amount: { currency: 'GBP', value: '999900' } });
const wallet = compose(sample('payment-wallet'), { paymentRequestId: 'wallet' });
const walletAgain = compose(wallet, {
  paymentId: '202505171940108001001885J0234117999',
  paymentRequestId: 'wallet-2',
});
const partsId = '20250218164010890100111460207350077';
const parts = compose(sample('payment-card'), { paymentId: partsId, paymentRequestId: 'parts', amount: BRL_50000 });
const part = compose(sample('capture-brl'), { paymentId: partsId, captureRequestId: 'parts-1', amount: BRL_30000 });
const ofParts = { paymentId: partsId, paymentRequestId: 'parts', amount: BRL_30000 };
const disputed = compose(sample('dispute-created'), ofParts);
const won = compose(sample('dispute-won'), ofParts);

const from = (by: 'APO' | 'a forger', notification: JsonObject): Act => ({ by, notification });
const apo = (notification: JsonObject): Act => from('APO', notification);
const shop = (method: 'PUT' | 'PATCH', said: JsonObject): Act => ({ by: 'the shop', method, said });
const order7 = shop('PUT', { amount: HKD_10000, referenceOrderId: 'order-7' });
const manual = shop('PUT', { amount: BRL_50000, captureMode: 'MANUAL' });

type Line = readonly [order: string, what: string, act: Act, expected: Expectation];

/** One line a step; samples of APO's pages wherever there are any. */
const LINES: readonly Line[] = [
  ['card', 'PAYMENT_RESULT S, GBP 1523', apo(card), AUTHORIZED],
  ['card', 'CAPTURE_RESULT S, GBP 1523', apo(capture), CAPTURED],
  ['card', 'PAYMENT_RESULT S again: a resend', apo(card), CAPTURED],
  ['card', 'REFUND_RESULT S, GBP 1523', apo(refund), held('REFUNDED', 'NONE')],
  ['declined', 'PAYMENT_RESULT F: a decline', apo(declined), DECLINED],
  ['declined', 'PAYMENT_RESULT S: a forgery', from('a forger', forged), DECLINED],
  ['parts', 'CAPTURE_RESULT S, BRL 30000 first', apo(part), PARTLY],
  ['parts', 'PAYMENT_RESULT S, BRL 50000', apo(parts), PARTLY],
  ['parts', 'PUT BRL 50000, captureMode MANUAL', manual, { ...PARTLY, nextAction: 'CAPTURE' }],
  ['parts', 'PATCH finalAmount BRL 30000', shop('PATCH', { finalAmount: BRL_30000 }), CAPTURED],
  ['parts', 'DISPUTE_CREATED, BRL 30000', apo(disputed), held('DISPUTED', 'REVIEW')],
  ['parts', 'DISPUTE_JUDGED for the merchant', apo(won), CAPTURED],
  ['wallet', 'PUT HKD 10000 for order-7', order7, EXPECTED],
  ['wallet', 'PAYMENT_RESULT S, HKD 10000', apo(wallet), CAPTURED],
  ['wallet-2', 'PUT HKD 10000 for order-7 again', order7, EXPECTED],
  ['wallet-2', 'PAYMENT_RESULT S: paid twice', apo(walletAgain), held('DUPLICATE_PAYMENT', 'REVIEW')],
  ['wallet', 'PAYMENT_RESULT S again: a resend', apo(wallet), held('DUPLICATE_PAYMENT', 'REVIEW')],
];

/** What the demo does, in this order. */
export const STORY: readonly Step[] = LINES.map(([order, what, act, expected]) => ({ order, what, act, expected }));
