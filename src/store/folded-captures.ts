import { byCaptureIdentifiers, type Capture } from '../order/capture.ts';
import type { OrderKey } from './order-key.ts';
import type { Fold } from './stored-order.ts';
import type { Query, Transaction } from './transaction.ts';

/*
 * An order with a fold (fold.ts) is written without its folded captures being read, so the row of the order does not
 * hold them: each stands in a row of its own, as the order shows it, which is written when it is folded.
 */

export interface FoldedCapture {
  /** '' for none. */
  readonly captureId: string;
  readonly captureRequestId: string;
  /** JSON: a `Capture`. */
  readonly content: string;
}

export const toFoldedCapture = (capture: Capture): FoldedCapture => ({
  captureId: capture.captureId ?? '',
  captureRequestId: capture.captureRequestId ?? '',
  content: JSON.stringify(capture),
});

/** In the order of their names. */
export const readFoldedCaptures = async (
  query: Query,
  { clientId, orderKey }: OrderKey,
): Promise<readonly FoldedCapture[]> => {
  const rows = await query<{ capture_id: string; capture_request_id: string; content: string }>(
    `select capture_id, capture_request_id, content
     from folded_captures
     where client_id = $1 and order_key = $2
     order by capture_id, capture_request_id`,
    [clientId, orderKey],
  );
  return rows.map((row) => ({
    captureId: row.capture_id,
    captureRequestId: row.capture_request_id,
    content: row.content,
  }));
};

/** All captures of an order: those that are folded, and its others. */
export const withFolded = (captures: readonly Capture[], folded: readonly FoldedCapture[]): readonly Capture[] =>
  // Written by toFoldedCapture.
  [...captures, ...folded.map(({ content }) => JSON.parse(content) as Capture)].sort(byCaptureIdentifiers);

/** Those of an order's captures that its fold does not stand for. */
export const withoutFolded = (captures: readonly Capture[], fold: Fold | null): readonly Capture[] => {
  if (fold === null) return captures;
  const stand = new Set(
    fold.statements.map(({ captureId, captureRequestId }) => nameOf({ captureId, captureRequestId })),
  );
  return captures.filter((capture) => !stand.has(nameOf(capture)));
};

const nameOf = (one: {
  readonly captureId?: string | null | undefined;
  readonly captureRequestId?: string | null | undefined;
}): string => JSON.stringify([one.captureId ?? '', one.captureRequestId ?? '']);

/** What is folded of an order from now on. */
export interface Kept {
  readonly key: OrderKey;
  /** It has a fold. */
  readonly isFolded: boolean;
  /** It was read in full: `captures` are all that it folds; otherwise those that were not folded before. */
  readonly isWhole: boolean;
  readonly captures: readonly FoldedCapture[];
}

/** Brings the rows to what they should be, before the row of the order is written. */
export const keepFolded = async (transaction: Transaction, kept: Kept): Promise<void> => {
  const { query } = transaction;
  const { key, captures } = kept;
  if (!kept.isFolded) {
    await query('delete from folded_captures where client_id = $1 and order_key = $2', [key.clientId, key.orderKey]);
    return;
  }
  if (!kept.isWhole) {
    await put(transaction, key, captures);
    return;
  }
  const standing = await readFoldedCaptures(query, key);
  const should = new Map(captures.map((one) => [nameOf(one), one.content]));
  const stand = new Map(standing.map((one) => [nameOf(one), one.content]));
  const stale = standing.filter((one) => !should.has(nameOf(one)));
  const differing = captures.filter((one) => stand.get(nameOf(one)) !== one.content);
  if (stale.length > 0) await remove(transaction, key, stale);
  await put(transaction, key, differing);
  // Whoever was shown what somebody spoilt has to be shown the order again: it counts as changed.
  if (stale.length + differing.length > 0)
    await query(`update orders set content = '' where client_id = $1 and order_key = $2`, [key.clientId, key.orderKey]);
};

const COLUMNS = ['capture_id', 'capture_request_id', 'content'] as const;

const toRows = (captures: readonly FoldedCapture[]): string =>
  JSON.stringify(
    captures.map(({ captureId, captureRequestId, content }) => ({
      capture_id: captureId,
      capture_request_id: captureRequestId,
      content,
    })),
  );

const put = async (
  { query, dialect }: Transaction,
  { clientId, orderKey }: OrderKey,
  captures: readonly FoldedCapture[],
): Promise<void> => {
  if (captures.length === 0) return;
  await query(
    `insert into folded_captures (client_id, order_key, capture_id, capture_request_id, content)
     select $1, $2, capture_id, capture_request_id, content
     from ${dialect.recordset('$3', COLUMNS)}
     where true
     on conflict (client_id, order_key, capture_id, capture_request_id) do update set content = excluded.content`,
    [clientId, orderKey, toRows(captures)],
  );
};

const remove = async (
  { query, dialect }: Transaction,
  { clientId, orderKey }: OrderKey,
  captures: readonly FoldedCapture[],
): Promise<void> => {
  await query(
    `delete from folded_captures
     where client_id = $1 and order_key = $2
       and (capture_id, capture_request_id) in (
         select capture_id, capture_request_id from ${dialect.recordset('$3', COLUMNS)}
       )`,
    [clientId, orderKey, toRows(captures)],
  );
};
