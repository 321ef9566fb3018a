import type { AmountText } from './amount.ts';

/** `NONE`: this order's payment method needs no capture, its PAYMENT_RESULT S is the money. */
export const CAPTURE_MODES = ['AUTOMATIC', 'MANUAL', 'NONE'] as const;
export type CaptureMode = (typeof CAPTURE_MODES)[number];

/** What the shop expects under a `paymentRequestId`. `amount` is above zero, without leading zeros. */
export interface Registration {
  readonly clientId: string;
  readonly paymentRequestId: string;
  readonly amount: AmountText;
  readonly referenceOrderId: string | null;
  readonly captureMode: CaptureMode | null;
}

export const sameRegistration = (a: Registration, b: Registration): boolean =>
  a.clientId === b.clientId &&
  a.paymentRequestId === b.paymentRequestId &&
  a.amount.currency === b.amount.currency &&
  a.amount.value === b.amount.value &&
  a.referenceOrderId === b.referenceOrderId &&
  a.captureMode === b.captureMode;
