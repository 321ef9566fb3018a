import type { Fields } from '../../support/facts.ts';
import type { Random } from '../random.ts';

/** Something that the shop wants of a payment: a capture, a cancel, a refund. */
export interface Wish {
  readonly kind: 'captures' | 'cancel' | 'refunds';
  readonly body: Fields;
}

/** One payment, and what the shop wants of it: the wishes of a group at once, one group after the other. */
export interface Story {
  readonly request: string;
  readonly method: string;
  readonly captureMode: 'AUTOMATIC' | 'MANUAL';
  readonly registered: 'before' | 'after' | 'never';
  readonly groups: readonly (readonly Wish[])[];
}

export const PRICE = '1000';

const jpy = (value: string): Fields => ({ currency: 'JPY', value });
const ALL: Wish = { kind: 'captures', body: {} };
const CANCEL: Wish = { kind: 'cancel', body: {} };

interface Ids {
  readonly request: string;
}
const capture = ({ request }: Ids, part: string, value: string): Wish => ({
  kind: 'captures',
  body: { amount: jpy(value), captureRequestId: `${request}-c-${part}` },
});
const last = ({ kind, body }: Wish): Wish => ({ kind, body: { ...body, isLast: true } });
const refund = ({ request }: Ids, part: string, value: string): Wish => ({
  kind: 'refunds',
  body: { amount: jpy(value), refundRequestId: `${request}-r-${part}` },
});
/** Without an id: of two that are the same one is made. */
const refundOnce: Wish = { kind: 'refunds', body: { amount: jpy('400') } };

type Plot = (ids: Ids) => Story['groups'];

const MANUAL: readonly Plot[] = [
  () => [[ALL]],
  () => [[ALL, ALL]],
  (ids) => [[capture(ids, 'a', '600')], [capture(ids, 'b', '400')]],
  (ids) => [[capture(ids, 'a', '300'), capture(ids, 'b', '700')]],
  // One of them is too much.
  (ids) => [[capture(ids, 'a', '600'), capture(ids, 'b', '600')]],
  (ids) => [[capture(ids, 'a', PRICE), capture(ids, 'a', PRICE), capture(ids, 'a', PRICE)]],
  (ids) => [[capture(ids, 'a', PRICE), ALL]],
  () => [[CANCEL]],
  () => [[CANCEL, CANCEL]],
  () => [[ALL, CANCEL]],
  (ids) => [[capture(ids, 'a', '600')], [CANCEL, capture(ids, 'b', '400')]],
  (ids) => [[ALL], [refund(ids, 'a', '300')]],
  (ids) => [[last(capture(ids, 'a', '700'))], [capture(ids, 'b', '300'), refund(ids, 'a', '700')]],
  (ids) => [[ALL], [refund(ids, 'a', '600'), refund(ids, 'b', '600')]],
  () => [],
];

const BY_ITSELF: readonly Plot[] = [
  () => [],
  () => [],
  () => [],
  (ids) => [[refund(ids, 'a', '300')]],
  (ids) => [[refund(ids, 'a', PRICE), refund(ids, 'a', PRICE)]],
  (ids) => [[refund(ids, 'a', '600'), refund(ids, 'b', '600')]],
  (ids) => [[refund(ids, 'a', '600')], [refund(ids, 'b', '400')]],
  () => [[refundOnce, refundOnce]],
  () => [[CANCEL]],
];

const METHODS = ['CARD', 'GCASH', 'CARD', 'ALIPAY_CN', 'CARD', 'KAKAOPAY'] as const;
const REGISTERED = ['before', 'before', 'before', 'before', 'after', 'never'] as const;

/** So many payments of a shop's day. */
export const tellDay = (random: Random, payments: number): readonly Story[] => {
  const name = random.bytes(4).toString('hex');
  return Array.from({ length: payments }, (_, index) => {
    const request = `${name}-${index}`;
    const isManual = random.chance(0.55);
    return {
      request,
      method: isManual ? 'CARD' : random.pick(METHODS),
      captureMode: isManual ? 'MANUAL' : 'AUTOMATIC',
      registered: random.pick(REGISTERED),
      groups: random.pick(isManual ? MANUAL : BY_ITSELF)({ request }),
    };
  });
};
