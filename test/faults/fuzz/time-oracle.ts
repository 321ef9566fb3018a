const areDigits = (text: string): boolean => text.split('').every((digit) => digit >= '0' && digit <= '9');

const DAYS_BEFORE_EPOCH = 719_468;

/** Days from 1970-01-01, by Howard Hinnant's rule: the year begins in March, so that the leap day is its last. */
const daysFrom1970 = (year: number, month: number, day: number): number => {
  const shifted = month <= 2 ? year - 1 : year;
  const era = Math.floor(shifted / 400);
  const yearOfEra = shifted - era * 400;
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  return (
    era * 146_097 +
    yearOfEra * 365 +
    Math.floor(yearOfEra / 4) -
    Math.floor(yearOfEra / 100) +
    dayOfYear -
    DAYS_BEFORE_EPOCH
  );
};

const lastDayOf = (year: number, month: number): number => {
  const isLeap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  return [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1] ?? 0;
};

/** Reads a text from its beginning. */
const createReader = (text: string) => {
  let at = 0;
  return {
    isAtEnd: () => at === text.length,
    /** So many digits as a number; NaN where they are none. */
    digits: (count: number): number => {
      const part = text.slice(at, at + count);
      at += count;
      return part.length === count && areDigits(part) ? Number(part) : Number.NaN;
    },
    /** Takes one of these characters, if it is the next one. */
    take: (characters: string): string | null => {
      const next = text[at];
      if (next === undefined || !characters.includes(next)) return null;
      at += 1;
      return next;
    },
  };
};

/** The instant that a text names, in epoch milliseconds; null where it is no complete time. Shares no code with src. */
export const instantOf = (text: string): number | null => {
  if (text.length === 13 && areDigits(text)) return Number(text);
  const reader = createReader(text);
  const expect = (character: string): number => (reader.take(character) === null ? Number.NaN : 0);
  const year = reader.digits(4) + expect('-');
  const month = reader.digits(2) + expect('-');
  const day = reader.digits(2) + expect('T');
  const hour = reader.digits(2) + expect(':');
  const minute = reader.digits(2);
  const second = reader.take(':') === null ? 0 : reader.digits(2);
  const hasSecond = text[16] === ':';
  let millisecond = 0;
  if (hasSecond && reader.take('.,') !== null) {
    let digits = '';
    for (let digit = reader.take('0123456789'); digit !== null; digit = reader.take('0123456789')) digits += digit;
    if (digits === '' || digits.length > 9) return null;
    millisecond = Number(`${digits}000`.slice(0, 3));
  }
  const zone = reader.take('Z+-');
  const offset = zone === 'Z' ? 0 : readOffset(reader);
  if (zone === null || !reader.isAtEnd()) return null;
  const inRange =
    month >= 1 &&
    month <= 12 &&
    day >= 1 &&
    day <= lastDayOf(year, month) &&
    hour <= 23 &&
    minute <= 59 &&
    second <= 59;
  const seconds =
    ((daysFrom1970(year, month, day) * 24 + hour) * 60 + minute - (zone === '-' ? -offset : offset)) * 60 + second;
  const hasFourDigitsInUtc = seconds >= daysFrom1970(0, 1, 1) * 86_400 && seconds < daysFrom1970(10_000, 1, 1) * 86_400;
  return inRange && hasFourDigitsInUtc ? seconds * 1_000 + millisecond : null;
};

/** Minutes; NaN where it is none. */
const readOffset = (reader: ReturnType<typeof createReader>): number => {
  const hours = reader.digits(2);
  reader.take(':');
  const minutes = reader.digits(2);
  return hours <= 23 && minutes <= 59 ? hours * 60 + minutes : Number.NaN;
};
