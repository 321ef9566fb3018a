import { describe, expect, test } from '@jest/globals';
import type { CaptureMode } from '../../src/order/registration.ts';
import { captureResult, type Fields, jpy, paymentPending, paymentResult } from '../support/facts.ts';
import { orderOf } from './core.ts';

const CARDS = { captureRequired: 'cards' } as const;
const WALLET = { pspCustomerInfo: { pspName: 'TNG', pspCustomerId: '10086' } };

const paidBy = (method: Fields): Fields => paymentResult('S', { paymentAmount: jpy('120'), ...method });

describe('by default an authorization is not money', () => {
  test.each<[string, Fields]>([
    ['of nothing that is known', {}],
    ['of a card', { paymentMethodType: 'CARD' }],
    ['of a wallet', WALLET],
    ['of another method', { paymentMethodType: 'GCASH' }],
  ])('%s', (_, method) => {
    expect(orderOf([paidBy(method)])).toMatchObject({ status: 'AUTHORIZED', fulfillable: false });
  });
});

describe('where captures are required of cards only, a success', () => {
  test.each<[string, Fields]>([
    ['of another method is paid', { paymentMethodType: 'GCASH' }],
    ['of a wallet is paid', WALLET],
    ['of another method goes before a wallet', { paymentMethodType: 'GCASH', ...WALLET }],
    [
      'of another method goes before a PSP named like a card',
      { paymentMethodType: 'GCASH', pspCustomerInfo: { pspName: 'CARD' } },
    ],
    [
      'with empty card fields is paid',
      { ...WALLET, paymentResultInfo: { cardNo: '', cardBin: null, threeDSResult: {} } },
    ],
    [
      'with other fields of paymentResultInfo is paid',
      { ...WALLET, paymentResultInfo: { avsResultRaw: 'Y', issuerName: 'X' } },
    ],
    ['of a method written like a card is paid', { paymentMethodType: 'Card' }],
  ])('%s', (_, method) => {
    expect(orderOf([paidBy(method)], { rules: CARDS })).toMatchObject({
      status: 'CAPTURED',
      fulfillable: true,
      nextAction: 'FULFIL',
    });
  });

  test.each<[string, Fields]>([
    ['of nothing that is known', {}],
    ['of a card', { paymentMethodType: 'CARD' }],
    ['of Apple Pay', { paymentMethodType: 'APPLEPAY' }],
    ['of Google Pay', { paymentMethodType: 'GOOGLEPAY' }],
    ['of PayPal', { paymentMethodType: 'PAYPAL' }],
    ['of PayPal by the name of its PSP', { pspCustomerInfo: { pspName: 'PAYPAL' } }],
    ['of another method, with PayPal as PSP', { paymentMethodType: 'GCASH', pspCustomerInfo: { pspName: 'PAYPAL' } }],
    ['of a card, with a wallet as PSP', { paymentMethodType: 'CARD', ...WALLET }],
    ['of a PSP named like a card', { pspCustomerInfo: { pspName: 'CARD' } }],
    ['of a PSP without a name', { pspCustomerInfo: { pspCustomerId: '10086' } }],
  ])('is only an authorization %s', (_, method) => {
    expect(orderOf([paidBy(method)], { rules: CARDS })).toMatchObject({ status: 'AUTHORIZED', fulfillable: false });
  });

  test.each(['cardNo', 'cardBin', 'cardBrand', 'lastFour', 'funding', 'networkTransactionId', 'threeDSResult'])(
    'is only an authorization with the card field %s',
    (name) => {
      const method = { ...WALLET, paymentResultInfo: { [name]: name === 'threeDSResult' ? { eci: '05' } : 'x' } };
      expect(orderOf([paidBy(method)], { rules: CARDS })).toMatchObject({ status: 'AUTHORIZED', fulfillable: false });
    },
  );

  test("is judged by all of the payment's notifications together", () => {
    const wallet = paidBy(WALLET);
    expect(orderOf([wallet, paymentPending({ paymentMethodType: 'CARD' })], { rules: CARDS }).status).toBe(
      'AUTHORIZED',
    );
    expect(orderOf([paidBy({}), paymentPending(WALLET)], { rules: CARDS }).status).toBe('CAPTURED');
  });
});

describe('the registration', () => {
  test.each<[CaptureMode | null, 'always' | 'cards', string]>([
    ['NONE', 'always', 'CAPTURED'],
    ['NONE', 'cards', 'CAPTURED'],
    ['AUTOMATIC', 'always', 'AUTHORIZED'],
    ['AUTOMATIC', 'cards', 'AUTHORIZED'],
    ['MANUAL', 'cards', 'AUTHORIZED'],
    [null, 'always', 'AUTHORIZED'],
    [null, 'cards', 'CAPTURED'],
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
      orderOf([paidBy({ paymentMethodType: 'CARD' })], { registrations: [{ captureMode: 'NONE' }], rules: CARDS })
        .status,
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
    expect(orderOf([paidBy(WALLET), capture], { rules: CARDS })).toMatchObject({
      status: expected,
      fulfillable: false,
    });
    expect(orderOf([paidBy({}), capture], { registrations: [{ captureMode: 'NONE' }] })).toMatchObject({
      status: expected,
      fulfillable: false,
    });
  });
});
