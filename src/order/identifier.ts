/** Every identifier that is kept for look-up, under APO's own name. */
export const IDENTIFIER_NAMES = [
  'paymentId',
  'paymentRequestId',
  'updateRequestId',
  'captureId',
  'captureRequestId',
  'refundId',
  'refundRequestId',
  'disputeId',
  'subscriptionId',
  'transferRequestId',
  'vaultingRequestId',
] as const;
export type IdentifierName = (typeof IDENTIFIER_NAMES)[number];

/** No control characters, no lone surrogates, no white space at either end. */
const IDENTIFIER = /^(?!\s)[^\p{Cc}\p{Cs}]{1,128}(?<!\s)$/u;

export const isIdentifier = (value: unknown): value is string => typeof value === 'string' && IDENTIFIER.test(value);

/** What an identifier has, for a sentence: `A paymentRequestId has …`. */
export const IDENTIFIER_RULE = '1 to 128 characters, no control characters, and no white space at either end';

export interface Identifier {
  readonly name: IdentifierName;
  readonly value: string;
}

/** The value under one name; null where there is none. */
export const identifierNamed = (identifiers: readonly Identifier[], name: IdentifierName): string | null =>
  identifiers.find((identifier) => identifier.name === name)?.value ?? null;
