import { describe, expect, test } from '@jest/globals';
import {
  amount,
  captureResult,
  type Fields,
  jpy,
  paymentPending,
  paymentResult,
  refundResult,
  result,
} from '../support/facts.ts';
import { deriveOrder } from '../../src/order/order.ts';
import type { Sourced, Statement } from '../../src/order/statement.ts';
import { deriveOrders, orderOf, registered, RULES, toReceived } from './core.ts';
import { NOTHING, statementsIn } from './fact.ts';
import { DEFAULTS, RECEIVED_AT } from './settings.ts';

const AUTHORIZED = paymentResult('S', { paymentAmount: jpy('120') });
const CAPTURED = captureResult('S', { captureId: 'C1', captureRequestId: 'Q1', captureAmount: jpy('120') });
const PAID = [AUTHORIZED, CAPTURED];

const raised = (currency: string, value: string): Fields => ({
  ...paymentResult('S', { paymentAmount: amount(currency, value) }),
  notifyType: 'UPDATE_AMOUNT_RESULT',
});
const refund = (fields: Fields): Fields => refundResult('S', { paymentId: 'P1', refundId: 'F1', ...fields });
const disputed = (disputeNotificationType: string, fields: Fields = {}): Fields => ({
  disputeId: 'D1',
  paymentId: 'P1',
  paymentRequestId: 'R1',
  disputeType: 'CHARGEBACK',
  disputeNotificationType,
  ...fields,
});

describe('AMOUNT_MISMATCH and CURRENCY_MISMATCH', () => {
  test("the payment's amount is not the registered one", () => {
    const order = orderOf(PAID, { registrations: [{ amount: { currency: 'JPY', value: '121' } }] });
    expect(order).toMatchObject({
      fulfillable: false,
      nextAction: 'REVIEW',
      attention: ['AMOUNT_MISMATCH'],
      expectedAmount: jpy('121'),
    });
  });

  test('the registered one in another currency is another amount', () => {
    const order = orderOf(PAID, { registrations: [{ amount: { currency: 'USD', value: '120' } }] });
    expect(order.attention).toEqual(['AMOUNT_MISMATCH']);
  });

  test('a payment whose amount is not known yet mismatches nothing', () => {
    expect(orderOf([paymentResult('U')], { registrations: [{}] }).attention).toEqual([]);
  });
});

describe('AMOUNT_UNKNOWN', () => {
  test.each([
    ['no amount', paymentResult('S')],
    ['an amount of zero', paymentResult('S', { paymentAmount: jpy('00') })],
  ])('a success that states %s', (_, notification) => {
    expect(orderOf([notification])).toMatchObject({
      status: 'AUTHORIZED',
      attention: ['AMOUNT_UNKNOWN'],
      nextAction: 'WAIT',
    });
  });

  test('is not healed by an amount that only a pending states', () => {
    const order = orderOf([paymentResult('S'), paymentPending({ paymentAmount: jpy('120') }), CAPTURED]);
    expect(order).toMatchObject({
      status: 'CAPTURED',
      fulfillable: false,
      nextAction: 'REVIEW',
      attention: ['AMOUNT_UNKNOWN'],
    });
  });

  test('is a refund that states none, beside the amounts that are known', () => {
    const order = orderOf([...PAID, refund({})]);
    expect(order).toMatchObject({ fulfillable: false, nextAction: 'REVIEW', attention: ['AMOUNT_UNKNOWN'] });
    expect(orderOf([...PAID, { ...refund({}), result: result('F') }]).attention).toEqual(['REFUND_FAILED']);
  });

  test('names the refunds that nothing adds up, since no currency is known', () => {
    const [order] = deriveOrders({
      received: [paymentResult('S'), refund({ refundAmount: jpy('35') })].map((fields) => toReceived(fields)),
      registrations: [],
      rules: RULES,
    });
    expect(order?.attention).toMatchObject([
      {
        code: 'AMOUNT_UNKNOWN',
        message:
          'APO reported the success of the payment without an amount above zero: ask how much it was. Known is: JPY 35 refunded.',
      },
    ]);
  });

  test('does not arise from a decline or a failed capture without an amount', () => {
    expect(orderOf([paymentResult('F')]).attention).toEqual([]);
    expect(orderOf([AUTHORIZED, captureResult('F', { captureId: 'C1' })]).attention).toEqual(['CAPTURE_FAILED']);
  });
});

