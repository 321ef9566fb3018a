import { describe, expect, test } from '@jest/globals';
import type { OrderEvidence } from '../../src/order/evidence.ts';
import { type Explanation, explain } from '../../src/order/explain.ts';
import { deriveOrder } from '../../src/order/order.ts';
import type { Review } from '../../src/order/review.ts';
import type { OrderRules } from '../../src/order/rules.ts';
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
import { CONFIGURATIONS, DEFAULTS, INSTANTS, RECEIVED_AT, REGISTRATIONS, registration } from './settings.ts';
import { FACTS, NOTHING, statementsIn } from './table.ts';

interface Told {
  readonly stated?: readonly Fields[];
  readonly evidence?: Partial<OrderEvidence>;
  readonly rules?: Partial<OrderRules>;
  /** After the last notification, milliseconds. */
  readonly after?: number;
}

const HOUR = 3_600_000;

const explained = ({ stated = [], evidence = {}, rules = {}, after = 0 }: Told): Explanation =>
  explain(
    { ...NOTHING, statements: stated.flatMap(statementsIn), ...evidence },
    { ...DEFAULTS, ...rules },
    RECEIVED_AT + after,
  );

const card = (fields: Fields = {}): Fields =>
  paymentResult('S', {
    paymentAmount: jpy('120'),
    paymentMethodType: 'CARD',
    acquirerInfo: { acquirerName: 'ADYEN' },
    ...fields,
  });
const captured = (value: string, fields: Fields = {}): Fields =>
  captureResult('S', { captureId: 'C1', captureAmount: jpy(value), ...fields });
const failed = (code: string, fields: Fields = {}): Fields => captured('120', { result: result('F', code), ...fields });
const refunded = (value: string): Fields => refundResult('S', { refundId: 'F1', refundAmount: jpy(value) });
const registered = (fields: Parameters<typeof registration>[0] = {}) => ({ registrations: [registration(fields)] });

type Row = readonly [what: string, told: Told, words: readonly string[]];

