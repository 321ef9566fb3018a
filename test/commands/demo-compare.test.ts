import { describe, expect, test } from '@jest/globals';
import { differences } from '../../src/commands/demo-compare.ts';
import type { Order } from '../../src/order/order.ts';
import { outcomeOf, SUCCESS } from '../../src/sandbox/codes.ts';
import type { PaymentEntry } from '../../src/sandbox/ledger.ts';

const amount = { currency: 'JPY', value: '120' };
const refund = {
  refundId: 'F1',
  refundRequestId: 'FR1',
  captureId: null,
  result: SUCCESS,
  time: null,
  notifyUrl: null,
};
const ENTRY: PaymentEntry = {
  paymentId: 'P1',
  paymentRequestId: 'R1',
  method: 'CARD',
  captureMode: 'AUTOMATIC',
  amount,
  result: SUCCESS,
  createTime: '',
  paymentTime: '',
  notifyUrl: null,
  gone: null,
  captures: [{ captureId: 'C1', captureRequestId: 'R1', amount, result: SUCCESS, time: '', isLast: true }],
  refunds: [],
  disputes: [],
};
const LOST = { disputeId: 'D1', amount, type: 'DISPUTE_ACCEPTED', judged: null, time: '' };
const ORDER = { status: 'CAPTURED', fulfillable: true, refundedAmount: null } as Order;
interface Case {
  readonly entry?: Partial<PaymentEntry>;
  /** Null where there is none. */
  readonly order?: Partial<Order> | null;
  readonly isShipped: boolean;
}
const said = ({ entry, order = {}, isShipped }: Case): readonly string[] =>
  differences({ entry: { ...ENTRY, ...entry }, order: order && { ...ORDER, ...order }, isShipped }).map(
    ({ what }) => what,
  );

const wrongly = (name: string, found: string, truth: string): string => `${name} is ${found}, and in truth ${truth}`;

const SMALL = { ...amount, value: '20' };
const DECLINED = { result: outcomeOf('RISK_REJECT'), captures: [] };
const NOT_FULFILLABLE = { fulfillable: false };

describe('the books agree', () => {
  test.each<readonly [string, Case]>([
    ['paid and shipped', { isShipped: true }],
    ['declined', { entry: DECLINED, order: { status: 'FAILED', fulfillable: false }, isShipped: false }],
    [
      'not captured',
      { entry: { captures: [] }, order: { status: 'AUTHORIZED', fulfillable: false }, isShipped: false },
    ],
    [
      'refunded',
      {
        entry: { refunds: [{ ...refund, amount }] },
        order: { fulfillable: false, refundedAmount: amount },
        isShipped: true,
      },
    ],
    ['disputed before it was shipped', { entry: { disputes: [LOST] }, order: NOT_FULFILLABLE, isShipped: false }],
    ['disputed after it was shipped', { entry: { disputes: [LOST] }, order: NOT_FULFILLABLE, isShipped: true }],
  ])('%s', (_what, books) => expect(said(books)).toEqual([]));
});

describe('the books differ', () => {
  test.each<readonly [string, Case, readonly string[]]>([
    ['paid, and not shipped', { isShipped: false }, [wrongly('shipped', 'false', 'true')]],
    [
      'shipped, and not paid',
      { entry: { captures: [] }, isShipped: true },
      [
        wrongly('status', 'CAPTURED', 'AUTHORIZED'),
        wrongly('fulfillable', 'true', 'false'),
        wrongly('shipped', 'true', 'false'),
      ],
    ],
    [
      'no order',
      { order: null, isShipped: true },
      [wrongly('status', 'undefined', 'CAPTURED'), wrongly('fulfillable', 'undefined', 'true')],
    ],
    [
      'a refund that nobody knows of',
      { entry: { refunds: [{ ...refund, amount: SMALL }] }, isShipped: true },
      [wrongly('refunded', '0', '20')],
    ],
  ])('%s', (_what, books, expected) => expect(said(books)).toEqual(expected));
});
