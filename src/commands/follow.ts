import { setTimeout as pause } from 'node:timers/promises';
import type { Order } from '../order/order.ts';
import { type Store, StoreUnavailableError } from '../store/store.ts';
import { changeLine } from './order-view.ts';
import { printJson, type Shell } from './shell.ts';
import { untilSignalled } from './signals.ts';

const ASK_EVERY_MS = 500;
const AT_ONCE = 100;

const AWAY = 'warning: the database does not answer; waiting for it. Ctrl-C ends it.';
const BACK = 'The database answers again.';

const nullInOutage = (error: unknown): null => {
  if (error instanceof StoreUnavailableError) return null;
  throw error;
};

interface Following {
  readonly shell: Shell;
  readonly options: { readonly client?: string; readonly json?: true };
}

/**
 * Prints each order as it changes, one a line (with --json one JSON Order a line), until a signal comes. An outage of
 * the database is said once and waited for: nothing that changes is missed.
 */
export const followOrders = async (store: Store, { shell, options }: Following): Promise<void> => {
  const signal = untilSignalled();
  const print = (order: Order): void =>
    options.json === true ? printJson(shell, order, 0) : shell.out(changeLine(shell.paint, order));
  let cursor = await store.endOfFeed();
  if (options.json !== true) shell.err('Waiting for orders to change; Ctrl-C ends it.');
  let isAway = false;
  while (!signal.aborted) {
    const asked = { limit: AT_ONCE, cursor, clientId: options.client ?? null };
    const page = await store.followOrders(asked).catch(nullInOutage);
    if ((page === null) !== isAway) shell.err(isAway ? BACK : AWAY);
    isAway = page === null;
    const items = page?.items ?? [];
    for (const order of items) print(order);
    cursor = page?.next ?? cursor;
    if (items.length < AT_ONCE) await pause(ASK_EVERY_MS, undefined, { signal }).catch(() => undefined);
  }
};
