import { describe, expect, test } from '@jest/globals';
import { captureResult, type Fields, jpy, paymentPending, paymentResult, result } from '../support/facts.ts';
import { deriveOrders, orderOf, registered, RULES, toReceived } from './core.ts';

const AUTHORIZED = paymentResult('S', { paymentAmount: jpy('120') });
const CAPTURED = captureResult('S', { captureId: 'C1', captureRequestId: 'Q1', captureAmount: jpy('120') });
const PART = captureResult('S', { captureId: 'C2', captureRequestId: 'Q2', captureAmount: jpy('50') });

const statusOf = (notifications: readonly Fields[]): string => orderOf(notifications).status;

describe('status', () => {
  test('is AUTHORIZED, not paid, after a PAYMENT_RESULT S', () => {
    expect(orderOf([AUTHORIZED])).toMatchObject({ status: 'AUTHORIZED', fulfillable: false, nextAction: 'WAIT' });
  });

  test('is CAPTURED once the captures reach the amount', () => {
    expect(orderOf([AUTHORIZED, CAPTURED])).toMatchObject({
      status: 'CAPTURED',
      fulfillable: true,
      nextAction: 'FULFIL',
    });
  });

  test('is PROCESSING, not paid, after a PAYMENT_PENDING S', () => {
    expect(orderOf([paymentPending({ paymentAmount: jpy('120') })])).toMatchObject({
      status: 'PROCESSING',
      fulfillable: false,
    });
  });

  test('is PROCESSING after a PAYMENT_RESULT U', () => {
    expect(statusOf([paymentResult('U')])).toBe('PROCESSING');
  });

  test('stays FAILED when the pending arrives late', () => {
    expect(statusOf([paymentResult('F'), paymentPending()])).toBe('FAILED');
  });

  test('stays AUTHORIZED when pending and U arrive late', () => {
    expect(statusOf([AUTHORIZED, paymentPending(), paymentResult('U')])).toBe('AUTHORIZED');
  });

  test('keeps captured when a late failure arrives', () => {
    const order = orderOf([AUTHORIZED, CAPTURED, paymentResult('F', { paymentTime: '2099-01-01T00:00:00Z' })]);
    expect(order).toMatchObject({
      status: 'CAPTURED',
      fulfillable: false,
      nextAction: 'REVIEW',
      attention: ['CONTRADICTORY_RESULT'],
    });
    expect(order.result?.resultStatus).toBe('S');
  });

  test('keeps captured, and fulfillable, when another capture fails late', () => {
    const late = captureResult('F', { captureId: 'C9', captureAmount: jpy('120') });
    expect(orderOf([AUTHORIZED, CAPTURED, late])).toMatchObject({
      status: 'CAPTURED',
      fulfillable: true,
      attention: [],
    });
  });

  test('is PARTIALLY_CAPTURED while the captures fall short', () => {
    expect(orderOf([AUTHORIZED, PART])).toMatchObject({ status: 'PARTIALLY_CAPTURED', fulfillable: false });
  });

  test('is PARTIALLY_CAPTURED while the amount is unknown', () => {
    expect(statusOf([paymentResult('S'), CAPTURED])).toBe('PARTIALLY_CAPTURED');
    expect(statusOf([paymentResult('S', { paymentAmount: jpy('0') }), CAPTURED])).toBe('PARTIALLY_CAPTURED');
  });

  test('is CAPTURED, but not fulfillable, before the PAYMENT_RESULT is seen', () => {
    const order = orderOf([paymentPending({ paymentAmount: jpy('120') }), CAPTURED]);
    expect(order).toMatchObject({
      status: 'CAPTURED',
      fulfillable: false,
      nextAction: 'WAIT',
      attention: [],
    });
  });

  test('is PENDING while captures are all that is known and none succeeded', () => {
    expect(statusOf([captureResult('F', { captureId: 'C1' })])).toBe('PENDING');
    expect(statusOf([captureResult('U', { captureId: 'C1' })])).toBe('PENDING');
  });

  test('is PENDING while only a registration is known', () => {
    const [order] = deriveOrders({
      received: [],
      registrations: [registered({ referenceOrderId: 'shop-1' })],
      rules: RULES,
    });
    expect(order).toMatchObject({
      paymentId: null,
      paymentRequestId: 'R1',
      referenceOrderId: 'shop-1',
      status: 'PENDING',
      fulfillable: false,
      nextAction: 'WAIT',
      expectedAmount: jpy('120'),
    });
  });
});

