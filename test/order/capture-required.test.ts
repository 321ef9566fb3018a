import { describe, expect, test } from '@jest/globals';
import type { CaptureMode } from '../../src/order/registration.ts';
import { captureResult, type Fields, jpy, paymentPending, paymentResult } from '../support/facts.ts';
import { orderOf } from './core.ts';

const METHODS = { rules: { captureRequired: 'methods' } } as const;
const WALLET = { pspCustomerInfo: { pspName: 'TNG', pspCustomerId: '10086' } };
const CARD_FIELDS = { paymentResultInfo: { cardBrand: 'VISA' } };

const paidBy = (method: Fields): Fields => paymentResult('S', { paymentAmount: jpy('120'), ...method });
const psp = (pspName: string): Fields => ({ pspCustomerInfo: { pspName } });

describe('under CAPTURE_REQUIRED=always an authorization is not money', () => {
  test.each<[string, Fields]>([
    ['of nothing that is known', {}],
    ['of a card', { paymentMethodType: 'CARD' }],
    ['of a wallet', WALLET],
    ['of another method', { paymentMethodType: 'GCASH' }],
  ])('%s', (_, method) => {
    expect(orderOf([paidBy(method)])).toMatchObject({ status: 'AUTHORIZED', fulfillable: false, attention: [] });
  });
});

describe('by default a success is paid', () => {
  test.each<[string, Fields]>([
    ['of a method without capture', { paymentMethodType: 'GCASH' }],
    ['of one in another spelling', { paymentMethodType: 'Rabbit Line-Pay' }],
    ['of a wallet that is known by its PSP alone', WALLET],
    ['of a method without capture, whatever its PSP', { paymentMethodType: 'GCASH', ...psp('A new PSP') }],
    ['of GrabPay, which fills the fields of cards', { paymentMethodType: 'GRABPAY_MY', ...CARD_FIELDS }],
    ['with empty card fields', { ...WALLET, paymentResultInfo: { cardNo: '', cardBin: null, threeDSResult: {} } }],
  ])('%s', (_, method) => {
    expect(orderOf([paidBy(method)], METHODS)).toMatchObject({
      status: 'CAPTURED',
      fulfillable: true,
      nextAction: 'FULFIL',
      attention: [],
    });
  });

  test('of a method of NO_CAPTURE_METHODS', () => {
    const rules = { captureRequired: 'methods', noCaptureMethods: ['NEWPAY'] } as const;
    expect(orderOf([paidBy({ paymentMethodType: 'New Pay' })], { rules })).toMatchObject({ fulfillable: true });
  });

  test('of a method that is registered', () => {
    const order = orderOf([paidBy({})], { ...METHODS, registrations: [{ paymentMethodType: 'PayPay' }] });
    expect(order).toMatchObject({ fulfillable: true, paymentMethod: 'PayPay' });
  });
});

describe('by default a success is only an authorization', () => {
  test.each<[string, Fields]>([
    ...['CARD', 'Card', 'APPLEPAY', 'Apple Pay', 'APPLE_PAY', 'GooglePay', 'google-pay', 'PayPal', 'PAY PAL'].map(
      (paymentMethodType): [string, Fields] => [`of ${paymentMethodType}`, { paymentMethodType }],
    ),
    ['of PayPal by the name of its PSP', psp('PayPal')],
    ['of another method, with PayPal as PSP', { paymentMethodType: 'GCASH', ...psp('PAYPAL') }],
    ['of a card, with a wallet as PSP', { paymentMethodType: 'CARD', ...WALLET }],
    ['that PayPal acquired', { ...WALLET, acquirerInfo: { acquirerName: 'PayPal' } }],
    ['of a wallet with a card field', { ...WALLET, ...CARD_FIELDS }],
    ['with any other field of paymentResultInfo', { ...WALLET, paymentResultInfo: { avsResultRaw: 'Y' } }],
  ])('%s', (_, method) => {
    const order = orderOf([paidBy(method)], METHODS);
    expect(order).toMatchObject({ status: 'AUTHORIZED', fulfillable: false, attention: [] });
  });

  test.each<[string, Fields]>([
    ['of nothing that is known', {}],
    ['of a method that nobody knows', { paymentMethodType: 'KLARNA' }],
    ['of a PSP without a name', { pspCustomerInfo: { pspCustomerId: '10086' } }],
  ])('%s, which is undecided', (_, method) => {
    const order = orderOf([paidBy(method)], METHODS);
    expect(order).toMatchObject({ status: 'AUTHORIZED', nextAction: 'WAIT', attention: ['CAPTURE_UNDECIDED'] });
    expect(orderOf([paidBy(method)], { ...METHODS, now: 3_600_000 }).nextAction).toBe('REVIEW');
  });

  test("is judged by all of the payment's notifications together", () => {
    const wallet = paidBy(WALLET);
    expect(orderOf([wallet, paymentPending({ paymentMethodType: 'CARD' })], METHODS).status).toBe('AUTHORIZED');
    expect(orderOf([paidBy({}), paymentPending(WALLET)], METHODS).status).toBe('CAPTURED');
  });
});

describe('the registration', () => {
  test.each<[CaptureMode | null, 'always' | 'methods', string]>([
    ['NONE', 'always', 'CAPTURED'],
    ['NONE', 'methods', 'CAPTURED'],
    ['AUTOMATIC', 'always', 'AUTHORIZED'],
    // How a capture happens is not whether there is one.
    ['AUTOMATIC', 'methods', 'CAPTURED'],
    ['MANUAL', 'methods', 'CAPTURED'],
    [null, 'always', 'AUTHORIZED'],
    [null, 'methods', 'CAPTURED'],
  ])(
    'with captureMode %s, under CAPTURE_REQUIRED=%s, makes a wallet payment %s',
    (captureMode, captureRequired, status) => {
      expect(orderOf([paidBy(WALLET)], { registrations: [{ captureMode }], rules: { captureRequired } }).status).toBe(
        status,
      );
    },
  );

  test('with NONE goes before what a card shows', () => {
    expect(
      orderOf([paidBy({ paymentMethodType: 'CARD' })], { ...METHODS, registrations: [{ captureMode: 'NONE' }] }).status,
    ).toBe('CAPTURED');
  });

  test('with NONE does not make a pending payment paid', () => {
    const order = orderOf([paymentPending({ paymentAmount: jpy('120') })], {
      registrations: [{ captureMode: 'NONE' }],
    });
    expect(order).toMatchObject({ status: 'PROCESSING', fulfillable: false });
  });
});

describe('any capture shows that a capture is required', () => {
  test.each(['S', 'F', 'U'] as const)('with result %s', (status) => {
    const capture = captureResult(status, { captureId: 'C1', captureAmount: jpy('70') });
    const expected = status === 'S' ? 'PARTIALLY_CAPTURED' : 'AUTHORIZED';
    expect(orderOf([paidBy(WALLET), capture], METHODS)).toMatchObject({
      status: expected,
      fulfillable: false,
    });
    expect(orderOf([paidBy({}), capture], { registrations: [{ captureMode: 'NONE' }] })).toMatchObject({
      status: expected,
      fulfillable: false,
    });
  });
});