const STATUSES: readonly Row[] = [
  [
    'captured',
    { stated: [card(), captured('120')] },
    ['JPY 120 was captured, and JPY 120 is due. Captures that succeeded: C1.'],
  ],
  [
    'a wallet',
    { stated: [paymentResult('S', { paymentAmount: jpy('120'), paymentMethodType: 'GCASH' })] },
    [
      'APO reported the payment of JPY 120 as paid, and no capture follows: GCASH is a payment method without captures.',
    ],
  ],
  [
    'registered as without a capture',
    { stated: [paymentResult('S', { paymentAmount: jpy('120') })], evidence: registered({ captureMode: 'NONE' }) },
    ['APO reported the payment of JPY 120 as paid, and no capture follows: its registration says captureMode NONE.'],
  ],
  [
    'captured in part, of what is registered as final',
    {
      stated: [card(), captured('70')],
      evidence: registered({ finalAmount: { currency: 'JPY', value: '100' } }),
    },
    ['JPY 70 was captured of JPY 100 (the registered finalAmount) that is due. Captures that succeeded: C1.'],
  ],
  [
    'a capture alone',
    { stated: [captured('70')] },
    [
      'JPY 70 was captured of an unknown amount that is due. Captures that succeeded: C1.',
      'No PAYMENT_RESULT with S has come: what came is the capture alone.',
    ],
  ],
  [
    'cancelled by the shop',
    { stated: [card()], evidence: registered({ cancelled: true }) },
    ['The shop registered the payment as cancelled.'],
  ],
  [
    'cancelled by the shop, and paid by wallet all the same',
    { stated: [card({ paymentMethodType: 'GCASH' })], evidence: registered({ cancelled: true }) },
    [
      'The shop registered the payment as cancelled.',
      'APO reported JPY 120 as paid, and not that it was cancelled. If you did not cancel it at APO, the money is there: register cancelled: false, then refund what is left of it.',
    ],
  ],
  ...(
    [
      ['refunded', refunded('120')],
      ['called cancelled by APO', card({ result: result('F', 'ORDER_IS_CANCELED') })],
    ] as const
  ).map(([what, said]): Row => [
    `cancelled by the shop, paid by wallet and ${what}`,
    { stated: [card({ paymentMethodType: 'GCASH' }), said], evidence: registered({ cancelled: true }) },
    ['The shop registered the payment as cancelled.'],
  ]),
  [
    'cancelled by a capture',
    { stated: [card(), failed('AUTH_EXPIRED')] },
    ['The authorization is gone, and nothing was captured. Failed: C1 (AUTH_EXPIRED).'],
  ],
  [
    'cancelled by APO',
    { stated: [card(), card({ result: result('F', 'ORDER_IS_CLOSED') })] },
    ['APO reported the authorization, and that it was cancelled: ORDER_IS_CLOSED (as reported).'],
  ],
  [
    'authorized',
    { stated: [card({ paymentTime: '2025-05-17T07:58:04Z' })] },
    [
      'Authorized, not paid: APO reported PAYMENT_RESULT S of JPY 120 at 2025-05-17T07:58:04Z, and for CARD a capture brings the money.',
      'No CAPTURE_RESULT of this payment has come.',
    ],
  ],
  [
    'authorized, at a time in epoch milliseconds',
    { stated: [card({ paymentTime: '1747468684000' })] },
    [
      'Authorized, not paid: APO reported PAYMENT_RESULT S of JPY 120 at 2025-05-17T07:58:04.000Z, and for CARD a capture brings the money.',
      'No CAPTURE_RESULT of this payment has come.',
    ],
  ],
  [
    'authorized by a card that is not named',
    { stated: [paymentResult('S', { paymentAmount: jpy('120'), paymentResultInfo: { cardNo: '4***' } })] },
    [
      'Authorized, not paid: APO reported PAYMENT_RESULT S of JPY 120, and for a card a capture brings the money.',
      'No CAPTURE_RESULT of this payment has come.',
    ],
  ],
  [
    'authorized by configuration',
    { stated: [card({ paymentMethodType: 'GCASH' })], rules: { captureRequired: 'always' } },
    [
      'Authorized, not paid: APO reported PAYMENT_RESULT S of JPY 120, and CAPTURE_REQUIRED=always says that a capture brings the money.',
      'No CAPTURE_RESULT of this payment has come.',
    ],
  ],
  [
    'authorized by a card, registered as a wallet',
    { stated: [card()], evidence: registered({ paymentMethodType: 'GCASH' }) },
    [
      'Authorized, not paid: APO reported PAYMENT_RESULT S of JPY 120, and for CARD a capture brings the money.',
      'No CAPTURE_RESULT of this payment has come.',
    ],
  ],
  [
    'authorized by a wallet whose acquirer is PayPal',
    { stated: [card({ paymentMethodType: 'GCASH', acquirerInfo: { acquirerName: 'PAYPAL' } })] },
    [
      'Authorized, not paid: APO reported PAYMENT_RESULT S of JPY 120, and for PAYPAL a capture brings the money.',
      'No CAPTURE_RESULT of this payment has come.',
    ],
  ],
  [
    'undecided, by one of two methods',
    { stated: [card({ paymentMethodType: 'KLARNA' })], evidence: registered({ paymentMethodType: 'GCASH' }) },
    [
      'Authorized, not paid: APO reported PAYMENT_RESULT S of JPY 120, and nothing shows whether a capture has to follow (KLARNA is in no list), so one is waited for.',
      'No CAPTURE_RESULT of this payment has come.',
    ],
  ],
  [
    'undecided, without a method',
    { stated: [card({ paymentMethodType: undefined })] },
    [
      'Authorized, not paid: APO reported PAYMENT_RESULT S of JPY 120, and nothing shows whether a capture has to follow (no payment method is stated or registered), so one is waited for.',
      'No CAPTURE_RESULT of this payment has come.',
    ],
  ],
  [
    'a capture failed, and another is under way',
    { stated: [card(), failed('PARAM_ILLEGAL'), captured('50', { captureId: 'C2', result: result('U') })] },
    [
      'Authorized, not paid: APO reported PAYMENT_RESULT S of JPY 120, and its captures bring the money.',
      'A capture failed: C1 (PARAM_ILLEGAL).',
      'A capture is under way: C2.',
    ],
  ],
  [
    'declined',
    { stated: [card({ result: result('F', 'RISK_REJECT') })] },
    ['APO declined the payment: RISK_REJECT (as reported).'],
  ],
  ['declined without a code', { stated: [card({ result: { resultStatus: 'F' } })] }, ['APO declined the payment: F.']],
  [
    'under way',
    { stated: [paymentPending(), card({ result: result('U') })] },
    [
      'The payment is under way: APO said PAYMENT_RESULT PAYMENT_IN_PROCESS (as reported), PAYMENT_PENDING SUCCESS (as reported), and no final PAYMENT_RESULT has come.',
    ],
  ],
  [
    'registered, and nothing came',
    { evidence: { paymentId: null, ...registered() } },
    [
      'The shop registered JPY 120 at 2025-05-17T08:00:00.000Z, and no notification has named this paymentRequestId since.',
    ],
  ],
  [
    'unreadable',
    { evidence: { problems: [{ digest: 'u1', text: 'paymentId is missing.' }] } },
    ['A notification of this payment came and could not be read: paymentId is missing.'],
  ],
  ['only a refund', { stated: [refunded('20')] }, ['No PAYMENT_RESULT has come, only refunds.']],
  [
    'a failed capture alone',
    { stated: [failed('PARAM_ILLEGAL')] },
    ['No PAYMENT_RESULT has come, only captures that did not succeed.'],
  ],
  ['nothing at all', {}, ['No PAYMENT_RESULT has come.']],
];

