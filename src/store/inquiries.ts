import type {
  ClaimedInquiry,
  Claiming,
  InquiryBacklog,
  InquiryClaim,
  InquiryKey,
  InquiryPlan,
  KeptInquiry,
  PlannedInquiry,
  Unplanned,
} from './inquiry.ts';
import type { OrderKey } from './order-key.ts';
import { readStanding } from './orders.ts';
import { gatherRefundGroups } from './refund-groups.ts';
import type { Count, Database, Query, Transaction, Value } from './transaction.ts';

interface Row {
  readonly client_id: string;
  readonly about: InquiryKey['about'];
  readonly id: string;
  readonly why: string;
  readonly due_at: Count | null;
  readonly attempts: Count;
  readonly outcome: string | null;
  readonly asked_at: Count | null;
}

const COLUMNS = 'client_id, about, id, why, due_at, attempts, outcome, asked_at';

const numberOrNull = (count: Count | null): number | null => (count === null ? null : Number(count));

const toPlanned = (row: Row): PlannedInquiry => ({
  clientId: row.client_id,
  about: row.about,
  id: row.id,
  why: row.why,
  dueAt: numberOrNull(row.due_at),
  attempts: Number(row.attempts),
  outcome: row.outcome,
  askedAt: numberOrNull(row.asked_at),
});

const valuesOf = ({ clientId, about, id }: InquiryKey): readonly Value[] => [clientId, about, id];

const WHERE_KEY = 'where client_id = $1 and about = $2 and id = $3';

/**
 * `$3`, `$4` …: the clients. By the indexes of what is not over: statuses that may change, what is to be inquired, and
 * of the captured what the clock still changes, which waits for its payment.
 */
const selectUnplanned = (clients: string): string => `
  select o.client_id, o.order_key, o.position
  from (
    select client_id, order_key, position, updated_at
    from orders
    where status <> 'CAPTURED' and status in ('AUTHORIZED', 'PARTIALLY_CAPTURED', 'PROCESSING', 'PENDING')
    union
    select client_id, order_key, position, updated_at
    from orders
    where next_action not in ('FULFIL', 'WAIT', 'NONE') and next_action = 'INQUIRE'
    union
    select client_id, order_key, position, updated_at
    from orders
    where due_at is not null and status = 'CAPTURED'
  ) as o
  left join inquiries i on i.client_id = o.client_id and i.about = 'order' and i.id = o.order_key
  where o.client_id in (${clients}) and o.updated_at <= cast($1 as bigint)
    and (i.id is null or i.position <> o.position)
  order by o.position
  limit $2`;

const placeholders = (from: number, values: readonly unknown[]): string =>
  values.map((_, index) => `$${from + index}`).join(', ');

/** Orders that may be due, and that have changed since they were planned or are not. */
export const unplannedOrders = async (
  database: Database,
  clientIds: readonly string[],
  { before, limit }: { readonly before: number; readonly limit: number },
): Promise<readonly Unplanned[]> =>
  await database.snapshot(async (snapshot) => {
    const rows = await snapshot.query<{ client_id: string; order_key: string; position: Count }>(
      selectUnplanned(placeholders(3, clientIds)),
      [before, limit, ...clientIds],
    );
    const found = await Promise.all(
      rows.map(async ({ client_id: clientId, order_key: id, position }) => {
        const [order] = await readStanding(snapshot, [{ clientId, orderKey: id }]);
        const key = { clientId, about: 'order', id } as const;
        return order === undefined ? [] : [{ key, position: String(position), order }];
      }),
    );
    return found.flat();
  });

export const dueInquiries = async (
  { query }: Database,
  clientIds: readonly string[],
  { now, limit }: { readonly now: number; readonly limit: number },
): Promise<readonly PlannedInquiry[]> => {
  const rows = await query<Row>(
    `select ${COLUMNS}
     from inquiries
     where client_id in (${placeholders(3, clientIds)}) and due_at <= cast($1 as bigint)
     order by due_at
     limit $2`,
    [now, limit, ...clientIds],
  );
  return rows.map(toPlanned);
};

