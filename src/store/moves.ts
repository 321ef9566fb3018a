import { isSameMove, judgeMove } from '../order/judge-move.ts';
import { nextRequestId } from '../order/move.ts';
import type { Order } from '../order/order.ts';
import type { OrderRules } from '../order/rules.ts';
import { isoTime } from '../order/time.ts';
import { AHEAD_MS } from './ahead.ts';
import type { Around } from './around.ts';
import { derive } from './derive.ts';
import { linkLock, orderLock } from './lock.ts';
import type {
  BeginMoveResult,
  Move,
  MoveKey,
  MoveOutcome,
  MoveRequest,
  StoreMoveReads,
  StoreMoveWrites,
} from './move.ts';
import { importMoves, readMoves } from './move-copy.ts';
import { findMove, insertMove, listMoves, MOVE_COLUMNS, type MoveRow, orderOfMove, toMove } from './move-row.ts';
import { keysNamed, readOrders } from './orders.ts';
import { paymentsMeant } from './refund-groups.ts';
import { sayAndDerive } from './said.ts';
import { findSaid } from './say.ts';
import type { Database, Query, Transaction } from './transaction.ts';

/** Those whose time has come, or was set by a clock that was ahead. The status is that of the partial index. */
const dueMoves = async (query: Query, before: number, limit: number): Promise<readonly Move[]> => {
  const rows = await query<MoveRow>(
    `select ${MOVE_COLUMNS}
     from moves
     where status = 'PROCESSING'
       and (next_attempt_at <= cast($1 as bigint) or updated_at > cast($1 as bigint) + ${AHEAD_MS})
     order by next_attempt_at
     limit $2`,
    [before, limit],
  );
  return rows.map(toMove);
};

/** The order under its lock, as of this very moment: what is decided by it stands until the commit. */
const beginMove = async (database: Database, request: MoveRequest, saying: Around): Promise<BeginMoveResult> =>
  await database.transact([], async (transaction) => {
    const keys = await keysNamed(transaction, request);
    transaction.need(keys.map(orderLock));
    const orders = await readOrders(transaction, keys, saying.rules);
    const [order] = orders;
    if (order === undefined) return { kind: 'unknown' };
    return orders.length > 1 ? { kind: 'ambiguous', orders } : await beginOf(transaction, { order, request }, saying);
  });

interface Beginning {
  readonly order: Order;
  readonly request: MoveRequest;
}

const beginOf = async (
  transaction: Transaction,
  { order, request }: Beginning,
  saying: Around,
): Promise<BeginMoveResult> => {
  const { query } = transaction;
  const { clientId, paymentId } = order;
  const { kind, captureId, isLast } = request;
  const refuse = (reason: 'NO_PAYMENT' | 'ID_USED', detail: string): BeginMoveResult => ({
    kind: 'refused',
    refused: { reason, detail },
    order,
  });
  if (paymentId === null)
    return refuse(
      'NO_PAYMENT',
      'No payment of this paymentRequestId is known yet: wait for its notification, or inquire.',
    );
  const moves = await listMoves(query, clientId, paymentId);
  const requestId = request.requestId ?? nextRequestId(order, moves, kind);
  if (requestId === null) return refuse('ID_USED', 'The paymentId is too long to make a request id of: name one.');
  const standing = await findMove(query, { clientId, kind, requestId });
  if (standing !== null)
    return {
      kind: standing.paymentId === paymentId && isSameMove(request, standing) ? 'same' : 'conflict',
      move: standing,
    };
  if (isUsed(order, { kind, requestId }))
    return refuse('ID_USED', `Somebody else has sent ${requestId} already: look at the order, or name another id.`);
  const judged = judgeMove(order, request, { moves, now: saying.now });
  if ('refused' in judged) return { kind: 'refused', refused: judged.refused, order };
  const at = isoTime(saying.now);
  const move: Move = {
    clientId,
    kind,
    requestId,
    paymentId,
    amount: judged.amount,
    captureId,
    isLast,
    status: 'PROCESSING',
    attempts: 0,
    resultCode: null,
    reason: null,
    id: null,
    createdAt: at,
    updatedAt: at,
  };
  if (kind === 'refund' && (await isOfAnother(transaction, move)))
    return refuse('ID_USED', `${requestId} is registered as a refund of another payment: name another id.`);
  // It was written down for another order at the same moment.
  if (!(await insertMove(query, move, request.nextAttemptAt)))
    return { kind: 'conflict', move: (await findMove(query, move)) ?? move };
  await deriveWith(transaction, move, saying);
  return { kind: 'begun', move };
};

