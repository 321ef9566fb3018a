import { createHash } from 'node:crypto';
import { readBody } from '../../src/handlers/read.ts';
import { NO_SIBLINGS, type OrderEvidence, type RegistrationFact } from '../../src/order/evidence.ts';
import type { OrderRules } from '../../src/order/rules.ts';
import type { Sourced, Statement } from '../../src/order/statement.ts';
import {
  amount,
  captureResult,
  CLIENT,
  type Fields,
  jpy,
  paymentPending,
  paymentResult,
  result,
} from '../support/facts.ts';

/*
 * What may be known of one payment of JPY 120, fact by fact, and the settings in which it is looked at. The table is
 * small enough to be taken in all combinations.
 */

/** One thing that may be known: it makes more of some evidence. */
export interface Fact {
  readonly name: string;
  readonly add: (evidence: OrderEvidence) => OrderEvidence;
}

/** When everything was received, and the payment's own time: epoch milliseconds. */
export const RECEIVED_AT = Date.parse('2025-05-17T08:00:00Z');
export const PAID_AT = Date.parse('2025-05-17T07:58:04Z');

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const PAID = '2025-05-17T00:58:04-07:00';

export const NOTHING: OrderEvidence = {
  clientId: CLIENT,
  paymentId: 'P1',
  statements: [],
  registrations: [],
  problems: [],
  sharedIdentities: [],
  siblings: NO_SIBLINGS,
  newestAt: RECEIVED_AT,
  review: null,
};

/** What a notification states, as the receiver reads it. */
export const statementsIn = (fields: Fields): readonly Sourced<Statement>[] => {
  const body = JSON.stringify(fields);
  const { outcome, problem, statements } = readBody(Buffer.from(body));
  if (outcome !== 'APPLIED') throw new Error(`${body} is ${outcome}: ${problem}`);
  const digest = createHash('sha256').update(body).digest('hex');
  return statements.map((statement, place) => ({ ...statement, digest, place }));
};

export const notified = (name: string, fields: Fields): Fact => {
  const statements = statementsIn(fields);
  return { name, add: (evidence) => ({ ...evidence, statements: [...evidence.statements, ...statements] }) };
};

const paid = (name: string, status: 'S' | 'F' | 'U', fields: Fields): Fact =>
  notified(`payment ${status} ${name}`, paymentResult(status, fields));

const captured = (name: string, status: 'S' | 'F' | 'U', fields: Fields): Fact =>
  notified(`capture ${status} ${name}`, captureResult(status, fields));

const refunded = (name: string, status: 'S' | 'F' | 'U', fields: Fields): Fact =>
  notified(`refund ${status} ${name}`, { notifyType: 'REFUND_RESULT', result: result(status), ...fields });

const updated = (name: string, status: 'S' | 'F', paymentAmount: Fields): Fact =>
  notified(`amount update ${status} ${name}`, {
    ...paymentResult(status, { paymentAmount }),
    notifyType: 'UPDATE_AMOUNT_RESULT',
  });

const disputed = (name: string, disputeNotificationType: string, fields: Fields): Fact =>
  notified(`dispute ${name}`, {
    disputeId: 'D1',
    paymentId: 'P1',
    disputeType: 'CHARGEBACK',
    disputeNotificationType,
    ...fields,
  });

const card = { paymentMethodType: 'Apple Pay', paymentResultInfo: { cardBrand: 'VISA' } };

const PAYMENTS: readonly Fact[] = [
  paid('of 120', 'S', { paymentAmount: jpy('120'), paymentTime: PAID }),
  paid('by card, which expires early', 'S', {
    ...{ paymentAmount: jpy('120'), paymentTime: PAID, authExpiryTime: '2025-05-20T07:58:04Z' },
    ...card,
  }),
  paid('by wallet', 'S', { paymentAmount: jpy('120'), paymentTime: PAID, paymentMethodType: 'alipay_hk' }),
  paid('by a method that nobody knows', 'S', { paymentAmount: jpy('120'), paymentMethodType: 'KLARNA' }),
  paid('by GrabPay, with its result info', 'S', {
    ...{ paymentAmount: jpy('120'), paymentMethodType: 'GRABPAY_SG', paymentTime: PAID },
    paymentResultInfo: { lastFour: '4242' },
  }),
  paid('without an amount', 'S', { paymentTime: '2025-05-17T07:58:05Z', acquirerInfo: { acquirerName: '2C2P' } }),
  paid('of 150 under another request', 'S', {
    ...{ paymentAmount: jpy('150'), paymentTime: '1747468684000', paymentRequestId: 'R0' },
    pspCustomerInfo: { pspName: 'TNG' },
  }),
  paid('closed', 'F', { result: result('F', 'ORDER_IS_CLOSED'), paymentCreateTime: '2025-05-17T09:00:00Z' }),
  paid('refused', 'F', { result: result('F', 'RISK_REJECT'), paymentAmount: jpy('0120') }),
  paid('of zero', 'U', { paymentAmount: jpy('0'), acquirerInfo: { acquirerName: 'PayPal' } }),
  notified(
    'payment pending',
    paymentPending({ paymentAmount: jpy('120'), pspCustomerInfo: { pspName: 'TNG' }, authExpiryTime: PAID }),
  ),
  updated('to 150', 'S', jpy('150')),
  updated('to USD 150', 'S', amount('USD', '150')),
];