/** Of one order; null where nothing is planned. */
export const findInquiry = async (
  query: Query,
  { clientId, orderKey: id }: OrderKey,
): Promise<PlannedInquiry | null> => {
  const key: InquiryKey = { clientId, about: 'order', id };
  const [row] = await query<Row>(`select ${COLUMNS} from inquiries ${WHERE_KEY}`, valuesOf(key));
  return row === undefined ? null : toPlanned(row);
};

export const inquiryBacklog = async ({ query }: Database, now: number): Promise<readonly InquiryBacklog[]> => {
  const rows = await query<Readonly<Record<'due' | 'planned' | 'stopped', Count>> & Since>(
    `select client_id,
       count(*) filter (where due_at <= cast($1 as bigint)) as due,
       min(due_at) filter (where due_at <= cast($1 as bigint)) as due_since,
       count(*) filter (where due_at > cast($1 as bigint)) as planned,
       min(due_at) filter (where due_at > cast($1 as bigint)) as next_at,
       count(*) filter (where due_at is null and outcome like 'FAILED %') as stopped
     from inquiries
     group by client_id
     order by client_id`,
    [now],
  );
  return rows.map((row) => ({
    clientId: row.client_id,
    due: Number(row.due),
    dueSince: numberOrNull(row.due_since),
    planned: Number(row.planned),
    nextAt: numberOrNull(row.next_at),
    stopped: Number(row.stopped),
  }));
};

interface Since extends Pick<Row, 'client_id'> {
  readonly due_since: Count | null;
  readonly next_at: Count | null;
}

/** For the same reason the pauses go on; but the first inquiry may be due earlier by now. */
const PLAN = `
  insert into inquiries (client_id, about, id, position, why, due_at, attempts, owner, until)
  values ($1, $2, $3, cast($4 as bigint), $5, cast($6 as bigint), 0, '', 0)
  on conflict (client_id, about, id) do update
  set position = excluded.position, why = excluded.why,
    attempts = case when inquiries.why = excluded.why then inquiries.attempts else 0 end,
    due_at = case
      when inquiries.why <> excluded.why or excluded.due_at is null or inquiries.due_at is null then excluded.due_at
      when inquiries.attempts = 0 and excluded.due_at < inquiries.due_at then excluded.due_at
      else inquiries.due_at
    end
  where inquiries.position <> excluded.position`;

/** What was not to be asked about until it changed, and has: where it may be due, it is planned again. */
const FORGET_CHANGED = `
  delete from inquiries
  where client_id = $1 and due_at is null and about = 'order' and not exists (
    select 1
    from orders o
    where o.client_id = inquiries.client_id and o.order_key = inquiries.id and o.position = inquiries.position
  )`;

export const planInquiries = async (database: Database, plans: readonly InquiryPlan[]): Promise<void> => {
  if (plans.length === 0) return;
  // Two replicas that plan the same rows lock them in one order.
  const sorted = plans.toSorted((a, b) => (nameOf(a.key) < nameOf(b.key) ? -1 : 1));
  await database.transact([], async ({ query }) => {
    for (const clientId of new Set(sorted.map(({ key }) => key.clientId))) await query(FORGET_CHANGED, [clientId]);
    for (const { key, position, why, dueAt } of sorted) await query(PLAN, [...valuesOf(key), position, why, dueAt]);
  });
};

const nameOf = ({ clientId, about, id }: InquiryKey): string => [clientId, about, id].join('\n');

export const hurryInquiries = async (database: Database, clientIds: readonly string[], now: number): Promise<void> =>
  await database.transact([], async ({ query }) => {
    await query(
      `update inquiries
       set due_at = cast($1 as bigint)
       where client_id in (${placeholders(2, clientIds)}) and due_at > cast($1 as bigint)`,
      [now, ...clientIds],
    );
  });

