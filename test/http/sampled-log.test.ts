import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import pino from 'pino';
import { createSampledLog, type Kind } from '../../src/http/sampled-log.ts';
import type { LogLine } from '../support/receiver.ts';

const NOT_FOUND: Kind = { level: 'info', text: 'not found', fields: { status: 404 } };
const UNVERIFIED: Kind = { level: 'warn', text: 'unverified', fields: { reason: 'MISSING_HEADER' } };

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

const open = () => {
  const lines: LogLine[] = [];
  const log = pino({ base: null }, { write: (line: string) => lines.push(JSON.parse(line) as LogLine) });
  return { sampled: createSampledLog(log), lines };
};

test('ten lines of each kind are logged one by one, with all that is in them', () => {
  const { sampled, lines } = open();
  for (let count = 0; count < 50; count += 1) {
    sampled(NOT_FOUND, () => ({ requestId: count }));
    sampled(UNVERIFIED, () => ({ requestId: count }));
    sampled({ ...UNVERIFIED, fields: { reason: 'UNKNOWN_CLIENT' } }, () => ({ requestId: count }));
  }
  expect(lines).toHaveLength(30);
  expect(lines.slice(0, 2)).toMatchObject([
    { level: 30, msg: 'not found', status: 404, requestId: 0 },
    { level: 40, msg: 'unverified', reason: 'MISSING_HEADER', requestId: 0 },
  ]);
});

test('what is not logged costs no line to be made', () => {
  const { sampled } = open();
  let made = 0;
  for (let count = 0; count < 50; count += 1) sampled(NOT_FOUND, () => ({ made: (made += 1) }));
  expect(made).toBe(10);
});

test('the others are counted in one line when the minute is over, and then it begins again', () => {
  const { sampled, lines } = open();
  for (let count = 0; count < 37; count += 1) sampled(UNVERIFIED, () => ({}));
  for (let count = 0; count < 10; count += 1) sampled(NOT_FOUND, () => ({}));
  jest.advanceTimersByTime(59_999);
  expect(lines).toHaveLength(20);
  jest.advanceTimersByTime(1);
  expect(lines).toHaveLength(21);
  expect(lines.at(-1)).toMatchObject({
    level: 40,
    reason: 'MISSING_HEADER',
    count: 27,
    msg: expect.stringMatching(/^unverified: /),
  });
  sampled(UNVERIFIED, () => ({ requestId: 'again' }));
  expect(lines.at(-1)).toMatchObject({ msg: 'unverified', requestId: 'again' });
});
