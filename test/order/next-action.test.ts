import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { captureResult, type Fields, jpy, paymentPending, paymentResult, result } from '../support/facts.ts';
import { orderOf } from './core.ts';

const AUTHORIZED = paymentResult('S', { paymentAmount: jpy('120') });
const PART = captureResult('S', { captureId: 'C1', captureRequestId: 'Q1', captureAmount: jpy('70') });
const MANUAL = { rules: { captureMode: 'MANUAL' } } as const;

const failed = (code: string, fields: Fields = {}): Fields =>
  captureResult('F', {
    captureId: 'C9',
    captureRequestId: 'Q9',
    captureAmount: jpy('50'),
    result: result('F', code),
    ...fields,
  });

const CODES = readFileSync(new URL('../fixtures/capture-result-codes.md', import.meta.url), 'utf8')
  .split('\n')
  .flatMap((line) => /^\| ([A-Z_]+) \| [SFU] \|/.exec(line)?.[1] ?? []);

/** All others are a matter for support. */
const DECIDED: ReadonlyMap<string, string> = new Map([
  ['CAPTURE_AMOUNT_EXCEED_AUTH_LIMIT', 'RETRY_CAPTURE'],
  ['CURRENCY_NOT_SUPPORT', 'RETRY_CAPTURE'],
  ['PARAM_ILLEGAL', 'RETRY_CAPTURE'],
  ['USER_AMOUNT_EXCEED_LIMIT', 'RETRY_CAPTURE'],
  ['AUTH_CANCELLED', 'NEW_PAYMENT_REQUEST'],
  ['AUTH_EXPIRED', 'NEW_PAYMENT_REQUEST'],
  ['ORDER_IS_CANCELED', 'NEW_PAYMENT_REQUEST'],
]);

test('the table of codes is the whole of the seed', () => {
  expect(CODES).toHaveLength(23);
});

describe('after a failed capture the code decides', () => {
  test.each(
    [...CODES, 'A_NEW_CODE', 'constructor'].map((code) => ({ code, expected: DECIDED.get(code) ?? 'CONTACT_SUPPORT' })),
  )('$code: $expected', ({ code, expected }) => {
    expect(orderOf([AUTHORIZED, failed(code)]).nextAction).toBe(expected);
    // Manual capture changes nothing: the failure is looked at first.
    expect(orderOf([AUTHORIZED, failed(code)], MANUAL).nextAction).toBe(expected);
  });

  test.each(
    [...DECIDED].map(([code, alone]) => ({ code, expected: alone === 'RETRY_CAPTURE' ? alone : 'CONTACT_SUPPORT' })),
  )('$code after a successful part: $expected', ({ code, expected }) => {
    expect(orderOf([AUTHORIZED, PART, failed(code)]).nextAction).toBe(expected);
  });

  test('a missing code is a matter for support', () => {
    expect(orderOf([AUTHORIZED, failed('', { result: { resultStatus: 'F' } })]).nextAction).toBe('CONTACT_SUPPORT');
  });

  test('the latest failure counts, as instants', () => {
    const early = failed('PARAM_ILLEGAL', {
      captureId: 'C8',
      captureRequestId: 'Q8',
      captureTime: '2025-05-17T09:00:00+08:00',
    });
    const late = failed('AUTH_EXPIRED', { captureTime: '2025-05-17T02:00:00Z' });
    expect(orderOf([AUTHORIZED, early, late]).nextAction).toBe('NEW_PAYMENT_REQUEST');
    expect(orderOf([AUTHORIZED, late, early]).nextAction).toBe('NEW_PAYMENT_REQUEST');
  });

  test('at one time the greater captureId counts', () => {
    const greater = failed('PARAM_ILLEGAL', { captureId: 'c', captureRequestId: 'Q1' });
    const smaller = failed('AUTH_EXPIRED', { captureId: 'C', captureRequestId: 'Q2' });
    expect(orderOf([AUTHORIZED, smaller, greater]).nextAction).toBe('RETRY_CAPTURE');
  });

  test('the failure of a capture that succeeded after all is not looked at', () => {
    const order = orderOf([
      AUTHORIZED,
      failed('PARAM_ILLEGAL'),
      failed('AUTH_EXPIRED', {
        captureId: 'C1',
        captureRequestId: 'Q1',
        captureTime: '2099-01-01T00:00:00Z',
        captureAmount: jpy('70'),
      }),
      PART,
    ]);
    expect([order.nextAction, order.attention[0]]).toEqual(['REVIEW', 'CONTRADICTORY_RESULT']);
  });

  test('while the payment is under way it counts too', () => {
    expect(orderOf([paymentPending(), failed('PARAM_ILLEGAL')]).nextAction).toBe('RETRY_CAPTURE');
  });

  test('before anything is known of the payment it is waited for', () => {
    expect(orderOf([failed('PARAM_ILLEGAL')])).toMatchObject({ status: 'PENDING', nextAction: 'WAIT' });
  });

  test('a declined payment needs a new one, whatever its captures', () => {
    expect(orderOf([paymentResult('F'), failed('PARAM_ILLEGAL')]).nextAction).toBe('NEW_PAYMENT_REQUEST');
  });
});

