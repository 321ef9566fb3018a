import { describe, expect, test } from '@jest/globals';
import type { OrderEvidence, RegistrationFact } from '../../src/order/evidence.ts';
import { deriveOrder } from '../../src/order/order.ts';
import { captureResult, type Fields, jpy, paymentResult, refundResult, result } from '../support/facts.ts';
import { NOTHING, statementsIn } from './fact.ts';
import { DEFAULTS, PAID_AT, RECEIVED_AT, registration } from './settings.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const LATE = '2025-05-18T00:00:00Z';

/** By card, at Antom: it ends after seven days. */
const card = (fields: Fields = {}): Fields =>
  paymentResult('S', {
    paymentAmount: jpy('120'),
    paymentTime: new Date(PAID_AT).toISOString(),
    paymentMethodType: 'CARD',
    ...fields,
  });
const failed = (code: string): Fields =>
  captureResult('F', { captureId: 'C2', captureAmount: jpy('70'), captureTime: LATE, result: result('F', code) });
const PART = captureResult('S', { captureId: 'C1', captureAmount: jpy('50'), captureTime: '2025-05-17T09:00:00Z' });

const UNCOUNTED = captureResult('S', { captureId: 'C1' });
const REFUND = refundResult('S', { paymentId: 'P1', refundId: 'F1', refundAmount: jpy('50') });

interface Told {
  readonly stated?: readonly Fields[];
  readonly registered?: Partial<RegistrationFact>;
  readonly siblings?: OrderEvidence['siblings'];
  /** After the payment, milliseconds. */
  readonly after: number;
}

const messageOf = (code: string, { stated = [card()], registered, siblings, after }: Told): string | undefined =>
  deriveOrder(
    {
      ...NOTHING,
      statements: stated.flatMap(statementsIn),
      registrations: registered === undefined ? [] : [registration(registered)],
      ...(siblings === undefined ? {} : { siblings }),
    },
    DEFAULTS,
    PAID_AT + after,
  ).order.attention.find((one) => one.code === code)?.message;

const paidToo: OrderEvidence['siblings'] = {
  payments: [{ ...NOTHING, paymentId: 'P2', statements: statementsIn(card({ paymentId: 'P2' })) }],
  hasLaterRegistration: false,
};
const askedToo: OrderEvidence['siblings'] = { payments: [], hasLaterRegistration: true };

describe('an authorization that nears its end', () => {
  const ENDS = 'The authorization ends at 2025-05-24T07:58:04.000Z';

  test.each<readonly [string, Omit<Told, 'after'>, string]>([
    [
      'is captured by APO',
      {},
      ': APO has to capture the JPY 120 that is left before (captureMode AUTOMATIC). Ask APO if it does not.',
    ],
    [
      'is captured by the shop',
      { registered: { captureMode: 'MANUAL' } },
      ': capture the JPY 120 that is left before.',
    ],
    [
      'is captured once more after a failure',
      { stated: [card(), failed('PARAM_ILLEGAL')] },
      ': capture the JPY 120 that is left before.',
    ],
    [
      'waits for a capture that is under way',
      { stated: [card(), captureResult('U', { captureId: 'C1' })], registered: { captureMode: 'MANUAL' } },
      ', and a capture is under way: if it fails, capture the JPY 120 that is left before.',
    ],
    [
      'may be none',
      { stated: [card({ paymentMethodType: 'KLARNA' })], registered: { captureMode: 'MANUAL' } },
      '. It may be paid: settle the payment method first (CAPTURE_UNDECIDED).',
    ],
    [
      'is not captured twice where nobody knows how much was',
      { stated: [card(), UNCOUNTED] },
      '. Ask APO first how much was captured (AMOUNT_UNKNOWN).',
    ],
    [
      'is not captured where all that was is refunded',
      { stated: [card(), PART, REFUND], registered: { captureMode: 'MANUAL' } },
      '. What was captured is gone again: if no more is to be captured, register what was captured as finalAmount.',
    ],
  ])('%s', (_, told, words) =>
    expect(messageOf('AUTHORIZATION_EXPIRING', { ...told, after: 6 * DAY })).toBe(`${ENDS}${words}`),
  );
});

