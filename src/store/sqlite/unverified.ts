import type { DatabaseSync } from 'node:sqlite';
import { bytesOf } from '../row.ts';
import { NOTE_IN_USE } from '../setting.ts';
import type { Transaction } from '../transaction.ts';
import { prepare } from './query.ts';

export const createUnverifiedWriting = (
  db: DatabaseSync,
): Pick<Transaction, 'countUnverified' | 'insertUnverified'> => {
  const noteInUse = prepare(db, NOTE_IN_USE);
  const repeat = prepare<readonly [deliveries: number]>(
    db,
    `update unverified
     set deliveries = deliveries + ?, last_received_at = max(last_received_at, ?)
     where digest = ?
     returning deliveries`,
  );
  const insert = prepare(
    db,
    `insert into unverified (
       digest, reason, origin, trust, deliveries, bytes, first_received_at, last_received_at, method, target, headers,
       body
     )
     values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  return {
    countUnverified: async (repeats) => {
      noteInUse.run();
      const before = new Map<string, number>();
      for (const { id, times, last } of repeats) {
        const counted = repeat.get(times, last, bytesOf(id));
        if (counted !== undefined) before.set(id, counted[0] - times);
      }
      return before;
    },
    insertUnverified: async (rows) => {
      for (const row of rows) {
        const { id, reason, origin, trust, deliveries, bytes, firstReceivedAt, lastReceivedAt } = row;
        const { method, target, headers, body } = row;
        insert.run(
          bytesOf(id),
          reason,
          origin,
          bytesOf(trust),
          deliveries,
          bytes,
          firstReceivedAt,
          lastReceivedAt,
          method,
          target,
          headers,
          body,
        );
      }
    },
  };
};
