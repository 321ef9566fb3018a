import { type AmountText, smallest, toAmountText } from './amount.ts';
import { byIdentifiers, gatherMovements, type Movement, type MovementStatus } from './movement.ts';
import {
  byPrecedence,
  type CaptureStatement,
  firstOf,
  type JsonObject,
  type Result,
  type Sourced,
} from './statement.ts';
import { readInstant } from './time.ts';

/** One capture as shown to the outside. */
export interface Capture {
  readonly captureId: string | null;
  readonly captureRequestId: string | null;
  readonly status: MovementStatus;
  readonly amount: AmountText | null;
  readonly captureTime: string | null;
  readonly result: Result;
  readonly furtherAction: string | null;
  readonly acquirerInfo: JsonObject | null;
  readonly acquirerReferenceNo: string | null;
}

export type CaptureEvidence = Movement<CaptureStatement>;

/** A payment's captures, told apart. Of several amounts of one the smallest counts. */
export const gatherCaptures = (statements: readonly Sourced<CaptureStatement>[]): readonly CaptureEvidence[] =>
  gatherMovements(statements, {
    id: ({ captureId }) => captureId,
    requestId: ({ captureRequestId }) => captureRequestId,
    pick: smallest,
  });

export const toCapture = ({ statements, status, amount, id, requestId }: CaptureEvidence): Capture => ({
  captureId: id,
  captureRequestId: requestId,
  status,
  amount: amount === null ? null : toAmountText(amount),
  captureTime: firstOf(statements, ({ captureTime }) => captureTime),
  result: statements[0].result,
  furtherAction: statements[0].furtherAction ?? null,
  acquirerInfo: firstOf(statements, ({ acquirerInfo }) => acquirerInfo),
  acquirerReferenceNo: firstOf(statements, ({ acquirerReferenceNo }) => acquirerReferenceNo),
});

/** APO's advice for a code, as words for a person: it knows nothing of this order. */
export const generalAdvice = (furtherAction: string | null | undefined): string | null =>
  furtherAction ? `APO's general advice: ${furtherAction.replaceAll(/\b_|_\b/g, '')}` : null;

/** In the order in which an order lists them. */
export const byCaptureIdentifiers = (a: Capture, b: Capture): number =>
  byIdentifiers({ id: a.captureId, requestId: a.captureRequestId }, { id: b.captureId, requestId: b.captureRequestId });

/** Codes of a failed capture after which the authorization is gone. */
const GONE: ReadonlySet<string | null> = new Set(['AUTH_CANCELLED', 'AUTH_EXPIRED', 'ORDER_IS_CANCELED']);

/** It failed because there is no authorization any more. */
export const saysAuthorizationGone = ({ status, statements }: CaptureEvidence): boolean =>
  status === 'FAILED' && GONE.has(statements[0].result.resultCode);

const timeOf = ({ statements }: CaptureEvidence): number | null =>
  readInstant(firstOf(statements, ({ captureTime }) => captureTime));

/**
 * The failed captures that count, the decisive one first: all but those that a successful capture with a later time
 * supersedes, unless the authorization is gone.
 */
export const countingFailures = (captures: readonly CaptureEvidence[]): readonly CaptureEvidence[] => {
  const successes = captures.flatMap((capture) => (capture.status === 'SUCCEEDED' ? (timeOf(capture) ?? []) : []));
  const latest = successes.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  return captures
    .filter((capture) => {
      if (capture.status !== 'FAILED') return false;
      const failedAt = timeOf(capture);
      return saysAuthorizationGone(capture) || failedAt === null || latest <= failedAt;
    })
    .sort(
      (a, b) =>
        Number(saysAuthorizationGone(b)) - Number(saysAuthorizationGone(a)) ||
        byPrecedence(a.statements[0], b.statements[0]),
    );
};
