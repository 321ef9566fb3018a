import type { OrderRules } from './rules.ts';
import type { Registration } from './registration.ts';
import type { PaymentStatement } from './statement.ts';

/**
 * "For transactions paid with cards, Apple Pay, Google Pay or PayPal, APO will send capture results." (capture page)
 */
const CAPTURED_METHODS: ReadonlySet<string> = new Set(['CARD', 'APPLEPAY', 'GOOGLEPAY', 'PAYPAL']);
const PAYPAL = 'PAYPAL';

interface Shown {
  readonly payments: readonly PaymentStatement[];
  /** Any CAPTURE_RESULT was seen, whatever its result. */
  readonly captured: boolean;
  readonly registration: Registration | null;
}

/** Whether a PAYMENT_RESULT S is only an authorization. When in doubt it is: an authorization is not money. */
export const isCaptureRequired = ({ payments, captured, registration }: Shown, rules: OrderRules): boolean => {
  if (captured) return true;
  const mode = registration?.captureMode ?? null;
  if (mode === 'NONE') return false;
  if (rules.captureRequired === 'always' || mode !== null) return true;
  return payments.some(showsCapturedMethod) || !payments.some(showsOtherMethod);
};

const showsCapturedMethod = ({ paymentMethodType, pspName, cardFields }: PaymentStatement): boolean =>
  (paymentMethodType !== undefined && CAPTURED_METHODS.has(paymentMethodType)) ||
  pspName === PAYPAL ||
  cardFields === true;

const showsOtherMethod = ({ paymentMethodType, pspName }: PaymentStatement): boolean => {
  const method = paymentMethodType ?? pspName;
  return method !== undefined && !CAPTURED_METHODS.has(method);
};
