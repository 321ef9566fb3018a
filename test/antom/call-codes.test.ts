import { describe, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { DELAYS, FAILURES, type Operation, OPERATIONS, verdictOf } from '../../src/antom/call-codes.ts';
import type { ResultStatus } from '../../src/order/statement.ts';

const verdict = (operation: Operation, resultStatus: ResultStatus, resultCode: string | null) =>
  verdictOf(operation, { resultStatus, resultCode, resultMessage: null });

/** Code, and what it means; as the tables of the documents have them, written down once more. */
type Rows = readonly (readonly [code: string, meaning: string])[];

const UNDECIDED: Rows = [
  ['UNKNOWN_EXCEPTION', 'AGAIN'],
  ['REQUEST_TRAFFIC_EXCEED_LIMIT', 'BACK_OFF'],
  ['CAPTURE_IN_PROCESS', 'IN_PROCESS'],
  ['PAYMENT_IN_PROCESS', 'IN_PROCESS'],
  ['REFUND_IN_PROCESS', 'IN_PROCESS'],
];

const COMMON: Rows = [
  ['INVALID_API', 'CONFIGURATION'],
  ['API_INVALID', 'CONFIGURATION'],
  ['NO_INTERFACE_DEF', 'CONFIGURATION'],
  ['CLIENT_INVALID', 'CONFIGURATION'],
  ['KEY_NOT_FOUND', 'CONFIGURATION'],
  ['INVALID_SIGNATURE', 'CONFIGURATION'],
  ['SIGNATURE_INVALID', 'CONFIGURATION'],
  ['MEDIA_TYPE_NOT_ACCEPTABLE', 'CONFIGURATION'],
  ['METHOD_NOT_SUPPORTED', 'CONFIGURATION'],
  ['MERCHANT_NOT_REGISTERED', 'CONFIGURATION'],
  ['INVALID_MERCHANT_STATUS', 'CONFIGURATION'],
  ['ORDER_NOT_EXIST', 'NOT_FOUND'],
  ['REFUND_NOT_EXIST', 'NOT_FOUND'],
  ['PROCESS_FAIL', 'PERSON'],
  ['SYSTEM_ERROR', 'PERSON'],
];

const OWN: Readonly<Record<Operation, Rows>> = {
  inquiryPayment: [
    ['ACCESS_DENIED', 'CONFIGURATION'],
    ['PARAM_ILLEGAL', 'OUR_FAULT'],
  ],
  capture: [
    ['ACCESS_DENIED', 'PERSON'],
    ['AUTH_CANCELLED', 'AUTHORIZATION_GONE'],
    ['AUTH_EXPIRED', 'AUTHORIZATION_GONE'],
    ['AUTH_NOT_FOUND', 'PERSON'],
    ['CAPTURE_AMOUNT_EXCEED_AUTH_LIMIT', 'NEW_ID'],
    ['CURRENCY_NOT_SUPPORT', 'NEW_ID'],
    ['INVALID_CONTRACT', 'PERSON'],
    ['INVALID_TOKEN', 'PERSON'],
    ['MULTI_CAPTURE_NOT_SUPPORTED', 'NO_MORE_CAPTURES'],
    ['NO_PAY_OPTIONS', 'PERSON'],
    ['ORDER_IS_CANCELED', 'AUTHORIZATION_GONE'],
    ['ORDER_STATUS_INVALID', 'PERSON'],
    ['PARAM_ILLEGAL', 'NEW_ID'],
    ['PAYMENT_AMOUNT_EXCEED_LIMIT', 'NEW_ID'],
    ['PAYMENT_COUNT_EXCEED_LIMIT', 'NO_MORE_CAPTURES'],
    ['REPEAT_REQ_INCONSISTENT', 'USED_ID'],
    ['RISK_REJECT', 'BUYER'],
    ['USER_AMOUNT_EXCEED_LIMIT', 'NEW_ID'],
    ['USER_BALANCE_NOT_ENOUGH', 'PERSON'],
    ['USER_NOT_EXIST', 'BUYER'],
    ['USER_STATUS_ABNORMAL', 'PERSON'],
  ],
  cancel: [
    ['ACCESS_DENIED', 'CONFIGURATION'],
    ['CANCEL_WINDOW_EXCEED', 'REFUND_INSTEAD'],
    ['MERCHANT_BALANCE_NOT_ENOUGH', 'LATER'],
    ['ORDER_STATUS_INVALID', 'PERSON'],
    ['PARAM_ILLEGAL', 'OUR_FAULT'],
    ['PAYMENT_METHOD_NOT_SUPPORTED', 'NEVER'],
    ['REPEAT_REQ_INCONSISTENT', 'OUR_FAULT'],
  ],
  refund: [
    ['ACCESS_DENIED', 'CONFIGURATION'],
    ['CURRENCY_NOT_SUPPORT', 'PERSON'],
    ['MERCHANT_BALANCE_NOT_ENOUGH', 'NEW_ID'],
    ['MULTIPLE_REFUNDS_NOT_SUPPORTED', 'NEVER'],
    ['ORDER_IS_CANCELED', 'NEVER'],
    ['ORDER_IS_CLOSED', 'PERSON'],
    ['ORDER_STATUS_INVALID', 'PERSON'],
    ['PARAM_ILLEGAL', 'OUR_FAULT'],
    ['PARTIAL_REFUND_NOT_SUPPORTED', 'NEVER'],
    ['PAYMENT_METHOD_NOT_SUPPORTED', 'NEVER'],
    ['REFUND_AMOUNT_EXCEED', 'NEW_ID'],
    ['REFUND_NOT_SUPPORTED', 'NEVER'],
    ['REFUND_WINDOW_EXCEED', 'NEVER'],
    ['REPEAT_REQ_INCONSISTENT', 'USED_ID'],
    ['RISK_REJECT', 'PERSON'],
  ],
  inquiryRefund: [
    ['ACCESS_DENIED', 'CONFIGURATION'],
    ['PARAM_ILLEGAL', 'OUR_FAULT'],
  ],
};

describe.each(OPERATIONS)('%s', (operation) => {
  test.each([...COMMON, ...OWN[operation]])('F with %s asks for %s', (code, failure) => {
    expect(verdict(operation, 'F', code)).toEqual({ outcome: 'FAILED', failure });
  });

  test.each(UNDECIDED)('%s decides nothing, beside whatever status: %s', (code, delay) => {
    for (const status of ['U', 'F', 'S'] as const)
      expect(verdict(operation, status, code)).toEqual({ outcome: 'UNKNOWN', delay });
  });

  test.each([...COMMON, ...OWN[operation], ['A_NEW_CODE', '']])('U with %s is never a failure', (code) => {
    expect(verdict(operation, 'U', code)).toEqual({ outcome: 'UNKNOWN', delay: 'AGAIN' });
  });

  test.each(['SUCCESS', 'A_NEW_CODE', '', null])('S with the code %j is OK', (code) => {
    expect(verdict(operation, 'S', code)).toEqual({ outcome: 'OK' });
  });

  test.each(['A_NEW_CODE', 'SUCCESS', 'auth_expired', 'constructor', '__proto__', '', null])(
    'F with a code that no table lists, %j, is for a person',
    (code) => expect(verdict(operation, 'F', code)).toEqual({ outcome: 'FAILED', failure: 'PERSON' }),
  );
});

test('every code of the notifyCapture page is among them, with its status', () => {
  const rows = readFileSync(new URL('../fixtures/capture-result-codes.md', import.meta.url), 'utf8')
    .split('\n')
    .filter((line) => /^\| [A-Z_]+ \|/.test(line))
    .map((line) => line.split(' | '))
    .map(([code = '', status = '']) => [code.replace('| ', ''), status] as const);
  expect(rows).toHaveLength(23);
  const listed = new Map([...OWN.capture, ...COMMON].map(([code]) => [code, 'F']));
  for (const [code] of UNDECIDED) listed.set(code, 'U');
  listed.set('SUCCESS', 'S');
  for (const [code, status] of rows) expect([code, listed.get(code)]).toEqual([code, status]);
});

test('every meaning is that of some code', () => {
  const meant = new Set([...COMMON, ...Object.values(OWN).flat()].map(([, failure]) => failure));
  expect([...meant].sort()).toEqual([...FAILURES].sort());
  expect(new Set(UNDECIDED.map(([, delay]) => delay))).toEqual(new Set(DELAYS));
});
