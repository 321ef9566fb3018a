import { describe, expect, test } from '@jest/globals';
import type { Order } from '../../src/order/order.ts';
import {
  firstDue,
  firstDueOfRefund,
  isNeverPlaced,
  nextDue,
  questionAbout,
  readWhy,
  spread,
  UNANSWERED_AFTER,
  WHY,
  type Why,
  whyAsk,
} from '../../src/reconcile/due.ts';
import { orderOf } from '../order/core.ts';
import { captureResult, type Fields, jpy, paymentPending, paymentResult, result } from '../support/facts.ts';
import { DAY, HOUR, MINUTE } from './support.ts';

/** When the order changed last; notifications are received at 0. */
const CHANGED = 30 * MINUTE;
const PAID_AT = Date.parse('1970-01-01T00:10:00Z');

type Around = Parameters<typeof orderOf>[1];

const orderBy = (notifications: readonly Fields[], around: Around = {}, changed = CHANGED): Order => ({
  ...orderOf(notifications, { now: changed, ...around }),
  attention: [],
  revision: 1,
  replaces: null,
  createdAt: new Date(0).toISOString(),
  updatedAt: new Date(changed).toISOString(),
});

const AUTHORIZED = paymentResult('S', { paymentAmount: jpy('120'), acquirerInfo: { acquirerName: 'TEST' } });
/** Of Antom: it ends a week after it was paid. */
const LAPSING = paymentResult('S', { paymentAmount: jpy('120'), paymentTime: new Date(PAID_AT).toISOString() });
const EXPIRES_AT = PAID_AT + 7 * DAY;
const captured = (status: 'S' | 'F' | 'U', value: string, fields: Fields = {}): Fields =>
  captureResult(status, { captureId: 'C1', captureAmount: jpy(value), ...fields });
const MANUAL = { rules: { captureMode: 'MANUAL' } } as const;
const REGISTERED = { registrations: [{}] };

interface Case {
  readonly name: string;
  readonly order: Order;
  readonly why: Why;
  /** From the change. */
  readonly after: number;
}

const EXCEEDING = captured('F', '120', { result: result('F', 'CAPTURE_AMOUNT_EXCEED_AUTH_LIMIT') });

const CASES: readonly Case[] = [
  { name: 'AUTHORIZED and AUTOMATIC', order: orderBy([AUTHORIZED]), why: 'authorized', after: 15 * MINUTE },
  { name: 'AUTHORIZED and MANUAL', order: orderBy([AUTHORIZED], MANUAL), why: 'to capture', after: DAY },
  { name: 'PROCESSING', order: orderBy([paymentPending()]), why: 'processing', after: 15 * MINUTE },
  { name: 'a payment U', order: orderBy([paymentResult('U')]), why: 'processing', after: 15 * MINUTE },
  {
    name: 'a capture that is PROCESSING',
    order: orderBy([AUTHORIZED, captured('U', '120')], MANUAL),
    why: 'processing',
    after: 15 * MINUTE,
  },
  {
    name: 'a capture without payment',
    order: orderBy([captured('S', '120')]),
    why: 'capture without payment',
    after: 2 * MINUTE,
  },
  {
    name: 'a registration without payment',
    order: orderBy([], { ...REGISTERED, now: 0 }),
    why: 'registered',
    after: 30 * MINUTE,
  },
  {
    name: 'a capture that exceeds what it should not',
    order: orderBy([AUTHORIZED, EXCEEDING]),
    why: 'authorized',
    after: 0,
  },
  {
    name: 'an hour after an authorization',
    order: orderBy([AUTHORIZED], {}, HOUR),
    why: 'authorized',
    after: 0,
  },
  {
    name: 'an hour after a part',
    order: orderBy([AUTHORIZED, captured('S', '70')], {}, HOUR),
    why: 'inquire',
    after: 0,
  },
];

describe('the first inquiry', () => {
  test.each(CASES)('$name: $why', ({ order, why, after }) => {
    expect(whyAsk(order)).toBe(why);
    expect(firstDue(order, why)).toBe(Date.parse(order.updatedAt) + after);
  });

  test.each([
    ['ready to ship', orderBy([AUTHORIZED, captured('S', '120')])],
    ['failed', orderBy([paymentResult('F')])],
    ['cancelled by the shop', orderBy([], { registrations: [{ cancelled: true }] })],
    ['a part of which more may come', orderBy([AUTHORIZED, captured('S', '70')])],
  ])('of an order that is %s never is', (_name, order) => {
    expect(whyAsk(order)).toBeNull();
  });

  test('of a refund that joins none is due after a quarter of an hour', () => {
    expect(firstDueOfRefund(new Date(CHANGED).toISOString())).toBe(CHANGED + 15 * MINUTE);
  });
});

const later = (now: number) => ({ why: 'to capture', attempts: 9, isRefused: false, now, random: () => 0.5 }) as const;

