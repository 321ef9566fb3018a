import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { captureResult, type Fields, jpy, paymentPending, paymentResult, result } from '../support/facts.ts';
import { orderOf } from './core.ts';

const AUTHORIZED = paymentResult('S', { paymentAmount: jpy('120') });
const PART = captureResult('S', { captureId: 'C1', captureRequestId: 'Q1', captureAmount: jpy('70') });
const HOUR = 3_600_000;
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

const RETRIED = ['CURRENCY_NOT_SUPPORT', 'PARAM_ILLEGAL', 'USER_AMOUNT_EXCEED_LIMIT'];
const GONE = ['AUTH_CANCELLED', 'AUTH_EXPIRED', 'ORDER_IS_CANCELED'];

/** All others are a matter for support. */
const DECIDED: ReadonlyMap<string, string> = new Map([
  // It asked for no more than is left: a capture is missing here.
  ['CAPTURE_AMOUNT_EXCEED_AUTH_LIMIT', 'INQUIRE'],
  ...RETRIED.map((code): [string, string] => [code, 'RETRY_CAPTURE']),
  ...GONE.map((code): [string, string] => [code, 'NEW_PAYMENT_REQUEST']),
]);

test('the table of codes is the whole of the seed', () => {
  expect(CODES).toHaveLength(23);
});

/** A successful part, captured at a time. */
const partAt = (captureTime: string) =>
  captureResult('S', { captureId: 'C1', captureRequestId: 'Q1', captureAmount: jpy('70'), captureTime });

describe('after a failed capture the code decides', () => {
  test.each(
    [...CODES, 'A_NEW_CODE', 'constructor'].map((code) => ({ code, expected: DECIDED.get(code) ?? 'CONTACT_SUPPORT' })),
  )('$code: $expected', ({ code, expected }) => {
    expect(orderOf([AUTHORIZED, failed(code)]).nextAction).toBe(expected);
    // Manual capture changes nothing: the failure is looked at first.
    expect(orderOf([AUTHORIZED, failed(code)], MANUAL).nextAction).toBe(expected);
  });

  test.each(
    [...DECIDED].map(([code, alone]) => ({ code, expected: alone === 'NEW_PAYMENT_REQUEST' ? 'REVIEW' : alone })),
  )('$code after a successful part: $expected', ({ code, expected }) => {
    expect(orderOf([AUTHORIZED, PART, failed(code)]).nextAction).toBe(expected);
  });

  test('more than is left, beyond the limit, is retried', () => {
    const beyond = failed('CAPTURE_AMOUNT_EXCEED_AUTH_LIMIT', { captureAmount: jpy('51') });
    expect(orderOf([AUTHORIZED, PART, beyond]).nextAction).toBe('RETRY_CAPTURE');
  });

  test('the third failure is a matter for support', () => {
    const twice = [7, 8].map((n) => failed('PARAM_ILLEGAL', { captureId: `C${n}`, captureRequestId: `Q${n}` }));
    expect(orderOf([AUTHORIZED, ...twice]).nextAction).toBe('RETRY_CAPTURE');
    expect(orderOf([AUTHORIZED, ...twice, failed('PARAM_ILLEGAL')]).nextAction).toBe('CONTACT_SUPPORT');
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
    const late = failed('PROCESS_FAIL', { captureTime: '2025-05-17T02:00:00Z' });
    expect(orderOf([AUTHORIZED, early, late]).nextAction).toBe('CONTACT_SUPPORT');
    expect(orderOf([AUTHORIZED, late, early]).nextAction).toBe('CONTACT_SUPPORT');
  });

  test('one after which the authorization is gone speaks first, whatever the times', () => {
    const gone = failed('AUTH_EXPIRED', { captureTime: '2025-05-17T01:00:00Z' });
    const late = failed('PARAM_ILLEGAL', {
      captureId: 'C8',
      captureRequestId: 'Q8',
      captureTime: '2025-05-18T00:00:00Z',
    });
    expect(orderOf([AUTHORIZED, PART, gone, late])).toMatchObject({
      nextAction: 'REVIEW',
      attention: ['CAPTURE_FAILED', 'AUTHORIZATION_EXPIRED'],
    });
  });

  test('a later success supersedes the failure, both times being known', () => {
    const wrong = failed('CURRENCY_NOT_SUPPORT', { captureTime: '2025-05-17T01:00:00Z' });
    expect(orderOf([AUTHORIZED, wrong, partAt('2025-05-17T02:00:00Z')])).toMatchObject({
      nextAction: 'WAIT',
      attention: [],
    });
    expect(orderOf([AUTHORIZED, wrong, partAt('2025-05-17T01:00:00Z')]).nextAction).toBe('RETRY_CAPTURE');
    expect(orderOf([AUTHORIZED, wrong, PART]).nextAction).toBe('RETRY_CAPTURE');
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

  test('before the payment is known to have succeeded it is waited for', () => {
    expect(orderOf([paymentPending(), failed('PARAM_ILLEGAL')]).nextAction).toBe('WAIT');
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

  test('it waits for an hour, and inquires then', () => {
    for (const notification of [paymentResult('U'), paymentPending(), AUTHORIZED]) {
      expect(orderOf([notification], { now: HOUR - 1 }).nextAction).toBe('WAIT');
      expect(orderOf([notification], { now: HOUR }).nextAction).toBe('INQUIRE');
    }
  });
});
