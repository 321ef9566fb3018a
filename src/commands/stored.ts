import { existsSync } from 'node:fs';
import { type Environment, misspelt, readStoreConfig } from '../config.ts';
import type { Order } from '../order/order.ts';
import { openStore } from '../store/open.ts';
import { fileOf } from '../store/sqlite/file.ts';
import type { Page, PageRequest, Store } from '../store/store.ts';
import { CommandError, UsageError } from './failure.ts';
import { clientsInForce, differences } from './in-force.ts';

/** Opens the store that the environment names. A missing one is not created. `onNotice` as for `openStore`. */
export const openExisting = async (env: Environment, onNotice?: (notice: string) => void): Promise<Store> => {
  const config = readStoreConfig(env);
  const { databaseUrl } = config;
  if (databaseUrl.startsWith('sqlite:') && !existsSync(fileOf(databaseUrl))) {
    const absent = `there is no database at ${fileOf(databaseUrl)}: the service makes it when it first starts, and DATABASE_URL says where`;
    throw new CommandError([absent, ...misspelt(env)].join('. '));
  }
  const { own } = await openStore({ ...config, ...(onNotice === undefined ? {} : { onNotice }) });
  return own;
};

interface Opening {
  readonly env: Environment;
  readonly openStore: (env: Environment) => Promise<Store>;
  readonly err: (text: string) => void;
}

/**
 * Opens the store for a piece of work, and closes it whatever happens. Says where this environment differs from that of
 * the service.
 */
export const withStore = async <T>(
  { env, openStore: open, err }: Opening,
  work: (store: Store) => Promise<T>,
): Promise<T> => {
  const store = await open(env);
  try {
    for (const difference of await differences(env, store)) err(`note: ${difference}`);
    return await work(store);
  } finally {
    await store.close();
  }
};

type List<T> = (page: PageRequest) => Promise<Page<T>>;
type OfClient = { readonly clientId: string };

/** The clients to look an id up under: the one that was named, else the configured ones, else all that are stored. */
export const candidates = async (
  env: Environment,
  client: string | undefined,
  store: Store,
): Promise<readonly string[]> => {
  if (client !== undefined) return [client];
  const configured = await clientsInForce(env, store);
  return configured.length > 0 ? configured : await store.clientIds();
};

/** Whose thing to register: the named client, else the one that is configured. Throws a UsageError. */
export const configuredClient = async (env: Environment, client: string | undefined, store: Store): Promise<string> => {
  const configured = await clientsInForce(env, store);
  const [only, ...others] = configured;
  if (client !== undefined) {
    // Where no keys are configured, nobody can tell.
    if (configured.length === 0 || configured.includes(client)) return client;
    throw new UsageError(`--client is not one that is configured: ${configured.join(', ')}`);
  }
  if (only === undefined)
    throw new UsageError(
      '--client is needed: no service has started on this database, and no client is configured here',
    );
  if (others.length > 0)
    throw new UsageError(`several clients are configured: choose with --client ${configured.join(' or --client ')}`);
  return only;
};

/** One page of one client's items. The pages read are no longer than what is still wanted, so that `next` fits. */
export const pageOfClient = async <T extends OfClient>(
  list: List<T>,
  { limit, cursor: from, client }: PageRequest & { readonly client: string | undefined },
): Promise<Page<T>> => {
  const items: T[] = [];
  let cursor = from;
  do {
    const page = await list({ limit: limit - items.length, cursor });
    items.push(...page.items.filter(({ clientId }) => client === undefined || clientId === client));
    cursor = page.next;
  } while (items.length < limit && cursor !== null);
  return { items, next: cursor };
};

/** The only one found, or an error that says what there was instead. */
export const only = <T extends OfClient>(found: readonly T[], what: string, advice = ''): T => {
  const [first] = found;
  if (first === undefined) throw new CommandError(`there is no ${what}${advice}`);
  const clients = [...new Set(found.map(({ clientId }) => clientId))];
  if (clients.length > 1)
    throw new CommandError(
      `${what} is there under several clients: choose with --client ${clients.join(' or --client ')}`,
    );
  return first;
};

interface Sought {
  readonly id: string;
  readonly client: string | undefined;
  readonly env: Environment;
  /** What to do where there is none; the rest of the sentence. */
  readonly advice?: string;
}

/** The one order of this paymentId or paymentRequestId, or an error that says which there are. */
export const orderNamed = async (store: Store, { id, client, env, advice }: Sought): Promise<Order> => {
  const clients = await candidates(env, client, store);
  const found = (await Promise.all(clients.map(async (clientId) => await store.findOrders({ clientId, id })))).flat();
  const order = only(found, `order ${id}`, advice);
  if (found.length > 1) throw new CommandError(severalOrders(id, found));
  return order;
};

export const severalOrders = (id: string, orders: readonly Order[]): string =>
  `several orders carry ${id}: ask for one of ${orders.map(({ paymentId }) => paymentId).join(', ')}`;