const OVER_CAPTURED: Review['settled'] = [{ code: 'OVER_CAPTURED', values: '["JPY 140","JPY 120"]' }];

const reviewed = (decision: 'FULFIL' | 'CLOSE', settled: Review['settled'] = []) => ({
  review: {
    decision,
    revision: 1,
    note: 'by phone.',
    createdAt: RECEIVED_AT,
    settled,
    captured: '120',
    status: 'CAPTURED' as const,
  },
});

const FULFILLABLES: readonly Row[] = [
  [
    'paid and registered',
    { stated: [card(), captured('120')], evidence: registered() },
    ['Yes: it is captured, and nothing speaks against it.'],
  ],
  [
    'paid and not registered',
    { stated: [card(), captured('120')] },
    [
      'Yes: it is captured, and nothing speaks against it.',
      'No price is registered, so nothing says whether the amount is right.',
    ],
  ],
  [
    'decided',
    { stated: [card(), captured('120')], evidence: { ...registered(), ...reviewed('FULFIL') } },
    ['Yes: it is captured, and nothing speaks against it.', 'A person decided FULFIL (by phone).'],
  ],
  [
    'decided in spite of attention',
    { stated: [card(), captured('140')], evidence: { ...registered(), ...reviewed('FULFIL', OVER_CAPTURED) } },
    [
      'Yes: it is captured, and a review settled what speaks against it: OVER_CAPTURED.',
      'A person decided FULFIL (by phone).',
    ],
  ],
  [
    'closed',
    { stated: [card(), captured('120')], evidence: { ...registered(), ...reviewed('CLOSE') } },
    ['No: a person decided CLOSE (by phone).'],
  ],
  ['authorized', { stated: [card()] }, ['No: only a CAPTURED order is, and this one is AUTHORIZED.']],
  [
    'captured without a success',
    { stated: [paymentPending({ paymentAmount: jpy('120') }), captured('120')] },
    ['No: captures came, but no PAYMENT_RESULT S.'],
  ],
  [
    'of another amount',
    { stated: [card(), captured('120')], evidence: registered({ amount: { currency: 'JPY', value: '121' } }) },
    [
      'No: AMOUNT_MISMATCH. The payment is of JPY 120, and the shop registered JPY 121. Find out which one is right before you ship.',
    ],
  ],
];

