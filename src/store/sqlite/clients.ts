import type { DatabaseSync } from 'node:sqlite';
import { prepare } from './query.ts';

/** Client ids are written once; rows carry their number. */
export interface Clients {
  /** The number of a client, given out when it is new: only inside a transaction. */
  readonly numberOf: (clientId: string) => number;
  readonly find: (clientId: string) => number | null;
  readonly idOf: (client: number) => string;
  /** Those that anything is stored of, sorted. */
  readonly stored: () => readonly string[];
  /** After a rollback: a number given out in it may come to stand for another client. */
  readonly forget: () => void;
}

export const openClients = (db: DatabaseSync): Clients => {
  const select = prepare<{ client: number }>(db, 'select client from clients where client_id = ?');
  const selectId = prepare<{ client_id: string }>(db, 'select client_id from clients where client = ?');
  const selectStored = prepare<{ client_id: string }>(
    db,
    `select client_id
     from clients
     where exists (select 1 from notifications where notifications.client = clients.client)
       or exists (select 1 from registrations where registrations.client = clients.client)
     order by client_id`,
  );
  const insert = prepare(db, 'insert into clients (client_id) values (?)');
  const numbers = new Map<string, number>();
  const ids = new Map<number, string>();

  const find = (clientId: string): number | null => {
    const known = numbers.get(clientId) ?? select.get(clientId)?.client;
    if (known !== undefined) numbers.set(clientId, known);
    return known ?? null;
  };

  return {
    find,
    numberOf: (clientId) => {
      const known = find(clientId);
      if (known !== null) return known;
      insert.run(clientId);
      return find(clientId) as number;
    },
    idOf: (client) => {
      const id = ids.get(client) ?? selectId.get(client)?.client_id;
      if (id === undefined) throw new Error(`no client ${client}`);
      ids.set(client, id);
      return id;
    },
    stored: () => selectStored.all().map(({ client_id }) => client_id),
    forget: () => {
      numbers.clear();
      ids.clear();
    },
  };
};
