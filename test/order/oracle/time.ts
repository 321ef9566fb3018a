const DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

const isLeap = (year: number): boolean => (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;

const daysIn = (year: number, month: number): number => (DAYS[month - 1] ?? 0) + Number(month === 2 && isLeap(year));

/** Days from 1 January 1970, counted year by year and month by month. */
const dayNumber = (year: number, month: number, day: number): number => {
  let days = day - 1;
  for (let before = 1; before < month; before += 1) days += daysIn(year, before);
  for (let before = 1970; before < year; before += 1) days += isLeap(before) ? 366 : 365;
  for (let after = year; after < 1970; after += 1) days -= isLeap(after) ? 366 : 365;
  return days;
};

/** Their beginnings, in minutes: what is outside of them is no time. */
const YEAR_0 = dayNumber(0, 1, 1) * 24 * 60;
export const YEAR_10000 = dayNumber(10_000, 1, 1) * 24 * 60;

const SHAPE = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d)(:\d\d)?([.,]\d{1,9})?(Z|[+-]\d\d:?\d\d)$/;

const read = (text: string): number | null => {
  if (/^\d{13}$/.test(text)) return Number(text);
  const parts = SHAPE.exec(text);
  if (parts === null || (parts[6] === undefined && parts[7] !== undefined)) return null;
  const [year, month, day, hour, minute] = parts.slice(1, 6).map(Number) as [number, number, number, number, number];
  const second = Number((parts[6] ?? ':00').slice(1));
  const millisecond = Number(`${(parts[7] ?? '.').slice(1)}000`.slice(0, 3));
  if (month < 1 || day < 1 || day > daysIn(year, month) || hour > 23 || minute > 59 || second > 59) return null;
  const zone = (parts[8] ?? 'Z').replace(':', '');
  const ahead = zone === 'Z' ? 0 : Number(zone.slice(1, 3)) * 60 + Number(zone.slice(3));
  if (zone !== 'Z' && (Number(zone.slice(1, 3)) > 23 || Number(zone.slice(3)) > 59)) return null;
  const minutes = (dayNumber(year, month, day) * 24 + hour) * 60 + minute - (zone.startsWith('-') ? -ahead : ahead);
  if (minutes < YEAR_0 || minutes >= YEAR_10000) return null;
  return minutes * 60_000 + second * 1000 + millisecond;
};

const before = new Map<string, number | null>();

/** ISO 8601 with `Z` or an offset, or 13 digits of epoch milliseconds; null for anything else. */
export const toInstant = (text: string | null | undefined): number | null => {
  if (text === null || text === undefined) return null;
  const known = before.get(text);
  if (known !== undefined) return known;
  const instant = read(text);
  before.set(text, instant);
  return instant;
};
