import { afterAll, beforeAll, describe, expect } from '@jest/globals';
import type { AttentionCode } from '../../src/order/attention-code.ts';
import type { Order } from '../../src/order/order.ts';
import type { ListedRefund } from '../../src/store/shop.ts';
import type { Found } from '../../src/store/store.ts';
import { ACKNOWLEDGEMENT, createSigner, eventually, send } from '../support/client.ts';
import { type Fields, jpy } from '../support/facts.ts';
import { startServer, type TestServer } from '../support/postgres.ts';
import {
  environmentOf,
  type Environment,
  type InProcess,
  makeDirectory,
  removeDirectories,
  startReady,
} from '../support/receiver.ts';
import { type Names, nextNames } from './stories.ts';

/** A receiver, as APO, the shop and a person meet it. */
export interface Flows {
  /** Identifiers that no other test of this receiver uses. */
  readonly names: () => Names;
  /** Posts signed notifications, one after the other; each is acknowledged. */
  readonly post: (...notifications: readonly Fields[]) => Promise<void>;
  /** Says something on the admin API; anything but 200 and 201 fails the test, unless it is the status expected. */
  readonly say: (said: Said) => Promise<unknown>;
  /** Registers what the shop expects: JPY 120, unless it says something else. */
  readonly register: (names: Names, fields?: Fields) => Promise<unknown>;
  readonly amend: (names: Names, fields: Fields) => Promise<unknown>;
  /** Registers a refund of this payment. */
  readonly registerRefund: (names: Names, part?: string) => Promise<unknown>;
  /** Decides on the order as it is now. */
  readonly review: (id: string, decision: 'FULFIL' | 'CLOSE') => Promise<Order>;
  /** The order as GET shows it, once the feed and every list that has to hold it show the same. */
  readonly look: (id: string) => Promise<Order>;
  readonly refunds: (query: string) => Promise<readonly ListedRefund[]>;
  /** All that carries this identifier. */
  readonly find: (id: string) => Promise<Found>;
  /**
   * Tells one story of two payments: first the shop's words, then the notifications as given; and all of it reversed.
   * Both orders end the same (law 4); the first one is returned.
   */
  readonly tell: (story: Story) => Promise<Told>;
}

export interface Said {
  readonly method: 'PUT' | 'PATCH' | 'DELETE';
  /** Below `/api/`, encoded. */
  readonly path: string;
  readonly body?: Fields;
  readonly expected?: number;
}

export interface Story {
  readonly said?: (names: Names) => Promise<unknown>;
  readonly notifications: (names: Names) => readonly Fields[];
}

export interface Told {
  readonly names: Names;
  readonly order: Order;
}

type Make = 'SQLite' | 'PostgreSQL';
const MAKES: readonly Make[] = ['SQLite', 'PostgreSQL'];

/** The tests that `define` makes, with a receiver: for what the rules alone decide. */
export const onSqlite = (define: (flows: Flows) => void, settings: Environment = {}): void =>
  onEach(['SQLite'], define, settings);

/** The same once on each database, with a receiver each: for what the store joins. */
export const onBoth = (define: (flows: Flows) => void, settings: Environment = {}): void =>
  onEach(MAKES, define, settings);

const onEach = (makes: readonly Make[], define: (flows: Flows) => void, settings: Environment): void => {
  describe.each(makes)('on %s', (make) => {
    let opened: Opened | null = null;
    beforeAll(async () => {
      opened = await open(make, settings);
    });
    afterAll(async () => await opened?.close());
    define(flowsOf(() => {
      if (opened === null) throw new Error('a flow belongs into a test');
      return opened;
    }));
  });
};

interface Opened {
  readonly receiver: InProcess;
  readonly sign: ReturnType<typeof createSigner>['sign'];
  /** What a shop that follows the feed has by now; a placeholder is dropped where an order replaces it. */
  readonly followed: () => Promise<ReadonlyMap<string, Order>>;
  readonly close: () => Promise<void>;
}

/** One for the file that imports this. */
let server: TestServer | null = null;
const postgres = async (): Promise<TestServer> => {
  server ??= await startServer();
  return server;
};
afterAll(async () => await server?.stop());

const open = async (make: Make, settings: Environment): Promise<Opened> => {
  const signer = createSigner();
  const directory = makeDirectory();
  const database: Environment =
    make === 'PostgreSQL' ? { DATABASE_URL: await (await postgres()).createDatabase() } : {};
  const receiver = await startReady(directory, { ...environmentOf(directory, signer), ...database, ...settings });
  return {
    receiver,
    sign: signer.sign,
    followed: follow(receiver),
    close: async () => {
      await receiver.stop();
      removeDirectories();
    },
  };
};

const keyOf = ({ paymentId, paymentRequestId }: Pick<Order, 'paymentId' | 'paymentRequestId'>): string =>
  paymentId ?? placeholderOf(paymentRequestId);
const placeholderOf = (paymentRequestId: string | null): string => `the placeholder of ${paymentRequestId ?? ''}`;

const follow = ({ read }: InProcess): Opened['followed'] => {
  const orders = new Map<string, Order>();
  let after = '0';
  return async () => {
    for (;;) {
      const { json } = await read(`/api/orders?after=${after}&limit=80`);
      const { items, next } = json as { readonly items: readonly Order[]; readonly next: string };
      if (items.length === 0) return orders;
      for (const order of items) {
        if (order.replaces !== null) orders.delete(placeholderOf(order.replaces));
        orders.set(keyOf(order), order);
      }
      after = next;
    }
  };
};