const CAPTURES: readonly Fact[] = [
  captured('of 120', 'S', { captureId: 'C1', captureRequestId: 'Q1', captureAmount: jpy('120'), captureTime: PAID }),
  captured('of 70', 'S', { captureId: 'C2', captureRequestId: 'Q2', captureAmount: jpy('70') }),
  captured('of 50', 'S', { captureId: 'C3', captureRequestId: 'Q3', captureAmount: jpy('050') }),
  captured('of 150', 'S', { captureId: 'C4', captureRequestId: 'Q4', captureAmount: jpy('150') }),
  captured('without an amount', 'S', { captureId: 'C5', captureRequestId: 'Q5' }),
  captured('of USD 120', 'S', { captureId: 'C6', captureRequestId: 'Q6', captureAmount: amount('USD', '120') }),
  // What failed: the capture of 120 itself; before it and after it; for good; with each advice.
  captured('of the 120', 'F', {
    ...{ captureId: 'C1', captureTime: '2025-05-18T00:00:00Z' },
    result: result('F', 'AUTH_EXPIRED'),
  }),
  captured('before, in another currency', 'F', {
    ...{ captureRequestId: 'Q7', captureAmount: amount('USD', '120'), captureTime: '2025-05-17T00:00:00Z' },
    result: result('F', 'CURRENCY_NOT_SUPPORT'),
  }),
  captured('before, the authorization being gone', 'F', {
    ...{ captureRequestId: 'Q8', captureTime: '2025-05-17T00:00:00Z' },
    result: result('F', 'AUTH_CANCELLED'),
  }),
  captured('of 70, beyond the limit', 'F', {
    ...{ captureId: 'C9', captureAmount: jpy('70'), captureTime: '2025-05-18T00:00:00Z' },
    result: result('F', 'CAPTURE_AMOUNT_EXCEED_AUTH_LIMIT'),
  }),
  captured('for a person', 'F', { captureId: 'CA', result: result('F', 'PROCESS_FAIL') }),
  captured('under way', 'U', { captureId: 'CB', captureAmount: jpy('120') }),
  // Half of it twice, known by one id only and so perhaps the same; and what shows that it is.
  captured('of 60 by its id', 'S', { captureId: 'CC', captureAmount: jpy('60') }),
  captured('of 60 by its request', 'S', { captureRequestId: 'QD', captureAmount: jpy('60') }),
  captured('of 60 by both', 'S', { captureId: 'CC', captureRequestId: 'QD', captureAmount: jpy('60') }),
];

const RETURNED: readonly Fact[] = [
  refunded('of 120', 'S', { refundId: 'F1', refundRequestId: 'G1', refundAmount: jpy('120') }),
  refunded('of 50', 'S', { refundId: 'F2', refundRequestId: 'G2', refundAmount: jpy('50') }),
  refunded('of the 50', 'F', { refundId: 'F2', refundAmount: jpy('50') }),
  refunded('of 50, another', 'F', { refundRequestId: 'G3', refundAmount: jpy('50') }),
  refunded('of USD 120', 'S', { refundId: 'F4', refundAmount: amount('USD', '120') }),
  disputed('opened', 'DISPUTE_CREATED', { disputeAmount: jpy('70'), disputeTime: '2025-06-01T00:00:00Z' }),
  disputed('lost', 'DISPUTE_JUDGED', {
    ...{ disputeJudgedAmount: jpy('120'), disputeJudgedResult: 'ACCEPT_BY_MERCHANT' },
    disputeJudgedTime: '2025-06-20T00:00:00Z',
  }),
  disputed('won', 'DISPUTE_JUDGED', {
    ...{ disputeJudgedResult: 'ACCEPT_BY_CUSTOMER', disputeJudgedTime: '2025-06-21T00:00:00Z' },
  }),
  disputed('accepted without an amount', 'DISPUTE_ACCEPTED', { disputeId: 'D2' }),
  disputed('for documents', 'DISPUTE_CREATED', { disputeId: 'D3', disputeType: 'RETRIEVAL_REQUEST' }),
];

