import { describe, expect, test } from '@jest/globals';
import type { OrderEvidence, RegistrationFact } from '../../src/order/evidence.ts';
import { type Derivation, deriveOrder } from '../../src/order/order.ts';
import type { ReviewDecision } from '../../src/order/review.ts';
import { amount, captureResult, type Fields, jpy, paymentResult, refundResult, result } from '../support/facts.ts';
import { agree, drawn, numbersFrom, oneOf, saidBy, setsOfUpTo, toldBy } from './comparison.ts';
import { afterwards, review, reviewOf } from './reviewed.ts';
import { CONFIGURATIONS, DEFAULTS, INSTANTS, PAID_AT, RECEIVED_AT, registration, REGISTRATIONS } from './settings.ts';
import { evidenceOf, type Fact, FACTS, MORE_FACTS, notified, NOTHING } from './table.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const DECISIONS: readonly ReviewDecision[] = ['CLOSE', 'FULFIL'];
const ALL: readonly Fact[] = [...FACTS, ...MORE_FACTS];

describe('with a review, the order is the one that the oracle tells', () => {
  test.each(REGISTRATIONS)('after each fact that may come next: %s', (_, registered) => {
    const differing: unknown[] = [];
    for (const [set, [, rules], decision] of reviewed()) {
      const before = evidenceOf(set, registered);
      const given = review({ evidence: before, rules, decision, now: RECEIVED_AT });
      for (const [index, more] of [null, ...ALL].entries()) {
        const now = index % 2 === 0 ? RECEIVED_AT : PAID_AT + 7 * DAY;
        const both = afterwards({ evidence: more?.add(before) ?? before, rules, reviewed: given, now });
        if (!agree(both))
          differing.push({ decision, set, more, derived: saidBy(both.derived), told: toldBy(both.told) });
      }
    }
    expect(differing.slice(0, 2)).toEqual([]);
  });

  test('in 1,000 histories of up to six facts, reviewed at any time', () => {
    const differing = Array.from({ length: 1000 }, (_, number) => number).flatMap((number) => {
      const next = numbersFrom(`review ${number}`);
      const facts = drawn(ALL, 1 + Math.floor(next() * 6), next);
      const [, registered] = oneOf(REGISTRATIONS, next);
      const [, rules] = oneOf(CONFIGURATIONS, next);
      const before = evidenceOf(facts.slice(0, Math.floor(next() * (facts.length + 1))), registered);
      const given = review({ evidence: before, rules, decision: oneOf(DECISIONS, next), now: oneOf(INSTANTS, next) });
      const both = afterwards({
        evidence: evidenceOf(facts, registered),
        rules,
        reviewed: given,
        now: oneOf(INSTANTS, next),
      });
      return agree(both) ? [] : [{ number, derived: saidBy(both.derived), told: toldBy(both.told) }];
    });
    expect(differing.slice(0, 2)).toEqual([]);
  });
});

/** Every fact alone, in both configurations, with both decisions. */
const reviewed = function* (): Generator<readonly [readonly Fact[], (typeof CONFIGURATIONS)[number], ReviewDecision]> {
  for (const set of setsOfUpTo(1, FACTS))
    for (const configuration of CONFIGURATIONS) for (const decision of DECISIONS) yield [set, configuration, decision];
};

/** Evidence, reviewed as it stands, with more of it later; derived without and with the review. */
const settle = (before: readonly Fact[], decision: ReviewDecision, { later = [], now = RECEIVED_AT }: After = {}) => {
  const evidence = addTo(NOTHING, before);
  const first = deriveOrder(evidence, DEFAULTS, RECEIVED_AT);
  const evidenceThen = addTo({ ...evidence, review: reviewOf(first, decision) }, later);
  return { first: first.order, last: deriveOrder(evidenceThen, DEFAULTS, now).order };
};

interface After {
  readonly later?: readonly Fact[];
  readonly now?: number;
}

const addTo = (evidence: OrderEvidence, facts: readonly Fact[]): OrderEvidence =>
  facts.reduce((before, { add }) => add(before), evidence);

const codesOf = ({
  attention,
}: {
  readonly attention: readonly { readonly code: string; readonly settled: boolean }[];
}) => attention.map(({ code, settled }) => (settled ? `(${code})` : code));

