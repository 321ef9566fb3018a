import { z } from 'zod';
import type { AmountText } from '../../order/amount.ts';
import type { JsonObject } from '../../order/statement.ts';
import { tellCapture } from '../announce.ts';
import { captureAnswer } from '../bodies.ts';
import { FAILED_CAPTURE_CODES, type Outcome, outcomeOf, SUCCESS } from '../codes.ts';
import { type CaptureEntry, capturable, type PaymentEntry } from '../ledger.ts';
import { apoId, change, happens, refusal, type Reply, success, withOutcome, type World } from '../world.ts';
import { amount, askedBefore, flag, id, keep, keepRefused, readRequest, unless } from './request.ts';

const OPERATION = 'capture';
const UNDER_WAY_FOR = 60;

const captureRequest = z.object({
  captureRequestId: id,
  paymentId: id,
  captureAmount: amount,
  isLastCapture: flag,
});

/** What the merchant asks for; idempotent by `captureRequestId`. */
export const capture = (world: World, body: JsonObject, told: Outcome | null): Reply => {
  const read = readRequest(captureRequest, body);
  if ('refused' in read) return keepRefused(world, OPERATION, { requestId: body['captureRequestId'], ...read });
  const { captureRequestId, paymentId, captureAmount, isLastCapture } = read.request;
  const asked = { operation: OPERATION, requestId: captureRequestId, asked: read.request };
  const before = askedBefore(world, asked);
  if (before !== null) return 'fields' in before ? before : asItIsNow(world, captureRequestId, before);
  const payment = world.ledger.byId(paymentId);
  if (payment === null) {
    const refused = told === null ? refusal('AUTH_NOT_FOUND') : withOutcome(told);
    keep(world, asked, { outcome: refused.outcome });
    return refused;
  }
  const made = begin(world, payment, {
    captureRequestId,
    amount: captureAmount,
    isLast: isLastCapture,
    result: unless(told) ?? refusalOf(payment, captureAmount) ?? told ?? drawn(world, captureRequestId),
  });
  keep(world, asked, { outcome: made.result, paymentId });
  return replyOf(world.ledger.byId(paymentId) ?? payment, made);
};

/** F stays F; what was under way may have come to its end. */
const asItIsNow = (
  { ledger }: World,
  captureRequestId: string,
  { paymentId, outcome }: { readonly paymentId: string | null; readonly outcome: Outcome },
): Reply => {
  const payment = ledger.byId(paymentId ?? '');
  const found = payment?.captures.find((one) => one.captureRequestId === captureRequestId);
  return payment === null || found === undefined ? withOutcome(outcome) : replyOf(payment, found);
};

const replyOf = (payment: PaymentEntry, entry: CaptureEntry): Reply =>
  entry.result.resultStatus === 'S' ? success(captureAnswer(payment, entry)) : withOutcome(entry.result);

const drawn = (world: World, captureRequestId: string): Outcome => {
  if (happens(world, 'failedCaptures', captureRequestId))
    return outcomeOf(world.chance.pick(FAILED_CAPTURE_CODES, 'failed capture', captureRequestId));
  return happens(world, 'processing', captureRequestId) ? outcomeOf('CAPTURE_IN_PROCESS') : SUCCESS;
};

/** Why it cannot be captured; null where it can. */
const refusalOf = (payment: PaymentEntry, asked: AmountText): Outcome | null => {
  const { captureMode, result, gone, captures } = payment;
  if (captureMode === 'NONE' || result.resultStatus !== 'S') return outcomeOf('ORDER_STATUS_INVALID');
  if (gone !== null) return outcomeOf(gone.by === 'LAPSE' ? 'AUTH_EXPIRED' : 'AUTH_CANCELLED');
  if (asked.currency !== payment.amount.currency) return outcomeOf('CURRENCY_NOT_SUPPORT');
  if (captures.some(({ isLast, result: { resultStatus } }) => isLast && resultStatus !== 'F'))
    return outcomeOf('MULTI_CAPTURE_NOT_SUPPORTED');
  return BigInt(asked.value) > capturable(payment) ? outcomeOf('CAPTURE_AMOUNT_EXCEED_AUTH_LIMIT') : null;
};

type Beginning = Pick<CaptureEntry, 'captureRequestId' | 'amount' | 'isLast' | 'result'>;

/** Writes it down with what it comes to; its final state is told to the merchant. */
const begin = (world: World, payment: PaymentEntry, { result, ...asked }: Beginning): CaptureEntry => {
  const entry: CaptureEntry = {
    ...asked,
    captureId: apoId(world, OPERATION, asked.captureRequestId),
    result,
    time: result.resultStatus === 'S' ? new Date().toISOString() : null,
  };
  const after = change(world, payment, { captures: [...payment.captures, entry] });
  if (result.resultStatus === 'U') finishLater(world, entry, payment.paymentId);
  else tellCapture(world, after, entry);
  return entry;
};

/** What is under way succeeds in the end. */
export const finishLater = (world: World, entry: CaptureEntry, paymentId: string): void =>
  world.later(UNDER_WAY_FOR, () => {
    const payment = world.ledger.byId(paymentId);
    if (payment === null) return;
    const finished: CaptureEntry = { ...entry, result: SUCCESS, time: new Date().toISOString() };
    const captures = payment.captures.map((one) => (one.captureId === entry.captureId ? finished : one));
    tellCapture(world, change(world, payment, { captures }), finished);
  });

/** APO captures by itself: the captureRequestId is the paymentRequestId, as in the documents' samples. */
export const captureAutomatically = (world: World, payment: PaymentEntry): void => {
  const captureRequestId = payment.paymentRequestId;
  const told = world.told.take(OPERATION, [payment.paymentId, captureRequestId]);
  const { paymentId, amount: whole } = payment;
  const made = begin(world, payment, {
    captureRequestId,
    amount: whole,
    isLast: true,
    result: told ?? drawn(world, captureRequestId),
  });
  const asked = { captureRequestId, paymentId, captureAmount: whole, isLastCapture: true };
  keep(world, { operation: OPERATION, requestId: captureRequestId, asked }, { outcome: made.result, paymentId });
};
