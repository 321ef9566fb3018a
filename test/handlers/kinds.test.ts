import { describe, expect, test } from '@jest/globals';
import { handlers } from '../../src/handlers/index.ts';
import { type Kind, NOTIFICATION_KINDS } from '../../src/order/reading.ts';
import type { Statement } from '../../src/order/statement.ts';
import { cellsOf, readPage, sectionOf } from '../docs/blocks.ts';
import { captureResult, type Fields, jpy, paymentPending, paymentResult, result } from '../support/facts.ts';
import { identifiersIn, malformed, read, statementIn, without } from './support.ts';

/** One kind: a notification with every field that is read, and what each of the fields may be. */
interface KindTable {
  readonly kind: Kind;
  readonly whole: Fields;
  readonly states: Statement;
  /** Identifiers. Missing, each makes it MALFORMED. */
  readonly required: readonly string[];
  /** The same of what is no identifier: `result`, or a word of a closed set. */
  readonly alsoRequired: readonly string[];
  /** Of each group one is enough. */
  readonly either?: readonly [string, string];
  /** May be missing, but not malformed. */
  readonly identifiers: readonly string[];
  readonly amounts: readonly string[];
  /** Whatever they are, it is applied. */
  readonly texts: readonly string[];
  readonly times: readonly string[];
}

const JPY_120 = { currency: 'JPY', value: '120' };
const S = { resultStatus: 'S', resultCode: 'SUCCESS', resultMessage: 'as reported' } as const;
const TIME = '2025-05-17T00:58:04-07:00';
const ACQUIRER = { acquirerInfo: { acquirerName: 'ADYEN' }, acquirerReferenceNo: 'A1' };

const OF_PAYMENT = {
  paymentAmount: jpy('120'),
  paymentTime: TIME,
  paymentCreateTime: TIME,
  authExpiryTime: TIME,
  paymentMethodType: 'CARD',
  pspCustomerInfo: { pspName: 'TNG' },
  paymentResultInfo: { cardBrand: 'VISA' },
  ...ACQUIRER,
};
const PAYMENT_STATES = {
  about: 'payment',
  pending: false,
  result: S,
  amount: JPY_120,
  paymentRequestId: 'R1',
  paymentTime: TIME,
  paymentCreateTime: TIME,
  authExpiryTime: TIME,
  paymentMethodType: 'CARD',
  pspName: 'TNG',
  hasResultInfo: true,
  ...ACQUIRER,
} as const;
const PAYMENT_TABLE = {
  required: ['paymentId'],
  alsoRequired: ['result'],
  identifiers: ['paymentRequestId'],
  amounts: ['paymentAmount'],
  texts: ['paymentMethodType', 'pspCustomerInfo', 'paymentResultInfo', 'acquirerInfo', 'acquirerReferenceNo'],
  times: ['paymentTime', 'paymentCreateTime', 'authExpiryTime'],
};

