import { describe, expect, test } from '@jest/globals';
import type { Fields } from '../support/facts.ts';
import { jpy } from '../support/facts.ts';
import { card, captured, paid, pending } from './stories.ts';
import { codesOf, messageOf, onSqlite } from './support.ts';

/** By one that says nothing of an end of the authorization. */
const ACQUIRED: Fields = { acquirerInfo: { acquirerName: 'ADYEN' } };
const MONEY = {
  status: 'CAPTURED',
  fulfillable: true,
  nextAction: 'FULFIL',
  captureRequired: false,
  capturedAmount: null,
  remainingAmount: null,
  attention: [],
};
const AUTHORIZATION = {
  status: 'AUTHORIZED',
  fulfillable: false,
  nextAction: 'WAIT',
  captureRequired: true,
  remainingAmount: jpy('120'),
};
const CAPTURED = { ...MONEY, captureRequired: true, capturedAmount: jpy('120') };

/** As APO's pages, its acquirers and shops write them. */
const CAPTURED_METHODS: readonly string[] = [
  'PayPal',
  'PAYPAL',
  'Pay Pal',
  'pay_pal',
  'APPLE_PAY',
  'ApplePay',
  'Apple Pay',
  'apple_pay',
  'apple-pay',
  'GOOGLE_PAY',
  'GooglePay',
  'google pay',
  'googlepay',
  'Card',
  'CARD',
  'card',
  ' card ',
];
const WALLETS: readonly string[] = ['GCASH', 'GCash', 'ALIPAY_CN', 'Alipay CN', 'alipay_hk', 'kakao pay', 'WeChat_Pay'];

