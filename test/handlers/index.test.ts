import { describe, expect, test } from '@jest/globals';
import { handlers } from '../../src/handlers/index.ts';
import { readBody } from '../../src/handlers/read.ts';
import { IDENTIFIER_NAMES } from '../../src/order/identifier.ts';
import { type Kind, NOTIFICATION_KINDS } from '../../src/order/reading.ts';
import { captureResult, type Fields, paymentPending, paymentResult, result } from '../support/facts.ts';

const read = (fields: Fields) => readBody(Buffer.from(JSON.stringify(fields)));

test('the dispatch table has one line a kind, in the order in which they are told apart', () => {
  expect(handlers.map(({ kind }) => kind)).toEqual(NOTIFICATION_KINDS);
});

const REFUND = { notifyType: 'REFUND_RESULT', result: result('S'), refundId: 'F1' };

/** Two lists: what has a handler, and what is only told apart. */
const APPLIED: readonly (readonly [Kind, Fields])[] = [
  ['SUBSCRIPTION_PAYMENT', paymentResult('S', { subscriptionId: 'S1' })],
  ['SUBSCRIPTION_PAYMENT', paymentResult('S', { subscriptionOrderId: 'S1' })],
  ['PAYMENT', paymentResult('S')],
  ['PAYMENT_PENDING', paymentPending()],
  ['UPDATE_AMOUNT', { ...paymentResult('S'), notifyType: 'UPDATE_AMOUNT_RESULT' }],
  ['REFUND', REFUND],
  ['DISPUTE', { disputeNotificationType: 'DISPUTE_CREATED', disputeId: 'D1', notifyTime: 't', paymentId: 'P1' }],
  ['CAPTURE', captureResult('S', { captureId: 'C1' })],
];

const UNHANDLED: readonly (readonly [Kind, Fields])[] = [
  ['DEFENSE_DOCUMENT', { disputeId: 'D1', notifyTime: 't' }],
  ['AUTHORIZATION', { authorizationNotifyType: 'TOKEN_CREATED', result: result('S') }],
  ['SUBSCRIPTION', { subscriptionNotificationType: 'CREATE', subscriptionId: 'S1' }],
  ['BILLING_SUBSCRIPTION', { subscriptionId: 'S1', eventTime: 't' }],
  ['INVOICE', { invoiceId: 'I1', invoiceStatus: 'PAID' }],
  ['CREDIT_NOTE', { creditNoteNotificationType: 'CREATED' }],
  ['METER', { eventName: 'e', errorEvents: [] }],
  ['VAULTING', { vaultingRequestId: 'V1', result: result('S') }],
  ['CARD_BILL', { billNo: 'B1' }],
  ['CARD_STATUS', { assetId: 'A1', cardStatus: 'ACTIVE' }],
  ['TRANSFER', { transferRequestId: 'T1' }],
  ['DIRECT_PAYMENT', { notifyType: 'PAYMENT_RESULT', paymentStatus: 'SUCCESS', paymentId: 'P1' }],
  ['DIRECT_REFUND', { ...REFUND, refundFromMethod: {} }],
  ['DIRECT_REFUND', { ...REFUND, refundToAmount: {} }],
  ['DIRECT_REFUND', { notifyType: 'REFUND_RESULT', refundStatus: 'SUCCESS' }],
  ['OFFLINE_CODE', { notifyType: 'OFFLINE_PAYMENT_CODE' }],
  ['UNKNOWN', { notifyType: 'TOMORROWS_RESULT', result: result('S') }],
  ['UNKNOWN', { invoiceId: 'I1' }],
  ['UNKNOWN', { cardStatus: 'ACTIVE' }],
  ['UNKNOWN', {}],
];