const TABLES: readonly KindTable[] = [
  { kind: 'PAYMENT', whole: paymentResult('S', OF_PAYMENT), states: PAYMENT_STATES, ...PAYMENT_TABLE },
  {
    kind: 'SUBSCRIPTION_PAYMENT',
    whole: paymentResult('S', { ...OF_PAYMENT, subscriptionOrderId: 'O1', subscriptionId: 'S1', phaseNo: '1' }),
    states: PAYMENT_STATES,
    ...PAYMENT_TABLE,
    identifiers: ['paymentRequestId', 'subscriptionId'],
  },
  {
    kind: 'PAYMENT_PENDING',
    whole: paymentPending(OF_PAYMENT),
    states: { ...PAYMENT_STATES, pending: true },
    ...PAYMENT_TABLE,
  },
  {
    kind: 'UPDATE_AMOUNT',
    whole: {
      ...paymentResult('S', OF_PAYMENT),
      notifyType: 'UPDATE_AMOUNT_RESULT',
      updateRequestId: 'U1',
    },
    states: { about: 'amount update', result: S, amount: JPY_120 },
    required: ['paymentId'],
    alsoRequired: ['result'],
    identifiers: ['paymentRequestId', 'updateRequestId'],
    amounts: ['paymentAmount'],
    texts: ['paymentMethodType', 'acquirerInfo'],
    times: [],
  },
  {
    kind: 'CAPTURE',
    whole: captureResult('S', {
      captureId: 'C1',
      captureRequestId: 'Q1',
      captureAmount: jpy('120'),
      captureTime: TIME,
      ...ACQUIRER,
    }),
    states: {
      about: 'capture',
      captureId: 'C1',
      captureRequestId: 'Q1',
      result: S,
      amount: JPY_120,
      captureTime: TIME,
      furtherAction: 'The capture is successful, no further action is needed.',
      ...ACQUIRER,
    },
    required: ['paymentId'],
    alsoRequired: ['result'],
    either: ['captureId', 'captureRequestId'],
    identifiers: ['captureId', 'captureRequestId'],
    amounts: ['captureAmount'],
    texts: ['acquirerInfo', 'acquirerReferenceNo'],
    times: ['captureTime'],
  },
  {
    kind: 'REFUND',
    whole: {
      notifyType: 'REFUND_RESULT',
      result: result('S'),
      refundStatus: 'SUCCESS',
      refundId: 'F1',
      refundRequestId: 'G1',
      paymentId: 'P1',
      captureId: 'C1',
      refundAmount: jpy('120'),
      refundTime: TIME,
    },
    states: {
      about: 'refund',
      refundId: 'F1',
      refundRequestId: 'G1',
      paymentId: 'P1',
      captureId: 'C1',
      result: S,
      amount: JPY_120,
      refundTime: TIME,
    },
    required: [],
    alsoRequired: ['result'],
    either: ['refundId', 'refundRequestId'],
    identifiers: ['refundId', 'refundRequestId', 'paymentId', 'captureId'],
    amounts: ['refundAmount'],
    texts: [],
    times: ['refundTime'],
  },
  {
    kind: 'DISPUTE',
    whole: {
      disputeNotificationType: 'DISPUTE_JUDGED',
      disputeId: 'D1',
      paymentId: 'P1',
      paymentRequestId: 'R1',
      captureId: 'C1',
      disputeType: 'CHARGEBACK',
      disputeAmount: jpy('120'),
      disputeJudgedAmount: jpy('100'),
      disputeJudgedResult: 'ACCEPT_BY_MERCHANT',
      disputeJudgedTime: TIME,
      disputeTime: TIME,
      defenseDueTime: TIME,
      disputeReasonCode: '4853',
      disputeReasonMsg: 'Not as described',
      defendable: true,
    },
    states: {
      about: 'dispute',
      disputeId: 'D1',
      notificationType: 'DISPUTE_JUDGED',
      type: 'CHARGEBACK',
      amount: JPY_120,
      judgedAmount: { currency: 'JPY', value: '100' },
      judgedResult: 'ACCEPT_BY_MERCHANT',
      judgedTime: TIME,
      disputeTime: TIME,
      dueTime: TIME,
      reasonCode: '4853',
      reasonMessage: 'Not as described',
    },
    required: ['disputeId', 'paymentId'],
    alsoRequired: [],
    identifiers: ['paymentRequestId', 'captureId'],
    amounts: ['disputeAmount', 'disputeJudgedAmount'],
    texts: ['disputeType', 'disputeJudgedResult', 'disputeReasonCode', 'disputeReasonMsg'],
    times: ['disputeJudgedTime', 'disputeTime', 'defenseDueTime'],
  },
];

const omit = (fields: Fields, names: readonly string[]): Fields =>
  names.reduce<Fields>((left, name) => without(left, name), fields);

