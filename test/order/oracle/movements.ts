import { readFileSync } from 'node:fs';
import type { Capture } from '../../../src/order/capture.ts';
import type { Dispute } from '../../../src/order/dispute.ts';
import type { Refund } from '../../../src/order/refund.ts';
import type {
  CaptureStatement,
  DisputeStatement,
  RefundStatement,
  ResultStatus,
  Sourced,
} from '../../../src/order/statement.ts';
import { ascending, first, largestOf, type Money, smallestOf, speaksBefore, stated, toText } from './spoken.ts';

/** One capture or refund: all statements about it, in the order in which they speak. */
export interface Moved<S> {
  readonly spoken: readonly S[];
  readonly verdict: ResultStatus;
  readonly amount: Money | null;
  readonly ids: readonly string[];
  readonly requestIds: readonly string[];
  readonly id: string | null;
  readonly requestId: string | null;
  readonly code: string | null;
}

export type Captured = Moved<Sourced<CaptureStatement>>;
export type Refunded = Moved<Sourced<RefundStatement>>;

interface Names<S> {
  readonly id: (one: S) => string | undefined;
  readonly requestId: (one: S) => string | undefined;
  readonly pick: (amounts: readonly Money[]) => Money | null;
}

const distinct = (values: readonly (string | undefined)[]): readonly string[] =>
  [...new Set(values.filter((value) => value !== undefined))].sort();

/** Every two statements that share an id get the smaller of their labels, until nothing changes any more. */
const labelled = <S>(statements: readonly S[], { id, requestId }: Names<S>): readonly number[] => {
  const labels = statements.map((_, index) => index);
  const shares = (a: S, b: S): boolean =>
    (id(a) !== undefined && id(a) === id(b)) || (requestId(a) !== undefined && requestId(a) === requestId(b));
  for (let changed = true; changed;) {
    changed = false;
    statements.forEach((a, i) => {
      statements.forEach((b, j) => {
        if (labels[i]! > labels[j]! && shares(a, b)) {
          labels[i] = labels[j]!;
          changed = true;
        }
      });
    });
  }
  return labels;
};

const group = <S extends Sourced<CaptureStatement> | Sourced<RefundStatement>>(
  statements: readonly S[],
  names: Names<S>,
): readonly Moved<S>[] => {
  const labels = labelled(statements, names);
  const moved = [...new Set(labels)].map((label): Moved<S> => {
    const spoken = statements.filter((_, index) => labels[index] === label).sort(speaksBefore);
    const { result } = spoken[0]!;
    return {
      spoken,
      verdict: result.resultStatus,
      amount: names.pick(stated(spoken.filter((one) => one.result.resultStatus === result.resultStatus))),
      ids: distinct(spoken.map(names.id)),
      requestIds: distinct(spoken.map(names.requestId)),
      id: first(spoken, names.id),
      requestId: first(spoken, names.requestId),
      code: result.resultCode,
    };
  });
  return moved.sort((a, b) => ascending(a.id ?? '', b.id ?? '') || ascending(a.requestId ?? '', b.requestId ?? ''));
};

export const capturesIn = (statements: readonly Sourced<CaptureStatement>[]): readonly Captured[] =>
  group(statements, { id: (one) => one.captureId, requestId: (one) => one.captureRequestId, pick: smallestOf });

export const refundsIn = (statements: readonly Sourced<RefundStatement>[]): readonly Refunded[] =>
  group(statements, { id: (one) => one.refundId, requestId: (one) => one.refundRequestId, pick: largestOf });

const SHOWN = { S: 'SUCCEEDED', F: 'FAILED', U: 'PROCESSING' } as const;

/** The seed's table: code, value, message, further action. */
const FURTHER_ACTIONS = new Map(
  readFileSync(new URL('../../fixtures/capture-result-codes.md', import.meta.url), 'utf8')
    .split('\n')
    .slice(2)
    .map((line) => line.split(' | '))
    .map(([code = '', , , action = '']) => [code.replace('| ', ''), action.replace(/ \|$/, '')]),
);

export const showCapture = ({ spoken, verdict, amount, id, requestId, code }: Captured): Capture => ({
  captureId: id,
  captureRequestId: requestId,
  status: SHOWN[verdict],
  amount: toText(amount),
  captureTime: first(spoken, (one) => one.captureTime),
  result: spoken[0]!.result,
  furtherAction: code === null ? null : (FURTHER_ACTIONS.get(code) ?? null),
  acquirerInfo: first(spoken, (one) => one.acquirerInfo),
  acquirerReferenceNo: first(spoken, (one) => one.acquirerReferenceNo),
});

export const showRefund = ({ spoken, verdict, amount, id, requestId }: Refunded): Refund => ({
  refundId: id,
  refundRequestId: requestId,
  status: SHOWN[verdict],
  amount: toText(amount),
  refundTime: first(spoken, (one) => one.refundTime),
  captureId: first(spoken, (one) => one.captureId),
  result: spoken[0]!.result,
});

/* ---- Disputes, by wire.md §2.3 ---- */

export interface Disputed {
  readonly shown: Dispute;
  readonly state: Dispute['state'];
  /** A retrieval or compliance request. */
  readonly isRequest: boolean;
  readonly judged: Money | null;
  readonly largest: Money | null;
}

const JUDGEMENTS: ReadonlyMap<string, Dispute['state']> = new Map([
  ['ACCEPT_BY_CUSTOMER', 'WON'],
  ['ACCEPT_BY_MERCHANT', 'LOST'],
  ['VALIDATE_SUCCESS', 'VALIDATED'],
  ['VALIDATE_FAIL', 'VALIDATION_FAILED'],
]);

const STATES: readonly (readonly [string, Dispute['state']])[] = [
  ['RDR_RESOLVED', 'RDR'],
  ['DISPUTE_ACCEPTED', 'ACCEPTED'],
  ['DISPUTE_CANCELLED', 'CANCELLED'],
  ['DEFENSE_SUPPLIED', 'DEFENDED'],
];

const stateOf = (spoken: readonly DisputeStatement[]): Dispute['state'] => {
  const judgement = spoken.find(({ notificationType }) => notificationType === 'DISPUTE_JUDGED');
  if (judgement !== undefined) return JUDGEMENTS.get(judgement.judgedResult ?? '') ?? 'OPEN';
  return STATES.find(([type]) => spoken.some((one) => one.notificationType === type))?.[1] ?? 'OPEN';
};

export const disputesIn = (statements: readonly Sourced<DisputeStatement>[]): readonly Disputed[] =>
  distinct(statements.map(({ disputeId }) => disputeId)).map((disputeId) => {
    const spoken = statements.filter((one) => one.disputeId === disputeId).sort(speaksBefore);
    const state = stateOf(spoken);
    const type = first(spoken, (one) => one.type);
    const amounts = stated(spoken);
    return {
      state,
      isRequest: type === 'RETRIEVAL_REQUEST' || type === 'COMPLIANCE_REQUEST',
      judged: stated([{ amount: first(spoken, (one) => one.judgedAmount) ?? undefined }])[0] ?? null,
      largest: largestOf(amounts),
      shown: {
        disputeId,
        type,
        state,
        amount: toText(largestOf(amounts)),
        dueTime: first(spoken, (one) => one.dueTime),
        reasonCode: first(spoken, (one) => one.reasonCode),
        reasonMessage: first(spoken, (one) => one.reasonMessage),
      },
    };
  });
