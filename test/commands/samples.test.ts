import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { amountIn, baseOf, compose, freshIds, shuffled } from '../../src/commands/compose.ts';
import { findSample, SAMPLES, textOf } from '../../src/commands/samples.ts';
import { inCaptures, SERIES } from '../../src/commands/series.ts';
import { readBody } from '../../src/handlers/read.ts';

const FIXTURES = new URL('../fixtures/', import.meta.url);
const samples = new URL('samples/', FIXTURES);
const printed = (file: string): unknown => JSON.parse(readFileSync(new URL(file, samples), 'utf8'));

describe('the samples', () => {
  test.each(readdirSync(samples).filter((file) => file.endsWith('.json')))('%s is as APO printed it', (file) => {
    expect(findSample(file.replace('.json', ''))?.notification).toEqual(printed(file));
  });

  test('payment-wallet is, byte for byte, what the sandbox signed', () => {
    const vector = JSON.parse(readFileSync(new URL('payment-result-sandbox-2025.json', FIXTURES), 'utf8')) as {
      body: string;
    };
    expect(JSON.stringify(findSample('payment-wallet')?.notification)).toBe(vector.body);
  });

  test.each(SAMPLES.map(({ name }) => name))('%s can be read', (name) => {
    const body = Buffer.from(JSON.stringify(findSample(name)?.notification));
    expect(readBody(body)).toMatchObject({ outcome: 'APPLIED' });
  });
});

const readingOf = ({ notification }: { readonly notification: unknown }) =>
  readBody(Buffer.from(JSON.stringify(notification)));

test('there is a sample of every kind that is read, and of every type of dispute', () => {
  expect(new Set(SAMPLES.map((one) => readingOf(one).kind))).toEqual(
    new Set(['PAYMENT', 'SUBSCRIPTION_PAYMENT', 'PAYMENT_PENDING', 'UPDATE_AMOUNT', 'CAPTURE', 'REFUND', 'DISPUTE']),
  );
  expect(new Set(SAMPLES.map(({ notification }) => textOf(notification, 'disputeNotificationType')))).toEqual(
    new Set([
      '',
      'DISPUTE_CREATED',
      'DEFENSE_DUE_ALERT',
      'DEFENSE_SUPPLIED',
      'DISPUTE_ACCEPTED',
      'DISPUTE_JUDGED',
      'DISPUTE_CANCELLED',
      'RDR_RESOLVED',
    ]),
  );
});

