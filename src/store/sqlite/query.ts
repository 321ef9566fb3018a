import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Query, Value } from '../transaction.ts';

/** Statements are prepared once a connection; `$1` is written `?1` here. */
export const createQuery = (db: DatabaseSync): Query => {
  const statements = new Map<string, StatementSync>();
  return async <Row extends object>(sql: string, values: readonly Value[] = []) => {
    const statement = statements.get(sql) ?? db.prepare(sql.replaceAll(/\$(\d+)/g, '?$1'));
    statements.set(sql, statement);
    // The caller wrote the SQL for this shape.
    return statement.all(...values) as unknown as readonly Row[];
  };
};

/** A prepared statement of the hot path, with rows as lists in the order of the columns. */
export interface HotStatement<Row extends readonly unknown[]> {
  readonly get: (...values: Value[]) => Row | undefined;
  readonly all: (...values: Value[]) => readonly Row[];
  /** Returns how many rows changed. */
  readonly run: (...values: Value[]) => number;
}

export const prepare = <Row extends readonly unknown[] = never>(db: DatabaseSync, sql: string): HotStatement<Row> => {
  const statement = db.prepare(sql);
  statement.setReturnArrays(true);
  return {
    get: (...values) => statement.get(...values) as unknown as Row | undefined,
    all: (...values) => statement.all(...values) as unknown as readonly Row[],
    run: (...values) => Number(statement.run(...values).changes),
  };
};
