import { z } from 'zod';
import type { JsonObject } from '../../order/statement.ts';
import { inquiryAnswer, refundInquiryAnswer } from '../bodies.ts';
import type { Outcome } from '../codes.ts';
import { refusal, type Reply, success, withOutcome, type World } from '../world.ts';
import { findPayment, id, ofPayment, readRequest } from './request.ts';

export const inquiryPayment = (world: World, body: JsonObject, told: Outcome | null): Reply => {
  const read = readRequest(ofPayment, body);
  if ('refused' in read) return read.refused;
  if (told !== null) return withOutcome(told);
  const payment = findPayment(world, read.request);
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
  const { refundId, refundRequestId = '' } = read.request;
  const { refundById, refundByRequest } = world.ledger;
  const found = refundId === undefined ? refundByRequest(refundRequestId) : refundById(refundId);
  return found === null ? refusal('REFUND_NOT_EXIST') : success(refundInquiryAnswer(found));
};