describe('UNREGISTERED', () => {
  const required = { rules: { requireRegistration: true } } as const;

  test('blocks a paid order that the shop never registered', () => {
    expect(orderOf(PAID, required)).toMatchObject({ attention: ['UNREGISTERED'], nextAction: 'REVIEW' });
    expect(orderOf([AUTHORIZED], required)).toMatchObject({ attention: ['UNREGISTERED'], nextAction: 'WAIT' });
    expect(orderOf(PAID, { ...required, registrations: [{}] })).toMatchObject({ attention: [], fulfillable: true });
  });
});

describe('an amount that was raised', () => {
  test('is due, and contradicts no smaller one', () => {
    const captured = captureResult('S', { captureId: 'C1', captureAmount: jpy('150') });
    const order = orderOf([AUTHORIZED, raised('JPY', '150'), captured], { registrations: [{}] });
    expect(order).toMatchObject({ paymentAmount: jpy('150'), status: 'CAPTURED', fulfillable: true, attention: [] });
  });

  test('is nothing where no capture is required', () => {
    const order = orderOf([AUTHORIZED, raised('JPY', '150')], { registrations: [{ captureMode: 'NONE' }] });
    expect(order).toMatchObject({ paymentAmount: jpy('120'), fulfillable: true });
  });
});

describe('a dispute', () => {
  const judged = (disputeJudgedResult: string, fields: Fields = {}) =>
    disputed('DISPUTE_JUDGED', { disputeJudgedResult, ...fields });

  test.each<[string, Fields, readonly string[], string]>([
    ['opened', disputed('DISPUTE_CREATED'), ['DISPUTED'], 'REVIEW'],
    ['due', disputed('DEFENSE_DUE_ALERT'), ['DISPUTED'], 'REVIEW'],
    ['defended', disputed('DEFENSE_SUPPLIED'), ['DISPUTED'], 'REVIEW'],
    ['of a new type', disputed('A_NEW_TYPE'), ['DISPUTED'], 'REVIEW'],
    ['won', judged('ACCEPT_BY_CUSTOMER'), [], 'FULFIL'],
    ['cancelled', disputed('DISPUTE_CANCELLED'), [], 'FULFIL'],
    ['lost', judged('ACCEPT_BY_MERCHANT'), ['REFUNDED'], 'NONE'],
    ['accepted', disputed('DISPUTE_ACCEPTED'), ['REFUNDED'], 'NONE'],
    ['resolved at once', disputed('RDR_RESOLVED'), ['REFUNDED'], 'NONE'],
    [
      'lost in part',
      judged('ACCEPT_BY_MERCHANT', { disputeJudgedAmount: jpy('50') }),
      ['DISPUTED', 'PARTIALLY_REFUNDED'],
      'REVIEW',
    ],
    [
      'for documents',
      disputed('DISPUTE_CREATED', { disputeType: 'RETRIEVAL_REQUEST' }),
      ['DOCUMENTS_REQUESTED'],
      'FULFIL',
    ],
  ])('%s', (...[, notification, attention, nextAction]) => {
    expect(orderOf([...PAID, notification])).toMatchObject({ attention, nextAction, status: 'CAPTURED' });
  });
});