const PAID = '2025-05-17T07:58:04Z';
const authorized = notified(
  'S',
  paymentResult('S', { paymentAmount: jpy('120'), paymentTime: PAID, paymentMethodType: 'CARD' }),
);
const captured = notified(
  'C',
  captureResult('S', { captureId: 'C1', captureRequestId: 'Q1', captureAmount: jpy('120') }),
);
const part = notified(
  'part',
  captureResult('S', { captureId: 'C2', captureRequestId: 'Q2', captureAmount: jpy('70') }),
);
const elsewhere = notified('under R9', paymentResult('U', { paymentRequestId: 'R9' }));
const declined = notified('F', paymentResult('F', { result: result('F', 'RISK_REJECT') }));
const foreign = (captureId: string): Fact =>
  notified(
    'USD',
    captureResult('S', { captureId, captureRequestId: `Q${captureId}`, captureAmount: amount('USD', '5') }),
  );
const gone = notified(
  'gone',
  captureResult('F', { captureRequestId: 'Q8', result: result('F', 'AUTH_EXPIRED'), captureTime: PAID }),
);

const refunded = (refundId: string, fields: Fields = {}): Fact =>
  notified(refundId, refundResult('S', { refundId, ...fields }));
const registeredAs = (fields: Partial<RegistrationFact>): Fact => ({
  name: 'registered',
  add: (evidence) => ({ ...evidence, registrations: [registration(fields)] }),
});
const lost = (disputeId: string, value: string): Fact =>
  notified(`${disputeId} lost`, {
    paymentId: 'P1',
    paymentRequestId: 'R1',
    disputeId,
    disputeNotificationType: 'DISPUTE_JUDGED',
    disputeJudgedResult: 'ACCEPT_BY_MERCHANT',
    disputeType: 'CHARGEBACK',
    disputeJudgedAmount: amount('USD', '1'),
    disputeAmount: jpy(value),
  });
const byWallet = (value: string, fields: Fields = {}): Fact =>
  notified(
    `S of ${value}`,
    paymentResult('S', { paymentMethodType: 'GRABPAY_SG', paymentAmount: jpy(value), ...fields }),
  );
/** A payment beside another one of its shop order, of which these facts are known and which was decided so. */
const beside = (own: readonly Fact[], others: readonly Fact[], decision: ReviewDecision | null): Derivation => {
  const sibling = { ...addTo({ ...NOTHING, paymentId: 'P2' }, others), newestAt: RECEIVED_AT };
  const given = decision === null ? null : reviewOf(deriveOrder(sibling, DEFAULTS, RECEIVED_AT), decision);
  const siblings = { payments: [{ ...sibling, review: given }], hasLaterRegistration: false };
  return deriveOrder({ ...addTo(NOTHING, own), siblings }, DEFAULTS, RECEIVED_AT);
};
const CANCELLED_BY_APO = FACTS.find(({ name }) => name === 'inquiry: cancelled') as Fact;
const siblingIsPaid = FACTS.find(({ name }) => name === 'a sibling is paid') as Fact;
const unstated = notified('S', paymentResult('S', { paymentMethodType: 'GRABPAY_SG' }));
const unreadable = (digest: string): Fact => ({
  name: digest,
  add: (evidence) => ({ ...evidence, problems: [{ digest, text: 'result is missing.' }] }),
});
const registeredFor = (value: string, referenceOrderId: string): Fact =>
  registeredAs({ referenceOrderId, amount: { currency: 'JPY', value } });

