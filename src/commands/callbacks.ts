import { Option } from 'commander';
import type { OrderCallback, Page, Store } from '../store/store.ts';
import { paymentIdOf, requestIdOf } from '../store/order-key.ts';
import { type CallbackLag, isLate, readCallbackLags } from '../upkeep/callbacks.ts';
import { CommandError, UsageError } from './failure.ts';
import { clientOption, cursorOption, jsonOption, limitOption, morePages, type PageOptions } from './options.ts';
import { counted, textCell, utc } from './readable.ts';
import { type AddCommand, printJson, type Shell } from './shell.ts';
import { orderNamed, withStore } from './stored.ts';
import { type Cell, type Row, table } from './table.ts';

interface CallbacksOptions extends PageOptions {
  readonly send?: string;
  readonly all?: true;
  readonly yes?: true;
}

export const addCallbacks: AddCommand = (program, shell) => {
  program
    .command('callbacks')
    .summary('show how far the callbacks to the shop are behind, and why, or send some again')
    .description(
      'Shows each callback URL (its origin alone) with what waits to be posted to it, since when and why, and the orders that wait. Exit code 1 where something has waited for more than 15 minutes. --send and --all post again; the running service does it.',
    )
    .option('--send <id>', "an order's state again, now: a paymentId or a paymentRequestId")
    .addOption(new Option('--all', 'every order again, from the first: says first to whom, and asks').conflicts('send'))
    .option('--yes', 'with --all: do not ask')
    .addOption(clientOption())
    .addOption(limitOption())
    .addOption(cursorOption())
    .addOption(jsonOption())
    .action(async (options: CallbacksOptions) => {
      if (options.yes === true && options.all !== true) throw new UsageError('--yes goes with --all');
      const asked = { options, shell };
      await withStore(shell, async (store) => {
        if (options.send !== undefined) await sendOne(store, options.send, asked);
        else if (options.all === true) await sendAll(store, asked);
        else await show(store, asked);
      });
    });
};

interface Asked {
  readonly options: CallbacksOptions;
  readonly shell: Shell;
}

const lagsOf = async (store: Store, client: string | undefined): Promise<readonly CallbackLag[]> =>
  (await readCallbackLags(store, Date.now())).filter(({ clientId }) => client === undefined || clientId === client);

const show = async (store: Store, { options, shell }: Asked): Promise<void> => {
  const { client, limit, cursor = null, json } = options;
  const destinations = await lagsOf(store, client);
  const page = await store.listWaitingCallbacks({ clientId: client ?? null }, { limit, cursor });
  const items = await Promise.all(page.items.map(async (one) => await toWaiting(store, one)));
  const waiting = { items: items.flat(), next: page.next };
  if (destinations.some(isLate)) shell.foundWrong();
  if (json === true) printJson(shell, { destinations, waiting });
  else shell.out(tell(shell, destinations, waiting));
};

/** An order that waits, under its own names. */
interface Waiting extends NonNullable<OrderCallback['pending']> {
  readonly clientId: string;
  readonly paymentId: string | null;
  readonly paymentRequestId: string | null;
  readonly origin: string;
}

const toWaiting = async (
  store: Store,
  { clientId, orderKey, origin, pending }: OrderCallback,
): Promise<readonly Waiting[]> => {
  if (pending === null) return [];
  const paymentId = paymentIdOf(orderKey);
  if (paymentId === null) return [{ clientId, paymentId, paymentRequestId: requestIdOf(orderKey), origin, ...pending }];
  const orders = await store.findOrders({ clientId, id: paymentId });
  const order = orders.find((one) => one.paymentId === paymentId);
  return [{ clientId, paymentId, paymentRequestId: order?.paymentRequestId ?? null, origin, ...pending }];
};

const DESTINATIONS = ['CLIENT', 'URL', 'WAITING', 'SINCE (UTC)', 'WHY', 'NEXT ATTEMPT (UTC)', 'DELIVERED LAST (UTC)'];
const ORDERS = ['PAYMENT ID', 'PAYMENT REQUEST ID', 'REVISION', 'SINCE (UTC)', 'ATTEMPTS', 'WHY', 'NEXT ATTEMPT (UTC)'];

const tell = ({ paint }: Shell, destinations: readonly CallbackLag[], { items, next }: Page<Waiting>): string => {
  if (destinations.length === 0)
    return 'No callback URL is in use: set CALLBACK_URL, or `callback` in the clients file.';
  const sections = [table(paint, DESTINATIONS, destinations.map(destinationRow))];
  if (items.length > 0) sections.push(table(paint, ORDERS, items.map(waitingRow)));
  if (next !== null) sections.push(paint('dim', morePages(next)));
  return sections.join('\n\n');
};

const timeCell = (time: string | null): Cell => textCell(time && utc(time));

const destinationRow = (lag: CallbackLag): Row => [
  lag.clientId,
  lag.origin,
  { text: String(lag.waiting), colour: lag.waiting === 0 ? undefined : 'yellow' },
  { ...timeCell(lag.waitingSince), ...(isLate(lag) && { colour: 'red' as const }) },
  whyCell(lag),
  timeCell(lag.nextAttemptAt),
  timeCell(lag.deliveredAt),
];

/** What is not taken from the feed was not tried. */
const whyCell = ({ why, paused, waiting, waitingSince }: CallbackLag): Cell => {
  if (why !== null) return { text: paused ? `paused: ${why}` : why, colour: 'red' };
  return waiting === 0 && waitingSince !== null
    ? { text: 'no service has taken it yet', colour: 'yellow' }
    : textCell(null);
};

const waitingRow = (one: Waiting): Row => [
  textCell(one.paymentId),
  textCell(one.paymentRequestId),
  String(one.revision),
  utc(one.since),
  String(one.attempts),
  textCell(one.why),
  utc(one.nextAttemptAt),
];

const sendOne = async (store: Store, id: string, { options, shell }: Asked): Promise<void> => {
  const { clientId } = await orderNamed(store, { id, client: options.client, env: shell.env });
  const urls = await store.sendCallbacks({ clientId, id });
  if (urls === 0) throw new CommandError(noUrl(clientId));
  if (options.json === true) printJson(shell, { sent: urls });
  else shell.out(`${id} waits to be posted now; the running service does it. \`paynotify why ${id}\` tells.`);
};

const noUrl = (clientId: string | undefined): string =>
  `no callback URL ${clientId === undefined ? '' : `of ${clientId} `}is in use: a service that has one must have started on this database`;

const sendAll = async (store: Store, { options, shell }: Asked): Promise<void> => {
  const { client, yes, json } = options;
  const destinations = await lagsOf(store, client);
  if (destinations.length === 0) throw new CommandError(noUrl(client));
  const origins = destinations.map(({ clientId, origin }) => `${origin} (${clientId})`).join(', ');
  (json === true ? shell.err : shell.out)(`Every order to post again, from the first, to ${origins}.`);
  if (yes !== true) await confirm(shell);
  const urls = await store.sendAllCallbacks(client ?? null);
  if (json === true) printJson(shell, { urls });
  else shell.out(`The running service posts them, to ${counted(urls, 'URL')}.`);
};

const confirm = async ({ ask }: Shell): Promise<void> => {
  if (ask === null) throw new UsageError('--yes is needed to send them: there is no terminal to ask on');
  if (!/^y(es)?$/i.test((await ask('Send them all? [y/N] ')).trim())) throw new CommandError('nothing was sent');
};