describe('around the end of its authorization', () => {
  const manual = orderBy([LAPSING], MANUAL);

  test('an order is asked about a day before and a quarter of an hour after', () => {
    expect(manual.authorizationExpiresAt).not.toBeNull();
    expect(nextDue(manual, later(CHANGED + DAY))).toBe(EXPIRES_AT - DAY);
    expect(nextDue(manual, later(EXPIRES_AT - DAY))).toBe(EXPIRES_AT + 15 * MINUTE);
    expect(nextDue(manual, later(EXPIRES_AT + 15 * MINUTE))).toBe(EXPIRES_AT + 15 * MINUTE + 7 * DAY);
  });

  test('of a part that is captured nothing else is a reason', () => {
    const part = orderBy([LAPSING, captured('S', '70')], MANUAL);
    expect(whyAsk(part)).toBe('expiry');
    expect(firstDue(part, 'expiry')).toBe(EXPIRES_AT - DAY);
    const asking = { why: 'expiry', attempts: 1, isRefused: false, random: () => 0.5 } as const;
    expect(nextDue(part, { ...asking, now: EXPIRES_AT - DAY })).toBe(EXPIRES_AT + 15 * MINUTE);
    expect(nextDue(part, { ...asking, now: EXPIRES_AT + 15 * MINUTE })).toBeNull();
  });

  test('what APO refuses to answer is asked again then only', () => {
    expect(nextDue(manual, { ...later(CHANGED), isRefused: true })).toBe(EXPIRES_AT - DAY);
    expect(nextDue(orderBy([AUTHORIZED]), { ...later(CHANGED), isRefused: true })).toBeNull();
    expect(nextDue(null, { ...later(CHANGED), why: 'unjoined refund', isRefused: true })).toBeNull();
  });
});

const pausesOf = (why: Why, random: number): readonly number[] =>
  [1, 2, 3, 4, 5, 6, 7]
    .map((attempts) => {
      const order = why === 'unjoined refund' ? null : orderBy([AUTHORIZED]);
      return nextDue(order, { why, attempts, isRefused: false, now: CHANGED, random: () => random }) ?? 0 - CHANGED;
    })
    .map((at) => at - CHANGED);

const WEEK = 7 * DAY;

describe('then it is asked', () => {
  test.each<readonly [Why, readonly number[]]>([
    ['inquire', [15 * MINUTE, HOUR, 6 * HOUR, DAY, WEEK, WEEK, WEEK]],
    ['capture without payment', [15 * MINUTE, HOUR, 6 * HOUR, DAY, WEEK, WEEK, WEEK]],
    ['by hand', [15 * MINUTE, HOUR, 6 * HOUR, DAY, WEEK, WEEK, WEEK]],
    ['authorized', [HOUR, 6 * HOUR, DAY, WEEK, WEEK, WEEK, WEEK]],
    ['processing', [HOUR, 6 * HOUR, DAY, WEEK, WEEK, WEEK, WEEK]],
    ['unjoined refund', [HOUR, 6 * HOUR, DAY, WEEK, WEEK, WEEK, WEEK]],
    ['registered', [HOUR, 6 * HOUR, DAY, WEEK, WEEK, WEEK, WEEK]],
    ['to capture', [WEEK, WEEK, WEEK, WEEK, WEEK, WEEK, WEEK]],
  ])('%s: never sooner than the first time', (why, pauses) => {
    expect(pausesOf(why, 0.5)).toEqual(pauses);
  });

  test('a tenth sooner or later, so that what was due together is not again', () => {
    for (const [index, pause] of pausesOf('inquire', 0.5).entries()) {
      expect(pausesOf('inquire', 0)[index]).toBe(Math.round(pause * 0.9));
      expect(pausesOf('inquire', 1)[index]).toBe(Math.round(pause * 1.1));
    }
    expect(UNANSWERED_AFTER).toBe(15 * MINUTE);
    expect([0, 0.5, 1].map((one) => spread(1_000, () => one))).toEqual([900, 1_000, 1_100]);
  });

  test('until APO has said five times, in a week, that it knows of no such payment', () => {
    const code = 'ORDER_NOT_EXIST';
    const said = [1, 4, 5, 6].map((attempts) => isNeverPlaced('registered', { attempts, code }));
    expect(said).toEqual([false, false, true, true]);
    expect(isNeverPlaced('registered', { attempts: 9, code: 'UNKNOWN_EXCEPTION' })).toBe(false);
    expect(isNeverPlaced('processing', { attempts: 9, code })).toBe(false);
  });
});

test('the question names the payment, and before there is one what was registered', () => {
  expect(questionAbout(orderBy([AUTHORIZED]))).toEqual({ operation: 'inquiryPayment', paymentId: 'P1' });
  expect(questionAbout(orderBy([], REGISTERED))).toEqual({ operation: 'inquiryPayment', paymentRequestId: 'R1' });
});

test('a reason that is stored is read again, and one of another version is not trusted', () => {
  for (const why of Object.keys(WHY)) expect(readWhy(why)).toBe(why);
  expect(readWhy('constructor')).toBe('by hand');
});
