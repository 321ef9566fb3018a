import { isUtf8 } from 'node:buffer';
import type { AmountText } from '../order/amount.ts';
import type { Json, JsonObject, Result, ResultStatus } from '../order/statement.ts';
import type { VerifiedNotification } from './signature.ts';

/**
 * What we read from a notification of a handled kind, under APO's own names (`pspName` of `pspCustomerInfo`,
 * `cardFields` for a filled card field of `paymentResultInfo`). It is stored beside the bytes, and outlives
 * them. Absent means absent, null or empty. Amounts count the smallest unit; times are as received.
 */
export interface Facts {
  readonly paymentId: string;
  readonly paymentRequestId?: string | undefined;
  readonly captureId?: string | undefined;
  readonly captureRequestId?: string | undefined;
  readonly result: Result;
  readonly paymentAmount?: AmountText | undefined;
  readonly captureAmount?: AmountText | undefined;
  readonly paymentTime?: string | undefined;
  readonly paymentCreateTime?: string | undefined;
  readonly authExpiryTime?: string | undefined;
  readonly captureTime?: string | undefined;
  readonly paymentMethodType?: string | undefined;
  readonly pspName?: string | undefined;
  readonly cardFields?: boolean | undefined;
  readonly acquirerInfo?: JsonObject | undefined;
  readonly acquirerReferenceNo?: string | undefined;
}

/** What a verified body turned out to be. */
export type Reading =
  | { readonly outcome: 'APPLIED'; readonly notifyType: string; readonly facts: Facts }
  | { readonly outcome: 'UNHANDLED'; readonly notifyType: string | null }
  /** `paymentId` where a handled kind names its payment legibly, though something else of it is malformed. */
  | { readonly outcome: 'MALFORMED'; readonly notifyType: string | null; readonly paymentId: string | null };

/** The kinds that have a handler, and whether each is about a capture. */
export type Kinds = ReadonlyMap<string, { readonly about: 'payment' | 'capture' }>;

declare const parsed: unique symbol;

/** A verified notification with its reading. Only `parseNotification` makes one, and only of a verified one. */
export interface ParsedNotification {
  readonly [parsed]: true;
  readonly notification: VerifiedNotification;
  readonly reading: Reading;
}

export const parseNotification = (notification: VerifiedNotification, kinds: Kinds): ParsedNotification =>
  ({ notification, reading: readBody(notification.body, kinds) }) as unknown as ParsedNotification;

/** Reads the bytes of a verified (or long since verified and stored) notification. Never throws. */
export const readBody = (body: Uint8Array, kinds: Kinds): Reading => {
  const json = decode(body);
  if (!isObject(json)) return { outcome: 'MALFORMED', notifyType: null, paymentId: null };
  const notifyType = json['notifyType'] ?? '';
  if (typeof notifyType !== 'string') return { outcome: 'MALFORMED', notifyType: null, paymentId: null };
  const kind = kinds.get(notifyType);
  if (kind === undefined) return { outcome: 'UNHANDLED', notifyType: wellFormed(notifyType) || null };
  const facts = readFacts(json, kind.about);
  if (facts !== null) return { outcome: 'APPLIED', notifyType, facts };
  const paymentId = readIdentifier(json['paymentId']);
  return { outcome: 'MALFORMED', notifyType, paymentId: paymentId === MALFORMED ? null : (paymentId ?? null) };
};

