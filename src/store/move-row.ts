import type { MoveKind } from '../order/move.ts';
import type { MovementStatus } from '../order/movement.ts';
import { isoOrNull, isoTime } from '../order/time.ts';
import type { Move, MoveKey, MovesUnderWay } from './move.ts';
import type { OrderKey } from './order-key.ts';
import type { Count, Query } from './transaction.ts';

/* A row of `moves`. */

export interface MoveRow {
  readonly client_id: string;
  readonly kind: MoveKind;
  readonly request_id: string;
  readonly payment_id: string;
  readonly content: string;
  readonly status: MovementStatus;
  readonly attempts: Count;
  readonly result_code: string | null;
  readonly reason: string | null;
  readonly apo_id: string | null;
  readonly created_at: Count;
  readonly updated_at: Count;
}

export const MOVE_COLUMNS =
  'client_id, kind, request_id, payment_id, content, status, attempts, result_code, reason, apo_id, created_at, updated_at';

type Content = Pick<Move, 'amount' | 'captureId' | 'isLast'>;

export const contentOf = ({ amount, captureId, isLast }: Content): string =>
  JSON.stringify({ amount, captureId, isLast } satisfies Content);

export const toMove = (row: MoveRow): Move => ({
  clientId: row.client_id,
  kind: row.kind,
  requestId: row.request_id,
  paymentId: row.payment_id,
  // Written by `contentOf`.
  ...(JSON.parse(row.content) as Content),
  status: row.status,
  attempts: Number(row.attempts),
  resultCode: row.result_code,
  reason: row.reason,
  id: row.apo_id,
  createdAt: isoTime(row.created_at),
  updatedAt: isoTime(row.updated_at),
});

/** The order that a move is of. */
export const orderOfMove = ({ clientId, paymentId }: Pick<Move, 'clientId' | 'paymentId'>): OrderKey => ({
  clientId,
  orderKey: paymentId,
});

export const findMove = async (query: Query, { clientId, kind, requestId }: MoveKey): Promise<Move | null> => {
  const [row] = await query<MoveRow>(
    `select ${MOVE_COLUMNS} from moves where client_id = $1 and kind = $2 and request_id = $3`,
    [clientId, kind, requestId],
  );
  return row === undefined ? null : toMove(row);
};

/** All of a payment, the oldest first. */
export const listMoves = async (query: Query, clientId: string, paymentId: string): Promise<readonly Move[]> => {
  const rows = await query<MoveRow>(
    `select ${MOVE_COLUMNS}
     from moves
     where client_id = $1 and payment_id = $2
     order by created_at, kind, request_id`,
    [clientId, paymentId],
  );
  return rows.map(toMove);
};

/** The condition is that of the partial index. */
export const movesUnderWay = async (query: Query): Promise<MovesUnderWay> => {
  const [row] = await query<{ count: Count; oldest: Count | null }>(
    `select count(*) as count, min(created_at) as oldest from moves where status = 'PROCESSING'`,
  );
  return { underWay: Number(row?.count ?? 0), since: isoOrNull(row?.oldest ?? null) };
};

/** Returns whether there was none by its key. */
export const insertMove = async (query: Query, move: Move, nextAttemptAt: number): Promise<boolean> => {
  const inserted = await query(
    `insert into moves (${MOVE_COLUMNS}, next_attempt_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
     on conflict (client_id, kind, request_id) do nothing
     returning 1 as inserted`,
    [
      move.clientId,
      move.kind,
      move.requestId,
      move.paymentId,
      contentOf(move),
      move.status,
      move.attempts,
      move.resultCode,
      move.reason,
      move.id,
      Date.parse(move.createdAt),
      Date.parse(move.updatedAt),
      nextAttemptAt,
    ],
  );
  return inserted.length > 0;
};
