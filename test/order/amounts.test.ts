import { describe, expect, test } from '@jest/globals';
import { amount, captureResult, jpy, paymentPending, paymentResult } from '../support/facts.ts';
import { orderOf } from './core.ts';

const HUGE = `1${'0'.repeat(62)}7`;
const HALF = `5${'0'.repeat(62)}`;

const authorized = (value: string) => paymentResult('S', { paymentAmount: jpy(value) });
const captured = (value: string, id = 'C1') =>
  captureResult('S', { captureId: id, captureRequestId: `Q-${id}`, captureAmount: jpy(value) });

describe('an amount', () => {
  test('is shown without leading zeros', () => {
    const order = orderOf([authorized('000120'), captured('0120')]);
    expect(order.paymentAmount).toEqual(jpy('120'));
    expect(order.capturedAmount).toEqual(jpy('120'));
    expect(order.captures[0]?.amount).toEqual(jpy('120'));
    expect(order.fulfillable).toBe(true);
  });

  test('of zeros alone is shown as 0', () => {
    expect(orderOf([authorized('0000')]).paymentAmount).toEqual(jpy('0'));
  });

  test('of 64 digits is exact to the last of them', () => {
    expect(HUGE).toHaveLength(64);
    const order = orderOf([authorized(HUGE), captured(HUGE)]);
    expect([order.status, order.capturedAmount]).toEqual(['CAPTURED', jpy(HUGE)]);
    const less = orderOf([authorized(HUGE), captured(HUGE.replace('7', '6'))]);
    expect([less.status, less.fulfillable]).toEqual(['PARTIALLY_CAPTURED', false]);
  });

  test('may sum up to more digits than one statement can have', () => {
    const nines = '9'.repeat(64);
    const order = orderOf([authorized(nines), captured(nines), captured('1', 'C2')]);
    expect(order.capturedAmount).toEqual(jpy(`1${'0'.repeat(64)}`));
    expect(order.attention).toEqual(['OVER_CAPTURED']);
  });

  test('compares as a number, not as text', () => {
    expect(orderOf([authorized('120'), captured('99')]).status).toBe('PARTIALLY_CAPTURED');
    expect(orderOf([authorized(HALF), captured(`0${HALF}`)]).attention).toEqual([]);
  });
});

describe('of several statements', () => {
  test('the largest amount of a payment counts, whatever their results', () => {
    const order = orderOf([
      paymentResult('U', { paymentAmount: jpy('130') }),
      authorized('120'),
      paymentPending({ paymentAmount: jpy('90') }),
    ]);
    expect(order.paymentAmount).toEqual(jpy('130'));
    expect(order.attention).toContain('CONTRADICTORY_AMOUNT');
  });

  test('the amount that only a PAYMENT_PENDING states counts', () => {
    const order = orderOf([paymentPending({ paymentAmount: jpy('130') }), paymentResult('F')]);
    expect(order.paymentAmount).toEqual(jpy('130'));
  });

  test('the smallest amount of a capture counts', () => {
    const order = orderOf([authorized('120'), captured('120'), captured('70')]);
    expect(order.capturedAmount).toEqual(jpy('70'));
    expect(order.attention).toEqual(['CONTRADICTORY_AMOUNT']);
    expect(order.status).toBe('PARTIALLY_CAPTURED');
  });

  test('the currency smallest by code unit counts among equal values', () => {
    const stated = ['USD', 'JPY', 'KRW'].map((currency) => amount(currency, '120'));
    const payments = stated.map((paymentAmount) => paymentResult('S', { paymentAmount }));
    expect(orderOf(payments).paymentAmount).toEqual(jpy('120'));
    const captures = stated.map((captureAmount) => captureResult('S', { captureId: 'C1', captureAmount }));
    expect(orderOf(captures).captures.map((capture) => capture.amount)).toEqual([jpy('120')]);
  });

  test('the same amount written differently is no contradiction', () => {
    expect(orderOf([authorized('120'), authorized('0120')]).attention).toEqual([]);
  });
});

describe("the order's currency", () => {
  const usd = captureResult('S', { captureId: 'C1', captureAmount: amount('USD', '5') });
  const eur = captureResult('S', { captureId: 'C2', captureAmount: amount('EUR', '7') });

  test("is the payment's: a capture in another one adds 0", () => {
    const order = orderOf([authorized('5'), usd]);
    expect([order.status, order.capturedAmount]).toEqual(['PARTIALLY_CAPTURED', jpy('0')]);
    expect(order.attention).toEqual(['CURRENCY_MISMATCH']);
  });

  test("is the payment's also where the registration has another", () => {
    const order = orderOf([authorized('5'), usd], { registrations: [{ amount: { currency: 'USD', value: '5' } }] });
    expect([order.capturedAmount, order.fulfillable]).toEqual([jpy('0'), false]);
  });

  test("else the registration's", () => {
    const order = orderOf([paymentResult('S'), usd], { registrations: [{ amount: { currency: 'USD', value: '5' } }] });
    expect(order.capturedAmount).toEqual(amount('USD', '5'));
  });

  test('else the smallest among the successful captures', () => {
    expect(orderOf([usd, eur]).capturedAmount).toEqual(amount('EUR', '7'));
  });

  test('is not taken from a failed capture', () => {
    const failed = captureResult('F', { captureId: 'C0', captureAmount: amount('AUD', '9') });
    expect(orderOf([usd, failed]).capturedAmount).toEqual(amount('USD', '5'));
  });

  test('unknown leaves nothing to show', () => {
    expect(orderOf([captureResult('S', { captureId: 'C1' })]).capturedAmount).toBeNull();
  });

  test('known without a successful capture shows nothing either', () => {
    expect(
      orderOf([authorized('5'), captureResult('F', { captureId: 'C1', captureAmount: jpy('5') })]).capturedAmount,
    ).toBeNull();
  });
});
