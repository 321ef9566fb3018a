import { type Amount, type AmountText, disagree, smallest, toAmountText } from './amount.ts';
import {
  amountsOf,
  byCodeUnit,
  byPrecedence,
  type CaptureStatement,
  type FailedCaptureAction,
  firstOf,
  type JsonObject,
  type Result,
  type Sourced,
} from './statement.ts';

export type CaptureStatus = 'SUCCEEDED' | 'FAILED' | 'PROCESSING';

/** One capture as shown to the outside. */
export interface Capture {
  readonly captureId: string | null;
  readonly captureRequestId: string | null;
  readonly status: CaptureStatus;
  readonly amount: AmountText | null;
  readonly captureTime: string | null;
  readonly result: Result;
  readonly furtherAction: string | null;
  readonly acquirerInfo: JsonObject | null;
  readonly acquirerReferenceNo: string | null;
}

/** All that is said of one capture, told apart from the other captures of its payment. */
export interface CaptureEvidence {
  /** Sorted by precedence; never empty. */
  readonly statements: readonly Sourced<CaptureStatement>[];
  readonly status: CaptureStatus;
  readonly amount: Amount | null;
  readonly amountsDisagree: boolean;
  readonly resultsDisagree: boolean;
  readonly captureIds: readonly string[];
  readonly captureRequestIds: readonly string[];
}

/**
 * Tells a payment's captures apart: two statements speak of one capture if they share `captureId` or
 * `captureRequestId`, transitively. Sorted as they are shown.
 */
export const gatherCaptures = (statements: readonly Sourced<CaptureStatement>[]): readonly CaptureEvidence[] => {
  const groups = new Set<Sourced<CaptureStatement>[]>();
  const byName = new Map<string, Sourced<CaptureStatement>[]>();
  for (const statement of statements) {
    const names = namesOf(statement);
    const joined = new Set(names.map((name) => byName.get(name)).filter((group) => group !== undefined));
    // Into the largest, so that many notifications of one capture are not moved again and again.
    const [kept = [], ...absorbed] = [...joined].sort((a, b) => b.length - a.length);
    for (const group of absorbed) {
      groups.delete(group);
      for (const member of group) {
        kept.push(member);
        for (const name of namesOf(member)) byName.set(name, kept);
      }
    }
    kept.push(statement);
    for (const name of names) byName.set(name, kept);
    groups.add(kept);
  }
  return [...groups].map(toEvidence).sort(byIdentifiers);
};

const namesOf = (statement: CaptureStatement): readonly string[] => {
  const names: string[] = [];
  if (statement.captureId !== undefined) names.push(`id ${statement.captureId}`);
  if (statement.captureRequestId !== undefined) names.push(`request ${statement.captureRequestId}`);
  return names;
};

const toEvidence = (group: readonly Sourced<CaptureStatement>[]): CaptureEvidence => {
  const statements = [...group].sort(byPrecedence);
  const amounts = amountsOf(statements);
  const results = new Set(statements.map(({ result }) => result.resultStatus));
  return {
    statements,
    status: statusOf(results),
    amount: smallest(amounts),
    amountsDisagree: disagree(amounts),
    resultsDisagree: results.has('S') && results.has('F'),
    captureIds: distinct(statements.map(({ captureId }) => captureId)),
    captureRequestIds: distinct(statements.map(({ captureRequestId }) => captureRequestId)),
  };
};

const statusOf = (results: ReadonlySet<string>): CaptureStatus => {
  if (results.has('S')) return 'SUCCEEDED';
  return results.has('F') ? 'FAILED' : 'PROCESSING';
};

/** The distinct identifiers, smallest first by code unit. */
export const distinct = (identifiers: readonly (string | undefined)[]): readonly string[] =>
  [...new Set(identifiers.filter((identifier) => identifier !== undefined))].sort(byCodeUnit);

const byIdentifiers = (a: CaptureEvidence, b: CaptureEvidence): number =>
  byCodeUnit(a.captureIds[0] ?? '', b.captureIds[0] ?? '') ||
  byCodeUnit(a.captureRequestIds[0] ?? '', b.captureRequestIds[0] ?? '');

export const toCapture = (evidence: CaptureEvidence): Capture => {
  const { statements, status, amount, captureIds, captureRequestIds } = evidence;
  const [first] = statements;
  if (first === undefined) throw new Error('a capture without a statement');
  return {
    captureId: captureIds[0] ?? null,
    captureRequestId: captureRequestIds[0] ?? null,
    status,
    amount: amount === null ? null : toAmountText(amount),
    captureTime: firstOf(statements, ({ captureTime }) => captureTime),
    result: first.result,
    furtherAction: first.furtherAction ?? null,
    acquirerInfo: firstOf(statements, ({ acquirerInfo }) => acquirerInfo),
    acquirerReferenceNo: firstOf(statements, ({ acquirerReferenceNo }) => acquirerReferenceNo),
  };
};

/** What the code of the latest failed capture asks for; null while no capture failed. */
export const failedCaptureAction = (captures: readonly CaptureEvidence[]): FailedCaptureAction | null => {
  const [latest] = captures
    .filter(({ status }) => status === 'FAILED')
    .flatMap(({ statements }) => statements.filter(({ result }) => result.resultStatus === 'F'))
    .sort(byPrecedence);
  return latest?.onFailure ?? null;
};
