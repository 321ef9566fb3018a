import type { DatabaseSync } from 'node:sqlite';
import { type DerivedOrder, type Order, withExpiry } from '../../order/order.ts';
import { type Derivation, digestOf, project, type StoredEvidence, underivable } from '../projection.ts';
import { type OrderFilter, type Page, type PageRequest, type Store, InvalidCursorError } from '../store.ts';
import { paymentIdOf, registrationKey } from '../order-key.ts';
import type { Clients } from './clients.ts';
import type { Evidence } from './evidence.ts';
import type { Positions } from './positions.ts';
import { isoTime, prepare, prepareLists, type Query } from './query.ts';

interface OrderRow {
  readonly client: number;
  readonly order_key: string;
  readonly created_at: number;
  readonly updated_at: number;
  readonly position: number;
}

const COLUMNS = 'client, order_key, created_at, updated_at, position';

/** Reads orders. They are derived at the moment of reading, by the rules in force; the columns serve to find them. */
export type OrderReading = Pick<OrderStoreMethods, 'findOrders' | 'listOrders' | 'followOrders'>;
type Synchronous<F> = F extends (...values: infer A) => Promise<infer R> ? (...values: A) => R : never;
type OrderStoreMethods = { readonly [K in 'findOrders' | 'listOrders' | 'followOrders']: Synchronous<Store[K]> };

export const openOrderReading = (
  db: DatabaseSync,
  {
    clients,
    evidence,
    derivation,
  }: { readonly clients: Clients; readonly evidence: Evidence; readonly derivation: Derivation },
): OrderReading => {
  const selectByKey = prepare<OrderRow>(db, `select ${COLUMNS} from orders where client = ? and order_key = ?`);
  const selectAfter = prepare<OrderRow>(
    db,
    `select ${COLUMNS}
     from orders
     where position > ?
     order by position
     limit ?`,
  );

  const toOrder = (row: OrderRow): Order => {
    const stored = evidence.read(row.client, row.order_key);
    const derived = project(stored, derivation).order ?? underivable(stored);
    return withExpiry(
      { ...derived, createdAt: isoTime(row.created_at), updatedAt: isoTime(row.updated_at) },
      new Date(),
    );
  };

  const byKeys = (client: number, keys: readonly string[]): readonly Order[] =>
    keys.flatMap((key) => selectByKey.get(client, key) ?? []).map(toOrder);

  const listing = prepareListing(db);

  return {
    findOrders: (clientId, id) => {
      // What begins with a space is a key of ours, never an identifier.
      if (paymentIdOf(id) === null) return [];
      const client = clients.find(clientId);
      if (client === null) return [];
      const byPayment = byKeys(client, [id]);
      if (byPayment.length > 0) return byPayment;
      const byRequest = byKeys(client, evidence.paymentsNaming(client, id));
      return byRequest.length > 0 ? byRequest : byKeys(client, [registrationKey(id)]);
    },
    listOrders: (filter, page) => {
      const rows = listing(filter, page);
      return toPage(rows.map(toOrder), { rows, limit: page.limit });
    },
    followOrders: ({ limit, cursor }) => {
      const rows = selectAfter.all(toPosition(cursor ?? '0'), limit);
      const last = rows.at(-1);
      return { items: rows.map(toOrder), next: last === undefined ? (cursor ?? '0') : String(last.position) };
    },
  };
};

const toPosition = (cursor: string): number => {
  const position = Number(cursor);
  if (!/^\d{1,15}$/.test(cursor) || !Number.isSafeInteger(position)) throw new InvalidCursorError('not a cursor');
  return position;
};

const toPage = (
  items: readonly Order[],
  { rows, limit }: { rows: readonly OrderRow[]; limit: number },
): Page<Order> => {
  const last = rows.at(-1);
  return { items, next: rows.length < limit || last === undefined ? null : String(last.position) };
};

/** The terms on `status` and `attention` repeat those of the partial indexes, so that the planner may use them. */
const prepareListing = (db: DatabaseSync): ((filter: OrderFilter, page: PageRequest) => readonly OrderRow[]) => {
  const queries = new Map<string, Query<OrderRow>>();
  return ({ status, attention }, { limit, cursor }) => {
    const terms = ['position < ?'];
    const values: (string | number)[] = [cursor === null ? Number.MAX_SAFE_INTEGER : toPosition(cursor)];
    if (status !== null) {
      terms.push('status = ?');
      if (status !== 'CAPTURED') terms.push("status <> 'CAPTURED'");
      values.push(status);
    }
    if (attention !== null) {
      terms.push("attention <> ''", 'instr(attention, ?) > 0');
      values.push(` ${attention} `);
    }
    const sql = `select ${COLUMNS} from orders where ${terms.join(' and ')} order by position desc limit ?`;
    const query = queries.get(sql) ?? prepare<OrderRow>(db, sql);
    queries.set(sql, query);
    return query.all(...values, limit);
  };
};

export interface OrderPlace {
  readonly client: number;
  readonly orderKey: string;
}

export interface Refreshed extends OrderPlace {
  /** It was not kept like this before. */
  readonly changed: boolean;
  /** Digests of its notifications whose handler failed. */
  readonly failed: ReadonlySet<string>;
}

