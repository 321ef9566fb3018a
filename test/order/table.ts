import type { OrderEvidence, RegistrationFact } from '../../src/order/evidence.ts';
import {
  amount,
  captureResult,
  type Fields,
  jpy,
  paymentPending,
  paymentResult,
  refundResult,
  result,
} from '../support/facts.ts';
import { type Fact, NOTHING, notified, statementsIn } from './fact.ts';
import { INQUIRED, MORE_INQUIRED } from './inquired.ts';
import { registration } from './settings.ts';

export { type Fact, NOTHING, notified, statementsIn } from './fact.ts';

/* What may be known of one payment of JPY 120, fact by fact: few enough to be taken in all combinations. */

const PAID = '2025-05-17T00:58:04-07:00';

type Status = 'S' | 'F' | 'U';

const paid = (name: string, status: Status, fields: Fields): Fact =>
  notified(`payment ${status} ${name}`, paymentResult(status, fields));

const captured = (name: string, status: Status, fields: Fields): Fact =>
  notified(`capture ${status} ${name}`, captureResult(status, fields));

const refunded = (name: string, status: Status, fields: Fields): Fact =>
  notified(`refund ${status} ${name}`, refundResult(status, fields));

const updated = (name: string, status: Status, paymentAmount: Fields): Fact =>
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

const PAYMENTS: readonly Fact[] = [
  paid('of 120', 'S', { paymentAmount: jpy('120'), paymentTime: PAID }),
  paid('by card, which expires early', 'S', {
    paymentAmount: jpy('120'),
    paymentTime: PAID,
    authExpiryTime: '2025-05-20T07:58:04Z',
    paymentMethodType: 'Apple Pay',
  }),
  paid('by a method that nobody knows', 'S', { paymentAmount: jpy('120'), paymentMethodType: 'KLARNA' }),
  paid('by wallet', 'S', {
    paymentAmount: jpy('120'),
    paymentTime: PAID,
    paymentMethodType: 'GrabPay_SG',
    paymentResultInfo: { lastFour: '4242' },
  }),
  paid('without an amount', 'S', {
    paymentTime: '2025-05-17T07:58:05Z',
    acquirerInfo: { acquirerName: '2C2P' },
    paymentResultInfo: { lastFour: '4242' },
  }),
  paid('of 150 under another request', 'S', {
    paymentAmount: jpy('150'),
    paymentTime: '1747468684000',
    paymentRequestId: 'R0',
    pspCustomerInfo: { pspName: 'TNG' },
  }),
  paid('closed', 'F', {
    result: result('F', 'ORDER_IS_CLOSED'),
    paymentCreateTime: '2025-05-17T09:00:00Z',
    pspCustomerInfo: { pspName: 'A new PSP' },
  }),
  paid('refused', 'F', { result: result('F', 'RISK_REJECT'), paymentAmount: jpy('0120') }),
  paid('of zero, acquired by PayPal', 'U', { paymentAmount: jpy('0'), acquirerInfo: { acquirerName: 'Pay-Pal' } }),
  notified(
    'payment pending',
    paymentPending({ paymentAmount: jpy('130'), pspCustomerInfo: { pspName: 'TNG' }, authExpiryTime: PAID }),
  ),
  updated('to 150', 'S', jpy('150')),
  updated('to USD 150', 'S', amount('USD', '150')),
  updated('to 200', 'F', jpy('200')),
];

const LATE = '2025-05-18T00:00:00Z';
const EARLY = '2025-05-17T00:00:00Z';

