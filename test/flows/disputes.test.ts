import { describe, expect, test } from '@jest/globals';
import { type Fields, jpy } from '../support/facts.ts';
import { captured, card, disputed, type Names, paid } from './stories.ts';
import { codesOf, messageOf, onSqlite } from './support.ts';

const SHIPPED = { status: 'CAPTURED', fulfillable: true, nextAction: 'FULFIL' };
const HELD = { status: 'CAPTURED', fulfillable: false, nextAction: 'REVIEW' };
const GONE = { status: 'CAPTURED', fulfillable: false, nextAction: 'NONE' };

const DUE = '2025-06-01T00:00:00Z';
const CREATED = ['DISPUTE_CREATED', { defenseDueTime: DUE, defendable: true }] as const;
const ALERT = ['DEFENSE_DUE_ALERT', { defenseDueTime: DUE }] as const;
const SUPPLIED = ['DEFENSE_SUPPLIED', {}] as const;
const ACCEPTED = ['DISPUTE_ACCEPTED', { disputeAcceptReason: 'TIMEOUT' }] as const;
const WITHDRAWN = ['DISPUTE_CANCELLED', {}] as const;
const RDR = ['RDR_RESOLVED', {}] as const;
const judged = (disputeJudgedResult: string, fields: Fields = {}) =>
  ['DISPUTE_JUDGED', { disputeJudgedResult, disputeJudgedTime: '2025-06-10T00:00:00Z', ...fields }] as const;
const LOST = judged('ACCEPT_BY_MERCHANT', { disputeJudgedAmount: jpy('120') });

const LOST_OF_NO_AMOUNT = judged('ACCEPT_BY_MERCHANT', { disputeAmount: null });

type Step = readonly [type: string, fields: Fields];
/** A dispute of this type, from one notification to the next. */
const course =
  (disputeType: string, steps: readonly Step[]) =>
  (names: Names): readonly Fields[] => [
    card(names),
    captured(names, '120'),
    ...steps.map(([type, fields]) => disputed(names, type, { disputeType, ...fields })),
  ];

interface Course extends Outcome {
  readonly steps: readonly Step[];
}
interface Outcome {
  readonly order: object;
  readonly codes: readonly string[];
}
const OPEN: Outcome = { order: HELD, codes: ['DISPUTED'] };
const PART: Outcome = { order: HELD, codes: ['DISPUTED', 'PARTIALLY_REFUNDED'] };
const ALL: Outcome = { order: GONE, codes: ['REFUNDED'] };
const OVER: Outcome = { order: SHIPPED, codes: [] };

const CHARGEBACKS: readonly (readonly [state: string, words: string, course: Course])[] = [
  ['OPEN', 'created', { steps: [CREATED], ...OPEN }],
  ['OPEN', 'due', { steps: [CREATED, ALERT], ...OPEN }],
  ['OPEN', 'of a type that nobody knows', { steps: [['DISPUTE_ESCALATED', {}]], ...OPEN }],
  ['OPEN', 'judged, in words that nobody knows', { steps: [CREATED, judged('SPLIT')], ...OPEN }],
  ['DEFENDED', 'defended', { steps: [CREATED, ALERT, SUPPLIED], ...OPEN }],
  ['WON', 'defended and won', { steps: [CREATED, SUPPLIED, judged('ACCEPT_BY_CUSTOMER')], ...OVER }],
  ['LOST', 'defended and lost', { steps: [CREATED, SUPPLIED, LOST], ...ALL }],
  [
    'LOST',
    'lost in part',
    { steps: [CREATED, judged('ACCEPT_BY_MERCHANT', { disputeJudgedAmount: jpy('50') })], ...PART },
  ],
  ['LOST', 'lost, of no amount that is stated', { steps: [LOST_OF_NO_AMOUNT], ...ALL }],
  ['ACCEPTED', 'accepted', { steps: [CREATED, ACCEPTED], ...ALL }],
  ['RDR', 'resolved without a defence', { steps: [RDR], ...ALL }],
  ['CANCELLED', 'taken back', { steps: [CREATED, SUPPLIED, WITHDRAWN], ...OVER }],
];

const REQUESTS: readonly (readonly [state: string, type: string, course: Course])[] = [
  ['OPEN', 'RETRIEVAL_REQUEST', { steps: [CREATED], order: SHIPPED, codes: ['DOCUMENTS_REQUESTED'] }],
  ['OPEN', 'COMPLIANCE_REQUEST', { steps: [CREATED, ALERT], order: SHIPPED, codes: ['DOCUMENTS_REQUESTED'] }],
  ['DEFENDED', 'RETRIEVAL_REQUEST', { steps: [CREATED, SUPPLIED], ...OVER }],
  ['VALIDATED', 'COMPLIANCE_REQUEST', { steps: [CREATED, SUPPLIED, judged('VALIDATE_SUCCESS')], ...OVER }],
  ['VALIDATION_FAILED', 'COMPLIANCE_REQUEST', { steps: [CREATED, SUPPLIED, judged('VALIDATE_FAIL')], ...OVER }],
];

