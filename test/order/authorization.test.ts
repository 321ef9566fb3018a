import { describe, expect, test } from '@jest/globals';
import { captureResult, type Fields, jpy, paymentPending, paymentResult, result } from '../support/facts.ts';
import { orderOf } from './core.ts';

const PAID_AT = '2025-05-17T00:58:04-07:00';
const SEVEN_DAYS_LATER = '2025-05-24T07:58:04.000Z';

const authorized = (fields: Fields = {}): Fields =>
  paymentResult('S', { paymentAmount: jpy('120'), paymentTime: PAID_AT, ...fields });
const expiryOf = (...notifications: readonly Fields[]): string | null => orderOf(notifications).authorizationExpiresAt;

describe('an authorization that Antom acquired ends seven days after the payment', () => {
  test.each<[string, Fields]>([
    ['without acquirerInfo', {}],
    ['with an empty name for acquirerInfo', { acquirerInfo: '' }],
    ['with ANTOM as acquirer', { acquirerInfo: { acquirerName: 'ANTOM' } }],
    ['with ALIPAY as acquirer', { acquirerInfo: { acquirerName: 'ALIPAY' } }],
    ['in epoch milliseconds', { paymentTime: '1747468684000' }],
    // The pay response is seen to state the payment's own time: that is no expiry.
    ['with an authExpiryTime equal to paymentTime', { authExpiryTime: PAID_AT }],
    ['with that time written differently', { authExpiryTime: '2025-05-17T07:58:04Z' }],
    ['with an authExpiryTime before paymentTime', { authExpiryTime: '2025-05-16T00:00:00Z' }],
    ['with an unreadable authExpiryTime', { authExpiryTime: '2025-06-01T00:00:00' }],
    ['with an authExpiryTime after the year 9999 in UTC', { authExpiryTime: '9999-12-31T23:59:59.999-23:59' }],
  ])('%s', (_, fields) => {
    expect(expiryOf(authorized(fields))).toBe(SEVEN_DAYS_LATER);
  });
});

describe('of another acquirer it is not known', () => {
  test.each<[string, Fields]>([
    ['2C2P', { acquirerInfo: { acquirerName: '2C2P' } }],
    ['in lower case', { acquirerInfo: { acquirerName: 'antom' } }],
    ['without a name', { acquirerInfo: { acquirerMerchantId: 'M1' } }],
    ['of which nothing is said', { acquirerInfo: {} }],
  ])('%s', (_, fields) => {
    expect(expiryOf(authorized(fields))).toBeNull();
  });

  test('unless APO states a later authExpiryTime', () => {
    const fields = { acquirerInfo: { acquirerName: '2C2P' }, authExpiryTime: '2025-05-20T08:00:00.5+08:00' };
    expect(expiryOf(authorized(fields))).toBe('2025-05-20T00:00:00.500Z');
  });
});

test('a stated expiry goes before the seven days, shorter or longer', () => {
  expect(expiryOf(authorized({ authExpiryTime: '2025-05-17T07:58:04.001Z' }))).toBe('2025-05-17T07:58:04.001Z');
  expect(expiryOf(authorized({ authExpiryTime: '2025-06-17T07:58:04Z' }))).toBe('2025-06-17T07:58:04.000Z');
});

describe('there is no expiry', () => {
  test.each<[string, Fields]>([
    ['of a decline', paymentResult('F', { paymentTime: PAID_AT })],
    ['of an unsure payment', paymentResult('U', { paymentTime: PAID_AT })],
    ['of a pending payment', paymentPending({ paymentTime: PAID_AT })],
    [
      'without a paymentTime',
      paymentResult('S', { paymentCreateTime: PAID_AT, authExpiryTime: '2099-01-01T00:00:00Z' }),
    ],
    ['with an unreadable paymentTime', authorized({ paymentTime: '2025-05-17T00:58:04' })],
    ['where seven days lead out of the year 9999', authorized({ paymentTime: '9999-12-25T00:00:00Z' })],
  ])('%s', (_, notification) => {
    expect(expiryOf(notification)).toBeNull();
  });
});

