import { describe, expect, test } from '@jest/globals';
import { readInstant } from '../../src/order/time.ts';

const AT = Date.UTC(2025, 4, 17, 7, 58, 4);

describe('reads an instant', () => {
  test.each([
    ['in UTC', '2025-05-17T07:58:04Z', AT],
    ['with an offset west of it', '2025-05-17T00:58:04-07:00', AT],
    ['with an offset east of it', '2025-05-17T13:28:04+05:30', AT],
    ['with an offset of nothing', '2025-05-17T07:58:04+00:00', AT],
    ['across midnight', '2025-05-18T00:58:04+17:00', AT],
    ['to the millisecond', '2025-05-17T07:58:04.123Z', AT + 123],
    ['with a fraction of one digit', '2025-05-17T07:58:04.5Z', AT + 500],
    ['cutting off what is finer', '2025-05-17T07:58:04.123999999Z', AT + 123],
    ['in epoch milliseconds', String(AT), AT],
    ['on a leap day', '2024-02-29T00:00:00Z', Date.UTC(2024, 1, 29)],
    ['at the beginning of the year 0 in UTC', '0000-01-01T23:59:00+23:59', Date.parse('0000-01-01T00:00:00Z')],
    ['at the end of the year 9999 in UTC', '9999-12-31T00:00:59.999-23:59', Date.parse('9999-12-31T23:59:59.999Z')],
    ['of the first century', '0099-01-01T00:00:00Z', -59_042_995_200_000],
  ])('%s', (_, text, instant) => {
    expect(readInstant(text)).toBe(instant);
  });
});

describe('reads no instant from', () => {
  test.each([
    ['nothing', null],
    ['the empty text', ''],
    ['a time without a zone', '2025-05-17T07:58:04'],
    ['a date', '2025-05-17'],
    ['epoch seconds', '1747468684'],
    ['14 digits', '17474686840000'],
    ['digits of another script', '١٧٤٧٤٦٨٦٨٤٠٠٠'],
    ['a negative epoch', '-747468684000'],
    ['a day that the month does not have', '2025-02-30T07:58:04Z'],
    ['a leap day in another year', '2025-02-29T07:58:04Z'],
    ['month 13', '2025-13-17T07:58:04Z'],
    ['month 0', '2025-00-17T07:58:04Z'],
    ['hour 25', '2025-05-17T25:58:04Z'],
    ['minute 60', '2025-05-17T07:60:04Z'],
    ['an offset of 24 hours', '2025-05-17T07:58:04+24:00'],
    ['an offset of 60 minutes', '2025-05-17T07:58:04+05:60'],
    ['a time before the year 0 in UTC', '0000-01-01T23:58:59.999+23:59'],
    ['a time after the year 9999 in UTC', '9999-12-31T00:01:00-23:59'],
    ['a name of a zone', '2025-05-17T07:58:04 PST'],
    ['a space instead of T', '2025-05-17 07:58:04Z'],
    ['white space around it', ' 2025-05-17T07:58:04Z'],
    ['a line break after it', '2025-05-17T07:58:04Z\n'],
    ['epoch milliseconds and a line break', '1747468684000\n'],
    ['words', 'yesterday'],
  ])('%s', (_, text) => {
    expect(readInstant(text)).toBeNull();
  });
});
