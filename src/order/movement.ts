import { type Amount, disagree } from './amount.ts';
import {
  amountsOf,
  byCodeUnit,
  byPrecedence,
  type CaptureStatement,
  firstOf,
  type RefundStatement,
  type ResultStatus,
  type Sourced,
} from './statement.ts';

export type MovementStatus = 'SUCCEEDED' | 'FAILED' | 'PROCESSING';

/** All that is said of one movement of money: of one capture, or of one refund. */
export interface Movement<S extends CaptureStatement | RefundStatement> {
  /** Sorted by precedence. */
  readonly statements: readonly [Sourced<S>, ...Sourced<S>[]];
  readonly status: MovementStatus;
  /** What its statements with the winning result state. */
  readonly amount: Amount | null;
  /** Among its statements with S. */
  readonly amountsDisagree: boolean;
  readonly resultsDisagree: boolean;
  /** As shown: the first that is stated, by precedence. */
  readonly id: string | null;
  readonly requestId: string | null;
  /** All that are stated. Smallest first, by code unit. */
  readonly ids: readonly string[];
  readonly requestIds: readonly string[];
}

interface Naming<S> {
  readonly id: (statement: S) => string | undefined;
  readonly requestId: (statement: S) => string | undefined;
  /** Which of the stated amounts counts. */
  readonly pick: (amounts: readonly Amount[]) => Amount | null;
}

/**
 * Tells movements apart: two statements speak of one if they share its id or its request's id, transitively. Sorted as
 * they are shown.
 */
export const gatherMovements = <S extends CaptureStatement | RefundStatement>(
  statements: readonly Sourced<S>[],
  naming: Naming<S>,
): readonly Movement<S>[] =>
  group(statements, (statement) => namesOf(statement, naming))
    .map((one) => toMovement(one, naming))
    .sort(byIdentifiers);

const namesOf = <S>(statement: S, { id, requestId }: Naming<S>): readonly string[] => {
  const [own, request] = [id(statement), requestId(statement)];
  return [...(own === undefined ? [] : [`id ${own}`]), ...(request === undefined ? [] : [`request ${request}`])];
};

const group = <S>(
  statements: readonly S[],
  nameAll: (statement: S) => readonly string[],
): readonly (readonly S[])[] => {
  const groups = new Set<S[]>();
  const byName = new Map<string, S[]>();
  for (const statement of statements) {
    const names = nameAll(statement);
    const joined = new Set(names.map((name) => byName.get(name)).filter((one) => one !== undefined));
    // Into the largest, so that many statements of one movement are not moved again and again.
    const [kept = [], ...absorbed] = [...joined].sort((a, b) => b.length - a.length);
    for (const one of absorbed) {
      groups.delete(one);
      for (const member of one) {
        kept.push(member);
        for (const name of nameAll(member)) byName.set(name, kept);
      }
    }
    kept.push(statement);
    for (const name of names) byName.set(name, kept);
    groups.add(kept);
  }
  return [...groups];
};

const STATUSES: Readonly<Record<ResultStatus, MovementStatus>> = { S: 'SUCCEEDED', F: 'FAILED', U: 'PROCESSING' };

const toMovement = <S extends CaptureStatement | RefundStatement>(
  members: readonly Sourced<S>[],
  { id, requestId, pick }: Naming<S>,
): Movement<S> => {
  const [first, ...others] = [...members].sort((a, b) => byPrecedence(a, b));
  if (first === undefined) throw new Error('a movement without a statement');
  const statements = [first, ...others] as const;
  const winning = statements.filter(({ result }) => result.resultStatus === first.result.resultStatus);
  const amounts = amountsOf(winning);
  return {
    statements,
    status: STATUSES[first.result.resultStatus],
    amount: pick(amounts),
    amountsDisagree: first.result.resultStatus === 'S' && disagree(amounts),
    resultsDisagree: first.result.resultStatus === 'S' && statements.some(({ result }) => result.resultStatus === 'F'),
    id: firstOf(statements, id),
    requestId: firstOf(statements, requestId),
    ids: distinct(statements.map(id)),
    requestIds: distinct(statements.map(requestId)),
  };
};

/** The distinct identifiers, smallest first by code unit. */
export const distinct = (identifiers: readonly (string | undefined)[]): readonly string[] =>
  [...new Set(identifiers.filter((identifier) => identifier !== undefined))].sort(byCodeUnit);

type Named = Pick<Movement<CaptureStatement>, 'id' | 'requestId'>;

export const byIdentifiers = (a: Named, b: Named): number =>
  byCodeUnit(a.id ?? '', b.id ?? '') || byCodeUnit(a.requestId ?? '', b.requestId ?? '');

/** It has two ids, or two request ids. */
export const hasTwoNames = ({ ids, requestIds }: Pick<Movement<CaptureStatement>, 'ids' | 'requestIds'>): boolean =>
  ids.length > 1 || requestIds.length > 1;

/** The name that it is found by, for a sentence. */
export const nameOf = ({ id, requestId }: Named): string => id ?? requestId ?? '';

/** The same with why it came to what it did: `C1 (PARAM_ILLEGAL)`. */
export const nameWithCode = (one: Named & Pick<Movement<CaptureStatement | RefundStatement>, 'statements'>): string =>
  `${nameOf(one)} (${one.statements[0].result.resultCode ?? 'no code'})`;
