import { describe, expect, test } from '@jest/globals';
import { ATTENTION_CODES, isBlocking, toAttention } from '../../src/order/attention.ts';
import { amount, captureResult, type Fields, jpy, paymentPending, paymentResult } from '../support/facts.ts';
import { deriveOrders, orderOf, registered, RULES, toReceived, toCoded } from './core.ts';

const AUTHORIZED = paymentResult('S', { paymentAmount: jpy('120') });
const CAPTURED = captureResult('S', { captureId: 'C1', captureRequestId: 'Q1', captureAmount: jpy('120') });
const PAID = [AUTHORIZED, CAPTURED];

const ordersOf = (notifications: readonly Fields[]) =>
  deriveOrders({ received: notifications.map((fields) => toReceived(fields)), registrations: [], rules: RULES }).map(
    toCoded,
  );

test('nothing is wrong with the order that the tables start from', () => {
  expect(orderOf(PAID)).toMatchObject({ status: 'CAPTURED', fulfillable: true, nextAction: 'FULFIL', attention: [] });
});

describe('a paid order is no longer fulfillable', () => {
  test.each<[string, Fields, readonly string[]]>([
    ['after a decline of the payment', paymentResult('F'), ['CONTRADICTORY_RESULT']],
    ['after a failure of the same capture', captureResult('F', { captureId: 'C1' }), ['CONTRADICTORY_RESULT']],
    [
      'after another amount of the payment',
      paymentResult('S', { paymentAmount: jpy('119') }),
      ['CONTRADICTORY_AMOUNT'],
    ],
    ['after another amount in a pending', paymentPending({ paymentAmount: jpy('119') }), ['CONTRADICTORY_AMOUNT']],
    [
      'after a larger amount of the capture',
      captureResult('S', { captureId: 'C1', captureAmount: jpy('121') }),
      ['CONTRADICTORY_AMOUNT'],
    ],
    [
      'after another amount in a capture under way',
      captureResult('U', { captureId: 'C1', captureAmount: jpy('121') }),
      ['CONTRADICTORY_AMOUNT'],
    ],
    ['under a second paymentRequestId', paymentResult('S', { paymentRequestId: 'R2' }), ['CONTRADICTORY_IDENTITY']],
    [
      'with a second captureId',
      captureResult('U', { captureId: 'C2', captureRequestId: 'Q1' }),
      ['CONTRADICTORY_IDENTITY'],
    ],
    [
      'with a second captureRequestId',
      captureResult('U', { captureId: 'C1', captureRequestId: 'Q2' }),
      ['CONTRADICTORY_IDENTITY'],
    ],
    [
      'after a failed capture in another currency',
      captureResult('F', { captureId: 'C2', captureAmount: amount('USD', '1') }),
      ['CURRENCY_MISMATCH'],
    ],
    ['after a further capture', captureResult('S', { captureId: 'C2', captureAmount: jpy('1') }), ['OVER_CAPTURED']],
    ['after a further capture without an amount', captureResult('S', { captureId: 'C2' }), ['AMOUNT_UNKNOWN']],
    [
      'after a further capture of zero',
      captureResult('S', { captureId: 'C2', captureAmount: jpy('0') }),
      ['AMOUNT_UNKNOWN'],
    ],
    [
      'after a notification that cannot be read',
      paymentResult('S', { result: { resultStatus: 'X' } }),
      ['UNREADABLE_NOTIFICATION'],
    ],
    [
      'after a capture that names no capture',
      captureResult('S', { captureAmount: jpy('1') }),
      ['UNREADABLE_NOTIFICATION'],
    ],
  ])('%s', (_, notification, attention) => {
    const order = orderOf([...PAID, notification]);
    expect(order.attention).toEqual(attention);
    expect([order.fulfillable, order.nextAction]).toEqual([false, 'REVIEW']);
    expect(order.status).toBe('CAPTURED');
  });
});

describe('a paid order stays fulfillable', () => {
  test.each<[string, Fields]>([
    ['after the pending', paymentPending({ paymentAmount: jpy('120') })],
    ['after a U', paymentResult('U')],
    ['after a second S without an amount', paymentResult('S')],
    ['after the failure of another capture', captureResult('F', { captureId: 'C2', captureAmount: jpy('120') })],
    ['while another capture is under way', captureResult('U', { captureId: 'C2' })],
    ['after a capture that fails under an id of its own only', captureResult('F', { captureRequestId: 'Q2' })],
    ['after a notification of an unknown kind', { ...AUTHORIZED, notifyType: 'REFUND_RESULT', paymentAmount: 'x' }],
  ])('%s', (_, notification) => {
    expect(orderOf([...PAID, notification])).toMatchObject({ fulfillable: true, nextAction: 'FULFIL', attention: [] });
  });
});