const ACTIONS: readonly Row[] = [
  ['FULFIL', { stated: [card(), captured('120')] }, ['It is paid.']],
  [
    'REVIEW',
    { stated: [card()], evidence: registered({ amount: { currency: 'JPY', value: '121' } }) },
    ['A person has to decide: AMOUNT_MISMATCH.'],
  ],
  [
    'WAIT for a capture',
    { stated: [card()] },
    [
      'APO captures by itself (captureMode AUTOMATIC), and its CAPTURE_RESULT is waited for. If nothing comes, it is INQUIRE from 2025-05-17T09:00:00.000Z on.',
    ],
  ],
  [
    'WAIT for the first notification',
    { evidence: { paymentId: null, ...registered() } },
    ['The first notification is waited for. If nothing comes, it is INQUIRE from 2025-05-17T09:00:00.000Z on.'],
  ],
  [
    'WAIT while undecided',
    { stated: [card({ paymentMethodType: undefined })] },
    [
      'A CAPTURE_RESULT is waited for, or a word of the shop about the payment method. If nothing comes, it is REVIEW from 2025-05-17T09:00:00.000Z on.',
    ],
  ],
  [
    'WAIT for the result of a capture',
    { stated: [card(), captured('120', { result: result('U') })] },
    ['The result of a capture is waited for. If nothing comes, it is INQUIRE from 2025-05-17T09:00:00.000Z on.'],
  ],
  [
    'INQUIRE after an hour',
    { stated: [card()], after: HOUR },
    [
      'APO captures by itself (captureMode AUTOMATIC), and its CAPTURE_RESULT is waited for. Nothing has come since 2025-05-17T08:00:00.000Z, for an hour or more.',
    ],
  ],
  [
    'WAIT for the payment of a capture',
    { stated: [paymentPending({ paymentAmount: jpy('120') }), captured('70')] },
    ['A PAYMENT_RESULT is waited for. If nothing comes, it is INQUIRE from 2025-05-17T09:00:00.000Z on.'],
  ],
  [
    'INQUIRE for a missing capture, after an hour',
    { stated: [card(), failed('CAPTURE_AMOUNT_EXCEED_AUTH_LIMIT')], after: HOUR },
    [
      'Capture C1 (CAPTURE_AMOUNT_EXCEED_AUTH_LIMIT) failed, although no more was asked for than is left: a capture is missing here.',
    ],
  ],
  [
    'INQUIRE after an hour, beside a failure',
    {
      stated: [card(), failed('PROCESS_FAIL'), captured('50', { captureId: 'C2', result: result('U') })],
      after: HOUR,
    },
    ['The result of a capture is waited for. Nothing has come since 2025-05-17T08:00:00.000Z, for an hour or more.'],
  ],
  [
    'INQUIRE for a missing capture',
    { stated: [card(), failed('CAPTURE_AMOUNT_EXCEED_AUTH_LIMIT')] },
    [
      'Capture C1 (CAPTURE_AMOUNT_EXCEED_AUTH_LIMIT) failed, although no more was asked for than is left: a capture is missing here.',
    ],
  ],
  [
    'CAPTURE',
    { stated: [card()], rules: { captureMode: 'MANUAL' } },
    ['The capture mode is MANUAL, and JPY 120 is to be captured by the shop.'],
  ],
  [
    'RETRY_CAPTURE',
    { stated: [card(), failed('PARAM_ILLEGAL')] },
    ['A capture failed: C1 (PARAM_ILLEGAL). It may be captured again under a new captureRequestId.'],
  ],
  [
    'CONTACT_SUPPORT by its code',
    { stated: [card(), failed('PROCESS_FAIL')] },
    ['A capture failed: C1 (PROCESS_FAIL). No capture of this kind is tried again.'],
  ],
  [
    'CONTACT_SUPPORT after three',
    {
      stated: [
        card(),
        ...['C1', 'C2', 'C3'].map((captureId, index) =>
          failed('PARAM_ILLEGAL', { captureId, captureTime: `2025-05-17T0${9 - index}:00:00Z` }),
        ),
      ],
    },
    ['A capture failed: C1 (PARAM_ILLEGAL), C2 (PARAM_ILLEGAL), C3 (PARAM_ILLEGAL). 3 captures failed.'],
  ],
  [
    'NEW_PAYMENT_REQUEST',
    { stated: [card({ result: result('F', 'RISK_REJECT') })] },
    ['The payment is FAILED: nothing more comes of it, and the shop has asked for no later payment of the same order.'],
  ],
  [
    'NONE, asked again',
    {
      stated: [card({ result: result('F', 'RISK_REJECT') })],
      evidence: { ...registered(), siblings: { payments: [], hasLaterRegistration: true } },
    },
    ['The payment is FAILED, and the shop has registered another payment of the same order since.'],
  ],
  [
    'NONE, paid by another payment',
    {
      stated: [card({ result: result('F', 'RISK_REJECT') })],
      evidence: {
        siblings: {
          payments: [{ ...NOTHING, paymentId: 'P2', statements: statementsIn(card({ paymentId: 'P2' })) }],
          hasLaterRegistration: true,
        },
      },
    },
    ['Another payment of the same shop order is paid or authorized: P2.'],
  ],
  [
    'NONE, cancelled',
    { stated: [card()], evidence: registered({ cancelled: true }) },
    ['The shop cancelled the payment.'],
  ],
  [
    'NONE, refunded',
    { stated: [card(), captured('120'), refunded('120')] },
    ['REFUNDED: Everything that was paid is gone again: JPY 120. Ship nothing.'],
  ],
  [
    'NONE, closed',
    { stated: [card(), captured('120')], evidence: reviewed('CLOSE') },
    ['A person closed it (by phone).'],
  ],
];