describe('while a capture is under way', () => {
  const underWay = captureResult('U', { captureId: 'C5' });

  test.each<[string, readonly Fields[]]>([
    ['the order waits', [AUTHORIZED, underWay]],
    ['the order waits after another failure', [AUTHORIZED, failed('AUTH_EXPIRED'), underWay]],
    ['a declined payment waits', [paymentResult('F'), underWay]],
    ['a captured amount that is unknown waits', [AUTHORIZED, captureResult('S', { captureId: 'C1' }), underWay]],
  ])('%s', (_, notifications) => {
    expect(orderOf(notifications, MANUAL).nextAction).toBe('WAIT');
  });

  test('a contradiction is looked at first', () => {
    expect(orderOf([AUTHORIZED, paymentResult('F'), underWay]).nextAction).toBe('REVIEW');
  });
});

describe('CAPTURE', () => {
  test.each<[string, readonly Fields[], string]>([
    ['an authorization', [AUTHORIZED], 'CAPTURE'],
    ['a partial capture', [AUTHORIZED, PART], 'CAPTURE'],
    ['an authorization without an amount', [paymentResult('S')], 'WAIT'],
    ['an authorization of zero', [paymentResult('S', { paymentAmount: jpy('0') })], 'WAIT'],
    [
      'an authorization whose amount only a pending states',
      [paymentResult('S'), paymentPending({ paymentAmount: jpy('120') })],
      'WAIT',
    ],
    ['a partial capture without an amount', [AUTHORIZED, captureResult('S', { captureId: 'C1' })], 'WAIT'],
    ['a pending payment', [paymentPending({ paymentAmount: jpy('120') })], 'WAIT'],
  ])('after %s, where captures are manual', (_, notifications, expected) => {
    expect(orderOf(notifications, MANUAL).nextAction).toBe(expected);
  });

  test.each([
    {
      name: 'the registration goes before the configuration',
      mode: 'AUTOMATIC',
      configured: 'MANUAL',
      expected: 'WAIT',
    },
    {
      name: 'a registration without a mode leaves it to the configuration',
      mode: null,
      configured: 'MANUAL',
      expected: 'CAPTURE',
    },
    { name: 'manual by registration', mode: 'MANUAL', configured: 'AUTOMATIC', expected: 'CAPTURE' },
    { name: 'automatic by both', mode: 'AUTOMATIC', configured: 'AUTOMATIC', expected: 'WAIT' },
  ] as const)('$name', ({ mode, configured, expected }) => {
    const order = orderOf([AUTHORIZED], { registrations: [{ captureMode: mode }], rules: { captureMode: configured } });
    expect(order.nextAction).toBe(expected);
  });
});

describe('otherwise', () => {
  test('a declined payment needs a new request', () => {
    expect(orderOf([paymentResult('F')]).nextAction).toBe('NEW_PAYMENT_REQUEST');
  });

  test('a captured order of unknown amount is for a person', () => {
    const order = orderOf([paymentResult('S')], { registrations: [{ captureMode: 'NONE' }] });
    expect(order).toMatchObject({
      status: 'CAPTURED',
      fulfillable: false,
      nextAction: 'REVIEW',
      attention: ['AMOUNT_UNKNOWN'],
    });
  });

  test('an unknown amount does not hide the contradiction beside it', () => {
    expect(orderOf([paymentResult('S'), paymentResult('F')]).nextAction).toBe('REVIEW');
  });

  test('it waits', () => {
    expect(orderOf([paymentResult('U')]).nextAction).toBe('WAIT');
    expect(orderOf([paymentPending()]).nextAction).toBe('WAIT');
    expect(orderOf([AUTHORIZED]).nextAction).toBe('WAIT');
  });
});
