import { z } from 'zod';
import { normaliseMethod } from '../../order/capture-required.ts';
import type { JsonObject } from '../../order/statement.ts';
import { tellPayment } from '../announce.ts';
import { payAnswer } from '../bodies.ts';
import { DECLINE_CODES, type Outcome, outcomeOf, SUCCESS } from '../codes.ts';
import type { PaymentEntry } from '../ledger.ts';
import { apoId, change, happens, refusal, type Reply, success, withOutcome, type World } from '../world.ts';
import { captureAutomatically } from './capture.ts';
import { disputeLater } from './dispute.ts';
import { amount, askedBefore, holdsCardData, id, keep, keepRefused, notifyUrl, readRequest } from './request.ts';

const OPERATION = 'pay';
const TEST_METHOD = 'TEST';
const MINUTE = 60;
const UNDER_WAY_FOR = 2 * MINUTE;
const LAPSES_EARLY_AFTER = 10 * MINUTE;
/** "If you do not capture within 7 days, the transaction will be automatically cancelled." */
const LAPSES_AFTER = 7 * 24 * 60 * MINUTE;

/** The test method: what the payment looks like, and what becomes of it. */
const testMethod = z.object({
  paymentMethodType: z.string(),
  paymentMethodMetaData: z
    .object({
      as: z
        .string()
        .regex(/^[\w ]{1,32}$/)
        .default('CARD'),
      resultCode: id.optional(),
    })
    .prefault({}),
});

const payRequest = z.object({
  paymentRequestId: id,
  paymentAmount: amount,
  paymentMethod: testMethod,
  paymentFactor: z.object({ captureMode: z.enum(['AUTOMATIC', 'MANUAL']).default('AUTOMATIC') }).prefault({}),
  paymentNotifyUrl: notifyUrl.optional(),
});
type PayRequest = z.infer<typeof payRequest>;

/** A payment by the test method alone: a sandbox has no business with cards. Idempotent by `paymentRequestId`. */
export const pay = (world: World, body: JsonObject, told: Outcome | null): Reply => {
  if (holdsCardData(body)) return refusal('PARAM_ILLEGAL', 'No card data: use the test method.');
  const read = readRequest(payRequest, body);
  if ('refused' in read) return keepRefused(world, OPERATION, { requestId: body['paymentRequestId'], ...read });
  const { request } = read;
  if (request.paymentMethod.paymentMethodType !== TEST_METHOD)
    return refusal('PAYMENT_METHOD_NOT_SUPPORTED', `Here the paymentMethodType is ${TEST_METHOD}.`);
  const { paymentRequestId } = request;
  const asked = { operation: OPERATION, requestId: paymentRequestId, asked: request };
  const before = askedBefore(world, asked);
  if (before !== null && 'fields' in before) return before;
  if (before === null) {
    const payment = begin(world, request, told);
    keep(world, asked, { outcome: payment.result, paymentId: payment.paymentId });
  }
  const payment = world.ledger.byRequest(paymentRequestId);
  if (payment === null) return refusal('ORDER_NOT_EXIST');
  return payment.result.resultStatus === 'S' ? success(payAnswer(world.sample, payment)) : withOutcome(payment.result);
};

const CAPTURED_METHODS: ReadonlySet<string> = new Set(['CARD', 'APPLEPAY', 'GOOGLEPAY', 'PAYPAL']);

const begin = (world: World, request: PayRequest, told: Outcome | null): PaymentEntry => {
  const { paymentRequestId, paymentAmount, paymentMethod, paymentFactor, paymentNotifyUrl = null } = request;
  const { as: method, resultCode } = paymentMethod.paymentMethodMetaData;
  const wanted = resultCode === undefined ? null : outcomeOf(resultCode);
  const result = told ?? wanted ?? drawn(world, paymentRequestId);
  const payment: PaymentEntry = {
    paymentId: apoId(world, OPERATION, paymentRequestId),
    paymentRequestId,
    method,
    captureMode: CAPTURED_METHODS.has(normaliseMethod(method)) ? paymentFactor.captureMode : 'NONE',
    amount: paymentAmount,
    result: result.resultStatus === 'S' ? outcomeOf('PAYMENT_IN_PROCESS') : result,
    createTime: new Date().toISOString(),
    paymentTime: null,
    notifyUrl: paymentNotifyUrl,
    gone: null,
    captures: [],
    refunds: [],
    disputes: [],
  };
  world.ledger.put(payment);
  if (result.resultStatus === 'S') return succeed(world, payment);
  tellPayment(world, payment);
  if (result.resultStatus === 'U') finishLater(world, payment);
  return payment;
};

const drawn = (world: World, paymentRequestId: string): Outcome => {
  if (happens(world, 'declines', paymentRequestId))
    return outcomeOf(world.chance.pick(DECLINE_CODES, 'decline', paymentRequestId));
  return happens(world, 'pending', paymentRequestId) ? outcomeOf('PAYMENT_IN_PROCESS') : SUCCESS;
};

const succeed = (world: World, payment: PaymentEntry): PaymentEntry => {
  const paid = change(world, payment, { result: SUCCESS, paymentTime: new Date().toISOString() });
  const { paymentRequestId, captureMode } = paid;
  if (captureMode !== 'AUTOMATIC') tellPayment(world, paid);
  else if (happens(world, 'captureFirst', paymentRequestId)) {
    captureAutomatically(world, paid);
    tellPayment(world, paid);
  } else {
    tellPayment(world, paid);
    captureAutomatically(world, paid);
  }
  if (captureMode === 'MANUAL') lapseLater(world, paid);
  if (happens(world, 'disputes', paymentRequestId)) disputeLater(world, paid.paymentId);
  return paid;
};

/** What is under way succeeds in the end, unless it was cancelled meanwhile. */
export const finishLater = (world: World, { paymentId }: PaymentEntry): void =>
  world.later(UNDER_WAY_FOR, () => {
    const payment = world.ledger.byId(paymentId);
    if (payment !== null && payment.gone === null) succeed(world, payment);
  });

/** An authorization that nobody captured ends; nothing is sent. */
export const lapse = (world: World, payment: PaymentEntry): boolean => {
  const { captureMode, gone, result, captures } = payment;
  const isOpen = captures.every((one) => one.result.resultStatus === 'F');
  if (captureMode === 'NONE' || gone !== null || result.resultStatus !== 'S' || !isOpen) return false;
  change(world, payment, { gone: { by: 'LAPSE', time: new Date().toISOString() } });
  return true;
};

export const lapseLater = (world: World, { paymentId, paymentRequestId }: PaymentEntry): void =>
  world.later(happens(world, 'lapses', paymentRequestId) ? LAPSES_EARLY_AFTER : LAPSES_AFTER, () => {
    const payment = world.ledger.byId(paymentId);
    if (payment !== null) lapse(world, payment);
  });
