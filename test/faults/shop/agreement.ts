import { setTimeout as pause } from 'node:timers/promises';
import type { Order } from '../../../src/order/order.ts';
import { eventually } from '../../support/client.ts';
import { orderIdOf } from './between.ts';
import { readLedger, type World } from './world.ts';

/** Every order there is; throws where paynotify does not answer. */
export const readOrders = async ({ replicas }: Pick<World, 'replicas'>): Promise<readonly Order[]> => {
  const [replica] = replicas;
  const orders: Order[] = [];
  for (let cursor: string | null = '', more = true; more; more = cursor !== null) {
    const after = cursor === '' ? '' : `&cursor=${cursor ?? ''}`;
    const { status, json } = (await replica?.read(`/api/orders?limit=200${after}`)) ?? { status: 503, json: {} };
    if (status !== 200) throw new Error(`the orders cannot be read: ${status} ${JSON.stringify(json)}`);
    const page = json as { readonly items: readonly Order[]; readonly next: string | null };
    orders.push(...page.items);
    cursor = page.next;
  }
  return orders;
};

const LOOK_AGAIN_AFTER_MS = 100;

/** What the shop knows otherwise than paynotify; it is looked at again and again. */
const differences = async (
  world: World,
): Promise<{ readonly orders: readonly Order[]; readonly different: readonly string[] }> => {
  await pause(LOOK_AGAIN_AFTER_MS);
  const orders = await readOrders(world);
  const ours = orders.map((one) => [
    `${one.clientId} ${orderIdOf(one)}`,
    `${one.revision} ${one.status} ${one.fulfillable}`,
  ]);
  const theirs = new Map(
    readLedger(world).orders.map((one) => [
      `${one.client_id} ${one.order_id}`,
      `${one.revision} ${one.status} ${one.fulfillable === 1}`,
    ]),
  );
  const different = ours.flatMap(([name = '', says]) =>
    theirs.get(name) === says ? [] : [`${name}: ${says}, and the shop ${theirs.get(name)}`],
  );
  const names = new Set(ours.map(([name]) => name));
  const unknown = [...theirs.keys()].filter((name) => !names.has(name)).map((name) => `${name}: only the shop`);
  return { orders, different: [...different, ...unknown] };
};

/** Waits until the shop knows every order as it is, and nothing waits to be told; gives the orders. */
export const agree = async (world: World): Promise<readonly Order[]> => {
  const { orders } = await eventually(
    'agreement',
    async () => await differences(world),
    ({ different }) => different.length === 0,
  );
  await eventually(
    'the last callback',
    async () =>
      await world.store.query(
        'select order_key, pending_revision, why from callback_orders where pending_revision is not null',
      ),
    (waiting) => waiting.length === 0,
  );
  return orders;
};

/** What the shop knows it by. */
const numberOf = (order: Order): string => order.referenceOrderId ?? order.paymentRequestId ?? orderIdOf(order);

/** What was shipped twice, or while it was not fulfillable, or is fulfillable and was not. */
export const shippingBreaches = (world: World, orders: readonly Order[]): readonly string[] => {
  const { parcels } = readLedger(world);
  const byId = new Map(orders.map((order) => [`${order.clientId} ${orderIdOf(order)}`, order]));
  const shipped = parcels.map((parcel) => {
    const order = byId.get(`${parcel.client_id} ${parcel.order_id}`);
    return order === undefined ? parcel.shop_order : numberOf(order);
  });
  const early = parcels.filter(({ client_id, order_id, revision }) => {
    const shown = world.between.shown(client_id, order_id, revision);
    return shown.length === 0 || shown.some(({ fulfillable }) => !fulfillable);
  });
  return [
    ...shipped.filter((number, index) => shipped.indexOf(number) !== index).map((number) => `${number} went twice`),
    ...early.map((parcel) => `shipped while it was not fulfillable: ${JSON.stringify(parcel)}`),
    ...orders
      .filter((order) => order.fulfillable && !shipped.includes(numberOf(order)))
      .map((order) => `${numberOf(order)} is fulfillable and was not shipped`),
  ];
};
