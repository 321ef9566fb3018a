import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { baseOf, compose, composeSeries, freshIds, shuffled } from '../../src/commands/compose.ts';
import { findSample, SAMPLES, textOf } from '../../src/commands/samples.ts';
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

describe('composing', () => {
  const base = baseOf('PAYMENT_RESULT');

  test('changes what is asked for and nothing else', () => {
    const amount = { currency: 'JPY', value: '120' };
    expect(compose(base, { paymentId: 'P1', amount })).toEqual({ ...base, paymentId: 'P1', paymentAmount: amount });
    expect(compose(base, {})).toEqual(base);
  });

  test('states no paymentTime of a payment that did not succeed', () => {
    const failed = compose(base, { status: 'F', resultCode: 'RISK_REJECT' });
    expect(failed).not.toHaveProperty('paymentTime');
    expect(failed['result']).toMatchObject({ resultStatus: 'F', resultCode: 'RISK_REJECT' });
  });

  test('makes ids that are new each time', () => {
    expect(freshIds(base)).not.toEqual(freshIds(base));
    expect(Object.keys(freshIds(baseOf('CAPTURE_RESULT')))).toEqual(['paymentId', 'captureId', 'captureRequestId']);
  });

  test('makes of another kind only what was asked for', () => {
    expect(compose(baseOf('constructor'), { paymentId: 'P1' })).toEqual({
      notifyType: 'constructor',
      paymentId: 'P1',
      result: expect.objectContaining({ resultStatus: 'S' }),
    });
  });

  test.each([
    ['1523', 3, ['507', '507', '509']],
    ['2', 3, ['2']],
    ['90071992547409931', 2, ['45035996273704965', '45035996273704966']],
  ])('splits %s among %i captures of one payment', (value, captures, parts) => {
    const [payment, ...rest] = composeSeries({ amount: { currency: 'JPY', value } }, captures);
    expect(rest.map((one) => one['captureAmount'])).toEqual(parts.map((part) => ({ currency: 'JPY', value: part })));
    expect(new Set(rest.map((one) => textOf(one, 'paymentId')))).toEqual(new Set([textOf(payment ?? {}, 'paymentId')]));
    expect(new Set(rest.map((one) => textOf(one, 'captureId'))).size).toBe(parts.length);
  });

  test('shuffles alike for one seed, and loses nothing', () => {
    const items = Array.from({ length: 50 }, (_, index) => index);
    expect(shuffled(items, 7)).toEqual(shuffled(items, 7));
    expect(shuffled(items, 7)).not.toEqual(shuffled(items, 8));
    expect(shuffled(items, 7).toSorted((a, b) => a - b)).toEqual(items);
  });
});
