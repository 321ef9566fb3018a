import type { DatabaseSync, SQLInputValue } from 'node:sqlite';

/** A prepared statement whose rows have a known shape. */
export interface Query<Row> {
  readonly get: (...values: SQLInputValue[]) => Row | undefined;
  readonly all: (...values: SQLInputValue[]) => Row[];
  /** Returns how many rows changed. */
  readonly run: (...values: SQLInputValue[]) => number;
}

export const prepare = <Row = never>(db: DatabaseSync, sql: string): Query<Row> => {
  const statement = db.prepare(sql);
  return {
    get: (...values) => statement.get(...values) as Row | undefined,
    all: (...values) => statement.all(...values) as Row[],
    run: (...values) => Number(statement.run(...values).changes),
  };
};

/** The same with rows as lists, in the order of the columns: for what is asked with every notification. */
export const prepareLists = <Row extends readonly unknown[]>(
  db: DatabaseSync,
  sql: string,
): Omit<Query<Row>, 'run'> => {
  const statement = db.prepare(sql);
  statement.setReturnArrays(true);
  return {
    get: (...values) => statement.get(...values) as unknown as Row | undefined,
    all: (...values) => statement.all(...values) as unknown as Row[],
  };
};

/** Runs work in one transaction that takes the write lock at once: a later upgrade could not wait for it. */
export const inTransaction = <T>(db: DatabaseSync, work: () => T): T => {
  db.exec('begin immediate');
  try {
    const result = work();
    db.exec('commit');
    return result;
  } catch (error) {
    if (db.isTransaction) db.exec('rollback');
    throw error;
  }
};

export const hex = (digest: Uint8Array): string =>
  Buffer.from(digest.buffer, digest.byteOffset, digest.byteLength).toString('hex');
export const isoTime = (milliseconds: number): string => new Date(milliseconds).toISOString();