const isUsed = (order: Order, { kind, requestId }: Pick<MoveKey, 'kind' | 'requestId'>): boolean =>
  (kind === 'capture' && order.captures.some((one) => one.captureRequestId === requestId)) ||
  (kind === 'refund' && order.refunds.some((one) => one.refundRequestId === requestId));

const refundKey = ({ clientId, requestId }: Move) => ({ clientId, about: 'refund', id: requestId }) as const;

/** Whether its id is registered as a refund of another payment. Until the commit nobody registers it. */
const isOfAnother = async ({ query, need }: Transaction, move: Move): Promise<boolean> => {
  need([linkLock({ clientId: move.clientId, name: 'refundRequestId', value: move.requestId })]);
  const standing = await findSaid(query, refundKey(move));
  return standing !== null && !(await paymentsMeant(query, standing)).includes(move.paymentId);
};

/** A REFUND_RESULT may name nothing but the refundRequestId: the refund is registered for its payment. */
const deriveWith = async (transaction: Transaction, move: Move, saying: Around): Promise<void> => {
  const key = refundKey(move);
  if (move.kind === 'refund' && (await findSaid(transaction.query, key)) === null)
    await sayAndDerive(transaction, { key, content: { target: move.paymentId, said: '{}' } }, saying);
  else await derive(transaction, { keys: [orderOfMove(move)], links: [] }, saying);
};

const keepMove = async (database: Database, { key, outcome, around }: Keeping): Promise<Move> =>
  await database.transact([], async (transaction) => {
    const { query } = transaction;
    await query(
      `update moves
       set status = $4, result_code = $5, reason = $6, apo_id = $7, attempts = attempts + cast($8 as bigint),
         next_attempt_at = $9, updated_at = $10
       where client_id = $1 and kind = $2 and request_id = $3 and status = 'PROCESSING'`,
      [
        key.clientId,
        key.kind,
        key.requestId,
        outcome.status,
        outcome.resultCode,
        outcome.reason,
        outcome.id,
        outcome.sent ? 1 : 0,
        outcome.nextAttemptAt,
        around.now,
      ],
    );
    const move = await findMove(query, key);
    if (move === null) throw new Error('a move that was written down is gone');
    if (move.status === 'PROCESSING' && move.id === null) return move;
    const order = orderOfMove(move);
    transaction.need([orderLock(order)]);
    await derive(transaction, { keys: [order], links: [] }, around);
    return move;
  });

interface Keeping {
  readonly key: MoveKey;
  readonly outcome: MoveOutcome;
  readonly around: Around;
}

export const createMoveReads = (database: Database): StoreMoveReads => ({
  dueMoves: async (before, limit) => await dueMoves(database.query, before, limit),
  listMoves: async (clientId, paymentId) => await listMoves(database.query, clientId, paymentId),
  readMoves: async (page) => await readMoves(database.query, page),
});

export const createMoveWrites = (database: Database, rules: OrderRules): StoreMoveWrites => ({
  beginMove: async (request, now) => await beginMove(database, request, { rules, now: now.getTime() }),
  keepMove: async (key, outcome, now) =>
    await keepMove(database, { key, outcome, around: { rules, now: now.getTime() } }),
  importMoves: async (moves, now) => await importMoves(database, moves, { rules, now: now.getTime() }),
});

/** The store's calls; `reading` as in `toStore`. */
export const toMoveStore = (
  writes: StoreMoveWrites,
  reading: () => Promise<{ readonly calls: StoreMoveReads }>,
): StoreMoveReads & StoreMoveWrites => ({
  dueMoves: async (...values) => await (await reading()).calls.dueMoves(...values),
  listMoves: async (...values) => await (await reading()).calls.listMoves(...values),
  readMoves: async (page) => await (await reading()).calls.readMoves(page),
  beginMove: async (...values) => await writes.beginMove(...values),
  keepMove: async (...values) => await writes.keepMove(...values),
  importMoves: async (...values) => await writes.importMoves(...values),
});