describe('why an order has this status', () => {
  test.each(STATUSES)('%s', (_, told, words) => expect(explained(told).status).toEqual(words));
});
describe('why an order is fulfillable or not', () => {
  test.each(FULFILLABLES)('%s', (_, told, words) => expect(explained(told).fulfillable).toEqual(words));
});
describe('why an order has this next action', () => {
  test.each(ACTIONS)('%s', (what, told, words) => {
    const { nextAction, advice } = explained(told);
    expect(nextAction).toEqual(words);
    expect(advice[0]).toMatch(new RegExp(`^${what.split(/[ ,]/)[0]}: `));
  });
});

const TAKEN_IN_USD: Told = {
  stated: [
    card(),
    captured('120'),
    {
      disputeId: 'D1',
      paymentId: 'P1',
      disputeType: 'CHARGEBACK',
      disputeNotificationType: 'DISPUTE_ACCEPTED',
      disputeAmount: amount('USD', '1'),
    },
  ],
};

describe('what to do', () => {
  test.each<[string, Told, string]>([
    ['everything is refunded', { stated: [card(), captured('120'), refunded('120')] }, 'NONE: Nothing.'],
    ['a dispute took an unknown amount', TAKEN_IN_USD, 'NONE: Nothing but what follows.'],
    ['a notification comes', { stated: [card()] }, 'WAIT: Nothing: the next notification decides.'],
    [
      'a notification comes, and the method is undecided',
      { stated: [card({ paymentMethodType: undefined })] },
      'WAIT: Nothing but what follows: the next notification decides.',
    ],
  ])('is not said to be nothing where attention asks for something: %s', (_, told, words) =>
    expect(explained(told).advice[0]).toBe(words),
  );
});

test.each<[string, Told, boolean]>([
  ['paid', { stated: [card(), captured('120')] }, false],
  ['waiting', { stated: [card()] }, false],
  ['refunded', { stated: [card(), captured('120'), refunded('120')] }, false],
  ['taken by a dispute, of an unknown amount', TAKEN_IN_USD, true],
  ['refunded in part', { stated: [card(), captured('120'), refunded('20')] }, false],
  ['overdue', { stated: [card()], after: HOUR }, true],
  ['declined', { stated: [card({ result: result('F') })] }, true],
  ['undecided', { stated: [card({ paymentMethodType: undefined })] }, true],
  [
    'of another amount',
    { stated: [card()], evidence: registered({ amount: { currency: 'JPY', value: '121' } }) },
    true,
  ],
])('somebody has to act or not: %s', (_, told, isWrong) => expect(explained(told).isWrong).toBe(isWrong));

test('a fault of ours is told, too', () => {
  const spoilt = { ...NOTHING, statements: [{ about: 'payment' }] } as unknown as OrderEvidence;
  expect(explain(spoilt, DEFAULTS, RECEIVED_AT)).toMatchObject({
    isWrong: true,
    status: [expect.stringContaining('a fault of paynotify')],
  });
});

test('whatever is known, there is something to say, in words, and of every attention that is open', () => {
  const silent: string[] = [];
  for (const [index, a] of FACTS.entries()) {
    const [, rules] = CONFIGURATIONS[index % CONFIGURATIONS.length] ?? ['', DEFAULTS];
    for (const [other, b] of FACTS.entries()) {
      const [, counted = null] = REGISTRATIONS[(index + other) % REGISTRATIONS.length] ?? [];
      const evidence = b.add(a.add({ ...NOTHING, registrations: counted === null ? [] : [counted] }));
      const now = INSTANTS[other % INSTANTS.length] ?? RECEIVED_AT;
      const { isWrong: _isWrong, ...said } = explain(evidence, rules, now);
      const isSaid = Object.values(said).every((sentences) => sentences.length > 0);
      const isLegible = !/undefined|null|NaN|\[object/.test(Object.values(said).flat().join(' '));
      const { attention } = deriveOrder(evidence, rules, now).order;
      const isWhole = attention.every(({ code }) => said.advice.some((line) => line.startsWith(`${code}: `)));
      if (!isSaid || !isLegible || !isWhole) silent.push(`${a.name}, ${b.name}: ${JSON.stringify(said)}`);
    }
  }
  expect(silent).toEqual([]);
});
