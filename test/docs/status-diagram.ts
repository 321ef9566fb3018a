import type { AttentionCode } from '../../src/order/attention-code.ts';
import { NO_SIBLINGS, type OrderEvidence, type RegistrationFact } from '../../src/order/evidence.ts';
import { deriveOrder } from '../../src/order/order.ts';
import type { OrderRules } from '../../src/order/rules.ts';
import type { CaptureStatement, PaymentStatement, Result, ResultStatus, Statement } from '../../src/order/statement.ts';
import { ORDER_STATUSES, type OrderStatus } from '../../src/order/status.ts';

/*
 * The diagram of docs/orders.md, printed from the code: every set of the facts below is derived, and there is an arrow
 * where one fact more leads to another status. Where facts contradict each other, the order says so, and there is none.
 * `node test/docs/status-diagram.ts` prints it.
 */

const RULES: OrderRules = {
  captureRequired: 'methods',
  noCaptureMethods: [],
  captureMode: 'AUTOMATIC',
  requireRegistration: false,
  production: true,
};

/** What a notification states, or what the shop says in its registration; `name` stands at its arrows. */
interface Fact {
  readonly name: string;
  readonly statement?: Statement;
  readonly said?: Partial<RegistrationFact>;
}

const jpy = (value: string) => ({ currency: 'JPY', value });

const result = (resultStatus: ResultStatus, resultCode: string | null = null): Result => ({
  resultStatus,
  resultCode,
  resultMessage: null,
});

const payment = (status: ResultStatus, fields: Partial<PaymentStatement> = {}): PaymentStatement => ({
  about: 'payment',
  pending: false,
  result: result(status),
  ...fields,
});

const capture = (captureId: string, fields: Partial<CaptureStatement>): CaptureStatement => ({
  about: 'capture',
  captureId,
  result: result('S'),
  ...fields,
});

const FACTS: readonly Fact[] = [
  { name: 'PAYMENT_PENDING', statement: payment('S', { pending: true }) },
  { name: 'PAYMENT_RESULT U', statement: payment('U') },
  { name: 'PAYMENT_RESULT F', statement: payment('F') },
  {
    name: 'PAYMENT_RESULT S (card)',
    statement: payment('S', { amount: jpy('120'), paymentMethodType: 'CARD' }),
  },
  {
    name: 'PAYMENT_RESULT S (wallet)',
    statement: payment('S', { amount: jpy('120'), paymentMethodType: 'GCASH' }),
  },
  { name: 'CAPTURE_RESULT S', statement: capture('C1', { amount: jpy('50') }) },
  { name: 'CAPTURE_RESULT S', statement: capture('C2', { amount: jpy('70') }) },
  { name: 'CAPTURE_RESULT F (authorization gone)', statement: capture('C3', { result: result('F', 'AUTH_EXPIRED') }) },
  { name: 'REFUND_RESULT S', statement: { about: 'refund', refundId: 'F1', result: result('S'), amount: jpy('50') } },
  { name: 'DISPUTE_CREATED', statement: { about: 'dispute', disputeId: 'D1', notificationType: 'DISPUTE_CREATED' } },
  { name: 'finalAmount', said: { finalAmount: jpy('50') } },
  { name: 'cancelled', said: { cancelled: true } },
];

const REGISTRATION: RegistrationFact = {
  clientId: 'T_client',
  paymentRequestId: 'R1',
  amount: jpy('120'),
  referenceOrderId: null,
  captureMode: null,
  paymentMethodType: null,
  authExpiryTime: null,
  finalAmount: null,
  cancelled: false,
  createdAt: 0,
};

const evidenceOf = (facts: readonly Fact[]): OrderEvidence => ({
  clientId: 'T_client',
  paymentId: 'P1',
  statements: facts.flatMap(({ statement }, index) =>
    statement === undefined ? [] : [{ ...statement, digest: String(index), place: 0 }],
  ),
  registrations: [Object.assign({}, REGISTRATION, ...facts.map(({ said }) => said)) as RegistrationFact],
  problems: [],
  sharedIdentities: [],
  siblings: NO_SIBLINGS,
  newestAt: 0,
  review: null,
});

interface Outcome {
  readonly status: OrderStatus;
  /** These facts contradict each other. */
  readonly isContested: boolean;
}

/** What the facts say by themselves, and no contradiction. */
const TOLD: ReadonlySet<AttentionCode> = new Set<AttentionCode>([
  'CAPTURE_FAILED',
  'REFUNDED',
  'PARTIALLY_REFUNDED',
  'DISPUTED',
]);

const outcomeOf = (facts: readonly Fact[]): Outcome => {
  const { status, attention } = deriveOrder(evidenceOf(facts), RULES, 0).order;
  const methods = new Set(facts.flatMap(({ statement }) => methodIn(statement)));
  return { status, isContested: methods.size > 1 || attention.some(({ code }) => !TOLD.has(code)) };
};

const methodIn = (statement: Statement | undefined): readonly string[] =>
  statement?.about === 'payment' && statement.paymentMethodType !== undefined ? [statement.paymentMethodType] : [];

const has = (set: number, index: number): boolean => (set >> index) % 2 === 1;

/** The names of the facts that lead from one status to another, by both. */
const findArrows = (): ReadonlyMap<string, ReadonlySet<string>> => {
  const outcomes = Array.from({ length: 2 ** FACTS.length }, (_, set) =>
    outcomeOf(FACTS.filter((__, index) => has(set, index))),
  );
  const arrows = new Map<string, Set<string>>();
  outcomes.forEach((from, set) => {
    FACTS.forEach(({ name }, index) => {
      const to = outcomes[set + 2 ** index];
      if (has(set, index) || to === undefined || to.isContested || to.status === from.status) return;
      const arrow = `${from.status} --> ${to.status}`;
      arrows.set(arrow, (arrows.get(arrow) ?? new Set()).add(name));
    });
  });
  return arrows;
};

const NAMES = [...new Set(FACTS.map(({ name }) => name))];
const FIRST_TO_LAST = ORDER_STATUSES.toReversed();

/** Mermaid. */
export const statusDiagram = (): string => {
  const arrows = findArrows();
  const lines = FIRST_TO_LAST.flatMap((from) =>
    FIRST_TO_LAST.flatMap((to) => {
      const names = arrows.get(`${from} --> ${to}`);
      return names === undefined
        ? []
        : [`  ${from} --> ${to}: ${NAMES.filter((name) => names.has(name)).join(' or ')}\n`];
    }),
  );
  return `stateDiagram-v2\n  [*] --> ${outcomeOf([]).status}: registration\n${lines.join('')}`;
};

if (import.meta.main) process.stdout.write(statusDiagram());
