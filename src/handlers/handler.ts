import { z } from 'zod';
import type { NotificationKind, Reading, REFUND_KINDS } from '../order/reading.ts';
import type { JsonObject, RefundStatement, Statement } from '../order/statement.ts';
import { isMissing } from './fields.ts';
import { describeIssue, toProblem } from './problem.ts';

/** What reading a notification came to, apart from the kind and the identifiers. */
export type Content = Pick<Reading, 'outcome' | 'problem' | 'statements'>;

/** One line of the dispatch table. */
export interface Handler {
  readonly kind: NotificationKind;
  /** True for a notification of this kind, provided that no line before it said so. */
  readonly matches: (json: JsonObject) => boolean;
  readonly read: (json: JsonObject) => Content;
}

/** The dispatch table: the first line that matches reads the notification. */
export type Handlers = readonly Handler[];

/** What notifications of a kind may state: of refunds those of `REFUND_KINDS` alone. */
type StatedBy<Kind> = Kind extends (typeof REFUND_KINDS)[number] ? Statement : Exclude<Statement, RefundStatement>;

/** What a handler's file says about its kind. */
export interface HandledKind<Kind extends NotificationKind, Fields> {
  readonly kind: Kind;
  readonly matches: (json: JsonObject) => boolean;
  /**
   * The fields that are read, identifiers among them: which are required, optional, tolerated, and what is malformed.
   */
  readonly schema: z.ZodType<Fields>;
  /** What a notification with these fields states, of one thing or of several. Pure. */
  readonly state: (fields: Fields) => readonly StatedBy<Kind>[];
}

/** A line of the table for a kind that is read and applied. */
export const createHandler = <Kind extends NotificationKind, Fields>({
  kind,
  matches,
  schema,
  state,
}: HandledKind<Kind, Fields>): Handler => {
  const compiled = z.compile(schema);
  return {
    kind,
    matches,
    read: (json) => {
      const read = compiled.safeParse(json, { error: describeIssue });
      return read.success
        ? { outcome: 'APPLIED', problem: null, statements: state(read.data) }
        : { outcome: 'MALFORMED', problem: toProblem(read.error.issues), statements: [] };
    },
  };
};

/** A line of the table for a kind that is told apart and kept, and states nothing. */
export const unhandled = (kind: NotificationKind, matches: Handler['matches']): Handler => ({
  kind,
  matches,
  read: () => ({ outcome: 'UNHANDLED', problem: null, statements: [] }),
});

/** Matches by `notifyType`. */
export const hasType =
  (notifyType: string): Handler['matches'] =>
  (json) =>
    json['notifyType'] === notifyType;

/** Matches where none of the fields is missing. */
export const has =
  (...names: readonly string[]): Handler['matches'] =>
  (json) =>
    names.every((name) => !isMissing(json[name]));
