import type { ClientBase } from 'pg';
import type { Query, Value } from '../transaction.ts';

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
const planOf = (sql: string): { readonly name?: string } => {
  const name = names.get(sql);
  return name === undefined ? {} : { name };
};

export const queryOn =
  (client: ClientBase): Query =>
  async <Row extends object>(sql: string, values: readonly Value[] = []) =>
    (await client.query<Row>({ ...planOf(sql), text: sql, values: [...values] })).rows;

/**
 * Rows as one JSON text, for `json_to_recordset`: one statement however many rows, and a fraction of the work that a
 * list a column is, here and there. What is undefined or null is null.
 */
export const recordset = (rows: readonly object[]): string => JSON.stringify(rows);
