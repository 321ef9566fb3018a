import { z } from 'zod';
import type { AmountText } from '../order/amount.ts';
import { isIdentifier } from '../order/identifier.ts';
import type { Json, JsonObject } from '../order/statement.ts';
import { must } from './problem.ts';

/*
 * The pieces of a handler's schema. Required and optional fields are MALFORMED where they are something else than they
 * must be; a tolerated field that is something else is absent.
 */

/** Absent, null and `""` are missing. */
export const isMissing = (value: unknown): boolean => value === undefined || value === null || value === '';

const identifierError = {
  error: ({ input }: { readonly input?: unknown }): string =>
    isMissing(input)
      ? 'is missing'
      : 'must be a string of 1 to 128 characters without control characters, and without white space at either end',
};

/** Required. */
export const identifier = z.string(identifierError).refine(isIdentifier, identifierError);

/** Optional: null and `""` are absent. */
export const optionalIdentifier = z
  .string(identifierError)
  .refine((value) => value === '' || isIdentifier(value), identifierError)
  .nullish()
  .transform((value) => value || undefined);

const currencyError = must('be three capital letters');
const valueError = must('be a string of 1 to 64 digits, or an integer from 0 to 2^53 - 1');

/** Optional: null is absent. `value` counts the currency's smallest unit. */
export const optionalAmount = z
  .object(
    {
      currency: z.string(currencyError).regex(/^[A-Z]{3}$/, currencyError),
      value: z.union(
        [z.string(valueError).regex(/^[0-9]{1,64}$/, valueError), z.int(valueError).min(0, valueError)],
        valueError,
      ),
    },
    must('be an object'),
  )
  .nullish()
  .transform((amount): AmountText | undefined =>
    amount === null || amount === undefined ? undefined : { currency: amount.currency, value: String(amount.value) },
  );

/** Not null, `""`, `{}` or `[]`. */
export const isFilled = (value: unknown): boolean =>
  !isMissing(value) && (typeof value !== 'object' || value === null || Object.keys(value).length > 0);

/** Databases refuse U+0000 or alter lone surrogates: both become U+FFFD, here and so everywhere alike. */
const toStorable = (text: string): string => (isStorable(text) ? text : text.toWellFormed().replaceAll('\0', '\ufffd'));

const isStorable = (text: string): boolean => text.isWellFormed() && !text.includes('\0');

/** Characters that are kept of a text. */
const LONGEST_TEXT = 1_024;

const toText = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== ''
    ? toStorable(value.length > LONGEST_TEXT ? value.slice(0, LONGEST_TEXT) : value)
    : undefined;

/** Tolerated: a string that is not empty; what is longer than 1,024 characters is cut off. */
export const toleratedText = z.transform(toText);

const isEpochMilliseconds = (value: unknown): value is number =>
  Number.isInteger(value) && /^\d{13}$/.test(String(value));

/**
 * Tolerated: a text, or 13-digit epoch milliseconds as a JSON integer. What is no time sorts earliest
 * (`order/time.ts`).
 */
export const toleratedTime = z.transform((value: unknown) =>
  toText(isEpochMilliseconds(value) ? String(value) : value),
);

/** Tolerated text; null where there is none. */
const textOrNull = z.transform((value: unknown): string | null => toText(value) ?? null);

/** Required. `resultStatus` decides; code and message are tolerated. */
export const result = z.object(
  {
    resultStatus: z.enum(['S', 'F', 'U'], must('be S, F or U')),
    resultCode: textOrNull,
    resultMessage: textOrNull,
  },
  must('be an object'),
);

/** Of a value that came out of `JSON.parse`. */
export const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Characters of JSON that are kept of an object, at most. */
const LARGEST = 2_048;

/** The fields of an `acquirerInfo` that APO documents. */
const ACQUIRER_FIELDS = [
  'acquirerName',
  'referenceRequestId',
  'acquirerTransactionId',
  'acquirerMerchantId',
  'acquirerResultCode',
  'acquirerResultMessage',
] as const;
const LONGEST_FIELD = 256;

/**
 * Tolerated: any object, whatever is in it. Of one beyond 2,048 characters of JSON only the strings that APO documents,
 * up to 256 characters each: all else is in the stored bytes.
 */
export const acquirerInfo = z.transform((value: unknown): JsonObject | undefined => {
  if (!isObject(value)) return undefined;
  if (isPlain(value)) return value;
  const storable = toStorableObject(value);
  return JSON.stringify(storable).length <= LARGEST ? storable : documentedIn(storable);
});

/**
 * Nothing in it has to be changed: the usual case, which is not copied. No string becomes more than six times as long.
 */
const isPlain = (object: JsonObject): boolean => {
  let room = LARGEST / 6;
  for (const name in object) {
    const value = object[name];
    if (!isStorable(name) || typeof value === 'object' || (typeof value === 'string' && !isStorable(value)))
      return false;
    room -= name.length + String(value).length + 1;
    if (room < 0) return false;
  }
  return true;
};

const documentedIn = (info: JsonObject): JsonObject =>
  Object.fromEntries(
    ACQUIRER_FIELDS.flatMap((name) => {
      const value = Object.hasOwn(info, name) ? info[name] : undefined;
      return typeof value === 'string' && value.length <= LONGEST_FIELD ? [[name, value]] : [];
    }),
  );

const toStorableObject = (object: JsonObject): JsonObject =>
  Object.fromEntries(Object.entries(object).map(([name, value]) => [toStorable(name), toStorableJson(value)]));

const toStorableJson = (value: Json): Json => {
  if (typeof value === 'string') return toStorable(value);
  if (typeof value !== 'object' || value === null) return value;
  return isObject(value) ? toStorableObject(value) : value.map(toStorableJson);
};
