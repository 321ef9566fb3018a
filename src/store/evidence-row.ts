import type { Kind, Outcome } from '../order/reading.ts';
import { hexOf } from './row.ts';
import { type EvidenceRow, readStatements } from './stored-order.ts';
import type { Count } from './transaction.ts';

/** The columns of a notification that evidence is made of, as a query gives them. */
export interface EvidenceColumns {
  readonly position: Count;
  readonly digest: Uint8Array;
  readonly kind: Kind;
  readonly outcome: Outcome;
  readonly problem: string | null;
  readonly statements: string | null;
  readonly first_received_at: Count;
}

export const EVIDENCE_COLUMNS = 'n.position, n.digest, n.kind, n.outcome, n.problem, n.statements, n.first_received_at';

export const toEvidenceRow = (row: EvidenceColumns): EvidenceRow => {
  const [digest, { outcome }] = [hexOf(row.digest), row];
  return {
    position: String(row.position),
    digest,
    kind: row.kind,
    outcome,
    problem: row.problem,
    statements: readStatements(row.statements, { outcome, digest }),
    firstReceivedAt: Number(row.first_received_at),
  };
};
