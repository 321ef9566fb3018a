import { z } from 'zod';
import type { JsonObject } from '../../order/statement.ts';
import { inquiryAnswer, refundInquiryAnswer } from '../bodies.ts';
import type { Outcome } from '../codes.ts';
import { refusal, type Reply, success, withOutcome, type World } from '../world.ts';
import { id, readRequest } from './request.ts';

const paymentInquiry = z
  .object({ paymentId: id.optional(), paymentRequestId: id.optional() })
  .refine(({ paymentId, paymentRequestId }) => paymentId !== undefined || paymentRequestId !== undefined);

/** The paymentId wins over the paymentRequestId. */
export const inquiryPayment = (world: World, body: JsonObject, told: Outcome | null): Reply => {
  const read = readRequest(paymentInquiry, body);
  if ('refused' in read) return read.refused;
  if (told !== null) return withOutcome(told);
  const { paymentId, paymentRequestId = '' } = read.request;
  const payment = paymentId === undefined ? world.ledger.byRequest(paymentRequestId) : world.ledger.byId(paymentId);
  return payment === null ? refusal('ORDER_NOT_EXIST') : success(inquiryAnswer(world.sample, payment));
};

const refundInquiry = z
  .object({ refundId: id.optional(), refundRequestId: id.optional() })
  .refine(({ refundId, refundRequestId }) => refundId !== undefined || refundRequestId !== undefined);

/** The refundId wins over the refundRequestId. */
export const inquiryRefund = (world: World, body: JsonObject, told: Outcome | null): Reply => {
  const read = readRequest(refundInquiry, body);
  if ('refused' in read) return read.refused;
  if (told !== null) return withOutcome(told);
  const { refundId, refundRequestId } = read.request;
  const found = world.ledger
    .byRefund(refundId === undefined ? { refundRequestId: refundRequestId ?? '' } : { refundId })
    ?.refunds.find((one) =>
      refundId === undefined ? one.refundRequestId === refundRequestId : one.refundId === refundId,
    );
  return found === undefined ? refusal('REFUND_NOT_EXIST') : success(refundInquiryAnswer(found));
};
