import { setTimeout as pause } from 'node:timers/promises';
import type { Order } from '../order/order.ts';
import type { Store } from '../store/store.ts';
import { changeLine } from './order-view.ts';
import type { Shell } from './shell.ts';
import { untilSignalled } from './signals.ts';

const ASK_EVERY_MS = 500;
const AT_ONCE = 100;

interface Following {
  readonly shell: Shell;
  readonly options: { readonly client?: string; readonly json?: true };
}

/** Prints each order as it changes, one a line (with --json one JSON Order a line), until a signal comes. */
export const followOrders = async (store: Store, { shell, options }: Following): Promise<void> => {
  const signal = untilSignalled();
  const print = (order: Order): void =>
    shell.out(options.json === true ? JSON.stringify(order) : changeLine(shell.paint, order));
  let cursor = await store.endOfFeed();
  if (options.json !== true) shell.err('Waiting for orders to change; Ctrl-C ends it.');
  while (!signal.aborted) {
    const page = await store.followOrders({ limit: AT_ONCE, cursor, clientId: options.client ?? null });
    for (const order of page.items) print(order);
    cursor = page.next;
    if (page.items.length < AT_ONCE) await pause(ASK_EVERY_MS, undefined, { signal }).catch(() => undefined);
  }
};