describe('a review', () => {
  test('FULFIL settles what blocks, and the order is shipped', () => {
    const { first, last } = settle([authorized, captured, declined], 'FULFIL');
    expect(first).toMatchObject({ status: 'CAPTURED', fulfillable: false, nextAction: 'REVIEW' });
    expect(last).toMatchObject({ status: 'CAPTURED', fulfillable: true, nextAction: 'FULFIL' });
    expect(codesOf(last)).toEqual(['(CONTRADICTORY_RESULT)']);
    expect(last.review).toEqual({
      decision: 'FULFIL',
      revision: 7,
      note: 'asked APO',
      createdAt: '2025-05-17T10:00:00.000Z',
    });
  });

  test('FULFIL stands in for a PAYMENT_RESULT S that never came', () => {
    const registered = registeredAs({ finalAmount: { currency: 'JPY', value: '120' } });
    const { first, last } = settle([registered, captured], 'FULFIL');
    expect(first).toMatchObject({ status: 'CAPTURED', fulfillable: false });
    expect(last).toMatchObject({ fulfillable: true, nextAction: 'FULFIL' });
  });

  test.each<[string, Fields]>([
    ['in a currency that nothing else knows', { refundAmount: jpy('120') }],
    ['without an amount', {}],
  ])('FULFIL of an unknown amount is reopened by a refund %s', (_what, fields) => {
    const { first, last } = settle([unstated], 'FULFIL', { later: [refunded('F1', fields)] });
    expect(first).toMatchObject({ status: 'CAPTURED', fulfillable: false });
    expect(last).toMatchObject({ fulfillable: false, nextAction: 'REVIEW' });
    expect(codesOf(last)).toEqual(['AMOUNT_UNKNOWN']);
  });

  test('FULFIL of a refund without an amount is reopened by the next refund', () => {
    const known = [authorized, captured, refunded('F1')];
    const { last } = settle(known, 'FULFIL', { later: [refunded('F2', { refundAmount: jpy('20') })] });
    expect(last).toMatchObject({ fulfillable: false, nextAction: 'REVIEW' });
    expect(codesOf(last)).toEqual(['AMOUNT_UNKNOWN', 'PARTIALLY_REFUNDED']);
  });

  test.each<[string, readonly Fact[], Fact]>([
    ['cancelled by the shop, by APO', [authorized, captured, registeredAs({ cancelled: true })], CANCELLED_BY_APO],
    [
      'refunded, by a cancellation',
      [authorized, captured, refunded('F1', { refundAmount: jpy('120') })],
      registeredAs({ cancelled: true }),
    ],
    ['disputed, by a larger amount', [authorized, captured, lost('D1', '10')], lost('D1', '119')],
    ['of two amounts, by a refund', [byWallet('120'), byWallet('150')], refunded('F1', { refundAmount: jpy('120') })],
    [
      'of two requests, by a shop order',
      [byWallet('120'), byWallet('120', { paymentRequestId: 'R0' })],
      registeredAs({ paymentRequestId: 'R0', referenceOrderId: 'shop-2' }),
    ],
  ])('FULFIL of what is %s is reopened', (_what, before, after) => {
    expect(settle(before, 'FULFIL').last).toMatchObject({ fulfillable: true });
    expect(settle(before, 'FULFIL', { later: [after] }).last).toMatchObject({
      fulfillable: false,
      nextAction: 'REVIEW',
    });
  });

  test('FULFIL of what one refund took does not stand for another one', () => {
    const [one, other] = ['F1', 'F2'].map((id) => refunded(id, { refundAmount: jpy('120') })) as [Fact, Fact];
    const first = deriveOrder(addTo(NOTHING, [authorized, captured, one]), DEFAULTS, RECEIVED_AT);
    const given = reviewOf(first, 'FULFIL');
    const later = { ...addTo(NOTHING, [authorized, captured, other]), review: given };
    expect(deriveOrder(later, DEFAULTS, RECEIVED_AT).order).toMatchObject({ fulfillable: false, nextAction: 'NONE' });
  });

  test('FULFIL of what one notification does not tell legibly does not stand for another one', () => {
    const paid = [authorized, captured];
    const given = reviewOf(deriveOrder(addTo(NOTHING, [...paid, unreadable('a')]), DEFAULTS, RECEIVED_AT), 'FULFIL');
    const later = (digest: string) =>
      deriveOrder({ ...addTo(NOTHING, [...paid, unreadable(digest)]), review: given }, DEFAULTS, RECEIVED_AT).order;
    expect(later('a')).toMatchObject({ fulfillable: true });
    expect(later('b')).toMatchObject({ fulfillable: false, nextAction: 'REVIEW' });
  });

  test('FULFIL of one payment of a shop order is told to whoever has decided on the other', () => {
    const paid = [byWallet('120')];
    const settleable = (decision: ReviewDecision | null): string =>
      JSON.stringify(beside(paid, paid, decision).settleable);
    expect(settleable('FULFIL')).toContain('payment P2, which a review fulfils');
    expect(settleable('FULFIL')).not.toBe(settleable(null));
  });

  test('FULFIL of an unknown amount is reopened where another amount is registered, and only then', () => {
    const { last } = settle([unstated], 'FULFIL', { later: [registeredFor('120', 'A')] });
    expect(last).toMatchObject({ fulfillable: false, nextAction: 'REVIEW' });
    const known = [registeredFor('120', 'A'), unstated];
    expect(settle(known, 'FULFIL', { later: [registeredFor('120', 'B')] }).last.fulfillable).toBe(true);
    expect(settle(known, 'FULFIL', { later: [registeredFor('130', 'B')] }).last.fulfillable).toBe(false);
  });

  describe('FULFIL of what was refunded', () => {
    const returned = [authorized, captured, refunded('F1', { refundAmount: jpy('120') })];

    test('stands, and is reopened by another payment of the shop order', () => {
      expect(settle(returned, 'FULFIL').last).toMatchObject({ fulfillable: true, nextAction: 'FULFIL' });
      const { last } = settle(returned, 'FULFIL', { later: [siblingIsPaid] });
      expect(last).toMatchObject({ fulfillable: false, nextAction: 'REVIEW' });
      expect(codesOf(last)).toEqual(['DUPLICATE_PAYMENT', '(REFUNDED)']);
    });

    test('makes another payment one too many, which CLOSE does not', () => {
      const paid = [authorized, captured];
      expect(codesOf(beside(paid, returned, 'FULFIL').order)).toEqual(['DUPLICATE_PAYMENT']);
      expect(codesOf(beside(paid, returned, 'CLOSE').order)).toEqual([]);
    });
  });

  test('FULFIL is reopened by a contradiction that is new', () => {
    const { last } = settle([authorized, captured, declined], 'FULFIL', { later: [elsewhere] });
    expect(last).toMatchObject({ fulfillable: false, nextAction: 'REVIEW' });
    expect(codesOf(last)).toEqual(['(CONTRADICTORY_RESULT)', 'CONTRADICTORY_IDENTITY']);
  });

  test('FULFIL is reopened by the same contradiction with other values', () => {
    const { first, last } = settle([authorized, captured, foreign('C6')], 'FULFIL', { later: [foreign('C7')] });
    expect(codesOf(first)).toEqual(['CURRENCY_MISMATCH']);
    expect(codesOf(last)).toEqual(['CURRENCY_MISMATCH']);
    expect(last).toMatchObject({ fulfillable: false, nextAction: 'REVIEW' });
  });

  test('is not reopened by what says the same once more', () => {
    const again = notified(
      'F again',
      paymentResult('F', { result: result('F', 'RISK_REJECT'), acquirerReferenceNo: 'A9' }),
    );
    const { last } = settle([authorized, captured, declined], 'FULFIL', { later: [again] });
    expect(last).toMatchObject({ fulfillable: true, nextAction: 'FULFIL' });
  });

  test('CLOSE ends an order, and nothing is shipped', () => {
    const { last } = settle([authorized, captured, declined], 'CLOSE');
    expect(last).toMatchObject({ status: 'CAPTURED', fulfillable: false, nextAction: 'NONE' });
  });

  test('CLOSE settles what only the clock would bring', () => {
    const { last } = settle([authorized, part], 'CLOSE', { now: PAID_AT + 8 * DAY });
    expect(codesOf(last)).toEqual(['(AUTHORIZATION_EXPIRED)']);
    expect(last.nextAction).toBe('NONE');
  });

  test('CLOSE settles a capture that is undecided', () => {
    const wallet = notified('S', paymentResult('S', { paymentAmount: jpy('120'), paymentMethodType: 'KLARNA' }));
    const { last } = settle([wallet], 'CLOSE', { now: RECEIVED_AT + 2 * HOUR });
    expect(codesOf(last)).toEqual(['(CAPTURE_UNDECIDED)']);
    expect(last.nextAction).toBe('NONE');
  });

  test('CLOSE is reopened by a new contradiction', () => {
    const { last } = settle([authorized, declined], 'CLOSE', { later: [foreign('C6')] });
    expect(last.nextAction).toBe('REVIEW');
  });

  test('CLOSE is void, with all that it settled, once more is captured', () => {
    const { last } = settle([authorized, declined], 'CLOSE', { later: [part] });
    expect(codesOf(last)).toEqual(['CONTRADICTORY_RESULT']);
    expect(last).toMatchObject({ review: null, nextAction: 'REVIEW' });
  });

  test('CLOSE is void once the order has become CAPTURED', () => {
    const wallet = notified('by wallet', paymentResult('S', { paymentAmount: jpy('120'), paymentMethodType: 'DANA' }));
    const pending = notified('U', paymentResult('U', { paymentAmount: jpy('120') }));
    const { last } = settle([pending], 'CLOSE', { later: [wallet] });
    expect(last).toMatchObject({ status: 'CAPTURED', fulfillable: true, nextAction: 'FULFIL', review: null });
  });

  test('CLOSE stands while a capture fails', () => {
    const { last } = settle([authorized, part], 'CLOSE', { later: [gone] });
    expect(last.nextAction).toBe('NONE');
    expect(last.review?.decision).toBe('CLOSE');
  });
});