describe('CONTRADICTORY_RESULT', () => {
  test('a decline beside a successful capture', () => {
    expect(orderOf([paymentResult('F', { paymentAmount: jpy('120') }), CAPTURED]).attention).toEqual([
      'CONTRADICTORY_RESULT',
    ]);
  });

  test('not a decline beside a failed capture, nor beside a pending S', () => {
    expect(orderOf([paymentResult('F'), captureResult('F', { captureId: 'C1' })]).attention).toEqual([
      'CAPTURE_FAILED',
    ]);
    expect(orderOf([paymentResult('F'), paymentPending()]).attention).toEqual([]);
  });
});

describe('CONTRADICTORY_IDENTITY', () => {
  const other = paymentResult('F', { paymentId: 'P2', paymentRequestId: 'R2' });

  test('one paymentRequestId under two payments, on each of them', () => {
    const orders = ordersOf([...PAID, { ...other, paymentRequestId: 'R1' }]);
    expect(orders.map(({ attention }) => attention)).toEqual([['CONTRADICTORY_IDENTITY'], ['CONTRADICTORY_IDENTITY']]);
    expect(orders.map(({ fulfillable }) => fulfillable)).toEqual([false, false]);
  });

  test('one captureId under two payments, on each of them', () => {
    const orders = ordersOf([...PAID, other, captureResult('F', { paymentId: 'P2', captureId: 'C1' })]);
    expect(orders.map(({ attention }) => attention)).toEqual([
      ['CONTRADICTORY_IDENTITY'],
      ['CONTRADICTORY_IDENTITY', 'CAPTURE_FAILED'],
    ]);
  });

  test('not one captureRequestId under two payments, nor one shared with a paymentRequestId', () => {
    const orders = ordersOf([
      ...PAID,
      other,
      captureResult('F', { paymentId: 'P2', captureRequestId: 'Q1', paymentRequestId: 'R1' }),
    ]);
    expect(orders.map(({ attention }) => attention)).toEqual([[], ['CAPTURE_FAILED']]);
  });

  test("not a captureId that a payment's notification carries", () => {
    const orders = ordersOf([...PAID, { ...other, captureId: 'C1' }]);
    expect(orders.map(({ attention }) => attention)).toEqual([[], []]);
  });

  test('not the same ids with another client', () => {
    const orders = deriveOrders({
      received: [
        ...PAID.map((fields) => toReceived(fields)),
        ...PAID.map((fields) => toReceived({ ...fields, paymentId: 'P2' }, 'T_other')),
      ],
      registrations: [],
      rules: RULES,
    });
    expect(orders.map(({ attention, fulfillable }) => [attention, fulfillable])).toEqual([
      [[], true],
      [[], true],
    ]);
  });

  test('a successful capture known by captureId only beside one known by captureRequestId only: they may be one', () => {
    const half = { captureAmount: jpy('60') };
    const byId = captureResult('S', { ...half, captureId: 'C1' });
    const byRequest = captureResult('S', { ...half, captureRequestId: 'Q2' });
    expect(orderOf([AUTHORIZED, byId, byRequest])).toMatchObject({
      status: 'CAPTURED',
      fulfillable: false,
      attention: ['CONTRADICTORY_IDENTITY'],
    });
    const both = captureResult('S', { ...half, captureId: 'C2', captureRequestId: 'Q2' });
    expect(orderOf([AUTHORIZED, byId, both]).fulfillable).toBe(true);
    const failed = captureResult('F', { ...half, captureRequestId: 'Q2' });
    expect(orderOf([AUTHORIZED, CAPTURED, failed]).attention).toEqual([]);
  });

  test('the smallest id by code unit is shown', () => {
    const order = orderOf([
      paymentResult('S', { paymentRequestId: 'r0' }),
      paymentResult('S', { paymentRequestId: 'R9' }),
      captureResult('S', { captureId: 'c0', captureRequestId: 'Q1' }),
      captureResult('S', { captureId: 'C9', captureRequestId: 'Q1' }),
    ]);
    expect([order.paymentRequestId, order.captures[0]?.captureId]).toEqual(['R9', 'C9']);
  });
});

describe('AMOUNT_MISMATCH and CURRENCY_MISMATCH', () => {
  test("the payment's amount is not the registered one", () => {
    const order = orderOf(PAID, { registrations: [{ amount: { currency: 'JPY', value: '121' } }] });
    expect(order).toMatchObject({
      fulfillable: false,
      nextAction: 'REVIEW',
      attention: ['AMOUNT_MISMATCH'],
      expectedAmount: jpy('121'),
    });
  });

  test('the registered one in another currency is both', () => {
    const order = orderOf(PAID, { registrations: [{ amount: { currency: 'USD', value: '120' } }] });
    expect(order.attention).toEqual(['AMOUNT_MISMATCH', 'CURRENCY_MISMATCH']);
  });

  test('a payment whose amount is not known yet mismatches nothing', () => {
    expect(orderOf([paymentResult('U')], { registrations: [{}] }).attention).toEqual([]);
  });
});

