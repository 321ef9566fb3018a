import { Option } from 'commander';
import { ATTENTION_CODES, type AttentionCode } from '../order/attention-code.ts';
import { NEXT_ACTIONS, type NextAction } from '../order/next-action.ts';
import { ORDER_STATUSES, type OrderStatus } from '../order/status.ts';
import type { OrderFilter, Store } from '../store/store.ts';
import { UsageError } from './failure.ts';
import { followOrders } from './follow.ts';
import { orderDetails, orderTable } from './order-view.ts';
import {
  assertNoneOf,
  clientOption,
  cursorOption,
  identifierText,
  jsonOption,
  limitOption,
  type PageOptions,
} from './options.ts';
import { printPage } from './page.ts';
import { type AddCommand, printJson, type Shell } from './shell.ts';
import { orderNamed, withStore } from './stored.ts';

interface OrdersOptions extends PageOptions {
  readonly status?: OrderStatus;
  readonly attention?: AttentionCode;
  readonly action?: NextAction;
  readonly review?: true;
  readonly referenceOrderId?: string;
  readonly follow?: true;
}

/** What the list takes, and neither one order nor --follow does. */
const OF_THE_LIST = ['status', 'attention', 'action', 'review', 'referenceOrderId', 'cursor'] as const;

export const addOrders: AddCommand = (program, shell) => {
  program
    .command('orders')
    .summary('list the orders, or show one')
    .description('Lists the orders, newest change first, or shows the one with this paymentId or paymentRequestId.')
    .argument('[id]', 'a paymentId or a paymentRequestId', identifierText)
    .addOption(new Option('--status <status>', 'only in this status').choices(ORDER_STATUSES))
    .addOption(new Option('--attention <code>', 'only with this attention').choices(ATTENTION_CODES))
    .addOption(new Option('--action <action>', 'only where this is to be done next').choices(NEXT_ACTIONS))
    .addOption(new Option('--review', 'only what needs a person: --action REVIEW').conflicts('action'))
    .option('--reference-order-id <id>', "only the payments of this order of the shop's", identifierText)
    .addOption(new Option('--follow', 'show every change from now on, until Ctrl-C').conflicts([...OF_THE_LIST]))
    .addOption(clientOption())
    .addOption(limitOption())
    .addOption(cursorOption())
    .addOption(jsonOption())
    .action(async (id: string | undefined, options: OrdersOptions) => {
      if (id !== undefined && options.follow === true)
        throw new UsageError('--follow follows all orders: leave the id out');
      if (id !== undefined) assertNoneOf(options, OF_THE_LIST);
      await withStore(shell, async (store) => {
        if (id !== undefined) await showOrder(store, { id, options, shell });
        else if (options.follow === true) await followOrders(store, { shell, options });
        else await listOrders(store, { options, shell });
      });
    });
};

const listOrders = async (
  store: Store,
  { options, shell }: { readonly options: OrdersOptions; readonly shell: Shell },
): Promise<void> => {
  const { status, attention, review, referenceOrderId, limit, cursor = null, client, json } = options;
  const filter: OrderFilter = {
    clientId: client ?? null,
    status: status ?? null,
    nextAction: review === true ? 'REVIEW' : (options.action ?? null),
    attention: attention ?? null,
    referenceOrderId: referenceOrderId ?? null,
  };
  const page = await store.listOrders(filter, { limit, cursor });
  if (json === true) printJson(shell, page);
  else
    printPage(shell, page, {
      none: [cursor, ...Object.values(filter)].every((one) => one === null) ? 'No orders yet.' : 'No orders like that.',
      toTable: (items) => orderTable(shell.paint, items),
    });
  // Those that join an order are in the list; some may join none.
  if (review === true && json !== true && (await store.hasFailed()))
    shell.out(shell.paint('red', '\nNotifications have FAILED as well: paynotify notifications --outcome FAILED'));
};

interface Wanted {
  readonly id: string;
  readonly options: Pick<OrdersOptions, 'client' | 'json'>;
  readonly shell: Shell;
}

const showOrder = async (store: Store, { id, options, shell }: Wanted): Promise<void> => {
  const order = await orderNamed(store, { id, client: options.client, env: shell.env });
  if (options.json === true) printJson(shell, order);
  else shell.out(orderDetails(shell.paint, order));
};