onSqlite((flows) => {
  describe('a wallet', () => {
    test.each(WALLETS)('by method (%s): its success is the money', async (paymentMethodType) => {
      const { order } = await flows.tell({
        notifications: (names) => [pending(names), paid(names, { paymentMethodType })],
      });
      expect(order).toMatchObject({ ...MONEY, paymentMethod: paymentMethodType, paymentAmount: jpy('120') });
    });

    test('by pspName, as the sandbox sends it', async () => {
      const fields = { paymentResultInfo: {}, pspCustomerInfo: { pspName: 'TNG', pspCustomerId: '10086' } };
      const { order } = await flows.tell({ notifications: (names) => [paid(names, fields)] });
      expect(order).toMatchObject({ ...MONEY, paymentMethod: 'TNG' });
    });

    test('GrabPay fills paymentResultInfo as cards do, and is money all the same', async () => {
      const fields = { paymentMethodType: 'GRABPAY_SG', paymentResultInfo: { cardBrand: 'GRABPAY' } };
      const { order } = await flows.tell({ notifications: (names) => [paid(names, fields)] });
      expect(order).toMatchObject(MONEY);
    });

    test('of a voucher: under way until it is paid at the till', async () => {
      const names = flows.names();
      await flows.post(pending(names, { paymentMethodType: 'KONBINI' }));
      expect(await flows.look(names.payment)).toMatchObject({
        status: 'PROCESSING',
        fulfillable: false,
        nextAction: 'WAIT',
        attention: [],
      });
      await flows.post(paid(names, { paymentMethodType: 'KONBINI' }));
      expect(await flows.look(names.payment)).toMatchObject(MONEY);
    });
  });

  describe('a wallet that names no method', () => {
    test.each<readonly [string, Fields]>([
      ['nothing at all', {}],
      ['KLARNA', { paymentMethodType: 'KLARNA' }],
      ['a pspName that is on no list', { pspCustomerInfo: { pspName: 'Some Wallet' } }],
    ])('is CAPTURE_UNDECIDED: %s', async (_, fields) => {
      const { order } = await flows.tell({ notifications: (names) => [paid(names, { ...ACQUIRED, ...fields })] });
      expect(order).toMatchObject(AUTHORIZATION);
      expect(codesOf(order)).toEqual(['CAPTURE_UNDECIDED']);
      expect(messageOf(order, 'CAPTURE_UNDECIDED')).toMatch(/paymentMethodType or captureMode.*NO_CAPTURE_METHODS/);
    });

    test('is never to be captured by the shop before that is decided', async () => {
      const { order } = await flows.tell({
        said: (names) => flows.register(names, { captureMode: 'MANUAL' }),
        notifications: (names) => [paid(names)],
      });
      expect(order).toMatchObject(AUTHORIZATION);
    });

    test.each<readonly [string, Fields]>([
      ['the method', { paymentMethodType: 'GCASH' }],
      ['that there is no capture', { captureMode: 'NONE' }],
    ])('is decided once the shop registers %s', async (_, fields) => {
      const { order } = await flows.tell({
        said: (names) => flows.register(names, fields),
        notifications: (names) => [paid(names)],
      });
      expect(order).toMatchObject(MONEY);
    });
  });

  test('an undecided wallet that a person closed is money once its method is registered', async () => {
    const names = flows.names();
    await flows.post(paid(names, { ...ACQUIRED, paymentMethodType: 'KLARNA' }));
    expect(await flows.review(names.payment, 'CLOSE')).toMatchObject({ fulfillable: false, nextAction: 'NONE' });
    await flows.register(names, { captureMode: 'NONE' });
    expect(await flows.look(names.payment)).toMatchObject({ ...MONEY, review: null });
  });

  describe('Apple Pay, Google Pay, PayPal and cards', () => {
    test.each(CAPTURED_METHODS)('%s: authorized until it is captured', async (method) => {
      const ways: readonly Fields[] = [
        { paymentMethodType: method },
        { pspCustomerInfo: { pspName: method } },
        // One name of a method that is captured outweighs a listed one.
        { paymentMethodType: 'GCASH', pspCustomerInfo: { pspName: method } },
      ];
      for (const fields of ways) {
        const names = flows.names();
        const payment = paid(names, { ...ACQUIRED, ...fields });
        await flows.post(payment);
        expect(await flows.look(names.payment)).toMatchObject({ ...AUTHORIZATION, attention: [] });
        await flows.post(captured(names, '120'));
        expect(await flows.look(names.payment)).toMatchObject(CAPTURED);
      }
    });

    test.each(['PayPal', 'APPLE_PAY', 'google pay', 'Card'])(
      'registered as %s: authorized until it is captured',
      async (paymentMethodType) => {
        const told = await flows.tell({
          said: (names) => flows.register(names, { paymentMethodType }),
          notifications: (names) => [paid(names, ACQUIRED)],
        });
        expect(told.order).toMatchObject({ ...AUTHORIZATION, attention: [] });
        await flows.post(captured(told.names, '120'));
        expect(await flows.look(told.names.payment)).toMatchObject(CAPTURED);
      },
    );

    test.each<readonly [string, Fields]>([
      ['PayPal as acquirer', { acquirerInfo: { acquirerName: 'PayPal' } }],
      ['card data', { paymentResultInfo: { cardBrand: 'VISA' }, acquirerInfo: { acquirerName: 'ADYEN' } }],
    ])('shown by %s alone', async (_, fields) => {
      const told = await flows.tell({ notifications: (names) => [paid(names, fields)] });
      expect(told.order).toMatchObject({ ...AUTHORIZATION, attention: [] });
      const whole = await flows.tell({ notifications: (names) => [paid(names, fields), captured(names, '120')] });
      expect(whole.order).toMatchObject(CAPTURED);
    });
  });

  describe('a Korean card', () => {
    test('with NONE: its success is the money', async () => {
      const { order } = await flows.tell({
        said: (names) => flows.register(names, { captureMode: 'NONE' }),
        notifications: (names) => [card(names, { paymentResultInfo: { cardBrand: 'BC', issuingCountry: 'KR' } })],
      });
      expect(order).toMatchObject({ ...MONEY, captureMode: 'NONE', paymentMethod: 'CARD' });
    });

    test('with NONE that is captured all the same: the registration is wrong, and the capture counts', async () => {
      const { order } = await flows.tell({
        said: (names) => flows.register(names, { captureMode: 'NONE' }),
        notifications: (names) => [card(names), captured(names, '100')],
      });
      expect(order).toMatchObject({ status: 'PARTIALLY_CAPTURED', fulfillable: false, remainingAmount: jpy('20') });
      expect(codesOf(order)).toEqual(['CAPTURE_UNEXPECTED']);
      expect(messageOf(order, 'CAPTURE_UNEXPECTED')).toMatch(/Correct NO_CAPTURE_METHODS or the registration/);
    });
  });
});

describe('where NO_CAPTURE_METHODS names a method', () => {
  onSqlite(
    (flows) => {
      test('its success is the money, and the capture of another way to pay with it is not lost', async () => {
        const klarna = { paymentMethodType: 'Klarna', ...ACQUIRED };
        const { order } = await flows.tell({ notifications: (names) => [paid(names, klarna)] });
        expect(order).toMatchObject(MONEY);
        const told = await flows.tell({ notifications: (names) => [paid(names, klarna), captured(names, '120')] });
        expect(told.order).toMatchObject({ ...CAPTURED, attention: [{ code: 'CAPTURE_UNEXPECTED' }] });
      });
    },
    { NO_CAPTURE_METHODS: 'klarna, Pay Later' },
  );
});

describe('where CAPTURE_REQUIRED is always', () => {
  onSqlite(
    (flows) => {
      test('a wallet is money by registration alone', async () => {
        const fields = { paymentMethodType: 'GCASH', ...ACQUIRED };
        const { order, names } = await flows.tell({ notifications: (one) => [paid(one, fields)] });
        expect(order).toMatchObject({ ...AUTHORIZATION, attention: [] });
        await flows.register(names, { captureMode: 'NONE' });
        expect(await flows.look(names.payment)).toMatchObject(MONEY);
      });
    },
    { CAPTURE_REQUIRED: 'always' },
  );
});
