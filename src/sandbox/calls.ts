import type { JsonObject } from '../order/statement.ts';
import type { Outcome } from './codes.ts';
import { cancel } from './operations/cancel.ts';
import { capture } from './operations/capture.ts';
import { inquiryPayment, inquiryRefund } from './operations/inquiry.ts';
import { pay } from './operations/pay.ts';
import { refund } from './operations/refund.ts';
import type { Operation, Reply, World } from './world.ts';

/** What an operation does, by its name in the path. `told` is the outcome that somebody wants. */
export const CALLS: Readonly<Record<Operation, (world: World, body: JsonObject, told: Outcome | null) => Reply>> = {
  pay,
  capture,
  inquiryPayment,
  cancel,
  refund,
  inquiryRefund,
};
