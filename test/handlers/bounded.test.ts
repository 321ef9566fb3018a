import { describe, expect, test } from '@jest/globals';
import { CAPTURE, captureIn, PAYMENT, paymentIn, read, statementIn } from './support.ts';

const DOCUMENTED = { acquirerName: '2C2P', acquirerTransactionId: 'T1', acquirerResultMessage: 'as reported' };
/** An acquirerInfo whose JSON has so many characters. */
const infoOf = (length: number) => {
  const info = { ...DOCUMENTED, more: '' };
  return { ...info, more: 'x'.repeat(length - JSON.stringify(info).length) };
};
const acquirerInfoOf = (acquirerInfo: unknown) => [
  paymentIn(read({ ...PAYMENT, acquirerInfo })).acquirerInfo,
  captureIn(read({ ...CAPTURE, acquirerInfo })).acquirerInfo,
];

describe('what is too long to be kept in an order', () => {
  test('texts are cut off', () => {
    const [kept, long] = ['x'.repeat(1_024), 'x'.repeat(1_025)];
    const result = { resultStatus: 'S', resultCode: long, resultMessage: `${long}\ud83d` };
    expect(statementIn(read({ ...PAYMENT, result, paymentTime: kept, acquirerReferenceNo: long }))).toMatchObject({
      result: { resultStatus: 'S', resultCode: kept, resultMessage: kept },
      paymentTime: kept,
      acquirerReferenceNo: kept,
    });
    const halved = `${'x'.repeat(1_023)}\ud83d\ude00`;
    expect(paymentIn(read({ ...PAYMENT, acquirerReferenceNo: halved })).acquirerReferenceNo).toBe(
      `${'x'.repeat(1_023)}\ufffd`,
    );
  });

  test('of a large acquirerInfo the documented strings stay', () => {
    expect(acquirerInfoOf(infoOf(2_048))).toEqual([infoOf(2_048), infoOf(2_048)]);
    expect(acquirerInfoOf(infoOf(2_049))).toEqual([DOCUMENTED, DOCUMENTED]);
    expect(acquirerInfoOf({ ...DOCUMENTED, acquirerMerchantId: 7, referenceRequestId: 'x'.repeat(3_000) })).toEqual([
      DOCUMENTED,
      DOCUMENTED,
    ]);
    expect(acquirerInfoOf({ ...DOCUMENTED, list: Array.from({ length: 1_100 }, () => null) })).toEqual([
      DOCUMENTED,
      DOCUMENTED,
    ]);
    expect(acquirerInfoOf({ more: '\u0001'.repeat(400) })).toEqual([{}, {}]);
  });
});
