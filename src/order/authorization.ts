import type { Situation } from './attention-line.ts';
import { saysAuthorizationGone } from './capture.ts';
import type { Findings } from './findings.ts';
import { firstOf } from './statement.ts';
import type { OrderStatus } from './status.ts';
import { LAST_INSTANT, readInstant } from './time.ts';

const HOUR = 3_600_000;
/**
 * "if you do not capture within 7 days … the transaction will be automatically cancelled" (capture page), for Antom as
 * acquirer.
 */
const ANTOM_CAPTURES_WITHIN = 7 * 24 * HOUR;
export const WARNED_BEFORE = 48 * HOUR;
const ANTOM: ReadonlySet<unknown> = new Set(['ANTOM', 'ALIPAY']);

/** When the authorization ends, in epoch milliseconds; null where there is none, or that is not known. */
export const authorizationExpiry = ({ payments, hasSuccess, need, registration }: Findings): number | null => {
  const paymentTime = readInstant(firstOf(payments, (payment) => payment.paymentTime));
  if (!hasSuccess || paymentTime === null || !need.required) return null;
  const stated = firstOf(payments, ({ authExpiryTime }) => authExpiryTime);
  for (const text of [registration?.authExpiryTime ?? null, stated]) {
    const expiry = readInstant(text);
    // APO is seen to state an expiry equal to the payment's own time: that is no expiry.
    if (expiry !== null && expiry > paymentTime) return expiry;
  }
  const acquirer = firstOf(payments, ({ acquirerInfo }) => acquirerInfo);
  const isAntom = acquirer === null || (Object.hasOwn(acquirer, 'acquirerName') && ANTOM.has(acquirer['acquirerName']));
  const expiry = paymentTime + ANTOM_CAPTURES_WITHIN;
  return isAntom && expiry <= LAST_INSTANT ? expiry : null;
};

/** What is still to be captured, above zero; null where nothing is. In the currency of the amount due. */
export const remaining = ({ amounts, hasSuccess, need }: Findings, status: OrderStatus): bigint | null => {
  const isOpen = status === 'AUTHORIZED' || status === 'PARTIALLY_CAPTURED';
  if (!isOpen || !hasSuccess || !need.required || amounts.due === null) return null;
  const captured = amounts.captured?.value ?? 0n;
  return amounts.due.value > captured ? amounts.due.value - captured : 0n;
};

/** Whether the authorization has ended while something is left to capture. */
export const isExpired = ({ failures }: Findings, situation: Situation): boolean => {
  const { status, remaining: left, expiresAt, now } = situation;
  if (left === null || left === 0n) return false;
  const [decisive] = failures;
  const saysGone = status === 'PARTIALLY_CAPTURED' && decisive !== undefined && saysAuthorizationGone(decisive);
  return saysGone || (expiresAt !== null && now >= expiresAt);
};

/** From 48 h before the authorization ends until it ends, while something is left to capture. */
export const isExpiring = ({ remaining: left, expiresAt, now }: Situation): boolean =>
  left !== null && left > 0n && expiresAt !== null && now >= expiresAt - WARNED_BEFORE && now < expiresAt;
