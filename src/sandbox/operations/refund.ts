import { z } from 'zod';
import type { AmountText } from '../../order/amount.ts';
import type { JsonObject } from '../../order/statement.ts';
import { tellRefund } from '../announce.ts';
import { refundAnswer } from '../bodies.ts';
import { type Outcome, outcomeOf, SUCCESS } from '../codes.ts';
import { moneyOf, type PaymentEntry, type RefundEntry, refundable, withStatus } from '../ledger.ts';
import { apoId, change, happens, refusal, type Reply, success, withOutcome, type World } from '../world.ts';
import { amount, askedBefore, flag, id, keep, keepRefused, notifyUrl, readRequest, unless } from './request.ts';

const OPERATION = 'refund';
const UNDER_WAY_FOR = 60;
const LONGEST_REASON = 256;

const refundRequest = z.object({
  refundRequestId: id,
  paymentId: id,
  refundAmount: amount,
  captureId: id.optional(),
  refundReason: z.string().max(LONGEST_REASON).optional(),
  refundNotifyUrl: notifyUrl.optional(),
  isAsyncRefund: flag,
});

/** What the merchant asks for; idempotent by `refundRequestId`. */
export const refund = (world: World, body: JsonObject, told: Outcome | null): Reply => {
  const read = readRequest(refundRequest, body);
  if ('refused' in read) return keepRefused(world, OPERATION, { requestId: body['refundRequestId'], ...read });
  const { refundRequestId, paymentId, refundAmount, captureId = null, refundNotifyUrl, isAsyncRefund } = read.request;
  const asked = { operation: OPERATION, requestId: refundRequestId, asked: read.request };
  const before = askedBefore(world, asked);
  if (before !== null) return 'fields' in before ? before : asItIsNow(world, refundRequestId, before);
  const payment = world.ledger.byId(paymentId);
  if (payment === null) {
    const refused = told === null ? refusal('ORDER_NOT_EXIST') : withOutcome(told);
    keep(world, asked, { outcome: refused.outcome });
    return refused;
  }
  const made = begin(world, payment, {
    refundRequestId,
    captureId,
    amount: refundAmount,
    notifyUrl: refundNotifyUrl ?? null,
    result:
      unless(told) ??
      refusalOf(payment, refundAmount, captureId) ??
      told ??
      drawn(world, refundRequestId, isAsyncRefund),
  });
  keep(world, asked, { outcome: made.result, paymentId });
  return replyOf(payment, made);
};

/** F stays F; what was under way may have come to its end. */
const asItIsNow = (
  { ledger }: World,
  refundRequestId: string,
  { paymentId, outcome }: { readonly paymentId: string | null; readonly outcome: Outcome },
): Reply => {
  const payment = ledger.byId(paymentId ?? '');
  const found = payment?.refunds.find((one) => one.refundRequestId === refundRequestId);
  return payment === null || found === undefined ? withOutcome(outcome) : replyOf(payment, found);
};

const replyOf = (payment: PaymentEntry, entry: RefundEntry): Reply =>
  entry.result.resultStatus === 'S' ? success(refundAnswer(payment, entry)) : withOutcome(entry.result);

const drawn = (world: World, refundRequestId: string, isAsync: boolean): Outcome =>
  isAsync || happens(world, 'processing', refundRequestId) ? outcomeOf('REFUND_IN_PROCESS') : SUCCESS;

/** Why it cannot be refunded; null where it can. */
const refusalOf = (payment: PaymentEntry, asked: AmountText, captureId: string | null): Outcome | null => {
  const { gone, captures } = payment;
  if (gone !== null) return outcomeOf('ORDER_IS_CANCELED');
  if (moneyOf(payment).paid === 0n) return outcomeOf('ORDER_STATUS_INVALID');
  if (asked.currency !== payment.amount.currency) return outcomeOf('CURRENCY_NOT_SUPPORT');
  if (captureId !== null && !withStatus(captures, 'S').some((one) => one.captureId === captureId))
    return outcomeOf('PARAM_ILLEGAL', 'Look at captureId.');
  return BigInt(asked.value) > refundable(payment, captureId) ? outcomeOf('REFUND_AMOUNT_EXCEED') : null;
};

type Beginning = Pick<RefundEntry, 'refundRequestId' | 'captureId' | 'amount' | 'notifyUrl' | 'result'>;

const begin = (world: World, payment: PaymentEntry, { result, ...asked }: Beginning): RefundEntry => {
  const entry: RefundEntry = {
    ...asked,
    refundId: apoId(world, OPERATION, asked.refundRequestId),
    result,
    time: result.resultStatus === 'S' ? new Date().toISOString() : null,
  };
  const after = change(world, payment, { refunds: [...payment.refunds, entry] });
  if (result.resultStatus === 'U') finishLater(world, entry, payment.paymentId);
  else tellRefund(world, after, entry);
  return entry;
};

/** What is under way succeeds in the end. */
export const finishLater = (world: World, entry: RefundEntry, paymentId: string): void =>
  world.later(UNDER_WAY_FOR, () => {
    const payment = world.ledger.byId(paymentId);
    if (payment === null) return;
    const finished: RefundEntry = { ...entry, result: SUCCESS, time: new Date().toISOString() };
    const refunds = payment.refunds.map((one) => (one.refundId === entry.refundId ? finished : one));
    tellRefund(world, change(world, payment, { refunds }), finished);
  });
