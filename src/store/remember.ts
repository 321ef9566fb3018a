import type { Database, Query } from './transaction.ts';

export const recall = async ({ query }: { readonly query: Query }, name: string): Promise<string | null> => {
  const [row] = await query<{ value: string }>('select value from settings where name = $1', [name]);
  return row?.value ?? null;
};

export const remember = async (database: Database, name: string, value: string): Promise<void> => {
  await database.transact([], async ({ query }) => {
    await query('insert into settings values ($1, $2) on conflict (name) do update set value = excluded.value', [
      name,
      value,
    ]);
  });
};
