import type { Database, Query } from './transaction.ts';

export const recall = async ({ query }: { readonly query: Query }, name: string): Promise<string | null> => {
  const [row] = await query<{ value: string }>('select value from settings where name = $1', [name]);
  return row?.value ?? null;
};

/** Where `before` is given, only in its place. */
export const remember = async (
  database: Database,
  { name, value, before }: { readonly name: string; readonly value: string; readonly before?: string | undefined },
): Promise<void> => {
  await database.transact([], async ({ query }) => {
    await (before === undefined
      ? query('insert into settings values ($1, $2) on conflict (name) do update set value = excluded.value', [
          name,
          value,
        ])
      : query('update settings set value = $2 where name = $1 and value = $3', [name, value, before]));
  });
};