describe('of several notifications of a payment', () => {
  test('the result shown is S before F before U before PAYMENT_PENDING, whatever their times', () => {
    const late = { paymentTime: '2099-01-01T00:00:00Z' };
    expect(orderOf([AUTHORIZED, paymentResult('F', late)]).result?.resultStatus).toBe('S');
    expect(orderOf([paymentResult('F'), paymentResult('U', late)]).result?.resultStatus).toBe('F');
    expect(orderOf([paymentResult('U'), paymentPending(late)]).result?.resultStatus).toBe('U');
  });

  test('the later one speaks among equal results, compared as instants', () => {
    const order = orderOf([
      paymentResult('S', { paymentTime: '2025-05-17T09:00:00+08:00', acquirerReferenceNo: 'earlier' }),
      paymentResult('S', { paymentTime: '2025-05-17T02:00:00Z', acquirerReferenceNo: 'later' }),
    ]);
    expect([order.acquirerReferenceNo, order.paymentTime]).toEqual(['later', '2025-05-17T02:00:00Z']);
  });

  test('paymentCreateTime decides where there is no paymentTime', () => {
    const order = orderOf([
      paymentResult('F', { paymentCreateTime: '2025-05-17T01:00:00Z', acquirerReferenceNo: 'earlier' }),
      paymentResult('F', { paymentCreateTime: '2025-05-17T02:00:00Z', acquirerReferenceNo: 'later' }),
    ]);
    expect([order.acquirerReferenceNo, order.paymentTime]).toEqual(['later', null]);
  });

  test('a field that the first one leaves out is taken from the next', () => {
    const order = orderOf([
      AUTHORIZED,
      paymentPending({
        paymentTime: '2025-05-17T01:00:00Z',
        acquirerInfo: { acquirerName: 'ALIPAY' },
        acquirerReferenceNo: 'A1',
      }),
    ]);
    expect(order).toMatchObject({
      result: { resultStatus: 'S' },
      paymentTime: '2025-05-17T01:00:00Z',
      acquirerInfo: { acquirerName: 'ALIPAY' },
      acquirerReferenceNo: 'A1',
    });
  });

  test('the same fields in another body are no contradiction', () => {
    expect(orderOf([AUTHORIZED, { ...AUTHORIZED, unknown: true }])).toMatchObject({
      status: 'AUTHORIZED',
      attention: [],
    });
  });
});

describe('a sandbox client', () => {
  const paid = [AUTHORIZED, CAPTURED];

  test('pays with play money: never fulfillable in production', () => {
    const order = orderOf(paid, { clientId: 'SANDBOX_5Y', rules: { production: true } });
    expect(order).toMatchObject({ status: 'CAPTURED', fulfillable: false, nextAction: 'NONE', attention: ['SANDBOX'] });
  });

  test('is as good as any elsewhere', () => {
    expect(orderOf(paid, { clientId: 'SANDBOX_5Y' }).fulfillable).toBe(true);
  });

  test('is told by the beginning of its name', () => {
    expect(orderOf(paid, { clientId: 'T_SANDBOX_', rules: { production: true } }).fulfillable).toBe(true);
  });
});