test('every message says in words what is the matter, with the values', () => {
  const orders = deriveOrders({
    received: [
      paymentResult('S', { paymentAmount: jpy('100'), paymentRequestId: 'R0' }),
      paymentResult('F', { paymentAmount: jpy('90') }),
      captureResult('S', { captureId: 'C1', captureAmount: jpy('120') }),
      captureResult('S', { captureId: 'C3', captureAmount: amount('USD', '5') }),
      disputed('DISPUTE_CREATED', { defenseDueTime: '2025-06-01T00:00:00Z' }),
    ].map((fields) => toReceived(fields)),
    registrations: [registered()],
    rules: RULES,
  });
  const messages = new Map(orders.flatMap(({ attention }) => attention.map(({ code, message }) => [code, message])));
  for (const message of messages.values()) expect(message).toMatch(/^[A-Z].{20,}\.$/);
  expect(messages.get('CONTRADICTORY_AMOUNT')).toContain('JPY 100 and JPY 90');
  expect(messages.get('AMOUNT_MISMATCH')).toMatch(/JPY 100.*JPY 120/);
  expect(messages.get('CURRENCY_MISMATCH')).toMatch(/USD 5.*JPY/);
  expect(messages.get('OVER_CAPTURED')).toMatch(/JPY 120.*JPY 100/);
  expect(messages.get('DISPUTED')).toMatch(/D1.*2025-06-01T00:00:00Z/);
});

const messageOf = (...notifications: readonly Fields[]): string => messagesOf([...PAID, ...notifications]);

const messagesOf = (notifications: readonly Fields[]): string =>
  deriveOrders({
    received: notifications.map((fields) => toReceived(fields)),
    registrations: [],
    rules: RULES,
  })
    .flatMap(({ attention }) => attention)
    .map(({ message }) => message)
    .join(' ');

describe('what a dispute asks of a person', () => {
  test('is urgent once APO warns of the end of the defence', () => {
    expect(messageOf(disputed('DISPUTE_CREATED'))).not.toContain('nearly over');
    expect(messageOf(disputed('DISPUTE_CREATED'), disputed('DEFENSE_DUE_ALERT'))).toContain('nearly over');
  });

  test('is no defence where it is judged already, with a result that is not known', () => {
    const message = messageOf(disputed('DISPUTE_JUDGED', { disputeJudgedResult: 'A_NEW_RESULT' }));
    expect(message).toMatch(/Do not ship; it is judged A_NEW_RESULT, .*ask APO/);
    expect(messageOf(disputed('DISPUTE_JUDGED'))).toContain('judged without a result');
    expect(message).not.toContain('defend');
  });

  test('is how much it took where that is of another currency, and so all counts as gone', () => {
    expect(messageOf(disputed('DISPUTE_ACCEPTED', { disputeAmount: jpy('120') }))).not.toContain('counts as taken');
    expect(messageOf(disputed('DISPUTE_ACCEPTED', { disputeAmount: amount('USD', '1') }))).toMatch(
      /counts as taken by D1 ACCEPTED USD 1: ask APO/,
    );
  });

  test('is what it was judged of what was disputed, where it took money', () => {
    const lost = { disputeJudgedResult: 'ACCEPT_BY_MERCHANT', disputeAmount: jpy('100') };
    const inPart = disputed('DISPUTE_JUDGED', { ...lost, disputeJudgedAmount: jpy('30') });
    expect(messageOf(inPart)).toContain('Disputed: D1 LOST, judged JPY 30 of JPY 100. ');
    expect(messageOf(disputed('DISPUTE_JUDGED', lost))).toContain('Disputed: D1 LOST JPY 100. ');
    const bare = { ...lost, disputeAmount: undefined, disputeJudgedAmount: jpy('30') };
    expect(messageOf(disputed('DISPUTE_JUDGED', bare))).toContain('Disputed: D1 LOST, judged JPY 30. ');
    const won = { ...lost, disputeJudgedResult: 'A_NEW_RESULT', disputeJudgedAmount: jpy('30') };
    expect(messageOf(disputed('DISPUTE_JUDGED', won))).toContain('Disputed: D1 OPEN JPY 100. ');
  });
});

