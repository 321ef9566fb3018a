import { Client } from 'pg';
import { openPostgres } from '../../src/store/postgres/postgres-store.ts';
import type { Store } from '../../src/store/store.ts';
import { startServer } from '../support/postgres.ts';
import { describeStore } from './store.case.ts';
import { DELETE_ALL, RULES } from './support.ts';

describeStore('PostgreSQL', async () => {
  const server = await startServer();
  const url = await server.createDatabase();
  const store = await openPostgres({ url, rules: RULES });
  const opened: Store[] = [];
  const client = new Client({ connectionString: url });
  await client.connect();

  return {
    empty: async () => {
      await client.query(DELETE_ALL.join(';'));
      return store;
    },
    open: async ({ rules, ...opening }) => {
      const another = await openPostgres({ url, rules: { ...RULES, ...rules }, ...opening });
      opened.push(another);
      return another;
    },
    sql: async (statement) => {
      await client.query(statement);
    },
    rejectOrders: 'alter table orders add constraint reject_orders check (false) not valid',
    acceptOrders: 'alter table orders drop constraint reject_orders',
    closeOpened: async () => {
      for (const another of opened.splice(0)) await another.close();
    },
    remove: async () => {
      await client.end();
      await store.close();
      await server.stop();
    },
  };
});
