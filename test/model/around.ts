import type { PaymentStatement, Result, ResultStatus } from '../../src/order/statement.ts';
import type { Clock } from './clock.ts';
import { type Facts, jpy } from './facts.ts';
import type { Payment } from './payment.ts';
import type { Letter, Post } from './post.ts';
import type { Random } from './random.ts';

/** What everyone in an episode has around him. */
export interface Around {
  readonly random: Random;
  readonly clock: Clock;
  readonly facts: Facts;
  readonly post: Post;
  readonly tell: (line: string) => void;
  /** How often APO contradicts itself, from 0 to 1. */
  readonly contradictory: number;
}

export const toResult = (resultStatus: ResultStatus, resultCode: string): Result => ({
  resultStatus,
  resultCode,
  resultMessage: null,
});

export const SUCCESS = toResult('S', 'SUCCESS');

export const instant = (at: number): string => new Date(at).toISOString();

export type Said = Pick<PaymentStatement, 'result'> & Partial<PaymentStatement>;

/** A notification of the payment: what it says beyond what all of them say. */
export const sendPayment = ({ random, post }: Around, payment: Payment, said: Said): Letter =>
  post.send(payment.paymentId, {
    about: 'payment',
    pending: false,
    paymentRequestId: payment.paymentRequestId,
    amount: jpy(payment.authorized),
    ...(random.chance(0.9) ? payment.method.shown : {}),
    ...said,
  });
