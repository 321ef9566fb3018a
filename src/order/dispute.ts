import { type Amount, type AmountText, largest, toAmount, toAmountText } from './amount.ts';
import { amountsOf, byCodeUnit, byPrecedence, type DisputeStatement, firstOf, type Sourced } from './statement.ts';

export type DisputeState =
  | 'OPEN'
  | 'DEFENDED'
  | 'ACCEPTED'
  | 'WON'
  | 'LOST'
  | 'VALIDATED'
  | 'VALIDATION_FAILED'
  | 'CANCELLED'
  | 'RDR';

/** One dispute as shown to the outside. */
export interface Dispute {
  readonly disputeId: string;
  readonly type: string | null;
  readonly state: DisputeState;
  readonly amount: AmountText | null;
  readonly dueTime: string | null;
  readonly reasonCode: string | null;
  readonly reasonMessage: string | null;
}

export interface DisputeEvidence {
  readonly disputeId: string;
  /** Sorted by precedence. */
  readonly statements: readonly Sourced<DisputeStatement>[];
  readonly type: string | null;
  readonly state: DisputeState;
  /** The largest that is disputed. */
  readonly amount: Amount | null;
  readonly judged: Amount | null;
}

/** The states that a type leads to, the strongest first; JUDGED stands above all, an unknown type counts as OPEN. */
const STATES: readonly (readonly [notificationType: string, state: DisputeState])[] = [
  ['RDR_RESOLVED', 'RDR'],
  ['DISPUTE_ACCEPTED', 'ACCEPTED'],
  ['DISPUTE_CANCELLED', 'CANCELLED'],
  ['DEFENSE_SUPPLIED', 'DEFENDED'],
];

/** A judgement without one of these results leaves the dispute OPEN. */
const JUDGED: ReadonlyMap<string | undefined, DisputeState> = new Map([
  ['ACCEPT_BY_CUSTOMER', 'WON'],
  ['ACCEPT_BY_MERCHANT', 'LOST'],
  ['VALIDATE_SUCCESS', 'VALIDATED'],
  ['VALIDATE_FAIL', 'VALIDATION_FAILED'],
]);

export const isJudgement = ({ notificationType }: DisputeStatement): boolean => notificationType === 'DISPUTE_JUDGED';

export const gatherDisputes = (statements: readonly Sourced<DisputeStatement>[]): readonly DisputeEvidence[] => {
  const byId = new Map<string, Sourced<DisputeStatement>[]>();
  for (const statement of [...statements].sort(byPrecedence)) {
    const same = byId.get(statement.disputeId);
    if (same === undefined) byId.set(statement.disputeId, [statement]);
    else same.push(statement);
  }
  return [...byId]
    .map(([disputeId, sorted]) => ({
      disputeId,
      statements: sorted,
      type: firstOf(sorted, ({ type }) => type),
      state: stateOf(sorted),
      amount: largest(amountsOf(sorted)),
      judged: judgedIn(sorted),
    }))
    .sort((a, b) => byCodeUnit(a.disputeId, b.disputeId));
};

const judgedIn = (sorted: readonly DisputeStatement[]): Amount | null => {
  const judged = firstOf(sorted, ({ judgedAmount }) => judgedAmount);
  return judged && toAmount(judged);
};

/** `sorted` by precedence: of two judgements the later one counts. */
const stateOf = (sorted: readonly DisputeStatement[]): DisputeState => {
  const judgement = sorted.find(isJudgement);
  if (judgement !== undefined) return JUDGED.get(judgement.judgedResult) ?? 'OPEN';
  const strongest = STATES.find(([type]) => sorted.some(({ notificationType }) => notificationType === type));
  return strongest?.[1] ?? 'OPEN';
};

const TAKING: ReadonlySet<DisputeState> = new Set<DisputeState>(['LOST', 'ACCEPTED', 'RDR']);

export const tookMoney = ({ state }: Pick<Dispute, 'state'>): boolean => TAKING.has(state);

/**
 * What a dispute took, in this currency: what was judged, else what was disputed. Null where neither is above zero:
 * then it is everything paid.
 */
export const takenBy = ({ judged, amount }: DisputeEvidence, currency: string): bigint | null => {
  for (const one of [judged, amount]) if (one !== null && one.currency === currency && one.value > 0n) return one.value;
  return null;
};

const REQUESTS: ReadonlySet<string | null> = new Set(['RETRIEVAL_REQUEST', 'COMPLIANCE_REQUEST']);

/** It asks for documents, and is about no money yet. */
export const asksForDocuments = ({ type }: DisputeEvidence): boolean => REQUESTS.has(type);

export const toDispute = ({ disputeId, statements, type, state, amount }: DisputeEvidence): Dispute => ({
  disputeId,
  type,
  state,
  amount: amount === null ? null : toAmountText(amount),
  dueTime: firstOf(statements, ({ dueTime }) => dueTime),
  reasonCode: firstOf(statements, ({ reasonCode }) => reasonCode),
  reasonMessage: firstOf(statements, ({ reasonMessage }) => reasonMessage),
});
