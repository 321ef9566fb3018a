import { describe, expect, test } from '@jest/globals';
import { jpy, paymentPending, paymentResult, result } from '../support/facts.ts';
import { read, statementIn } from './support.ts';

describe('a payment', () => {
  test('states nothing that its notification does not', () => {
    expect(statementIn(read(paymentResult('F', { paymentRequestId: null })))).toEqual({
      about: 'payment',
      pending: false,
      result: result('F'),
    });
  });

  test('is stored without what is absent', () => {
    expect(JSON.stringify(statementIn(read(paymentResult('F', { paymentRequestId: null }))))).toBe(
      JSON.stringify({ about: 'payment', pending: false, result: result('F') }),
    );
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
    expect(statementIn(read(paymentResult('S', { ...fields, ...others })))).toEqual({
      about: 'payment',
      ...fields,
      result: result('S'),
      pending: false,
      paymentRequestId: 'R1',
      amount: { currency: 'JPY', value: '0120' },
      pspName: 'TNG',
      hasResultInfo: true,
    });
  });

  test('that is pending says so: its S is no success', () => {
    expect(statementIn(read(paymentPending()))).toEqual({
      ...statementIn(read(paymentResult('S'))),
      pending: true,
    });
  });

  test('of a subscription is an ordinary payment', () => {
    expect(statementIn(read(paymentResult('S', { subscriptionId: 'S1', phaseNo: '1' })))).toEqual(
      statementIn(read(paymentResult('S'))),
    );
  });

  test('ignores what belongs to a capture', () => {
    const stated = statementIn(
      read(paymentResult('S', { captureId: 'C1', captureRequestId: 'Q1', captureAmount: jpy('1') })),
    );
    expect(stated).toEqual(statementIn(read(paymentResult('S'))));
  });
});
