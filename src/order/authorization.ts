import { firstOf, type PaymentStatement } from './statement.ts';
import type { OrderStatus } from './status.ts';
import { readInstant } from './time.ts';

const HOUR = 3_600_000;
/**
 * "if you do not capture within 7 days … the transaction will be automatically cancelled" (capture page), for Antom as
 * acquirer.
 */
const ANTOM_CAPTURES_WITHIN = 7 * 24 * HOUR;
const WARNED_BEFORE = 48 * HOUR;
const ANTOM: ReadonlySet<unknown> = new Set(['ANTOM', 'ALIPAY']);

/** When the authorization ends, or null where that is not known. `payments` are sorted by precedence. */
export const authorizationExpiry = (payments: readonly PaymentStatement[]): string | null => {
  const authorized = payments.some(({ pending, result }) => !pending && result.resultStatus === 'S');
  const paymentTime = readInstant(firstOf(payments, (payment) => payment.paymentTime));
  if (!authorized || paymentTime === null) return null;
  const stated = readInstant(firstOf(payments, ({ authExpiryTime }) => authExpiryTime));
  // APO is seen to state an expiry equal to the payment's own time: that is no expiry.
  if (stated !== null && stated > paymentTime) return toText(stated);
  return isAcquiredByAntom(payments) ? toText(paymentTime + ANTOM_CAPTURES_WITHIN) : null;
};

const isAcquiredByAntom = (payments: readonly PaymentStatement[]): boolean => {
  const acquirer = firstOf(payments, ({ acquirerInfo }) => acquirerInfo);
  return acquirer === null || (Object.hasOwn(acquirer, 'acquirerName') && ANTOM.has(acquirer['acquirerName']));
};

const toText = (instant: number): string => new Date(instant).toISOString();

interface Expiring {
  readonly status: OrderStatus;
  readonly authorizationExpiresAt: string | null;
}

/** From 48 h before the end on, and after it, while money may still be left to capture. */
export const isAuthorizationExpiring = ({ status, authorizationExpiresAt }: Expiring, now: Date): boolean =>
  (status === 'AUTHORIZED' || status === 'PARTIALLY_CAPTURED') &&
  authorizationExpiresAt !== null &&
  now.getTime() >= Date.parse(authorizationExpiresAt) - WARNED_BEFORE;
