import type { AmountText } from '../order/amount.ts';
import type { JsonObject } from '../order/statement.ts';
import { captureNotification, disputeNotification, paymentNotification, refundNotification } from './bodies.ts';
import type { Treatment } from './courier.ts';
import type { CaptureEntry, DisputeEntry, PaymentEntry, RefundEntry } from './ledger.ts';
import { happens, type World } from './world.ts';

const MINUTE = 60;
const REORDERED_BY = MINUTE;
const LATE_BY = 30 * MINUTE;

interface Told {
  readonly payment: PaymentEntry;
  readonly body: JsonObject;
  /** Of what it is about, as the draws name it. */
  readonly about: string;
  readonly url: string | null;
}

/** Tells the merchant what has become of it, unless the misbehaviour wants it otherwise. */
const tell = (world: World, { payment, body, about, url }: Told): void => {
  const name = nameIn(body);
  world.deliver(
    {
      name,
      paymentId: payment.paymentId,
      ids: [...new Set([payment.paymentRequestId, about])].join(' '),
      body: JSON.stringify(body),
      url,
    },
    treatmentOf(world, `${name} ${about}`),
  );
};

/** `CAPTURE_RESULT S`; of a dispute, which has no result, its type. */
const nameIn = (body: JsonObject): string => {
  const { resultStatus } = (body['result'] ?? {}) as JsonObject;
  return [body['notifyType'] ?? body['disputeNotificationType'], resultStatus]
    .filter((part) => typeof part === 'string')
    .join(' ');
};

const treatmentOf = (world: World, about: string): Treatment => ({
  lost: happens(world, 'lost', about),
  duplicated: happens(world, 'duplicates', about) ? world.chance.pick(['together', 'after'], 'duplicate', about) : null,
  delay: delayOf(world, about),
});

const delayOf = (world: World, about: string): number => {
  if (happens(world, 'late', about)) return LATE_BY;
  return happens(world, 'reordered', about) ? REORDERED_BY : 0;
};

/** One more than it is. */
const wrong = ({ currency, value }: AmountText): AmountText => ({ currency, value: (BigInt(value) + 1n).toString() });

const asTold = <T extends { readonly amount: AmountText }>(world: World, entry: T, about: string): T =>
  happens(world, 'wrongAmounts', about) ? { ...entry, amount: wrong(entry.amount) } : entry;

export const tellPayment = (world: World, payment: PaymentEntry): void => {
  const about = payment.paymentRequestId;
  const body = paymentNotification(world.sample, asTold(world, payment, about));
  tell(world, { payment, body, about, url: payment.notifyUrl ?? world.notifyUrl });
};

export const tellCapture = (world: World, payment: PaymentEntry, capture: CaptureEntry): void => {
  const about = capture.captureRequestId;
  const body = captureNotification(payment, asTold(world, capture, `capture ${about}`));
  tell(world, { payment, body, about, url: payment.notifyUrl ?? world.notifyUrl });
};

export const tellRefund = (world: World, payment: PaymentEntry, refund: RefundEntry): void =>
  tell(world, {
    payment,
    body: refundNotification(refund),
    about: refund.refundRequestId,
    url: refund.notifyUrl ?? world.notifyUrl,
  });

/** Disputes go to the dashboard's URL alone. */
export const tellDispute = (world: World, payment: PaymentEntry, dispute: DisputeEntry): void =>
  tell(world, {
    payment,
    body: disputeNotification(world.sample, payment, dispute),
    about: dispute.disputeId,
    url: world.notifyUrl,
  });