test('the fields of all notifications of the payment tell it together', () => {
  expect(expiryOf(paymentResult('S'), paymentPending({ paymentTime: PAID_AT }))).toBe(SEVEN_DAYS_LATER);
  expect(expiryOf(authorized(), paymentPending({ acquirerInfo: { acquirerName: '2C2P' } }))).toBeNull();
});

const codesAt = (now: string, ...notifications: readonly Fields[]) =>
  orderOf(notifications, { now: Date.parse(now) }).attention;

const at = (authExpiryTime: string) => ({ registrations: [{ authExpiryTime }] });

describe('a registered authExpiryTime', () => {
  test('goes before the stated one', () => {
    const order = orderOf([authorized({ authExpiryTime: '2025-05-20T00:00:00Z' })], at('2025-05-21T00:00:00Z'));
    expect(order.authorizationExpiresAt).toBe('2025-05-21T00:00:00.000Z');
  });

  test('leaves it to the stated one where it is not after the payment', () => {
    const order = orderOf([authorized({ authExpiryTime: '2025-05-20T00:00:00Z' })], at(PAID_AT));
    expect(order.authorizationExpiresAt).toBe('2025-05-20T00:00:00.000Z');
  });
});

test('where no capture is required nothing expires', () => {
  expect(orderOf([authorized()], { registrations: [{ captureMode: 'NONE' }] }).authorizationExpiresAt).toBeNull();
});

describe('AUTHORIZATION_EXPIRING and AUTHORIZATION_EXPIRED', () => {
  const part = captureResult('S', { captureId: 'C1', captureAmount: jpy('70') });
  const rest = captureResult('S', { captureId: 'C2', captureAmount: jpy('50') });

  test.each([
    ['not a millisecond earlier than 48 hours before', '2025-05-22T07:58:03.999Z', []],
    ['from 48 hours before', '2025-05-22T07:58:04.000Z', ['AUTHORIZATION_EXPIRING']],
    ['until the end', '2025-05-24T07:58:03.999Z', ['AUTHORIZATION_EXPIRING']],
    ['at the end', SEVEN_DAYS_LATER, ['AUTHORIZATION_EXPIRED']],
    ['after it', '2099-01-01T00:00:00Z', ['AUTHORIZATION_EXPIRED']],
  ])('%s', (_, now, codes) => {
    expect(codesAt(now, authorized())).toEqual(codes);
    expect(codesAt(now, authorized(), part)).toEqual(codes);
  });

  test('not once all is captured, nor where no end is known', () => {
    expect(codesAt('2099-01-01T00:00:00Z', authorized(), part, rest)).toEqual([]);
    expect(codesAt('2099-01-01T00:00:00Z', authorized({ acquirerInfo: { acquirerName: '2C2P' } }))).toEqual([]);
  });

  test('stands last', () => {
    expect(codesAt('2099-01-01T00:00:00Z', authorized(), captureResult('F', { captureId: 'C1' }))).toEqual([
      'CAPTURE_FAILED',
      'AUTHORIZATION_EXPIRED',
    ]);
  });

  test('what is captured in part is for a person once the rest is lost, by time or by a failed capture', () => {
    const lapsed = orderOf([authorized(), part], { now: Date.parse(SEVEN_DAYS_LATER) });
    expect(lapsed).toMatchObject({ status: 'PARTIALLY_CAPTURED', nextAction: 'REVIEW' });
    const gone = captureResult('F', { captureId: 'C9', result: result('F', 'AUTH_EXPIRED') });
    expect(orderOf([authorized(), part, gone])).toMatchObject({
      attention: ['CAPTURE_FAILED', 'AUTHORIZATION_EXPIRED'],
      nextAction: 'REVIEW',
    });
  });

  test('what is only authorized is not captured any more', () => {
    const manual = { rules: { captureMode: 'MANUAL' }, now: Date.parse(SEVEN_DAYS_LATER) } as const;
    expect(orderOf([authorized()], manual).nextAction).toBe('INQUIRE');
    expect(orderOf([authorized()], { ...manual, now: Date.parse(SEVEN_DAYS_LATER) - 1 }).nextAction).toBe('CAPTURE');
  });
});
