import type { AttentionCode } from '../../src/order/attention-code.ts';
import { type OrderEvidence, NO_SIBLINGS } from '../../src/order/evidence.ts';
import type { NextAction } from '../../src/order/next-action.ts';
import { type Derivation, type DerivedOrder, deriveOrder } from '../../src/order/order.ts';
import type { Derive } from './facts.ts';

/* Rules with one mistake each, as someone might make it. The model has to notice every one. */

const has = ({ attention }: DerivedOrder, code: AttentionCode): boolean => attention.some((one) => one.code === code);

/** The rules, but where `when` holds the order says this. */
const saying =
  (nextAction: NextAction, when: (order: DerivedOrder) => boolean): Derive =>
  (evidence, rules, now) => {
    const derived = deriveOrder(evidence, rules, now);
    const { order } = derived;
    // One mistake at a time: play money is another.
    if (order.review !== null || has(order, 'SANDBOX') || !when(order)) return derived;
    return { ...derived, order: { ...order, nextAction, fulfillable: nextAction === 'FULFIL' } };
  };

/** The rules of other evidence. */
const reading =
  (change: (evidence: OrderEvidence) => OrderEvidence): Derive =>
  (evidence, rules, now) =>
    deriveOrder(change(evidence), rules, now);

/** The rules, with something else derived. */
const deriving =
  (change: (derived: Derivation) => Derivation): Derive =>
  (evidence, rules, now) =>
    change(deriveOrder(evidence, rules, now));

/** No other attention speaks against shipping. */
const hasOnly = ({ attention }: DerivedOrder, ...codes: readonly AttentionCode[]): boolean =>
  attention.every(({ code }) => codes.includes(code)) &&
  codes.some((code) => attention.some((one) => one.code === code));

const isPaidFor = ({ status }: DerivedOrder): boolean => status === 'CAPTURED';

const withoutStatements = (about: string): Derive =>
  reading((evidence) => ({
    ...evidence,
    statements: evidence.statements.filter((statement) => statement.about !== about),
  }));

type BrokenRule = readonly [mistake: string, derive: Derive];

export const BROKEN_RULES: readonly [BrokenRule, ...BrokenRule[]] = [
  [
    'an authorization is money',
    saying('FULFIL', ({ status, attention }) => status === 'AUTHORIZED' && attention.length === 0),
  ],
  ['a part of the money is enough', saying('FULFIL', ({ status }) => status === 'PARTIALLY_CAPTURED')],
  ['a pending payment is paid', saying('FULFIL', ({ status }) => status === 'PROCESSING')],
  ['a failed capture is as good as a successful one', saying('FULFIL', (order) => hasOnly(order, 'CAPTURE_FAILED'))],
  [
    'the success of a cancelled wallet is money',
    saying(
      'FULFIL',
      ({ status, captureRequired, result }) =>
        status === 'CANCELLED' && !captureRequired && result?.resultStatus === 'S',
    ),
  ],
  ['what is refunded is shipped', saying('FULFIL', (order) => isPaidFor(order) && has(order, 'REFUNDED'))],
  ['refunds are not looked at', withoutStatements('refund')],
  ['disputes are not looked at', withoutStatements('dispute')],
  ['a dispute does not block', saying('FULFIL', (order) => isPaidFor(order) && hasOnly(order, 'DISPUTED'))],
  ['play money is money', reading((evidence) => ({ ...evidence, clientId: 'shop' }))],
  [
    'a failure beside a success does not block',
    saying('FULFIL', (order) => isPaidFor(order) && hasOnly(order, 'CONTRADICTORY_RESULT')),
  ],
  [
    'another amount than the registered one does not block',
    saying('FULFIL', (order) => isPaidFor(order) && hasOnly(order, 'AMOUNT_MISMATCH')),
  ],
  [
    'a second payment does not block',
    reading((evidence) => ({ ...evidence, siblings: { ...evidence.siblings, payments: [] } })),
  ],
  ['a shop order is not known by its reference', reading((evidence) => ({ ...evidence, siblings: NO_SIBLINGS }))],
  [
    'the buyer is asked again and again',
    reading((evidence) => ({ ...evidence, siblings: { ...evidence.siblings, hasLaterRegistration: false } })),
  ],
  ['waiting never ends', saying('WAIT', ({ nextAction }) => nextAction === 'INQUIRE')],
  ['no sweep is ever due', deriving((derived) => ({ ...derived, dueAt: null }))],
  ['a failed capture is tried for ever', saying('RETRY_CAPTURE', ({ nextAction }) => nextAction === 'CONTACT_SUPPORT')],
  ['a failed capture is waited for', saying('WAIT', (order) => has(order, 'CAPTURE_FAILED') && !isPaidFor(order))],
  ['a failed payment is waited for', saying('WAIT', ({ nextAction }) => nextAction === 'NEW_PAYMENT_REQUEST')],
  ['a failed payment is over', saying('NONE', ({ status }) => status === 'FAILED')],
  ['nobody is asked to review', saying('NONE', ({ nextAction }) => nextAction === 'REVIEW')],
  ['a review settles nothing', deriving((derived) => ({ ...derived, settleable: [] }))],
  [
    'a review settles whatever comes after it',
    (evidence, rules, now) => {
      const { settleable } = deriveOrder({ ...evidence, review: null }, rules, now);
      const review = evidence.review && { ...evidence.review, settled: settleable };
      return deriveOrder({ ...evidence, review }, rules, now);
    },
  ],
  [
    'what is closed stays closed, whatever is paid',
    (evidence, rules, now) => {
      const { captured, order } = deriveOrder({ ...evidence, review: null }, rules, now);
      const review = evidence.review && { ...evidence.review, captured: captured.toString(), status: order.status };
      return deriveOrder({ ...evidence, review }, rules, now);
    },
  ],
];