type Reading = Pick<Flows, 'look' | 'refunds' | 'find'>;
type Saying = Pick<Flows, 'post' | 'say' | 'register' | 'amend' | 'registerRefund'>;

const flowsOf = (opened: () => Opened): Flows => {
  const [reading, saying] = [readingOf(opened), sayingOf(opened)];
  const { look } = reading;
  const { post, say } = saying;
  return {
    names: nextNames,
    ...reading,
    ...saying,
    review: async (id, decision) => {
      const { revision } = await look(id);
      const path = `orders/${encodeURIComponent(id)}/review`;
      const reviewed = (await say({ method: 'PUT', path, body: { decision, revision } })) as Order;
      expect(await look(id)).toEqual(reviewed);
      return reviewed;
    },
    tell: async ({ said, notifications }) => {
      const [names, others] = [nextNames(), nextNames()];
      await said?.(names);
      await post(...notifications(names));
      await post(...notifications(others).toReversed());
      await said?.(others);
      const [order, other] = [await look(names.payment), await look(others.payment)];
      expect(withoutNames(other, others)).toEqual(withoutNames(order, names));
      return { names, order };
    },
  };
};

const readingOf = (opened: () => Opened): Reading => {
  const list = async <T>(path: string): Promise<readonly T[]> => {
    const { status, json } = await opened().receiver.read(`/api/${path}`);
    expect(status).toBe(200);
    return (json as { readonly items: readonly T[] }).items;
  };
  const appearsInTheFeed = async (order: Order): Promise<void> => {
    // On PostgreSQL it appears once no transaction that is older is under way, of whichever program.
    const { revision } = order;
    const followed = await eventually(
      'the feed',
      opened().followed,
      (orders) => (orders.get(keyOf(order))?.revision ?? 0) >= revision,
    );
    expect(followed.get(keyOf(order))).toEqual(order);
    if (order.paymentId !== null) expect([...followed.keys()]).not.toContain(placeholderOf(order.paymentRequestId));
  };
  const appearsInLists = async (order: Order): Promise<void> => {
    const { status, nextAction, referenceOrderId, attention } = order;
    const queries = [
      `status=${status}`,
      `nextAction=${nextAction}`,
      ...attention.map(({ code }) => `attention=${code}`),
      ...(referenceOrderId === null ? [] : [`referenceOrderId=${encodeURIComponent(referenceOrderId)}`]),
    ];
    const lists = await Promise.all(queries.map((query) => list<Order>(`orders?limit=8&${query}`)));
    for (const one of lists) expect(one).toContainEqual(order);
    // What is to be shipped, and what a person has to decide, are work lists: nothing else may be in them.
    for (const action of ['FULFIL', 'REVIEW'].filter((one) => one !== nextAction)) {
      const keys = (await list<Order>(`orders?limit=8&nextAction=${action}`)).map(keyOf);
      expect(keys).not.toContain(keyOf(order));
    }
  };
  return {
    look: async (id) => {
      const order = await opened().receiver.order(id);
      if (order === null) throw new Error(`there is no order ${id}`);
      await appearsInTheFeed(order);
      await appearsInLists(order);
      return order;
    },
    refunds: (query) => list<ListedRefund>(`refunds?limit=8&${query}`),
    find: async (id) => {
      const { json } = await opened().receiver.read(`/api/find?id=${encodeURIComponent(id)}`);
      return json as Found;
    },
  };
};

const sayingOf = (opened: () => Opened): Saying => {
  const say = async ({ method, path, body, expected }: Said): Promise<unknown> => {
    const answer = await send(opened().receiver.admin, {
      method,
      target: `/api/${path}`,
      headers: body === undefined ? [] : [['Content-Type', 'application/json']],
      body: Buffer.from(body === undefined ? '' : JSON.stringify(body)),
    });
    const accepted = expected === undefined ? [200, 201] : [expected];
    if (!accepted.includes(answer.status)) throw new Error(`${method} ${path}: ${answer.status} ${answer.text}`);
    return JSON.parse(answer.text) as unknown;
  };
  return {
    say,
    post: async (...notifications) => {
      for (const fields of notifications) {
        const { status, text } = await opened().receiver.post(opened().sign(fields));
        expect([status, text]).toEqual([200, ACKNOWLEDGEMENT]);
      }
    },
    register: (names, fields) =>
      say({ method: 'PUT', path: orderPath(names), body: { amount: jpy('120'), ...fields } }),
    amend: (names, body) => say({ method: 'PATCH', path: orderPath(names), body }),
    registerRefund: (names, part = 'a') => {
      const path = `refunds/${encodeURIComponent(names.refund(part).refundRequestId)}`;
      return say({ method: 'PUT', path, body: { paymentId: names.payment } });
    },
  };
};

const orderPath = ({ request }: Names): string => `orders/${encodeURIComponent(request)}`;

/** What the facts make of an order: its names with N for the number, and nothing that says when it was received. */
const withoutNames = (order: Order, { number }: Names): unknown => {
  const { revision: _revision, createdAt: _created, updatedAt: _updated, replaces: _replaces, ...derived } = order;
  return JSON.parse(JSON.stringify(derived).replaceAll(`-${number}`, '-N'));
};

export const codesOf = ({ attention }: Order): readonly AttentionCode[] => attention.map(({ code }) => code);

/** What an order says of a code; it must hold. */
export const messageOf = ({ attention }: Order, code: AttentionCode): string => {
  const held = attention.find((one) => one.code === code);
  if (held === undefined) throw new Error(`no ${code} among ${JSON.stringify(attention)}`);
  return held.message;
};