onSqlite((flows) => {
  describe('a chargeback', () => {
    test.each(CHARGEBACKS)('is %s: %s', async (state, _, { steps, order: expected, codes }) => {
      const { order, names } = await flows.tell({ notifications: course('CHARGEBACK', steps) });
      expect(order).toMatchObject({ ...expected, disputes: [{ disputeId: names.dispute, type: 'CHARGEBACK', state }] });
      expect(codesOf(order)).toEqual(codes);
    });

    test('that is open names the dispute, what it is about and when it is due', async () => {
      const { order, names } = await flows.tell({ notifications: course('CHARGEBACK', [CREATED]) });
      expect(order.disputes).toEqual([
        {
          disputeId: names.dispute,
          type: 'CHARGEBACK',
          state: 'OPEN',
          amount: jpy('120'),
          dueTime: DUE,
          reasonCode: '10.4',
          reasonMessage: 'Fraud, card absent',
        },
      ]);
      const message = messageOf(order, 'DISPUTED');
      for (const value of [names.dispute, 'JPY 120', DUE]) expect(message).toContain(value);
      expect(message).toMatch(/Do not ship; defend it in APO's dashboard where that is still possible, or accept it/);
    });

    test('that is lost in part says what is gone, and a person decides what is shipped', async () => {
      const steps = [CREATED, judged('ACCEPT_BY_MERCHANT', { disputeJudgedAmount: jpy('50') })];
      const { order, names } = await flows.tell({ notifications: course('CHARGEBACK', steps) });
      expect(messageOf(order, 'PARTIALLY_REFUNDED')).toMatch(/JPY 50 of JPY 120/);
      expect(messageOf(order, 'DISPUTED')).toContain(`${names.dispute} LOST, judged JPY 50 of JPY 120. `);
      expect(messageOf(order, 'DISPUTED')).toMatch(/gone: decide by a review/);
      expect(messageOf(order, 'DISPUTED')).not.toMatch(/defend|Due/);
      expect(await flows.review(names.payment, 'FULFIL')).toMatchObject(SHIPPED);
    });

    test('that is defended is waited for', async () => {
      const { order } = await flows.tell({ notifications: course('CHARGEBACK', [CREATED, SUPPLIED]) });
      expect(messageOf(order, 'DISPUTED')).toMatch(/DEFENDED JPY 120\. Do not ship before it is judged\.$/);
    });

    test('of a wallet takes what was paid', async () => {
      const { order } = await flows.tell({
        notifications: (names) => [
          paid(names, { paymentMethodType: 'GCASH' }),
          disputed(names, ...CREATED),
          disputed(names, ...LOST),
        ],
      });
      expect(order).toMatchObject({ ...GONE, captureRequired: false });
    });

    test('after the goods were shipped and the order closed opens it again', async () => {
      const names = flows.names();
      await flows.post(card(names), captured(names, '120'));
      expect(await flows.review(names.payment, 'CLOSE')).toMatchObject({ fulfillable: false, nextAction: 'NONE' });
      await flows.post(disputed(names, ...CREATED));
      expect(await flows.look(names.payment)).toMatchObject({
        ...HELD,
        attention: [{ code: 'DISPUTED', settled: false }],
      });
      expect(await flows.review(names.payment, 'CLOSE')).toMatchObject({ nextAction: 'NONE' });
      await flows.post(disputed(names, ...SUPPLIED));
      expect(await flows.look(names.payment)).toMatchObject(HELD);
    });
  });

  describe('a request for documents', () => {
    test.each(REQUESTS)('is %s: %s', async (state, type, { steps, order: expected, codes }) => {
      const { order, names } = await flows.tell({ notifications: course(type, steps) });
      expect(order).toMatchObject({ ...expected, disputes: [{ disputeId: names.dispute, type, state }] });
      expect(codesOf(order)).toEqual(codes);
    });

    test('that is open names it and when it is due', async () => {
      const { order, names } = await flows.tell({ notifications: course('RETRIEVAL_REQUEST', [CREATED]) });
      const message = messageOf(order, 'DOCUMENTS_REQUESTED');
      for (const value of [names.dispute, DUE, 'Supply them']) expect(message).toContain(value);
    });
  });
});