const CAPTURES: readonly Fact[] = [
  captured('of 120', 'S', { captureId: 'C1', captureRequestId: 'Q1', captureAmount: jpy('120'), captureTime: PAID }),
  captured('of 70', 'S', { captureId: 'C2', captureRequestId: 'Q2', captureAmount: jpy('70') }),
  captured('of 50', 'S', { captureId: 'C3', captureRequestId: 'Q3', captureAmount: jpy('050') }),
  captured('without an amount', 'S', { captureId: 'C5', captureRequestId: 'Q5', captureTime: LATE }),
  captured('of USD 120', 'S', { captureId: 'C6', captureRequestId: 'Q6', captureAmount: amount('USD', '120') }),
  captured('of the 120, as 150 by another request', 'S', {
    captureId: 'C1',
    captureRequestId: 'Q9',
    captureAmount: jpy('150'),
    captureTime: LATE,
  }),
  // What failed: the capture of 120 itself; before it and after it; for good; with each advice.
  captured('of the 120', 'F', { captureId: 'C1', captureTime: LATE, result: result('F', 'AUTH_EXPIRED') }),
  captured('before, in another currency', 'F', {
    captureRequestId: 'Q7',
    captureAmount: amount('USD', '120'),
    captureTime: EARLY,
    result: result('F', 'CURRENCY_NOT_SUPPORT'),
  }),
  captured('before, the authorization being gone', 'F', {
    captureRequestId: 'Q8',
    captureTime: EARLY,
    result: result('F', 'AUTH_CANCELLED'),
  }),
  captured('of 50, beyond the limit', 'F', {
    captureId: 'C9',
    captureAmount: jpy('50'),
    captureTime: '2025-05-18T00:00:01Z',
    result: result('F', 'CAPTURE_AMOUNT_EXCEED_AUTH_LIMIT'),
  }),
  captured('for a person', 'F', { captureId: 'CA', result: result('F', 'PROCESS_FAIL') }),
  captured('under way', 'U', { captureId: 'CB', captureAmount: jpy('120') }),
  // Half of it twice, known by one id only and so perhaps the same.
  captured('of 60 by its id', 'S', { captureId: 'CC', captureAmount: jpy('60') }),
  captured('of 60 by its request', 'S', { captureRequestId: 'QD', captureAmount: jpy('60') }),
];

const RETURNED: readonly Fact[] = [
  refunded('of 120', 'S', { refundId: 'F1', refundRequestId: 'G1', refundAmount: jpy('120') }),
  refunded('of 50', 'S', { refundId: 'F2', refundRequestId: 'G2', refundAmount: jpy('50') }),
  refunded('of the 50', 'F', { refundId: 'F2', refundAmount: jpy('50') }),
  refunded('of 50, of another payment', 'F', { refundRequestId: 'G3', refundAmount: jpy('50'), paymentId: 'P9' }),
  refunded('of USD 120', 'S', { refundId: 'F4', refundAmount: amount('USD', '120') }),
  refunded('without an amount', 'S', { refundId: 'F5' }),
  disputed('opened', 'DISPUTE_CREATED', { disputeAmount: jpy('70'), disputeTime: '2025-06-01T00:00:00Z' }),
  disputed('lost', 'DISPUTE_JUDGED', {
    disputeAmount: jpy('60'),
    disputeJudgedAmount: jpy('120'),
    disputeJudgedResult: 'ACCEPT_BY_MERCHANT',
    disputeJudgedTime: '2025-06-20T00:00:00Z',
  }),
  disputed('won', 'DISPUTE_JUDGED', {
    disputeJudgedResult: 'ACCEPT_BY_CUSTOMER',
    disputeJudgedTime: '2025-06-21T00:00:00Z',
  }),
  disputed('accepted without an amount', 'DISPUTE_ACCEPTED', { disputeId: 'D2' }),
  disputed('for documents', 'DISPUTE_CREATED', { disputeId: 'D3', disputeType: 'RETRIEVAL_REQUEST' }),
];

/** Another payment of the shop order, which was paid. */
const SIBLING: OrderEvidence = {
  ...NOTHING,
  paymentId: 'P2',
  statements: [
    ...statementsIn(paymentResult('S', { paymentId: 'P2', paymentRequestId: 'R2', paymentAmount: jpy('120') })),
    ...statementsIn(captureResult('S', { paymentId: 'P2', captureId: 'CS', captureAmount: jpy('120') })),
  ],
};

const REFUNDED_SIBLING: OrderEvidence = {
  ...SIBLING,
  paymentId: 'P3',
  statements: [
    ...SIBLING.statements,
    ...statementsIn({
      notifyType: 'REFUND_RESULT',
      result: result('S'),
      refundId: 'FS',
      refundAmount: jpy('120'),
    }),
  ],
};

