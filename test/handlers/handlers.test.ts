import { createHash } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { handlers } from '../../src/handlers/index.ts';
import type { Statement } from '../../src/order/statement.ts';
import { captureResult, type Fields, jpy, paymentPending, paymentResult, receive, result } from '../support/facts.ts';

/** What the handler of a notification's kind makes of it, from a signed request on. */
const stateOf = (fields: Fields): Statement | undefined => {
  const body = JSON.stringify(fields);
  const { reading } = receive(body);
  if (reading.outcome !== 'APPLIED') throw new Error(`not applied, but ${reading.outcome}`);
  return handlers
    .get(reading.notifyType)
    ?.stateOf({ facts: reading.facts, bodyDigest: createHash('sha256').update(body).digest('hex') });
};

const NOTHING_MORE = {
  paymentTime: null,
  paymentCreateTime: null,
  authExpiryTime: null,
  paymentMethodType: null,
  pspName: null,
  cardFields: false,
  acquirerInfo: null,
  acquirerReferenceNo: null,
};

describe('the dispatch table', () => {
  test('has three kinds, each under its own name', () => {
    expect([...handlers].map(([notifyType, handler]) => [notifyType, handler.notifyType, handler.about])).toEqual([
      ['PAYMENT_RESULT', 'PAYMENT_RESULT', 'payment'],
      ['PAYMENT_PENDING', 'PAYMENT_PENDING', 'payment'],
      ['CAPTURE_RESULT', 'CAPTURE_RESULT', 'capture'],
    ]);
  });

  test.each(['constructor', '__proto__', 'hasOwnProperty', 'payment_result', ''])(
    'finds nothing under %j',
    (notifyType) => {
      expect(handlers.get(notifyType)).toBeUndefined();
    },
  );
});

describe('a payment', () => {
  test('states nothing that its notification does not', () => {
    expect(stateOf(paymentResult('F', { paymentRequestId: null }))).toEqual({
      about: 'payment',
      pending: false,
      paymentRequestId: null,
      amount: null,
      result: result('F'),
      bodyDigest: expect.stringMatching(/^[0-9a-f]{64}$/),
      ...NOTHING_MORE,
    });
  });

  test('states what its notification does', () => {
    const fields = {
      paymentTime: '2025-05-17T00:58:04-07:00',
      paymentCreateTime: '2025-05-17T00:57:31-07:00',
      authExpiryTime: '2025-05-18T00:58:04-07:00',
      paymentMethodType: 'CARD',
      acquirerInfo: { acquirerName: 'ANTOM' },
      acquirerReferenceNo: 'A1',
    };
    const others = {
      paymentAmount: jpy('0120'),
      pspCustomerInfo: { pspName: 'TNG' },
      paymentResultInfo: { cardBrand: 'VISA' },
    };
    expect(stateOf(paymentResult('S', { ...fields, ...others }))).toMatchObject({
      ...fields,
      pending: false,
      paymentRequestId: 'R1',
      amount: { currency: 'JPY', value: 120n },
      pspName: 'TNG',
      cardFields: true,
    });
  });

  test('that is pending says so: its S is no success', () => {
    expect(stateOf(paymentPending())).toMatchObject({ about: 'payment', pending: true, result: { resultStatus: 'S' } });
  });

  test('ignores what belongs to a capture', () => {
    const statement = stateOf(paymentResult('S', { captureId: 'C1', captureRequestId: 'Q1', captureAmount: jpy('1') }));
    expect(statement).toEqual({ ...stateOf(paymentResult('S')), bodyDigest: statement?.bodyDigest });
  });
});

describe('a capture', () => {
  test('states nothing that its notification does not', () => {
    expect(stateOf(captureResult('U', { captureId: 'C1', result: { resultStatus: 'U' } }))).toEqual({
      about: 'capture',
      captureId: 'C1',
      captureRequestId: null,
      amount: null,
      captureTime: null,
      result: { resultStatus: 'U', resultCode: null, resultMessage: null },
      furtherAction: null,
      onFailure: 'CONTACT_SUPPORT',
      acquirerInfo: null,
      acquirerReferenceNo: null,
      bodyDigest: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
  });

  test("carries its code's advice and action", () => {
    expect(
      stateOf(
        captureResult('F', { captureRequestId: 'Q1', captureAmount: jpy('070'), result: result('F', 'AUTH_EXPIRED') }),
      ),
    ).toMatchObject({
      captureId: null,
      captureRequestId: 'Q1',
      amount: { currency: 'JPY', value: 70n },
      furtherAction: 'Use a new _paymentRequestId_ to initiate a payment.',
      onFailure: 'NEW_PAYMENT_REQUEST',
    });
  });

  test('ignores what belongs to a payment', () => {
    const ignored = {
      paymentRequestId: 'R1',
      paymentAmount: jpy('1'),
      paymentTime: '2025-05-17T00:58:04-07:00',
      paymentMethodType: 'CARD',
    };
    const statement = stateOf(captureResult('S', { captureId: 'C1', ...ignored }));
    expect(statement).toEqual({
      ...stateOf(captureResult('S', { captureId: 'C1' })),
      bodyDigest: statement?.bodyDigest,
    });
  });
});
