import { readingCheck } from './checksum.ts';
import type { NotificationEntry, ReadingColumns } from './row.ts';
import type { Transaction } from './transaction.ts';

interface Rewrite extends Pick<NotificationEntry, 'asked'> {
  readonly clientId: string;
  readonly id: string;
  readonly position: string;
  readonly columns: ReadingColumns;
}

/** Replaces what was read from stored notifications. */
export const writeReadings = async ({ query }: Transaction, rewrites: readonly Rewrite[]): Promise<void> => {
  await Promise.all(
    rewrites.flatMap(({ clientId, id, asked, position, columns }) => {
      const { kind, outcome, problem, statements, identifiers } = columns;
      return [
        query(
          `update notifications
           set kind = $2, outcome = $3, problem = $4, statements = $5, reading_check = $6
           where position = cast($1 as bigint)`,
          [position, kind, outcome, problem, statements, readingCheck({ clientId, id }, { asked, ...columns })],
        ),
        query('delete from identifiers where client_id = $1 and position = cast($2 as bigint)', [clientId, position]),
        ...identifiers.map(({ name, value, joins }) =>
          query(
            `insert into identifiers (client_id, position, name, value, joins)
             values ($1, cast($2 as bigint), $3, $4, $5)`,
            [clientId, position, name, value, joins],
          ),
        ),
      ];
    }),
  );
};