/** Writes orders inside the caller's transaction. */
export interface OrderWriting {
  /**
   * Derives orders anew and keeps those that changed. All are read, then all derived, then all written: each step
   * runs on a processor that still knows it.
   */
  readonly refresh: (places: readonly OrderPlace[], now: number) => readonly Refreshed[];
}

type KnownRow = readonly [orderNo: number, digest: Uint8Array];

export const openOrderWriting = (
  db: DatabaseSync,
  {
    evidence,
    positions,
    derivation,
  }: { readonly evidence: Evidence; readonly positions: Positions; readonly derivation: Derivation },
): OrderWriting => {
  const select = prepareLists<KnownRow>(db, 'select order_no, digest from orders where client = ? and order_key = ?');
  const insert = prepareLists<readonly [orderNo: number]>(
    db,
    `insert into orders (
       payment_request_id, reference_order_id, status, fulfillable, next_action, currency, payment_value, captured_value,
       expected_currency, expected_value, payment_time, authorization_expires_at, attention, updated_at, position, digest,
       client, order_key, created_at
     )
     values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
     returning order_no`,
  );
  const update = prepare(
    db,
    `update orders
     set payment_request_id = ?, reference_order_id = ?, status = ?, fulfillable = ?, next_action = ?, currency = ?,
       payment_value = ?, captured_value = ?, expected_currency = ?, expected_value = ?, payment_time = ?,
       authorization_expires_at = ?, attention = ?, updated_at = ?, position = ?, digest = ?
     where order_no = ?`,
  );
  const remove = prepare(db, 'delete from orders where client = ? and order_key = ?');
  const removeCaptures = prepare(db, 'delete from captures where order_no = ?');
  const insertCapture = prepare(db, 'insert into captures values (?, ?, ?, ?, ?, ?, ?, ?, ?)');

  const writeCaptures = (orderNo: number, { captures }: DerivedOrder): void => {
    captures.forEach((capture, index) => {
      const { captureId, captureRequestId, status, amount, captureTime, result } = capture;
      insertCapture.run(
        orderNo,
        index + 1,
        captureId,
        captureRequestId,
        status,
        amount?.currency ?? null,
        amount?.value ?? null,
        captureTime,
        result.resultCode,
      );
    });
  };

  interface Read extends OrderPlace {
    readonly stored: StoredEvidence;
    readonly known: KnownRow | undefined;
  }

  interface Projected extends Read {
    /** Null where there is none, or none any more. */
    readonly kept: { readonly order: DerivedOrder; readonly digest: Buffer } | null;
    readonly failed: ReadonlySet<string>;
  }

  const read = ({ client, orderKey }: OrderPlace): Read => ({
    client,
    orderKey,
    stored: evidence.read(client, orderKey),
    known: select.get(client, orderKey),
  });

  const derive = ({ client, orderKey, stored, known }: Read): Projected => {
    const { order, failed } = project(stored, derivation);
    const isOurFault = failed.size > 0 || stored.rows.some(({ outcome }) => outcome === 'FAILED');
    const kept = order ?? (known !== undefined && isOurFault ? underivable(stored) : null);
    // A registration that a payment names has no order of its own.
    const named = paymentIdOf(orderKey) === null && evidence.paymentsNaming(client, orderKey.slice(1)).length > 0;
    return {
      client,
      orderKey,
      stored,
      known,
      failed,
      kept: kept === null || named ? null : { order: kept, digest: digestOf(kept) },
    };
  };

  const write = ({ client, orderKey, stored, known, kept }: Projected, now: number): boolean => {
    if (kept === null) return known !== undefined && remove.run(client, orderKey) > 0;
    for (const { paymentRequestId } of paymentIdOf(orderKey) === null ? [] : stored.registrations) {
      remove.run(client, registrationKey(paymentRequestId));
    }
    const { order, digest } = kept;
    if (known !== undefined && digest.equals(known[1])) return false;
    const values = [...columnsOf(order), now, positions.next(), digest] as const;
    if (known === undefined) {
      const [orderNo] = insert.get(...values, client, orderKey, now) as readonly [number];
      writeCaptures(orderNo, order);
      return true;
    }
    const [orderNo] = known;
    update.run(...values, orderNo);
    removeCaptures.run(orderNo);
    writeCaptures(orderNo, order);
    return true;
  };

  return {
    refresh: (places, now) =>
      places
        .map(read)
        .map(derive)
        .map((projected) => ({
          client: projected.client,
          orderKey: projected.orderKey,
          changed: write(projected, now),
          failed: projected.failed,
        })),
  };
};

const columnsOf = (order: DerivedOrder) =>
  [
    order.paymentRequestId,
    order.referenceOrderId,
    order.status,
    Number(order.fulfillable),
    order.nextAction,
    order.paymentAmount?.currency ?? order.capturedAmount?.currency ?? null,
    order.paymentAmount?.value ?? null,
    order.capturedAmount?.value ?? null,
    order.expectedAmount?.currency ?? null,
    order.expectedAmount?.value ?? null,
    order.paymentTime,
    order.authorizationExpiresAt,
    order.attention.map(({ code }) => ` ${code} `).join(''),
  ] as const;
