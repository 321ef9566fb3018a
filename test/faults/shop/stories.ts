import type { Signer } from '../../support/client.ts';
import type { Fields } from '../../support/facts.ts';
import type { Random } from '../random.ts';
import {
  captured,
  card,
  declined,
  disputed,
  type Names,
  namesOf,
  paid,
  pending,
  refunded,
  twinOf,
} from '../../flows/stories.ts';

/** Something that APO sends or the shop says: done again, it changes nothing. */
export type Step =
  | { readonly kind: 'notification'; readonly post: ReturnType<Signer['sign']> }
  | { readonly kind: 'said'; readonly path: string; readonly body: Fields };

interface Told {
  /** What the shop says before the buyer can pay. */
  readonly first?: readonly Said[];
  readonly said?: readonly Said[];
  readonly notifications: readonly Fields[];
}

interface Said {
  readonly path: string;
  readonly body: Fields;
}

const price = (names: Names, value = '120'): Said => ({
  path: `/api/orders/${names.request}`,
  body: { amount: { currency: 'JPY', value }, referenceOrderId: names.shopOrder },
});

const WALLET = { paymentMethodType: 'ALIPAY_CN' };

/** What happens to one order of the shop. */
const STORIES: readonly ((names: Names) => Told)[] = [
  (one) => ({ first: [price(one)], notifications: [pending(one, WALLET), paid(one, WALLET)] }),
  (one) => ({ said: [price(one)], notifications: [card(one), captured(one, '120')] }),
  (one) => ({
    said: [price(one)],
    notifications: [card(one), captured(one, '70'), captured(one, '50', one.capture('b'))],
  }),
  // Nobody registered it.
  (one) => ({ notifications: [paid(one, WALLET)] }),
  // Declined, and paid by another payment.
  (one) => ({ first: [price(one), price(twinOf(one))], notifications: [declined(one), paid(twinOf(one), WALLET)] }),
  // Paid twice.
  (one) => ({ first: [price(one), price(twinOf(one))], notifications: [paid(one, WALLET), paid(twinOf(one), WALLET)] }),
  // Refunded in full.
  (one) => ({
    said: [price(one), { path: `/api/refunds/${one.refund('a').refundRequestId}`, body: { paymentId: one.payment } }],
    notifications: [paid(one, WALLET), refunded(one, '120')],
  }),
  (one) => ({ said: [price(one)], notifications: [paid(one, WALLET), disputed(one, 'DISPUTE_CREATED')] }),
  // Less than it costs.
  (one) => ({ first: [price(one, '150')], notifications: [paid(one, WALLET)] }),
  // An authorization, and nothing more.
  (one) => ({ said: [price(one)], notifications: [card(one)] }),
  // Never paid.
  (one) => ({ said: [price(one)], notifications: [] }),
  (one) => ({ said: [price(one)], notifications: [declined(one)] }),
];

const TWICE = 0.4;

const say = ({ path, body }: Said): Step => ({ kind: 'said', path, body });

/** Every story once, mixed and with repeats: what the shop says first, and then all that may come in any order. */
export const tellAll = (
  signer: Signer,
  random: Random,
): { readonly first: readonly Step[]; readonly rest: readonly Step[] } => {
  const told = STORIES.map((story) => story(namesOf(random.bytes(4).toString('hex'), '')));
  const later = told.flatMap(({ said = [], notifications }): readonly Step[] => [
    ...said.map(say),
    ...notifications.map((fields): Step => ({ kind: 'notification', post: signer.sign(fields) })),
  ]);
  const repeated = later.filter(() => random.chance(TWICE));
  return {
    first: random.shuffled(told.flatMap(({ first = [] }) => first.map(say))),
    rest: random.shuffled([...later, ...repeated]),
  };
};