const FULFILLED_SIBLING: OrderEvidence = {
  ...REFUNDED_SIBLING,
  paymentId: 'P4',
  review: {
    decision: 'FULFIL',
    revision: 7,
    note: null,
    createdAt: 0,
    settled: [{ code: 'REFUNDED', values: '["JPY 120"]' }],
    captured: '120',
    status: 'CAPTURED',
  },
};

const AROUND: readonly Fact[] = [
  {
    name: 'unreadable',
    add: (evidence) => ({
      ...evidence,
      problems: [...evidence.problems, { digest: 'u1', text: 'result is missing.' }],
    }),
  },
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

export const FACTS: readonly Fact[] = [...PAYMENTS, ...CAPTURES, ...RETURNED, ...INQUIRED, ...AROUND];

/** More facts, for sets that are drawn. */
export const MORE_FACTS: readonly Fact[] = [
  paid('by wallet, acquired elsewhere', 'S', {
    paymentAmount: jpy('120'),
    paymentTime: '2025-05-17T07:58:04,9+00:00',
    paymentMethodType: 'alipay_hk',
    acquirerInfo: { acquirerName: 'ALIPAY', acquirerMerchantId: 'M1' },
    acquirerReferenceNo: 'A1',
  }),
  paid('of USD 150', 'S', { paymentAmount: amount('USD', '150'), paymentTime: '2025-02-30T00:00:00Z' }),
  paid('canceled', 'F', { result: result('F', 'ORDER_IS_CANCELED') }),
  captured('of 60 by both', 'S', { captureId: 'CC', captureRequestId: 'QD', captureAmount: jpy('60') }),
  captured('of 120 under way', 'U', { captureId: 'C1', captureAmount: jpy('130'), acquirerReferenceNo: 'A2' }),
  captured('of 60, beyond the limit', 'F', {
    captureRequestId: 'QD',
    captureAmount: jpy('60'),
    result: result('F', 'USER_AMOUNT_EXCEED_LIMIT'),
  }),
  captured('of what is illegal', 'F', { captureRequestId: 'QE', result: result('F', 'PARAM_ILLEGAL') }),
  refunded('of 50 by its request', 'S', { refundRequestId: 'G2', refundAmount: jpy('60'), captureId: 'C1' }),
  refunded('under way', 'U', { refundRequestId: 'G5', refundTime: PAID }),
  disputed('defended', 'DEFENSE_SUPPLIED', { disputeId: 'D2', disputeAmount: jpy('20'), disputeReasonCode: '4853' }),
  disputed('cancelled', 'DISPUTE_CANCELLED', { disputeId: 'D2', disputeAmount: jpy('30') }),
  disputed('resolved at once', 'RDR_RESOLVED', { disputeId: 'D2', disputeAmount: amount('USD', '20') }),
  disputed('judged somehow', 'DISPUTE_JUDGED', { disputeId: 'D2', disputeJudgedResult: 'A_NEW_RESULT' }),
  disputed('of documents that sufficed', 'DISPUTE_JUDGED', {
    disputeId: 'D3',
    disputeJudgedResult: 'VALIDATE_SUCCESS',
  }),
  ...MORE_INQUIRED,
  {
    name: 'also registered',
    add: (evidence) => ({
      ...evidence,
      registrations: [
        ...evidence.registrations,
        registration({ paymentRequestId: 'R0', amount: { currency: 'JPY', value: '150' }, referenceOrderId: 'shop-2' }),
      ],
    }),
  },
  {
    name: 'a sibling gave everything back',
    add: (evidence) => ({
      ...evidence,
      siblings: { ...evidence.siblings, payments: [...evidence.siblings.payments, REFUNDED_SIBLING] },
    }),
  },
  {
    name: 'a sibling gave everything back, and is fulfilled',
    add: (evidence) => ({
      ...evidence,
      siblings: { ...evidence.siblings, payments: [...evidence.siblings.payments, FULFILLED_SIBLING] },
    }),
  },
  {
    name: 'unreadable otherwise',
    add: (evidence) => ({ ...evidence, problems: [...evidence.problems, { digest: 'u2', text: 'No JSON.' }] }),
  },
];

export const evidenceOf = (set: readonly Fact[], registered: RegistrationFact | null): OrderEvidence => {
  const evidence = set.reduce((before, { add }) => add(before), NOTHING);
  return registered === null ? evidence : { ...evidence, registrations: [registered] };
};