/** Takes one inquiry, and the client's next turn. */
export const claimInquiry = async (database: Database, claim: InquiryClaim): Promise<Claiming> =>
  await database.transact([], async (transaction) => {
    const { query, dialect } = transaction;
    const { clientId, owner, leaseMs, now, key } = claim;
    if (key !== null) await query(BY_HAND, valuesOf(key));
    const [wanted, values] =
      key === null ? ['due_at <= cast($2 as bigint)', [now]] : ['about = $2 and id = $3', [key.about, key.id]];
    const [row] = await query<Row>(
      `select ${COLUMNS}
       from inquiries
       where client_id = $1 and ${wanted} and until < ${dialect.clock}
       order by due_at
       limit 1 ${dialect.skipLocked}`,
      [clientId, ...values],
    );
    if (row === undefined) return { kind: 'none' };
    if (!(await takeTurn(transaction, claim))) return { kind: 'early', inMs: await untilTurn(transaction, claim) };
    const planned = toPlanned(row);
    await query(`update inquiries set owner = $4, until = ${dialect.clock} + cast($5 as bigint) ${WHERE_KEY}`, [
      ...valuesOf(planned),
      owner,
      leaseMs,
    ]);
    return { kind: 'claimed', inquiry: await withSubject(transaction, planned) };
  });

const BY_HAND = `
  insert into inquiries (client_id, about, id, position, why, due_at, attempts, owner, until)
  values ($1, $2, $3, 0, '', null, 0, '', 0)
  on conflict (client_id, about, id) do nothing`;

/** A turn that runs for so much longer than ours was written by a clock that has been set back since. */
const DIFFERENCE_MS = 60_000;

/** One lease a client, which runs until the next inquiry may be made: so all replicas and commands keep the rate. */
const takeTurn = async (
  { query, dialect: { clock } }: Transaction,
  { clientId, owner, everyMs }: InquiryClaim,
): Promise<boolean> => {
  const taken = await query(
    `insert into leases (name, owner, until)
     values ($1, $2, ${clock} + cast($3 as bigint))
     on conflict (name) do update
     set owner = excluded.owner, until = excluded.until
     where leases.until <= ${clock} or leases.until > ${clock} + cast($3 as bigint) + ${DIFFERENCE_MS}
     returning 1 as taken`,
    [turnOf({ clientId }), owner, everyMs],
  );
  return taken.length > 0;
};

const turnOf = ({ clientId }: Pick<InquiryKey, 'clientId'>): string => `inquiries of ${clientId}`;

/** Whoever waits comes back at the same moment: nobody who asks all the time keeps the others from their turn. */
const untilTurn = async ({ query, dialect: { clock } }: Transaction, { clientId }: InquiryClaim): Promise<number> => {
  const [turn] = await query<{ wait: Count }>(`select until - ${clock} as wait from leases where name = $1`, [
    turnOf({ clientId }),
  ]);
  return Math.max(0, Number(turn?.wait ?? 0));
};

const FREE_TURN = 'update leases set until = 0 where name = $1 and owner = $2';

const withSubject = async (transaction: Transaction, planned: PlannedInquiry): Promise<ClaimedInquiry> => {
  const { clientId, about, id } = planned;
  if (about === 'order') {
    const [order = null] = await readStanding(transaction, [{ clientId, orderKey: id }]);
    return { ...planned, order, isJoined: false };
  }
  const groups = await gatherRefundGroups(transaction.query, [{ clientId, name: about, value: id }]);
  return { ...planned, order: null, isJoined: groups.some(({ payments }) => payments.length > 0) };
};

export const keepInquiry = async (database: Database, kept: KeptInquiry): Promise<boolean> =>
  await database.transact([], async ({ query }) => {
    const { key, owner, why, attempts, outcome, askedAt, next, tookTurn } = kept;
    const own = [...valuesOf(key), owner];
    const written =
      next === 'settled'
        ? await query(`delete from inquiries ${WHERE_KEY} and owner = $4 returning 1 as written`, own)
        : await query(
            `update inquiries
             set owner = '', until = 0, why = $5, attempts = $6, outcome = $7,
               asked_at = cast($8 as bigint), due_at = cast($9 as bigint)
             ${WHERE_KEY} and owner = $4
             returning 1 as written`,
            [...own, why, attempts, outcome, askedAt, next.dueAt],
          );
    // Last, as whoever claims locks an inquiry before the turn.
    if (!tookTurn) await query(FREE_TURN, [turnOf(key), owner]);
    return written.length > 0;
  });