describe('AMOUNT_UNKNOWN', () => {
  test.each([
    ['no amount', paymentResult('S')],
    ['an amount of zero', paymentResult('S', { paymentAmount: jpy('00') })],
  ])('a success that states %s', (_, notification) => {
    expect(orderOf([notification])).toMatchObject({
      status: 'AUTHORIZED',
      attention: ['AMOUNT_UNKNOWN'],
      nextAction: 'WAIT',
    });
  });

  test('is not healed by an amount that only a pending states', () => {
    const order = orderOf([paymentResult('S'), paymentPending({ paymentAmount: jpy('120') }), CAPTURED]);
    expect(order).toMatchObject({
      status: 'CAPTURED',
      fulfillable: false,
      nextAction: 'REVIEW',
      attention: ['AMOUNT_UNKNOWN'],
    });
  });

  test('does not arise from a decline or a failed capture without an amount', () => {
    expect(orderOf([paymentResult('F')]).attention).toEqual([]);
    expect(orderOf([AUTHORIZED, captureResult('F', { captureId: 'C1' })]).attention).toEqual(['CAPTURE_FAILED']);
  });
});

describe('UNREADABLE_NOTIFICATION', () => {
  test('alone makes no order', () => {
    expect(ordersOf([paymentResult('S', { paymentAmount: 'x' })])).toEqual([]);
  });

  test('falls on the payment that it names, and on no other', () => {
    const orders = ordersOf([
      ...PAID,
      { ...AUTHORIZED, paymentId: 'P2', paymentRequestId: 'R2' },
      paymentResult('S', { paymentId: 'P2', captureId: 'C 1' }),
    ]);
    expect(orders.map(({ attention }) => attention)).toEqual([[], ['UNREADABLE_NOTIFICATION']]);
  });

  test('names a payment by its own id only', () => {
    expect(ordersOf([...PAID, paymentResult('S', { paymentId: 'P 1' })]).map(({ attention }) => attention)).toEqual([
      [],
    ]);
  });
});

describe('what does not block', () => {
  test('CAPTURE_WITHOUT_PAYMENT lasts until any PAYMENT_RESULT', () => {
    expect(orderOf([CAPTURED]).attention).toEqual(['CAPTURE_WITHOUT_PAYMENT']);
    expect(orderOf([CAPTURED, paymentPending()]).attention).toEqual(['CAPTURE_WITHOUT_PAYMENT']);
    expect(orderOf([CAPTURED, paymentResult('U')]).attention).toEqual([]);
  });

  test('CAPTURE_FAILED lasts until the order is captured', () => {
    const failed = captureResult('F', { captureId: 'C9' });
    expect(orderOf([AUTHORIZED, failed]).attention).toEqual(['CAPTURE_FAILED']);
    expect(orderOf([AUTHORIZED, failed, CAPTURED]).attention).toEqual([]);
  });
});

test('codes are shown in the order of the table', () => {
  const order = orderOf(
    [
      paymentResult('F', { paymentAmount: jpy('100'), paymentRequestId: 'R0' }),
      paymentPending({ paymentAmount: jpy('90') }),
      captureResult('S', { captureId: 'C1', captureAmount: jpy('120') }),
      captureResult('S', { captureId: 'C2', captureAmount: amount('USD', '0') }),
      paymentResult('S', { paymentAmount: {} }),
    ],
    { registrations: [registered()] },
  );
  expect(order.attention).toEqual([
    'CONTRADICTORY_RESULT',
    'CONTRADICTORY_AMOUNT',
    'CONTRADICTORY_IDENTITY',
    'AMOUNT_MISMATCH',
    'CURRENCY_MISMATCH',
    'OVER_CAPTURED',
    'AMOUNT_UNKNOWN',
    'UNREADABLE_NOTIFICATION',
  ]);
  expect(orderOf([captureResult('F', { captureId: 'C1' })]).attention).toEqual([
    'CAPTURE_WITHOUT_PAYMENT',
    'CAPTURE_FAILED',
  ]);
});

test('the contract names the codes, and which of them block', () => {
  expect(ATTENTION_CODES.filter(isBlocking)).toEqual([
    'CONTRADICTORY_RESULT',
    'CONTRADICTORY_AMOUNT',
    'CONTRADICTORY_IDENTITY',
    'AMOUNT_MISMATCH',
    'CURRENCY_MISMATCH',
    'OVER_CAPTURED',
    'AMOUNT_UNKNOWN',
    'UNREADABLE_NOTIFICATION',
  ]);
  expect(ATTENTION_CODES.filter((code) => !isBlocking(code))).toEqual([
    'CAPTURE_WITHOUT_PAYMENT',
    'CAPTURE_FAILED',
    'AUTHORIZATION_EXPIRING',
  ]);
});

test.each(ATTENTION_CODES.map((code) => ({ code })))('$code says in words what is the matter', ({ code }) => {
  expect(toAttention(code)).toEqual({ code, message: expect.stringMatching(/^[A-Z].{20,}\.$/) });
});
