import type { Environment } from '../config.ts';
import { type Search, searchUnverified } from '../http/admin/unverified-search.ts';
import { idsOf, shownWith } from '../http/admin/timeline-shown.ts';
import { ANY_NOTIFICATION, type Found, type NotificationSummary, type Store } from '../store/store.ts';
import { diagnosisInForce } from './in-force.ts';
import { meaningsOf, seenLately } from './lately.ts';
import { clientOption, identifierText, jsonOption } from './options.ts';
import { type AddCommand, printJson, type Shell } from './shell.ts';
import { withStore } from './stored.ts';
import { type Why, whyText } from './why-view.ts';

interface WhyOptions {
  readonly client?: string;
  readonly json?: true;
}

export const addWhy: AddCommand = (program, shell) => {
  program
    .command('why')
    .summary('say what became of a payment, and why')
    .description(
      'Says why an order is as it is, what happened to it, and what to do. Where nothing is known: what that can mean, and what was seen lately. Exit code 1 where something is wrong, or nothing is known.',
    )
    .argument(
      '<id>',
      'a paymentId, paymentRequestId, captureId, captureRequestId, refundId, refundRequestId, disputeId or referenceOrderId',
      identifierText,
    )
    .addOption(clientOption())
    .addOption(jsonOption())
    .action(async (id: string, options: WhyOptions) => {
      await withStore(shell, async (store) => await sayWhy(store, { id, options, shell }));
    });
};

interface Asked {
  readonly id: string;
  readonly options: WhyOptions;
  readonly shell: Shell;
}

const sayWhy = async (store: Store, { id, options, shell }: Asked): Promise<void> => {
  const why = await gather(store, { id, client: options.client ?? null, env: shell.env });
  if (options.json === true) printJson(shell, why);
  else shell.out(whyText(shell.paint, why));
  const isFine = why.orders.length > 0 && why.unverified.length === 0 && why.orders.every((one) => !one.why.isWrong);
  if (!isFine) shell.foundWrong();
};

/** More than so many orders of one id are counted, not shown. */
const ORDERS_SHOWN = 5;

interface Sought {
  readonly id: string;
  readonly client: string | null;
  readonly env: Environment;
}

const gather = async (store: Store, { id, client, env }: Sought): Promise<Why> => {
  const found = await store.find(client, id);
  const read = await Promise.all(found.orders.slice(0, ORDERS_SHOWN).map(async (order) => await store.timeline(order)));
  const timelines = read.filter((one) => one !== null);
  const search = await diagnosed(store, await searchUnverified(store, [id, ...timelines.flatMap(idsOf)]), env);
  // Of several orders nobody can say which one such a request means.
  const beside = timelines.length === 1 ? search : { ...search, unverified: [] };
  const orders = timelines.map((one) => shownWith(one, beside));
  const items = orders.flatMap((one) => one.items);
  const ofOrders = new Set(items.flatMap((one) => (one.type === 'notification' ? [one.id] : [])));
  const isNamed = found.notifications.length + ofOrders.size > 0;
  const malformed = isNamed ? [] : await malformedWith(store, id);
  const isOverdue = orders.some(({ order }) => order.nextAction === 'INQUIRE');
  const isEnded = orders.length > 0 && orders.every(({ order }) => order.nextAction === 'NONE');
  const isMissing = (!isNamed && malformed.length === 0 && !isEnded) || isOverdue;
  const lately = isMissing ? await seenLately(store) : null;
  const { unverified, notSearched } = search;
  return {
    id,
    orders,
    moreOrders: found.orders.length - timelines.length,
    notifications: found.notifications.filter((one) => !ofOrders.has(one.id) && isWithoutOrder(one, found)),
    refunds: found.refunds.filter(({ paymentIds }) => paymentIds.length === 0),
    refundRegistrations: found.refundRegistrations,
    malformed,
    unverified,
    notSearched,
    lately: lately && {
      ...lately,
      meanings: meaningsOf(lately, {
        client,
        elsewhere: client === null || orders.length > 0 ? [] : clientsBeside(client, await store.find(null, id)),
        isInUnverified: unverified.length > 0,
        notSearched,
        inquiry: orders.length === 0 && found.refundRegistrations.length > 0 ? 'inquiryRefund' : 'inquiryPayment',
      }),
    },
  };
};

/** Those that the service has not diagnosed yet are diagnosed now. */
const diagnosed = async (store: Store, search: Search, env: Environment): Promise<Search> => {
  const unverified = await Promise.all(
    search.unverified.map(async (one) => {
      const stored = one.diagnosis === null ? await store.findUnverified(one.id) : null;
      return stored === null ? one : { ...one, diagnosis: await diagnosisInForce(env, store, stored) };
    }),
  );
  return { ...search, unverified };
};

/** What was applied is of an order, or of a refund; what could not be, of its payment's order where there is one. */
const isWithoutOrder = ({ outcome, paymentId }: NotificationSummary, { orders }: Found): boolean =>
  outcome !== 'APPLIED' && !orders.some((order) => order.paymentId !== null && order.paymentId === paymentId);

const clientsBeside = (client: string, { orders, notifications, refundRegistrations }: Found): readonly string[] => {
  const clients = new Set([...orders, ...notifications, ...refundRegistrations].map(({ clientId }) => clientId));
  return [...clients].filter((one) => one !== client).sort();
};

const MALFORMED_SEARCHED = 20;

/**
 * Of what could not be read at all no identifier is known: the latest such notifications are searched by their bytes.
 */
const malformedWith = async (store: Store, id: string): Promise<readonly NotificationSummary[]> => {
  const filter = { ...ANY_NOTIFICATION, outcome: 'MALFORMED' } as const;
  const { items } = await store.listNotifications(filter, { limit: MALFORMED_SEARCHED, cursor: null });
  const whole = await Promise.all(items.map(async (one) => await store.findNotification(one)));
  return items.filter((_, index) => Buffer.from(whole[index]?.raw?.body ?? []).includes(id));
};
