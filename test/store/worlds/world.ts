import type { Registration } from '../../../src/order/registration.ts';
import type { RefundRegistration } from '../../../src/store/store.ts';
import { captureResult, type Fields, jpy, paymentPending, paymentResult, refundResult } from '../../support/facts.ts';

/** What happens to a store, one after the other. Times are epoch milliseconds. */
export type Act =
  | { readonly kind: 'notifications'; readonly bodies: readonly Fields[]; readonly at: number }
  | { readonly kind: 'registration'; readonly registration: Registration; readonly at: number }
  | { readonly kind: 'refund'; readonly registration: RefundRegistration; readonly at: number };

/** `WORLDS=1000 SEED=7 npm run -s jest -- test/store/worlds` plays more of them. */
export const WORLDS = Number(process.env['WORLDS'] ?? 8);
export const SEED = Number(process.env['SEED'] ?? 1);

/** Numbers from 0 to below 1, the same for a seed (mulberry32). */
const randomNumbers = (seed: number): (() => number) => {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
};

type Pick = <T>(items: readonly [T, ...T[]]) => T;

const PAYMENTS = ['P1', 'P2', 'P3', 'P4'] as const;
const REQUESTS = ['R1', 'R2', 'R3'] as const;
const REFUNDS = ['X1', 'X2', ''] as const;
const REFUND_REQUESTS = ['Q1', 'Q2', 'Q3', ''] as const;
const VALUES = ['60', '100', '100', '100'] as const;

/** A notification of a few payments and names, so that they meet; some cannot be read. */
const randomBody = (pick: Pick): Fields => {
  const payment = (): Fields => ({
    paymentId: pick(PAYMENTS),
    paymentRequestId: pick(REQUESTS),
    paymentAmount: jpy(pick(VALUES)),
  });
  const refund = (): Fields =>
    refundResult(pick(['S', 'S', 'S', 'F']), {
      refundId: pick(REFUNDS),
      refundRequestId: pick(REFUND_REQUESTS),
      paymentId: pick(['', '', '', ...PAYMENTS]),
      refundAmount: jpy(pick(VALUES)),
    });
  return pick<() => Fields>([
    () => paymentResult(pick(['S', 'S', 'S', 'F', 'U']), payment()),
    () => paymentResult('S', { ...payment(), paymentMethodType: 'ALIPAY_CN' }),
    () => paymentPending(payment()),
    () =>
      captureResult(pick(['S', 'S', 'F']), {
        paymentId: pick(PAYMENTS),
        captureId: pick(['C1', 'C2', 'C3', 'C4', 'C5']),
        captureAmount: jpy(pick(VALUES)),
      }),
    refund,
    refund,
    () => ({ ...refund(), refundAmount: 'none' }),
    () => paymentResult('S', { ...payment(), paymentId: pick(['', 'P1']), paymentAmount: 'none' }),
    () => ({
      disputeNotificationType: pick(['DISPUTE_CREATED', 'DISPUTE_ACCEPTED']),
      disputeId: 'D1',
      paymentId: pick(PAYMENTS),
    }),
  ])();
};

const randomRegistration = (pick: Pick, clientId: string): Registration => ({
  clientId,
  paymentRequestId: pick(REQUESTS),
  amount: { currency: 'JPY', value: pick(VALUES) },
  referenceOrderId: pick([null, 'A', 'A', 'B']),
  captureMode: pick([null, null, 'NONE']),
  paymentMethodType: null,
  authExpiryTime: null,
  finalAmount: null,
  cancelled: false,
});

const randomRefundRegistration = (pick: Pick, clientId: string): RefundRegistration => {
  const isOfPayment = pick([true, false]);
  return {
    clientId,
    refundRequestId: pick(['Q1', 'Q2', 'Q3']),
    paymentId: isOfPayment ? pick(PAYMENTS) : null,
    paymentRequestId: isOfPayment ? null : pick(REQUESTS),
  };
};

/** So long ago that the clock changes nothing any more. */
const BEGIN = Date.parse('2025-06-01T00:00:00.000Z');

/** Everything that happens in a world, to one client, in an order of its own. */
export const randomWorld = (seed: number, clientId: string): readonly Act[] => {
  const random = randomNumbers(seed);
  const pick: Pick = (items) => items[Math.floor(random() * items.length)] ?? items[0];
  const length = 4 + Math.floor(random() * 14);
  return Array.from({ length }, (_, index): Act => {
    const at = BEGIN + index * 1_000;
    return pick<() => Act>([
      () => ({ kind: 'registration', registration: randomRegistration(pick, clientId), at }),
      () => ({ kind: 'refund', registration: randomRefundRegistration(pick, clientId), at }),
      ...[1, 1, 2, 3, 5].map((size) => (): Act => ({
        kind: 'notifications',
        bodies: Array.from({ length: size }, () => randomBody(pick)),
        at,
      })),
    ] as unknown as [() => Act])();
  });
};
