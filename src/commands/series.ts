import type { AmountText } from '../order/amount.ts';
import type { JsonObject } from '../order/statement.ts';
import { amountIn, baseOf, type Changes, compose, freshIds } from './compose.ts';
import { findSample, textOf } from './samples.ts';

/** Notifications that belong together, as APO sends them one after another. */
export interface Series {
  readonly name: string;
  readonly about: string;
  readonly compose: (changes: SeriesChanges) => readonly JsonObject[];
}

/** What is asked of a series: the ids of its payment, its amount, its time. */
export type SeriesChanges = Pick<Changes, 'paymentId' | 'paymentRequestId' | 'amount' | 'time'>;

const CARD = 'payment-card';

/** The payment of a sample, with ids of its own unless they are given. */
const paymentLike = (name: string, changes: SeriesChanges): JsonObject => {
  const base = findSample(name)?.notification ?? baseOf('PAYMENT_RESULT');
  const { paymentId, paymentRequestId, ...others } = changes;
  const fresh = freshIds(base);
  return compose(base, {
    ...others,
    paymentId: paymentId ?? fresh.paymentId,
    paymentRequestId: paymentRequestId ?? fresh.paymentRequestId,
  });
};

interface After {
  readonly payment: JsonObject;
  readonly time: Date | undefined;
}

/** What follows a payment: a notification of this type about it, of all of its amount unless another is given. */
const following = ({ payment, time }: After, type: string, changes: Changes = {}): JsonObject => {
  const base = baseOf(type);
  return compose(base, {
    ...freshIds(base),
    ...('paymentRequestId' in base ? { paymentRequestId: textOf(payment, 'paymentRequestId') } : {}),
    paymentId: textOf(payment, 'paymentId'),
    amount: amountOf(payment),
    time,
    ...changes,
  });
};

const amountOf = (payment: JsonObject): AmountText => amountIn(payment) ?? { currency: 'GBP', value: '0' };

const captureOf = (after: After, value: bigint): JsonObject =>
  following(after, 'CAPTURE_RESULT', {
    amount: { currency: amountOf(after.payment).currency, value: value.toString() },
  });

/** The payment before its time. */
const underWay = (payment: JsonObject): JsonObject => ({
  ...Object.fromEntries(Object.entries(payment).filter(([name]) => name !== 'paymentTime')),
  notifyType: 'PAYMENT_PENDING',
});

/** A card payment that is captured, and what comes after. */
const captured = (changes: SeriesChanges, more: (after: After) => readonly JsonObject[]): readonly JsonObject[] => {
  const payment = paymentLike(CARD, changes);
  const after = { payment, time: changes.time };
  return [payment, following(after, 'CAPTURE_RESULT'), ...more(after)];
};

const again = (id: string | undefined): string | undefined => (id === undefined ? undefined : `${id}-again`);

/** A card payment and the captures that together make up its amount: at most so many, each of at least one unit. */
export const inCaptures = (changes: SeriesChanges, captures: number): readonly JsonObject[] => {
  const payment = paymentLike(CARD, changes);
  const parts = split(BigInt(amountOf(payment).value), captures);
  return [payment, ...parts.map((value) => captureOf({ payment, time: changes.time }, value))];
};

const split = (whole: bigint, parts: number): readonly bigint[] => {
  const part = whole / BigInt(parts);
  if (part === 0n) return [whole];
  return Array.from({ length: parts }, (_, index) => (index === parts - 1 ? whole - part * BigInt(parts - 1) : part));
};

const wallet = (name: string, changes: SeriesChanges): readonly JsonObject[] => {
  const payment = paymentLike(name, changes);
  return [underWay(payment), payment];
};

const PARTS = 3;
/** An incremental authorization raises the amount by a fifth. */
const raised = ({ currency, value }: AmountText): AmountText => ({
  currency,
  value: ((BigInt(value) * 6n) / 5n).toString(),
});

export const SERIES: readonly Series[] = [
  {
    name: 'wallet',
    about: 'a wallet payment under way, then paid: its method needs no capture',
    compose: (changes) => wallet('payment-wallet', changes),
  },
  {
    name: 'wallet-unnamed',
    about: 'the same without a method: register its paymentMethodType',
    compose: (changes) => wallet('payment-wallet-unnamed', changes),
  },
  {
    name: 'korean-card',
    about: 'a Korean card payment, paid at once: register captureMode NONE',
    compose: (changes) => [paymentLike('payment-korean-card', changes)],
  },
  {
    name: 'partial',
    about: 'two of three captures: finalAmount says that no more will come',
    compose: (changes) => inCaptures(changes, PARTS).slice(0, PARTS),
  },
  {
    name: 'incremental',
    about: 'an authorization that is raised by a fifth, and then captured',
    compose: (changes) => {
      const payment = paymentLike(CARD, changes);
      const after = { payment, time: changes.time };
      const amount = raised(amountOf(payment));
      return [
        payment,
        following(after, 'UPDATE_AMOUNT_RESULT', { amount }),
        following(after, 'CAPTURE_RESULT', { amount }),
      ];
    },
  },
  {
    name: 'refund',
    about: 'a captured payment that is refunded; the refund names its payment',
    compose: (changes) => captured(changes, (after) => [following(after, 'REFUND_RESULT')]),
  },
  {
    name: 'dispute',
    about: 'a captured payment that is disputed, defended and lost',
    compose: (changes) =>
      captured(changes, (after) => {
        const created = following(after, 'DISPUTE_CREATED');
        const disputeId = textOf(created, 'disputeId');
        return [
          created,
          following(after, 'DEFENSE_SUPPLIED', { disputeId }),
          following(after, 'DISPUTE_JUDGED', { disputeId }),
        ];
      }),
  },
  {
    name: 'duplicate',
    about: 'two captured payments: register one referenceOrderId for both',
    compose: (changes) => [
      ...captured(changes, () => []),
      ...captured(
        { ...changes, paymentId: again(changes.paymentId), paymentRequestId: again(changes.paymentRequestId) },
        () => [],
      ),
    ],
  },
];

export const findSeries = (name: string): Series | null => SERIES.find((series) => series.name === name) ?? null;
