import { normaliseMethod } from '../../order/capture-required.ts';
import type { JsonObject } from '../../order/statement.ts';
import type { Outcome } from '../codes.ts';
import type { PaymentEntry } from '../ledger.ts';
import { stamp } from '../stamp.ts';
import { change, refusal, type Reply, success, withOutcome, type World } from '../world.ts';
import { findPayment, ofPayment, readRequest } from './request.ts';

/** Full only; paid money goes back. Asked again, it has the same answer. No notification comes of it. */
export const cancel = (world: World, body: JsonObject, told: Outcome | null): Reply => {
  const read = readRequest(ofPayment, body);
  if ('refused' in read) return read.refused;
  if (told !== null) return withOutcome(told);
  const payment = findPayment(world, read.request);
  if (payment === null) return refusal('ORDER_NOT_EXIST');
  if (payment.gone !== null) return answer(payment, payment.gone.time);
  const code = refusalOf(payment);
  if (code !== null) return refusal(code);
  const time = new Date().toISOString();
  return answer(change(world, payment, { gone: { by: 'CANCEL', time } }), time);
};

const answer = ({ paymentId, paymentRequestId }: PaymentEntry, time: string): Reply =>
  success({ cancelTime: stamp(time), paymentId, paymentRequestId });

/** "Indonesia and JKOPay: never." */
const NEVER: ReadonlySet<string> = new Set(
  ['JKOPAY', 'DANA', 'KREDIVO_ID', 'OVO', 'GOPAY_ID', 'QRIS', 'SHOPEEPAY_ID', 'ATMTRANSFER_ID'].map(normaliseMethod),
);

const HOUR = 3_600_000;
const UTC_PLUS_8 = 8 * HOUR;
const DAY = 24 * HOUR;
const QUARTER = 15 * 60_000;

/** A wallet's payment can be cancelled until 00:15 (UTC+8) of the next day. */
const walletWindow = (paymentTime: string): number => {
  const local = new Date(paymentTime).getTime() + UTC_PLUS_8;
  return Math.floor(local / DAY) * DAY + DAY + QUARTER - UTC_PLUS_8;
};

const refusalOf = ({ method, result, captureMode, captures, refunds, paymentTime }: PaymentEntry): string | null => {
  if (result.resultStatus === 'F') return 'ORDER_STATUS_INVALID';
  if (result.resultStatus === 'U') return null;
  if (NEVER.has(normaliseMethod(method))) return 'PAYMENT_METHOD_NOT_SUPPORTED';
  const isTouched = [...captures, ...refunds].some((one) => one.result.resultStatus !== 'F');
  const isTooLate = captureMode === 'NONE' && paymentTime !== null && Date.now() > walletWindow(paymentTime);
  return isTouched || isTooLate ? 'CANCEL_WINDOW_EXCEED' : null;
};
