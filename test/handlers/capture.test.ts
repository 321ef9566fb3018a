import { describe, expect, test } from '@jest/globals';
import { captureResult, jpy, result } from '../support/facts.ts';
import { captureIn, read } from './support.ts';

describe('a capture', () => {
  test('states nothing that its notification does not', () => {
    const statement = captureIn(read(captureResult('U', { captureId: 'C1', result: { resultStatus: 'U' } })));
    const stated = {
      about: 'capture',
      captureId: 'C1',
      result: { resultStatus: 'U', resultCode: null, resultMessage: null },
    };
    expect(statement).toEqual(stated);
    expect(JSON.stringify(statement)).toBe(JSON.stringify(stated));
  });

  test('states what its notification does', () => {
    const fields = {
      captureId: 'C1',
      captureRequestId: 'Q1',
      captureTime: '2025-03-16T19:27:19-07:00',
      acquirerInfo: { acquirerName: 'CHECKOUT' },
      acquirerReferenceNo: 'A1',
    };
    expect(captureIn(read(captureResult('S', { ...fields, captureAmount: jpy('070') })))).toEqual({
      about: 'capture',
      ...fields,
      result: result('S'),
      amount: { currency: 'JPY', value: '070' },
      furtherAction: 'The capture is successful, no further action is needed.',
    });
  });

  test.each(['S', 'F', 'U'] as const)(
    "with %s carries its code's advice; none for a code that is not listed",
    (status) => {
      const statement = (code: string) =>
        captureIn(read(captureResult(status, { captureId: 'C1', result: result(status, code) })));
      expect(statement('AUTH_EXPIRED').furtherAction).toBe('Use a new _paymentRequestId_ to initiate a payment.');
      expect(statement('A_NEW_CODE')).not.toHaveProperty('furtherAction', expect.anything());
    },
  );

  test('ignores what belongs to a payment', () => {
    const ignored = {
      paymentRequestId: 'R1',
      paymentAmount: jpy('1'),
      paymentTime: '2025-05-17T00:58:04-07:00',
      paymentMethodType: 'CARD',
    };
    expect(captureIn(read(captureResult('S', { captureId: 'C1', ...ignored })))).toEqual(
      captureIn(read(captureResult('S', { captureId: 'C1' }))),
    );
  });
});