describe('an authorization that has ended', () => {
  const NOT_CAPTURED = 'The authorization ended at 2025-05-24T07:58:04.000Z with JPY 120 not captured.';
  const ASK =
    'Ask APO what became of it (inquiryPayment). If it was not captured, register it as cancelled (cancelled: true)';

  test.each<readonly [string, Omit<Told, 'after'>, string]>([
    ['is cancelled before a new payment', {}, `${NOT_CAPTURED} ${ASK}, then ask for a new payment.`],
    ['is cancelled where another payment came', { siblings: paidToo }, `${NOT_CAPTURED} ${ASK}.`],
    ['is cancelled where another payment is asked for', { siblings: askedToo }, `${NOT_CAPTURED} ${ASK}.`],
    [
      'may be none',
      { stated: [card({ paymentMethodType: 'KLARNA' })] },
      `${NOT_CAPTURED} It may be paid: settle the payment method first (CAPTURE_UNDECIDED).`,
    ],
    [
      'is not paid twice where nobody knows how much was captured',
      { stated: [card(), UNCOUNTED] },
      'The authorization ended at 2025-05-24T07:58:04.000Z. Ask APO first how much was captured (AMOUNT_UNKNOWN).',
    ],
    [
      'is not paid again where all that was captured is refunded',
      { stated: [card(), PART, REFUND] },
      'The authorization ended at 2025-05-24T07:58:04.000Z with JPY 70 not captured. What was captured is gone again: register what was captured as finalAmount, or close the order by a review.',
    ],
  ])('%s', (_, told, words) => expect(messageOf('AUTHORIZATION_EXPIRED', { ...told, after: 7 * DAY })).toBe(words));

  test('by the word of a capture has ended at no known time, before its end and after it', () => {
    const stated = [card(), PART, failed('AUTH_EXPIRED')];
    for (const after of [DAY, 8 * DAY])
      expect(messageOf('AUTHORIZATION_EXPIRED', { stated, after })).toBe(
        'The authorization ended with JPY 70 not captured. Ask for a new payment of what is missing.',
      );
  });

  test('of which a part was captured is not paid three times', () => {
    const stated = [card(), PART];
    expect(messageOf('AUTHORIZATION_EXPIRED', { stated, after: 7 * DAY })).toContain(
      'ended at 2025-05-24T07:58:04.000Z with JPY 70 not captured. Ask for a new payment of what is missing.',
    );
    expect(messageOf('AUTHORIZATION_EXPIRED', { stated, siblings: paidToo, after: 7 * DAY })).toMatch(
      /not captured\. The shop has another payment of the same order: register what is captured as finalAmount, or close the order by a review\.$/,
    );
  });

  test('and is registered as cancelled lets a new payment be shipped', () => {
    const old: OrderEvidence = { ...NOTHING, statements: statementsIn(card()), registrations: [registration()] };
    const beside = (payment: OrderEvidence) =>
      deriveOrder(
        {
          ...NOTHING,
          paymentId: 'P2',
          statements: [
            card({ paymentId: 'P2' }),
            captureResult('S', { paymentId: 'P2', captureId: 'C9', captureAmount: jpy('120') }),
          ].flatMap(statementsIn),
          siblings: { payments: [payment], hasLaterRegistration: false },
        },
        DEFAULTS,
        RECEIVED_AT + 7 * DAY,
      ).order;
    expect(beside(old)).toMatchObject({ fulfillable: false, nextAction: 'REVIEW' });
    expect(beside({ ...old, registrations: [registration({ cancelled: true })] })).toMatchObject({
      fulfillable: true,
      attention: [],
    });
  });
});

describe('a capture that failed', () => {
  test("passes on APO's general advice, as words", () => {
    const stated = [card(), failed('AUTH_EXPIRED')];
    expect(messageOf('CAPTURE_FAILED', { stated, after: HOUR })).toBe(
      "A capture failed: C2 (AUTH_EXPIRED). APO's general advice: Use a new paymentRequestId to initiate a payment.",
    );
    expect(messageOf('CAPTURE_FAILED', { stated: [card(), failed('A_NEW_CODE')], after: HOUR })).toBe(
      'A capture failed: C2 (A_NEW_CODE). Ask APO.',
    );
  });
});