/** Invalid UTF-8 is refused, not repaired; a BOM stays in the text, and then is no JSON. */
const decode = (body: Uint8Array): unknown => {
  if (!isUtf8(body)) return undefined;
  try {
    return JSON.parse(Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8'));
  } catch {
    return undefined;
  }
};

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const MALFORMED = Symbol('malformed');
type Malformed = typeof MALFORMED;

const readFacts = (json: Readonly<Record<string, unknown>>, about: 'payment' | 'capture'): Facts | null => {
  const paymentId = readIdentifier(json['paymentId']);
  const paymentRequestId = readIdentifier(json['paymentRequestId']);
  const captureId = readIdentifier(json['captureId']);
  const captureRequestId = readIdentifier(json['captureRequestId']);
  const paymentAmount = readAmount(json['paymentAmount']);
  const captureAmount = readAmount(json['captureAmount']);
  const result = readResult(json['result']);
  if (
    paymentId === undefined ||
    paymentId === MALFORMED ||
    paymentRequestId === MALFORMED ||
    captureId === MALFORMED ||
    captureRequestId === MALFORMED ||
    paymentAmount === MALFORMED ||
    captureAmount === MALFORMED ||
    result === null
  ) {
    return null;
  }
  if (about === 'capture' && captureId === undefined && captureRequestId === undefined) return null;
  // One shape for all: what is absent is undefined, and not written.
  return {
    paymentId,
    paymentRequestId,
    captureId,
    captureRequestId,
    result,
    paymentAmount,
    captureAmount,
    paymentTime: readText(json['paymentTime']),
    paymentCreateTime: readText(json['paymentCreateTime']),
    authExpiryTime: readText(json['authExpiryTime']),
    captureTime: readText(json['captureTime']),
    paymentMethodType: readText(json['paymentMethodType']),
    pspName: isObject(json['pspCustomerInfo']) ? readText(json['pspCustomerInfo']['pspName']) : undefined,
    cardFields: showsCardFields(json['paymentResultInfo']) || undefined,
    acquirerInfo: isObject(json['acquirerInfo']) ? readObject(json['acquirerInfo']) : undefined,
    acquirerReferenceNo: readText(json['acquirerReferenceNo']),
  };
};

const IDENTIFIER = /^[\x21-\x7e]{1,64}$/;

/** Absent, null and `""` are missing (undefined). */
const readIdentifier = (value: unknown): string | undefined | Malformed => {
  if (value === undefined || value === null || value === '') return undefined;
  return typeof value === 'string' && IDENTIFIER.test(value) ? value : MALFORMED;
};

const CURRENCY = /^[A-Z]{3}$/;
const VALUE = /^[0-9]{1,64}$/;

const readAmount = (value: unknown): AmountText | undefined | Malformed => {
  if (value === undefined || value === null) return undefined;
  if (!isObject(value)) return MALFORMED;
  const { currency, value: digits } = value as { currency?: unknown; value?: unknown };
  return typeof currency === 'string' && CURRENCY.test(currency) && typeof digits === 'string' && VALUE.test(digits)
    ? { currency, value: digits }
    : MALFORMED;
};

const readResult = (value: unknown): Result | null => {
  if (!isObject(value) || !isResultStatus(value['resultStatus'])) return null;
  return {
    resultStatus: value['resultStatus'],
    resultCode: readText(value['resultCode']) ?? null,
    resultMessage: readText(value['resultMessage']) ?? null,
  };
};

const isResultStatus = (value: unknown): value is ResultStatus => value === 'S' || value === 'F' || value === 'U';

const readText = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' ? wellFormed(value) : undefined;

/** Databases refuse U+0000 or alter lone surrogates: both become U+FFFD, here and so everywhere alike. */
const wellFormed = (text: string): string => (isStorable(text) ? text : text.toWellFormed().replaceAll('\0', '\ufffd'));

const isStorable = (text: string): boolean => text.isWellFormed() && !text.includes('\0');

/** Deeper than any acquirer's data, and shallow enough for every later JSON.stringify. */
const DEEPEST = 16;

const readObject = (value: Readonly<Record<string, unknown>>): JsonObject =>
  isPlain(value) ? (value as JsonObject) : (cleaned(value, 0) as JsonObject);

/** Nothing in it has to be cleaned: the usual case, which is not copied. */
const isPlain = (value: Readonly<Record<string, unknown>>): boolean => {
  for (const name in value) {
    const item = value[name];
    if (!isStorable(name) || typeof item === 'object' || (typeof item === 'string' && !isStorable(item))) return false;
  }
  return true;
};

const cleaned = (value: unknown, depth: number): Json => {
  if (typeof value === 'string') return wellFormed(value);
  if (typeof value !== 'object' || value === null) return value as Json;
  if (depth === DEEPEST) return null;
  if (Array.isArray(value)) return value.map((item) => cleaned(item, depth + 1));
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [wellFormed(name), cleaned(item, depth + 1)]));
};

/** Fields of `paymentResultInfo` that only a card payment fills. */
const CARD_FIELDS = [
  'cardNo',
  'cardBin',
  'cardBrand',
  'lastFour',
  'funding',
  'networkTransactionId',
  'threeDSResult',
] as const;

const showsCardFields = (info: unknown): boolean => isObject(info) && CARD_FIELDS.some((name) => isFilled(info[name]));

const isFilled = (value: unknown): boolean => {
  if (value === undefined || value === null || value === '') return false;
  return typeof value !== 'object' || Object.keys(value).length > 0;
};
