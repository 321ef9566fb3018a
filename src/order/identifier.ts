/** Every identifier that is kept for look-up, under APO's own name. */
export const IDENTIFIER_NAMES = [
  'paymentId',
  'paymentRequestId',
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

export interface Identifier {
  readonly name: IdentifierName;
  readonly value: string;
}

/** The value under one name; null where there is none. */
export const identifierNamed = (identifiers: readonly Identifier[], name: IdentifierName): string | null =>
  identifiers.find((identifier) => identifier.name === name)?.value ?? null;
