import { expect, test } from '@jest/globals';
import { lookUpPrivate, NOT_PRIVATE } from '../../src/relay/private-lookup.ts';
import { pauseAfter, SCHEDULE_MS } from '../../src/relay/pauses.ts';

const now = Date.parse('2025-06-01T00:00:00Z');
const secondsAfter = (attempts: number, retryAfter: string | null = null): number =>
  pauseAfter({ attempts, retryAfter, now }, SCHEDULE_MS) / 1_000;

test('a pause is 5 s, 30 s, 2 min, then always 5 min', () => {
  expect([1, 2, 3, 4, 5, 100].map((attempts) => secondsAfter(attempts))).toEqual([5, 30, 120, 300, 300, 300]);
});

test.each([
  ['90', 90],
  ['2', 5],
  ['99999', 3_600],
  ['Sun, 01 Jun 2025 00:01:00 GMT', 60],
  ['Sun, 01 Jun 2025 09:00:00 GMT', 3_600],
  ['Sat, 31 May 2025 00:00:00 GMT', 5],
  ['soon', 5],
  ['', 5],
])('Retry-After: %s is heeded up to an hour, and never shortens a pause', (retryAfter, seconds) => {
  expect(secondsAfter(1, retryAfter)).toBe(seconds);
});

test.each([
  ['127.0.0.1', null],
  ['10.9.8.7', null],
  ['8.8.8.8', NOT_PRIVATE],
  ['169.254.169.254', NOT_PRIVATE],
])('a name that leads to %s', async (address, code) => {
  const found = await new Promise<unknown>((resolve) => {
    lookUpPrivate(address, { all: true }, (error, addresses) => resolve(error === null ? addresses : error.code));
  });
  expect(found).toEqual(code ?? [{ address, family: 4 }]);
});
