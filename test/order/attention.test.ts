import { describe, expect, test } from '@jest/globals';
import { isBlocking, LINES } from '../../src/order/attention.ts';
import { ATTENTION_CODES } from '../../src/order/attention-code.ts';
import { amount, captureResult, type Fields, jpy, paymentPending, paymentResult } from '../support/facts.ts';
import { deriveOrders, orderOf, RULES, toReceived, toCoded } from './core.ts';

const AUTHORIZED = paymentResult('S', { paymentAmount: jpy('120') });
const CAPTURED = captureResult('S', { captureId: 'C1', captureRequestId: 'Q1', captureAmount: jpy('120') });
const PAID = [AUTHORIZED, CAPTURED];

const raised = (currency: string, value: string): Fields => ({
  ...paymentResult('S', { paymentAmount: amount(currency, value) }),
  notifyType: 'UPDATE_AMOUNT_RESULT',
});
const disputed = (disputeNotificationType: string, fields: Fields = {}): Fields => ({
  disputeId: 'D1',
  paymentId: 'P1',
  paymentRequestId: 'R1',
  disputeType: 'CHARGEBACK',
  disputeNotificationType,
  ...fields,
});

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
    [
      'after a larger amount of the capture',
      captureResult('S', { captureId: 'C1', captureAmount: jpy('121') }),
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
      'after a successful capture in another currency',
      captureResult('S', { captureId: 'C2', captureRequestId: 'Q2', captureAmount: amount('USD', '1') }),
      ['CURRENCY_MISMATCH'],
    ],
    ['after a raise in another currency', raised('USD', '150'), ['CURRENCY_MISMATCH']],
    ['once it is disputed', disputed('DISPUTE_CREATED'), ['DISPUTED']],
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
    ['after another amount in a pending', paymentPending({ paymentAmount: jpy('119') })],
    ['after another amount in a capture under way', captureResult('U', { captureId: 'C1', captureAmount: jpy('121') })],
    [
      'after a failed capture in another currency',
      captureResult('F', { captureId: 'C2', captureAmount: amount('USD', '1') }),
    ],
    ['after a U', paymentResult('U')],
    ['after a second S without an amount', paymentResult('S')],
    ['after the failure of another capture', captureResult('F', { captureId: 'C2', captureAmount: jpy('120') })],
    ['while another capture is under way', captureResult('U', { captureId: 'C2' })],
    ['after a capture that fails under an id of its own only', captureResult('F', { captureRequestId: 'Q2' })],
    ['after a notification of an unknown kind', { ...AUTHORIZED, notifyType: 'A_NEW_RESULT', paymentAmount: 'x' }],
  ])('%s', (_, notification) => {
    expect(orderOf([...PAID, notification])).toMatchObject({ fulfillable: true, nextAction: 'FULFIL', attention: [] });
  });
});

test.each([1_795_759_200_000, '1795759200000'])('a due time in epoch milliseconds is told as a date: %p', (due) => {
  const received = [...PAID, disputed('DISPUTE_CREATED', { defenseDueTime: due })].map((fields) => toReceived(fields));
  const [order] = deriveOrders({ received, registrations: [], rules: RULES });
  expect(order?.attention[0]?.message).toContain('Due 2026-11-27T06:00:00.000Z. ');
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
});

describe('UNREADABLE_NOTIFICATION', () => {
  test('alone makes an order, for it names a payment', () => {
    expect(orderOf([paymentResult('S', { paymentAmount: 'x' })])).toMatchObject({
      paymentId: 'P1',
      status: 'PENDING',
      attention: ['UNREADABLE_NOTIFICATION'],
      nextAction: 'REVIEW',
    });
  });

  test('falls on the payment that it names, and on no other', () => {
    const orders = ordersOf([
      ...PAID,
      { ...AUTHORIZED, paymentId: 'P2', paymentRequestId: 'R2' },
      paymentResult('S', { paymentId: 'P2', paymentRequestId: 'R2', paymentAmount: 7 }),
    ]);
    expect(orders.map(({ attention }) => attention)).toEqual([[], ['UNREADABLE_NOTIFICATION']]);
  });

  test('names a payment by its own id only', () => {
    expect(
      ordersOf([...PAID, paymentResult('S', { paymentId: ' P1', paymentRequestId: 'R9' })]).map(
        ({ attention }) => attention,
      ),
    ).toEqual([[]]);
  });
});

describe('what does not block', () => {
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
      paymentResult('U', { paymentAmount: jpy('90') }),
      captureResult('S', { captureId: 'C1', captureAmount: jpy('120') }),
      captureResult('S', { captureId: 'C2', captureAmount: amount('USD', '0') }),
      captureResult('S', { captureId: 'C3', captureAmount: amount('USD', '5') }),
      paymentResult('S', { paymentAmount: {} }),
      disputed('DISPUTE_CREATED'),
    ],
    { registrations: [{}], clientId: 'SANDBOX_1', rules: { production: true } },
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
    'DISPUTED',
    'SANDBOX',
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
    'DUPLICATE_PAYMENT',
    'CANCELLED_BUT_CAPTURED',
    'OVER_REFUNDED',
    'DISPUTED',
    'UNREGISTERED',
    'SANDBOX',
    'REFUNDED',
  ]);
  expect(ATTENTION_CODES.filter((code) => !isBlocking(code))).toEqual([
    'PARTIALLY_REFUNDED',
    'REFUND_FAILED',
    'DOCUMENTS_REQUESTED',
    'CAPTURE_FAILED',
    'CAPTURE_UNDECIDED',
    'CAPTURE_UNEXPECTED',
    'AUTHORIZATION_EXPIRING',
    'AUTHORIZATION_EXPIRED',
  ]);
});

test('what does not block asks no person about a captured order, which may be shipped', () => {
  const captured = { status: 'CAPTURED', isQuiet: true, remaining: null, expiresAt: null, now: 0 } as const;
  const asking = ATTENTION_CODES.filter((code) => {
    const { blocks, review } = LINES[code];
    return !blocks && (typeof review === 'boolean' ? review : review(captured));
  });
  // Holds of an AUTHORIZED order alone.
  expect(asking).toEqual(['CAPTURE_UNDECIDED']);
});