describe.each(TABLES)('$kind', ({ kind, whole, states, ...table }) => {
  const { required, alsoRequired, either, identifiers, amounts, texts, times } = table;
  const optional = [...identifiers, ...amounts, ...texts, ...times];

  test('states what its notification says, and no more', () => {
    expect(read(whole)).toMatchObject({ kind, outcome: 'APPLIED', problem: null });
    expect(statementIn(read(whole))).toEqual(states);
    expect(statementIn(read({ ...whole, newField: [{}], promotionResult: 7 }))).toEqual(states);
  });

  test('keeps every identifier that it reads, to be found by it', () => {
    expect(Object.keys(idsOf(whole))).toEqual(expect.arrayContaining([...required, ...identifiers]));
  });

  test('is applied with the required fields alone; null is absent', () => {
    for (const kept of either ?? ['']) {
      const left = optional.filter((name) => name !== kept);
      const bare = read(omit(whole, left));
      expect(bare).toMatchObject({ kind, outcome: 'APPLIED' });
      expect(read({ ...whole, ...Object.fromEntries(left.map((name) => [name, null])) })).toEqual(bare);
    }
  });

  test('is MALFORMED without a required field', () => {
    for (const name of [...required, ...alsoRequired]) {
      for (const value of [undefined, null]) {
        const reading = read({ ...whole, [name]: value });
        // A refund without a result is of another product.
        if (kind === 'REFUND' && name === 'result') expect(reading.kind).toBe('DIRECT_REFUND');
        else expect(reading).toMatchObject(malformed(kind, `${name} is missing.`, without(idsOf(whole), name)));
      }
    }
    if (either === undefined) return;
    const neither = malformed(
      kind,
      `${either[0]} is missing, and so is ${either[1]}.`,
      omit(idsOf(whole), either) as Readonly<Record<string, string>>,
    );
    expect(read(omit(whole, either))).toEqual(neither);
    expect(read({ ...whole, [either[0]]: null, [either[1]]: '' })).toEqual(neither);
  });

  test('is MALFORMED with an illegible identifier, and keeps the others', () => {
    for (const name of [...identifiers, ...required]) {
      for (const value of [7, ' x', 'x'.repeat(129), 'a\0b', ['x'], {}, false]) {
        const problem =
          'must be a string of 1 to 128 characters without control characters, and without white space at either end';
        expect(read({ ...whole, [name]: value })).toEqual(
          malformed(kind, `${name} ${problem}.`, without(idsOf(whole), name)),
        );
      }
    }
  });

  test('is MALFORMED with an amount that is none, and keeps its identifiers', () => {
    for (const name of amounts) {
      expect(read({ ...whole, [name]: 'JPY 120' })).toEqual(
        malformed(kind, `${name} must be an object.`, idsOf(whole)),
      );
      expect(read({ ...whole, [name]: { currency: 'JPY', value: '1.5' } })).toMatchObject({ outcome: 'MALFORMED' });
      expect(read({ ...whole, [name]: { currency: 'JPY', value: 77 } })).toEqual(read({ ...whole, [name]: jpy('77') }));
    }
  });

  test('has no text or time where there is something else', () => {
    for (const name of [...texts, ...times]) {
      for (const value of [7, false, ['x'], '']) {
        expect([name, read({ ...whole, [name]: value })]).toEqual([name, read(without(whole, name))]);
      }
    }
  });

  test('reads times as epoch milliseconds too, as a text and as a number', () => {
    for (const name of times) {
      const asText = read({ ...whole, [name]: '1747468684000' });
      expect(Object.values(statementIn(asText))).toContain('1747468684000');
      expect(read({ ...whole, [name]: 1_747_468_684_000 })).toEqual(asText);
      for (const none of [174_746_868_400, 17_474_686_840_001, 1_747_468_684_000.5, -1_747_468_684_000]) {
        expect(read({ ...whole, [name]: none })).toEqual(read(without(whole, name)));
      }
    }
  });
});

const idsOf = (whole: Fields): Readonly<Record<string, string>> => identifiersIn(read(whole));

test('a dispute of a type that is no text is one of an unknown type', () => {
  const dispute = { disputeNotificationType: 7, disputeId: 'D1', paymentId: 'P1' };
  expect(statementIn(read(dispute))).toEqual({ about: 'dispute', disputeId: 'D1', notificationType: '' });
});

test('docs/orders.md says what is required of each kind', () => {
  const rows = cellsOf(sectionOf(readPage('docs/orders.md'), 'Malformed notifications'));
  const shown = rows.flatMap(([kinds = '', fields]) => kinds.split(', ').map((kind) => `${kind}: ${fields}`));
  const inquiry = shown.filter((line) => line.startsWith('`INQUIRY`'));
  expect(shown.toSorted()).toEqual([...TABLES.map(requiredOf), ...inquiry].toSorted());
});

const requiredOf = ({ kind, required, either, alsoRequired }: KindTable): string => {
  const all = [...required.map(codeOf), ...(either === undefined ? [] : [either.map(codeOf).join(' or ')])];
  return `\`${kind}\`: ${[...all, ...alsoRequired.map(codeOf)].join(', ')}`;
};

const codeOf = (name: string): string => `\`${name === 'result' ? 'result.resultStatus' : name}\``;

test('every kind that is read is tried here', () => {
  expect(TABLES.map(({ kind }) => kind).toSorted()).toEqual(NOTIFICATION_KINDS.filter(isRead).toSorted());
});

/** It states something of a payment: it is not one of those that are only told apart. */
const isRead = (kind: Kind): boolean =>
  handlers.some((handler) => handler.kind === kind && handler.read({}).outcome !== 'UNHANDLED');