describe('a kind is told by its fields', () => {
  test.each(APPLIED)('%s, which is applied: %j', (kind, fields) => {
    expect(read(fields)).toMatchObject({ kind, outcome: 'APPLIED' });
  });

  test.each(UNHANDLED)('%s, which is unhandled: %j', (kind, fields) => {
    expect(read(fields)).toMatchObject({ kind, outcome: 'UNHANDLED', problem: null, statements: [] });
  });

  test('every kind of the specification is tried here', () => {
    expect(new Set([...APPLIED, ...UNHANDLED].map(([kind]) => kind))).toEqual(new Set(NOTIFICATION_KINDS));
  });

  test('the first of the kinds that fit is the one', () => {
    const byFields = [...APPLIED, ...UNHANDLED].filter(([, { notifyType }]) => notifyType === undefined);
    for (const [kind, fields] of byFields) {
      for (const [other, others] of [...APPLIED, ...UNHANDLED]) {
        // A payment that names a subscription is its payment.
        const isOfSubscription = kind === 'BILLING_SUBSCRIPTION' && others['notifyType'] === 'PAYMENT_RESULT';
        const first = isOfSubscription
          ? 'SUBSCRIPTION_PAYMENT'
          : NOTIFICATION_KINDS.find((one) => one === kind || one === other);
        expect([kind, other, read({ ...others, ...fields }).kind]).toEqual([kind, other, first]);
      }
    }
  });

  test.each([['absent'], [null], ['']])('a telling field that is %j tells nothing', (missing) => {
    const value = missing === 'absent' ? undefined : missing;
    expect(read(paymentResult('S', { subscriptionId: value, disputeNotificationType: value })).kind).toBe('PAYMENT');
    expect(read({ ...REFUND, refundFromMethod: value, refundToAmount: value }).kind).toBe('REFUND');
    expect(read({ ...paymentResult('S'), paymentStatus: 'SUCCESS', result: value }).kind).toBe('DIRECT_PAYMENT');
  });

  test.each([
    ['DIRECT_PAYMENT', { notifyType: 'PAYMENT_RESULT', paymentStatus: 'SUCCESS' }],
    ['DIRECT_REFUND', { notifyType: 'REFUND_RESULT', refundStatus: 'SUCCESS' }],
    ['DIRECT_REFUND', { notifyType: 'REFUND_RESULT', refundFromMethod: {}, result: 'S' }],
    ['TRANSFER', { notifyType: 'TRANSFER_RESULT', transferRequestId: 7 }],
  ])('%s of another product is never MALFORMED: %j', (kind, fields) => {
    for (const value of [7, ' x', {}, [], 'JPY 120', { currency: 1 }]) {
      const spoilt = Object.fromEntries(
        ['paymentId', 'refundId', 'captureId', 'paymentAmount', 'refundAmount', 'captureAmount'].map((name) => [
          name,
          value,
        ]),
      );
      expect(read({ ...fields, ...spoilt })).toMatchObject({ kind, outcome: 'UNHANDLED', problem: null });
    }
  });

  test('a PAYMENT_RESULT with a result is a payment, whatever paymentStatus says', () => {
    expect(read(paymentResult('S', { paymentStatus: 'SUCCESS' })).kind).toBe('PAYMENT');
    expect(read({ ...paymentResult('S'), paymentStatus: 'SUCCESS', result: {} })).toMatchObject({
      kind: 'PAYMENT',
      outcome: 'MALFORMED',
    });
  });
});

describe('the identifiers', () => {
  const ALL = Object.fromEntries(IDENTIFIER_NAMES.map((name) => [name, `${name}-1`]));
  const EVERY = IDENTIFIER_NAMES.map((name) => ({ name, value: `${name}-1` }));

  test.each([
    ['UNHANDLED', { ...ALL, notifyType: 'OFFLINE_PAYMENT_CODE' }],
    ['UNHANDLED', { ...ALL, notifyType: null }],
    ['MALFORMED', { ...ALL, notifyType: 7 }],
  ])('are all kept where the outcome is %s: %j', (outcome, fields) => {
    expect(read(fields)).toMatchObject({ outcome, identifiers: EVERY });
  });

  test('are all kept where it is APPLIED, those that the kind does not read among them', () => {
    const { vaultingRequestId, transferRequestId, ...own } = ALL;
    expect(read(captureResult('S', own))).toMatchObject({
      outcome: 'APPLIED',
      identifiers: EVERY.filter(({ value }) => value !== vaultingRequestId && value !== transferRequestId),
    });
  });

  test.each([[' a'], ['a\n'], ['x'.repeat(129)], [''], [7], [null], [['R1']], [{ refundId: 'R1' }]])(
    'are not kept where they are not legible: %j',
    (refundId) => {
      expect(read({ ...REFUND, refundId }).identifiers).toEqual([]);
    },
  );

  test('are those of the top level alone', () => {
    expect(read({ transactions: [{ captureId: 'C1' }], result: { paymentId: 'P1' } }).identifiers).toEqual([]);
  });
});