describe('what was captured beyond what is due', () => {
  const over = captureResult('S', { captureId: 'C2', captureAmount: jpy('20') });
  const message = (...values: readonly string[]) =>
    messageOf(over, ...values.map((value, index) => refund({ refundId: `F${index}`, refundAmount: jpy(value) })));

  test.each<[string, readonly string[], string]>([
    ['nothing of it', [], 'Refund the difference, or ask APO.'],
    [
      'a part of it',
      ['5'],
      'JPY 5 was refunded or taken by disputes. Refund the JPY 15 that is left of the difference, or ask APO.',
    ],
    [
      'all of it',
      ['5', '15'],
      'JPY 20 was refunded or taken by disputes. Nothing of the difference is left to refund: decide by a review what is shipped.',
    ],
    ['more', ['21'], 'Nothing of the difference is left to refund: decide by a review what is shipped.'],
  ])('is asked back but for what is gone: %s', (_, values, words) => {
    expect(message(...values)).toContain('JPY 140 was captured, more than the JPY 120 that is due. ');
    expect(message(...values)).toContain(words);
  });
});

const settleable = (...notifications: readonly Fields[]) => {
  const statements = [...PAID, ...notifications].flatMap(statementsIn);
  return deriveOrder({ ...NOTHING, statements }, DEFAULTS, RECEIVED_AT).settleable;
};

test('a review of an earlier version settles what is told in other words since', () => {
  const over = captureResult('S', { captureId: 'C2', captureAmount: jpy('20') });
  const values = [{ code: 'OVER_CAPTURED', values: '["JPY 140","JPY 120"]' }];
  expect(settleable(over)).toEqual(values);
  expect(settleable(over, refund({ refundAmount: jpy('5') }))).toEqual(values);
  const lost = { disputeJudgedResult: 'ACCEPT_BY_MERCHANT', disputeAmount: jpy('100'), disputeJudgedAmount: jpy('30') };
  expect(settleable(disputed('DISPUTE_JUDGED', lost))).toEqual([
    { code: 'DISPUTED', values: '["D1 LOST JPY 30 JPY 100"]' },
  ]);
});

const failed = (code: string, fields: Fields = {}): Fields => ({ ...refund(fields), result: result('F', code) });

describe('what a refund that failed asks of a person', () => {
  test.each([
    'REFUND_WINDOW_EXCEED',
    'REFUND_NOT_SUPPORTED',
    'PARTIAL_REFUND_NOT_SUPPORTED',
    'MULTIPLE_REFUNDS_NOT_SUPPORTED',
    'PAYMENT_METHOD_NOT_SUPPORTED',
    'ORDER_IS_CANCELED',
  ])('is no other try after %s', (code) => {
    expect(messageOf(failed(code))).toBe(
      `A refund failed: F1 (${code}). No other try of F1 succeeds: ask APO how else to give the money back.`,
    );
  });

  test('is another try of what another try may mend', () => {
    const low = failed('MERCHANT_BALANCE_NOT_ENOUGH', { refundId: 'F2' });
    expect(messageOf(low)).toBe(
      'A refund failed: F2 (MERCHANT_BALANCE_NOT_ENOUGH). Refund again under a new refundRequestId, or ask APO.',
    );
    expect(messageOf(low, failed('REFUND_WINDOW_EXCEED'))).toMatch(
      /No other try of F1 succeeds: .* Refund the rest again under a new refundRequestId, or ask APO\.$/,
    );
  });
});

test('a refund before anything is paid ships nothing', () => {
  const early = [AUTHORIZED, refund({ refundAmount: jpy('120') })];
  expect(messagesOf(early)).toContain(
    'JPY 120 was refunded or taken by disputes, and nothing is known to be paid. Ship nothing.',
  );
});

test('a statement of a kind that a younger version stored says nothing, and hides nothing', () => {
  const paid: Sourced<Statement> = {
    about: 'payment',
    pending: false,
    result: { resultStatus: 'S', resultCode: 'SUCCESS', resultMessage: null },
    amount: { currency: 'JPY', value: '100' },
    digest: 'a',
    place: 0,
  };
  const younger = { about: 'of another version', digest: 'b', place: 0 } as unknown as Sourced<Statement>;
  const [alone, both] = [[paid], [younger, paid]].map((statements) =>
    deriveOrder({ ...NOTHING, statements }, DEFAULTS, RECEIVED_AT),
  );
  expect(alone?.order).toMatchObject({ status: 'AUTHORIZED', remainingAmount: jpy('100') });
  expect(both).toEqual(alone);
});
