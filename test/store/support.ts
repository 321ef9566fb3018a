import type { SignatureOrigin } from '../../src/antom/origin.ts';
import type { SignedRequest } from '../../src/antom/signature.ts';
import type { Handlers } from '../../src/handlers/handler.ts';
import { handlers as builtIn } from '../../src/handlers/index.ts';
import { readBody } from '../../src/handlers/read.ts';
import type { Order } from '../../src/order/order.ts';
import type { OrderRules } from '../../src/order/rules.ts';
import { byCodeUnit } from '../../src/order/statement.ts';
import type { Registration } from '../../src/order/registration.ts';
import type {
  BatchResult,
  FailedAgain,
  NotificationDelivery,
  Recorded,
  RecordedNotification,
  Reapplication,
  NoRoom,
  Store,
  StoredNotification,
  UnverifiedDelivery,
  VerificationFailure,
} from '../../src/store/store.ts';
import { CLIENT, type Fields, jpy, paymentResult, receive } from '../support/facts.ts';
import { RULES } from '../support/rules.ts';

/** How a test opens a store, where the usual way does not do. */
export interface Opening {
  readonly rules?: Partial<OrderRules>;
}

/** Where the contract suite runs: one database. What a test opens is closed after it. */
export interface Ground {
  /** The store with nothing in it. */
  readonly empty: () => Promise<Store>;
  /** Another store on the same database, as after a restart. */
  readonly open: (opening: Opening) => Promise<Store>;
  /** What somebody does to the database behind the store's back. */
  readonly sql: (statement: string) => Promise<void>;
  /** SQL that makes the database reject every new row of `orders`, and SQL that ends it. */
  readonly rejectOrders: string;
  readonly acceptOrders: string;
  readonly closeOpened: () => Promise<void>;
  readonly remove: () => Promise<void>;
}

export { RULES };

/** What is in all tables; the settings of the schema itself stay. */
export const DELETE_ALL = [
  'delete from orders',
  'delete from folded_captures',
  'delete from identifiers',
  'delete from notifications',
  'delete from shop_statements',
  'delete from unverified',
  'delete from callback_orders',
  'delete from callback_urls',
  'delete from moves',
  'delete from leases',
  'delete from inquiries',
  "delete from settings where name <> 'feed_base'",
];

export { ANY_ORDER } from '../../src/store/store.ts';
export const AMPLE = { maxBytes: 1e9 };
export const T0 = new Date('2025-06-01T00:00:00.000Z');
export const later = (seconds: number): Date => new Date(T0.getTime() + seconds * 1_000);

type Body = Fields | string | Uint8Array;
const bytesOf = (body: Body): string | Uint8Array =>
  typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body);

export const paid = (number: number): Fields =>
  paymentResult('S', { paymentId: `P${number}`, paymentRequestId: `R${number}`, paymentAmount: jpy('100') });

export const delivery = (
  body: Body,
  { clientId = CLIENT, at = T0, handlers }: { clientId?: string; at?: Date; handlers?: Handlers } = {},
): NotificationDelivery => ({
  kind: 'notification',
  read: receive(bytesOf(body), { clientId, handlers }),
  receivedAt: at,
});

/** Records notifications in one batch, as read by these handlers. */
export const recordBy = async (store: Store, handlers: Handlers, ...bodies: readonly Body[]): Promise<BatchResult> =>
  await store.record(
    bodies.map((body) => delivery(body, { handlers })),
    AMPLE,
  );

export const record = async (store: Store, ...bodies: readonly Body[]): Promise<BatchResult> =>
  await recordBy(store, builtIn, ...bodies);

export const notified = (result: Recorded | NoRoom | undefined): RecordedNotification => {
  if (result?.kind !== 'notification') throw new Error(`not a notification: ${JSON.stringify(result)}`);
  return result;
};

export const outcomesOf = ({ results }: BatchResult): readonly string[] =>
  results.map((result) => notified(result).reading.outcome);

export const request = (fields: Partial<SignedRequest> = {}): SignedRequest => ({
  method: 'POST',
  target: '/payNotify',
  clientIds: ['T_stranger'],
  requestTimes: ['2025-05-17T07:58:04Z'],
  signatures: ['algorithm=RSA256,signature=AAAA'],
  body: Buffer.from('{}'),
  ...fields,
});

/** Digests of keys and paths. */
export const TRUST = '11'.repeat(32);
export const OTHER_TRUST = '22'.repeat(32);

