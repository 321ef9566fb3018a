import type { AmountText } from './amount.ts';

/** `NONE`: this order's payment method needs no capture, its PAYMENT_RESULT S is the money. */
export const CAPTURE_MODES = ['AUTOMATIC', 'MANUAL', 'NONE'] as const;
export type CaptureMode = (typeof CAPTURE_MODES)[number];

/** What the shop says about a payment, under its `paymentRequestId`. */
export interface Registration {
  readonly clientId: string;
  readonly paymentRequestId: string;
  /** Above zero, without leading zeros. */
  readonly amount: AmountText;
  readonly referenceOrderId: string | null;
  readonly captureMode: CaptureMode | null;
  readonly paymentMethodType: string | null;
  /** A time (`time.ts`), as the shop wrote it. */
  readonly authExpiryTime: string | null;
  /** "This is all I am going to capture": above zero, at most `amount`, in its currency. */
  readonly finalAmount: AmountText | null;
  /** A fact, not a wish: APO cancelled the payment, or it was never placed. */
  readonly cancelled: boolean;
}

/** What a PATCH changes: the fields that are there. */
export type RegistrationChanges = Partial<Omit<Registration, 'clientId' | 'paymentRequestId'>>;

/** Why a final amount cannot stand beside an amount, in one sentence; null where it can. */
export const finalAmountProblem = ({
  amount,
  finalAmount,
}: Pick<Registration, 'amount' | 'finalAmount'>): string | null => {
  if (finalAmount === null) return null;
  if (finalAmount.currency !== amount.currency)
    return `finalAmount is in ${finalAmount.currency}, the amount in ${amount.currency}`;
  return BigInt(finalAmount.value) > BigInt(amount.value)
    ? `finalAmount ${finalAmount.value} is above the amount ${amount.value}`
    : null;
};

/** Which fields a second PUT compares; `finalAmount` and `cancelled` only PATCH changes. */
export const COMPARED = ['referenceOrderId', 'captureMode', 'paymentMethodType', 'authExpiryTime'] as const;

export const sameAmountText = (a: AmountText | null, b: AmountText | null): boolean =>
  a?.currency === b?.currency && a?.value === b?.value;

/** A PUT that says nothing new. */
export const sameRegistration = (a: Registration, b: Registration): boolean =>
  a.clientId === b.clientId &&
  a.paymentRequestId === b.paymentRequestId &&
  sameAmountText(a.amount, b.amount) &&
  COMPARED.every((name) => a[name] === b[name]);
