/** One statement; its values are `$1`, `$2` …, its rows have the shape that the caller wrote the SQL for. */
export type Query = <Row extends object>(sql: string, values?: readonly unknown[]) => Promise<readonly Row[]>;

const names = new Map<string, string>();

/**
 * Marks a statement of every batch: it is prepared once a connection, for planning it takes as long as running it. Its
 * plan is kept while tables grow from nothing to millions of rows, so it must leave the planner no way but to look each
 * row up: `lateral … offset 0`, and what is deleted by `ctid`. All other statements are planned each time.
 */
export const prepared = (sql: string): string => {
  names.set(sql, `paynotify_${names.size}`);
  return sql;
};

/** The name under which a statement's plan is kept; none for one that is planned each time. */
export const planOf = (sql: string): { readonly name?: string } => {
  const name = names.get(sql);
  return name === undefined ? {} : { name };
};

/** Rows as one array a column, for `unnest`: one statement however many rows. */
export const columns = <T>(
  rows: readonly T[],
  ...read: readonly ((row: T) => unknown)[]
): readonly (readonly unknown[])[] => read.map((column) => rows.map(column));

/**
 * Rows as one JSON text, for `json_to_recordset`: one statement however many rows, and a fraction of the work that a
 * list a column is, here and there. What is undefined or null is null.
 */
export const recordset = (rows: readonly object[]): string => JSON.stringify(rows);

export const hex = (digest: Uint8Array): string =>
  Buffer.from(digest.buffer, digest.byteOffset, digest.byteLength).toString('hex');
export const isoTime = (milliseconds: number): string => new Date(milliseconds).toISOString();