describe('a registration', () => {
  test('belongs to every order whose payment notifications name it', () => {
    const orders = deriveOrders({
      received: [AUTHORIZED, { ...AUTHORIZED, paymentId: 'P2' }].map((fields) => toReceived(fields)),
      registrations: [registered({ referenceOrderId: 'shop-1' })],
      rules: RULES,
    });
    expect(orders.map(({ paymentId, referenceOrderId }) => [paymentId, referenceOrderId])).toEqual([
      ['P1', 'shop-1'],
      ['P2', 'shop-1'],
    ]);
  });

  test('of the smallest paymentRequestId counts where several fit', () => {
    const order = orderOf([AUTHORIZED, paymentResult('S', { paymentRequestId: 'R0' })], {
      registrations: [
        { paymentRequestId: 'R1', referenceOrderId: 'shop-1' },
        { paymentRequestId: 'R0', referenceOrderId: 'shop-0' },
      ],
    });
    expect(order.referenceOrderId).toBe('shop-0');
    expect(order.attention).toEqual(['CONTRADICTORY_IDENTITY']);
  });

  test('of another client is not looked at', () => {
    const orders = deriveOrders({
      received: [toReceived(AUTHORIZED)],
      registrations: [registered({ clientId: 'T_other' })],
      rules: RULES,
    });
    expect(orders.map(({ clientId, expectedAmount }) => [clientId, expectedAmount])).toEqual([
      ['T_client', null],
      ['T_other', jpy('120')],
    ]);
  });
});

describe('a cancelled payment', () => {
  const cancelled = { registrations: [{ cancelled: true }] };

  test('is CANCELLED because the shop says so, and asks for nothing', () => {
    expect(orderOf([AUTHORIZED], cancelled)).toMatchObject({ status: 'CANCELLED', nextAction: 'NONE', attention: [] });
  });

  test('stays CANCELLED when the success of a wallet arrives later', () => {
    const wallet = { registrations: [{ cancelled: true, captureMode: 'NONE' }] } as const;
    expect(orderOf([AUTHORIZED], wallet)).toMatchObject({ status: 'CANCELLED', fulfillable: false });
  });

  test('is one whose capture says that the authorization is gone, until a capture succeeds', () => {
    const gone = captureResult('F', { captureId: 'C9', result: result('F', 'AUTH_EXPIRED') });
    expect(orderOf([AUTHORIZED, gone])).toMatchObject({ status: 'CANCELLED', nextAction: 'NEW_PAYMENT_REQUEST' });
    expect(statusOf([AUTHORIZED, gone, PART])).toBe('PARTIALLY_CAPTURED');
  });

  test('is one whose success stands beside a failure that says so', () => {
    const closed = paymentResult('F', { result: result('F', 'ORDER_IS_CLOSED') });
    expect(orderOf([AUTHORIZED, closed])).toMatchObject({ status: 'CANCELLED', attention: [] });
    const wallet = { registrations: [{ captureMode: 'NONE' }] } as const;
    expect(orderOf([AUTHORIZED, closed], wallet)).toMatchObject({
      status: 'CAPTURED',
      attention: ['CONTRADICTORY_RESULT'],
    });
  });

  test('that was captured all the same is for a person', () => {
    expect(orderOf([AUTHORIZED, CAPTURED], cancelled)).toMatchObject({
      status: 'CAPTURED',
      attention: ['CANCELLED_BUT_CAPTURED'],
      nextAction: 'REVIEW',
    });
  });
});

describe('finalAmount', () => {
  const manual = { registrations: [{ captureMode: 'MANUAL', finalAmount: { currency: 'JPY', value: '50' } }] } as const;

  test('closes an order that is captured in part', () => {
    expect(orderOf([AUTHORIZED, PART])).toMatchObject({ status: 'PARTIALLY_CAPTURED', fulfillable: false });
    expect(orderOf([AUTHORIZED, PART], manual)).toMatchObject({ status: 'CAPTURED', fulfillable: true });
  });

  test('is all that may be captured', () => {
    expect(orderOf([AUTHORIZED, CAPTURED], manual)).toMatchObject({ attention: ['OVER_CAPTURED'], fulfillable: false });
  });
});