export const failure = (fields: Partial<VerificationFailure> = {}): VerificationFailure => ({
  reason: 'SIGNATURE_MISMATCH',
  origin: 'OTHER_KEY',
  trust: TRUST,
  ...fields,
});

export const failedAgain = (
  items: readonly { readonly id: string }[],
  fields: Partial<VerificationFailure> = {},
): readonly FailedAgain[] => items.map(({ id }) => Object.assign({ id }, failure(fields)));

export const unverified = (
  fields: Partial<SignedRequest> = {},
  { at = T0, ...failed }: Partial<VerificationFailure> & { at?: Date } = {},
): UnverifiedDelivery => ({ kind: 'unverified', request: request(fields), failure: failure(failed), receivedAt: at });

/** Different ones, each as large as the others where there are at most ten. */
export const numbered = (
  count: number,
  { target = '/payNotify', ...failed }: Partial<VerificationFailure> & { readonly target?: string } = {},
): readonly UnverifiedDelivery[] =>
  Array.from({ length: count }, (_, index) => unverified({ target, body: Buffer.from(`body ${index}`) }, failed));

export type Shares = Readonly<Record<SignatureOrigin | 'ALL', number>>;

/** Bytes in the shares of the unverified store, told to a request that there is no room for. */
export const sharesOf = async (store: Store): Promise<Shares> => {
  const { unverifiedRoom } = await store.record([unverified({ target: '/asks' })], { maxBytes: 0 });
  return Object.fromEntries(unverifiedRoom.map(({ share, bytes }) => [share, bytes])) as Shares;
};

export const isStored = ({ kind }: Recorded | NoRoom): boolean => kind !== 'no room';

export const registration = (fields: Partial<Registration> = {}): Registration => ({
  clientId: CLIENT,
  paymentRequestId: 'R1',
  amount: { currency: 'JPY', value: '100' },
  referenceOrderId: 'basket-1',
  captureMode: null,
  paymentMethodType: null,
  authExpiryTime: null,
  finalAmount: null,
  cancelled: false,
  ...fields,
});

/** The one order under an id. */
export const order = async (store: Store, id: string, clientId = CLIENT): Promise<Order> => {
  const [found, ...others] = await store.findOrders({ clientId: clientId, id: id });
  if (found === undefined || others.length > 0)
    throw new Error(`${others.length + (found === undefined ? 0 : 1)} orders under ${id}`);
  return found;
};

export const codes = ({ attention }: Order): readonly string[] => attention.map(({ code }) => code);

/** The paymentIds, sorted; a dash for none. */
export const idsOf = (orders: readonly Order[]): readonly string[] =>
  orders.map(({ paymentId }) => paymentId ?? '–').sort(byCodeUnit);

/** An order without its revision and our own two times. */
export const derived = ({
  revision: _revision,
  createdAt: _created,
  updatedAt: _updated,
  ...rest
}: Order): Omit<Order, 'revision' | 'createdAt' | 'updatedAt'> => rest;

/** Everything in the feed, read in pages. */
export const follow = async (
  store: Store,
  { from = '0', limit = 2 } = {},
): Promise<{ readonly orders: readonly Order[]; readonly next: string }> => {
  const orders: Order[] = [];
  for (let cursor = from; ;) {
    const page = await store.followOrders({ clientId: null, limit, cursor });
    orders.push(...page.items);
    if (page.items.length === 0) return { orders, next: page.next };
    cursor = page.next;
  }
};

/** Everything stored, oldest first. */
export const notificationsOf = async (store: Store): Promise<readonly StoredNotification[]> =>
  (
    await store.readNotifications(
      { kind: null, outcome: null, clientId: null, id: null },
      { limit: 10_000, cursor: null },
    )
  ).items;

export const rebuildAll = async (
  store: Store,
  limit = 3,
): Promise<{ readonly orders: number; readonly changed: number }> => {
  let orders = 0;
  let changed = 0;
  for (let cursor: string | null = null; ;) {
    const step = await store.rebuild({ limit, cursor }, new Date());
    orders += step.orders;
    changed += step.changed;
    if (step.next === null) return { orders, changed };
    cursor = step.next;
  }
};

export const readAgain = (stored: StoredNotification, handlers?: Handlers): Reapplication => ({
  stored,
  reading: readBody(stored.raw?.body ?? Buffer.alloc(0), handlers),
});