/** Another payment of the shop order, which was paid. */
export const SIBLING: OrderEvidence = {
  ...NOTHING,
  paymentId: 'P2',
  statements: [
    ...statementsIn(paymentResult('S', { paymentId: 'P2', paymentRequestId: 'R2', paymentAmount: jpy('120') })),
    ...statementsIn(captureResult('S', { paymentId: 'P2', captureId: 'CS', captureAmount: jpy('120') })),
  ],
};

const AROUND: readonly Fact[] = [
  { name: 'unreadable', add: (evidence) => ({ ...evidence, problems: [...evidence.problems, 'result is missing.'] }) },
  {
    name: 'shared identity',
    add: (evidence) => ({
      ...evidence,
      sharedIdentities: [...evidence.sharedIdentities, 'captureId C1 also names payment P9'],
    }),
  },
  {
    name: 'a sibling is paid',
    add: (evidence) => ({
      ...evidence,
      siblings: { ...evidence.siblings, payments: [...evidence.siblings.payments, SIBLING] },
    }),
  },
  {
    name: 'registered once more',
    add: (evidence) => ({ ...evidence, siblings: { ...evidence.siblings, hasLaterRegistration: true } }),
  },
  { name: 'of the sandbox', add: (evidence) => ({ ...evidence, clientId: 'SANDBOX_client' }) },
];

export const FACTS: readonly Fact[] = [...PAYMENTS, ...CAPTURES, ...RETURNED, ...AROUND];

/** A registration of JPY 120 under R1. */
export const registration = (fields: Partial<RegistrationFact> = {}): RegistrationFact => ({
  clientId: CLIENT,
  paymentRequestId: 'R1',
  amount: { currency: 'JPY', value: '120' },
  referenceOrderId: null,
  captureMode: null,
  paymentMethodType: null,
  authExpiryTime: null,
  finalAmount: null,
  cancelled: false,
  createdAt: RECEIVED_AT,
  ...fields,
});

export const REGISTRATIONS: readonly (readonly [name: string, registration: RegistrationFact | null])[] = [
  ['not registered', null],
  ['registered', registration({ referenceOrderId: 'shop-1', authExpiryTime: 'tomorrow' })],
  ['registered for manual capture', registration({ captureMode: 'MANUAL' })],
  ['registered without a capture', registration({ captureMode: 'NONE' })],
  ['registered by wallet', registration({ paymentMethodType: 'New Pay', authExpiryTime: '2025-05-24T07:00:00Z' })],
  ['registered, 70 being all', registration({ captureMode: 'MANUAL', finalAmount: { currency: 'JPY', value: '70' } })],
  ['registered as cancelled', registration({ cancelled: true })],
  ['registered with 121', registration({ amount: { currency: 'JPY', value: '121' } })],
];

/** The contract's defaults. */
export const DEFAULTS: OrderRules = {
  captureRequired: 'methods',
  noCaptureMethods: [],
  captureMode: 'AUTOMATIC',
  requireRegistration: false,
  production: false,
};

export const CONFIGURATIONS: readonly (readonly [name: string, rules: OrderRules])[] = [
  ['by method, in production', { ...DEFAULTS, noCaptureMethods: ['NEWPAY'], production: true }],
  [
    'always captured, registered',
    { ...DEFAULTS, captureRequired: 'always', captureMode: 'MANUAL', requireRegistration: true },
  ],
];

/** Just under and at an hour after the last notification; 48 h before the authorization expires, and then. */
export const INSTANTS: readonly number[] = [
  RECEIVED_AT + HOUR - 1,
  RECEIVED_AT + HOUR,
  PAID_AT + 5 * DAY,
  PAID_AT + 7 * DAY,
];

export const evidenceOf = (set: readonly Fact[], registered: RegistrationFact | null): OrderEvidence => {
  const evidence = set.reduce((before, { add }) => add(before), NOTHING);
  return registered === null ? evidence : { ...evidence, registrations: [registered] };
};
