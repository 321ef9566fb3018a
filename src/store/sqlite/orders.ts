import type { DatabaseSync } from 'node:sqlite';
import { SETTING } from '../setting.ts';
import type { Transaction } from '../transaction.ts';
import { prepare } from './query.ts';
import type { Starting } from './starts.ts';

/** Writes orders, with positions in the order of commits: there is one writer. */
export const createOrderWriting = (db: DatabaseSync, starting: Starting): Transaction['writeOrders'] => {
  const upsert = prepare(
    db,
    `insert into orders (
       client_id, order_key, position, revision, updated_at, status, next_action, attention, reference_order_id, due_at,
       content, fold
     )
     values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
     on conflict (client_id, order_key) do update
     set position = excluded.position, revision = excluded.revision,
       updated_at = max(excluded.updated_at, updated_at),
       status = excluded.status, next_action = excluded.next_action, attention = excluded.attention,
       reference_order_id = excluded.reference_order_id, due_at = excluded.due_at,
       content = excluded.content, fold = excluded.fold
     where content <> excluded.content or status <> excluded.status or next_action <> excluded.next_action
       or attention <> excluded.attention or reference_order_id is not excluded.reference_order_id
       or fold is not excluded.fold`,
  );
  // By itself it is no change that anybody sees.
  const setDue = prepare(db, 'update orders set due_at = ? where client_id = ? and order_key = ?');
  const remove = prepare(db, 'delete from orders where client_id = ? and order_key = ?');
  // A position is never given out twice, also where the row that had it is gone: so the last one is kept by itself.
  const selectLast = prepare<readonly [value: string]>(
    db,
    `select value from settings where name = '${SETTING.position}'`,
  );
  const keepLast = prepare(
    db,
    `insert into settings values ('${SETTING.position}', ?) on conflict do update set value = excluded.value`,
  );

  return async (kept, gone, now) => {
    const before = Number(selectLast.get()?.[0] ?? 0);
    let last = before;
    let changed = 0;
    for (const { clientId, orderKey } of gone) changed += remove.run(clientId, orderKey);
    for (const row of kept) {
      const { clientId, orderKey, revision, status, nextAction, attention, referenceOrderId, dueAt, content, fold } =
        row;
      const shown = [status, nextAction, attention, referenceOrderId, dueAt, content, fold] as const;
      const written = upsert.run(clientId, orderKey, last + 1, revision, now, ...shown);
      if (written === 0 && dueAt !== row.dueBefore) setDue.run(dueAt, clientId, orderKey);
      last += written;
      changed += written;
    }
    if (last > before) {
      starting.note();
      keepLast.run(String(last));
    }
    return changed;
  };
};
