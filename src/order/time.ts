const ISO = /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?(?:(Z)|([+-])(\d{2}):?(\d{2}))$/;
const EPOCH_MILLISECONDS = /^\d{13}$/;

const MINUTE = 60_000;

/** Epoch milliseconds, which a database may hand out as digits, as UTC: ISO 8601 with milliseconds. */
export const isoTime = (ms: number | string): string => new Date(Number(ms)).toISOString();

/** The same; null stays null. */
export const isoOrNull = (ms: number | string | null): string | null => (ms === null ? null : isoTime(ms));

/** A time that APO states, for a person: epoch milliseconds as ISO 8601, all else as it is. */
export const legibleTime = (text: string): string => (EPOCH_MILLISECONDS.test(text) ? isoTime(text) : text);

const FIRST_INSTANT = Date.parse('0000-01-01T00:00:00Z');
/** Of what is shown as a time: four digits of a year, in UTC. */
export const LAST_INSTANT = Date.parse('9999-12-31T23:59:59.999Z');

/**
 * Reads an instant as APO writes it: ISO 8601 with `Z` or an offset, or 13-digit epoch milliseconds; of the years 0 to
 * 9999 in UTC. Returns epoch milliseconds (finer fractions are cut off), or null for anything else: a time without a
 * zone names no instant, and `Date.parse` would read one in the zone of the machine.
 */
export const readInstant = (text: string | null): number | null => {
  if (text === null) return null;
  if (EPOCH_MILLISECONDS.test(text)) return Number(text);
  const parts = ISO.exec(text);
  if (parts === null) return null;
  const [, year, month, day, hour, minute, second = '0', fraction = '', , sign, offsetHour = '0', offsetMinute = '0'] =
    parts;
  const millisecond = Number(fraction.padEnd(3, '0').slice(0, 3));
  const fields = [Number(year), Number(month) - 1, Number(day), Number(hour), Number(minute), Number(second)] as const;
  if (Number(offsetHour) > 23 || Number(offsetMinute) > 59) return null;
  const utc = new Date(0);
  utc.setUTCFullYear(fields[0], fields[1], fields[2]);
  utc.setUTCHours(fields[3], fields[4], fields[5], millisecond);
  if (!isSameMoment(utc, fields)) return null;
  const offset = (Number(offsetHour) * 60 + Number(offsetMinute)) * MINUTE;
  const instant = utc.getTime() - (sign === '-' ? -offset : offset);
  return instant < FIRST_INSTANT || instant > LAST_INSTANT ? null : instant;
};

/** The calendar rolls the 31st of February over into March: such a date is none. */
const isSameMoment = (date: Date, fields: readonly [number, number, number, number, number, number]): boolean =>
  date.getUTCFullYear() === fields[0] &&
  date.getUTCMonth() === fields[1] &&
  date.getUTCDate() === fields[2] &&
  date.getUTCHours() === fields[3] &&
  date.getUTCMinutes() === fields[4] &&
  date.getUTCSeconds() === fields[5];