describe('composing', () => {
  const base = baseOf('PAYMENT_RESULT');
  const jpy = { currency: 'JPY', value: '120' };

  test('changes what is asked for and nothing else', () => {
    expect(compose(base, { paymentId: 'P1', amount: jpy })).toEqual({ ...base, paymentId: 'P1', paymentAmount: jpy });
    for (const { notification } of SAMPLES) expect(compose(notification, {})).toEqual(notification);
  });

  test.each([
    ['PAYMENT_RESULT', 'paymentAmount'],
    ['UPDATE_AMOUNT_RESULT', 'paymentAmount'],
    ['CAPTURE_RESULT', 'captureAmount'],
    ['REFUND_RESULT', 'refundAmount'],
    ['DISPUTE_CREATED', 'disputeAmount'],
  ])('writes the amount of a %s as its %s', (type, name) => {
    const composed = compose(baseOf(type), { amount: jpy });
    expect(composed).toEqual({ ...baseOf(type), [name]: jpy });
    expect(amountIn(composed)).toEqual(jpy);
  });

  test('judges all that is disputed', () => {
    expect(compose(baseOf('DISPUTE_JUDGED'), { amount: jpy })).toMatchObject({
      disputeAmount: jpy,
      disputeJudgedAmount: jpy,
    });
  });

  test('states nothing of a success that there is not', () => {
    const failed = compose(base, { status: 'F', resultCode: 'RISK_REJECT' });
    expect(failed).not.toHaveProperty('paymentTime');
    expect(failed['result']).toMatchObject({ resultStatus: 'F', resultCode: 'RISK_REJECT' });
    const refund = compose(baseOf('REFUND_RESULT'), { status: 'F' });
    expect(refund).not.toHaveProperty('refundTime');
    expect(refund).toMatchObject({ refundStatus: 'FAIL', result: { resultCode: 'PROCESS_FAIL' } });
    expect(compose(baseOf('REFUND_RESULT'), { status: 'U' })).not.toHaveProperty('refundStatus');
  });

  test('sets every time that is stated, and what is due after them', () => {
    const time = new Date('2026-01-02T03:04:05.678Z');
    expect(compose(base, { time })).toMatchObject({ paymentTime: '2026-01-02T03:04:05Z' });
    expect(compose(baseOf('DISPUTE_CREATED'), { time })).toMatchObject({
      disputeTime: '2026-01-02T03:04:05Z',
      defenseDueTime: '2026-01-09T03:04:05Z',
    });
    expect(compose(baseOf('DEFENSE_DUE_ALERT'), { time })).toMatchObject({ defenseDueTime: '2026-01-02T15:04:05Z' });
  });

  test('makes ids that are new each time', () => {
    expect(freshIds(base)).not.toEqual(freshIds(base));
    expect(Object.keys(freshIds(baseOf('CAPTURE_RESULT')))).toEqual(['paymentId', 'captureId', 'captureRequestId']);
    expect(Object.keys(freshIds(baseOf('REFUND_RESULT')))).toEqual(['refundId', 'refundRequestId']);
  });

  test('makes of another kind only what was asked for', () => {
    expect(compose(baseOf('constructor'), { paymentId: 'P1' })).toEqual({
      notifyType: 'constructor',
      paymentId: 'P1',
      result: expect.objectContaining({ resultStatus: 'S' }),
    });
  });

  test('shuffles alike for one seed, and loses nothing', () => {
    const items = Array.from({ length: 50 }, (_, index) => index);
    expect(shuffled(items, 7)).toEqual(shuffled(items, 7));
    expect(shuffled(items, 7)).not.toEqual(shuffled(items, 8));
    expect(shuffled(items, 7).toSorted((a, b) => a - b)).toEqual(items);
  });
});

describe('a series', () => {
  test.each([
    ['1523', 3, ['507', '507', '509']],
    ['2', 3, ['2']],
    ['90071992547409931', 2, ['45035996273704965', '45035996273704966']],
  ])('splits %s among %i captures of one payment', (value, captures, parts) => {
    const [payment, ...rest] = inCaptures({ amount: { currency: 'JPY', value } }, captures);
    expect(rest.map((one) => one['captureAmount'])).toEqual(parts.map((part) => ({ currency: 'JPY', value: part })));
    expect(new Set(rest.map((one) => textOf(one, 'paymentId')))).toEqual(new Set([textOf(payment ?? {}, 'paymentId')]));
    expect(new Set(rest.map((one) => textOf(one, 'captureId'))).size).toBe(parts.length);
  });

  test.each(SERIES)('$name takes the ids, the amount and the time that are given', (series) => {
    const time = new Date('2026-01-02T03:04:05Z');
    const composed = series.compose({
      paymentId: 'P1',
      paymentRequestId: 'R1',
      amount: { currency: 'JPY', value: '120' },
      time,
    });
    const text = JSON.stringify(composed);
    expect(new Set(composed.map((one) => textOf(one, 'paymentId').replace(/-again$/, '')))).toEqual(new Set(['P1']));
    expect(text).toContain('"paymentRequestId":"R1"');
    expect(text).toContain('{"currency":"JPY","value":"120"}');
    expect(text).not.toMatch(/"(GBP|HKD|KRW)"/);
    expect(text.match(/Time":"(?!2026-01)/g)).toBeNull();
    expect(series.compose({})).not.toEqual(series.compose({}));
  });
});
