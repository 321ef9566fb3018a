import { z } from 'zod';
import type { Amount } from '../order/amount.ts';
import type { Operation } from './call-codes.ts';

/** A payment by one of its ids; APO takes `paymentId` where both are given. */
export type PaymentAsk = { readonly paymentId: string } | { readonly paymentRequestId: string };

export interface CaptureAsk {
  /** What makes a retry the same capture: at most 64 characters. */
  readonly captureRequestId: string;
  readonly paymentId: string;
  readonly captureAmount: Amount;
  readonly isLastCapture?: boolean | undefined;
}

export interface RefundAsk {
  /** What makes a retry the same refund: at most 64 characters. */
  readonly refundRequestId: string;
  readonly paymentId: string;
  readonly refundAmount: Amount;
  readonly captureId?: string | undefined;
}

/** A refund by one of its ids; APO takes `refundId` where both are given. */
export type RefundInquiryAsk = { readonly refundId: string } | { readonly refundRequestId: string };

export interface Asks {
  readonly inquiryPayment: PaymentAsk;
  readonly capture: CaptureAsk;
  readonly cancel: PaymentAsk;
  readonly refund: RefundAsk;
  readonly inquiryRefund: RefundInquiryAsk;
}

/** The body of a request. Amounts become strings, and what is undefined is left out. */
export const bodyOf = (ask: Asks[Operation]): Buffer =>
  Buffer.from(JSON.stringify(ask, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value)));

const LONGEST_ID = 128;

const id = z.string().min(1).max(LONGEST_ID);
/** Null, `""` and absent are missing. */
const idOrNull = z
  .union([id, z.literal('').transform(() => null)])
  .nullish()
  .transform((value) => value ?? null);
/** Anything else than a text is missing. */
const text = z.transform((value: unknown) => (typeof value === 'string' && value !== '' ? value : null));

const amount = z
  .object({
    currency: z.string().regex(/^[A-Z]{3}$/),
    value: z.union([z.string().regex(/^[0-9]{1,64}$/), z.int().min(0)]),
  })
  .transform(({ currency, value }): Amount => ({ currency, value: BigInt(value) }));
const amountOrNull = amount.nullish().transform((value) => value ?? null);

/** A capture, a refund or a cancellation that followed a payment. */
const transaction = z.object({
  transactionId: idOrNull,
  transactionRequestId: idOrNull,
  transactionAmount: amountOrNull,
});

/**
 * What an answer with S must hold to be one. Required is what the decision rests on, and the id by which APO knows what
 * was made; official samples lack other fields that are marked required. handlers/inquiry.ts reads what an inquiry
 * states.
 */
export const ANSWERS = {
  inquiryPayment: z.object({
    /** SUCCESS, FAIL, PROCESSING, CANCELLED, PENDING: an open set. */
    paymentStatus: z.string().min(1),
    paymentId: idOrNull,
    paymentRequestId: idOrNull,
    paymentAmount: amountOrNull,
    transactions: z.array(transaction).nullish(),
  }),
  capture: z.object({
    captureId: id,
    captureRequestId: id,
    paymentId: idOrNull,
    captureAmount: amountOrNull,
  }),
  cancel: z.object({ paymentId: idOrNull, paymentRequestId: idOrNull }),
  refund: z.object({
    refundId: id,
    refundRequestId: id,
    paymentId: idOrNull,
    refundAmount: amountOrNull,
  }),
  inquiryRefund: z.object({
    /** SUCCESS, FAIL, PROCESSING: an open set. */
    refundStatus: z.string().min(1),
    refundId: idOrNull,
    refundRequestId: idOrNull,
    refundAmount: amountOrNull,
  }),
} as const satisfies Readonly<Record<Operation, z.ZodType>>;

export type Answers = { readonly [O in Operation]: Readonly<z.infer<(typeof ANSWERS)[O]>> };

/** Every answer has one, S, F or U; `resultStatus` is about the call. */
export const resultSchema = z.object({ resultStatus: z.enum(['S', 'F', 'U']), resultCode: text, resultMessage: text });

const IDS = ['paymentId', 'paymentRequestId', 'captureRequestId', 'captureId', 'refundRequestId', 'refundId'] as const;

/** The ids that were asked with, under APO's names. */
export const idsOf = (ask: Asks[Operation]): ReadonlyMap<string, string> => {
  const fields: Readonly<Record<string, unknown>> = { ...ask };
  return new Map(
    IDS.flatMap((name) => {
      const value = fields[name];
      return typeof value === 'string' ? [[name, value] as const] : [];
    }),
  );
};
