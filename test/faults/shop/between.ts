import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import type { Order } from '../../../src/order/order.ts';
import type { Address } from '../../support/client.ts';

/** Stands between paynotify and the shop, passes everything on, and remembers every order that the shop was shown. */
export interface Between {
  /** For paynotify: where callbacks go. */
  readonly callbackUrl: string;
  /** For the shop: where paynotify's admin listener is. */
  readonly adminUrl: string;
  /** What the shop was shown of an order in one revision. */
  readonly shown: (clientId: string, orderId: string, revision: number) => readonly Order[];
  /** All that the shop was shown. */
  readonly all: () => readonly Order[];
  /** What was wrong with what was passed on. */
  readonly breaches: () => readonly string[];
  readonly callbacks: () => number;
  readonly close: () => Promise<void>;
}

interface Ends {
  /** Null while there is none. */
  readonly shop: () => Address | null;
  readonly admin: () => Address | null;
}

/** As the example shop names it. */
export const orderIdOf = ({ paymentId, paymentRequestId }: Pick<Order, 'paymentId' | 'paymentRequestId'>): string =>
  paymentId ?? `request:${paymentRequestId ?? ''}`;

const nameOf = (clientId: string, orderId: string, revision: number): string =>
  JSON.stringify([clientId, orderId, revision]);

export const startBetween = async ({ shop, admin }: Ends): Promise<Between> => {
  const shown = new Map<string, Order[]>();
  const idsByState = new Map<string, string>();
  const breaches: string[] = [];
  let callbacks = 0;

  const remember = (order: Order): string => {
    const name = nameOf(order.clientId, orderIdOf(order), order.revision);
    const before = shown.get(name) ?? [];
    shown.set(name, [...before, order]);
    if (before.some((one) => JSON.stringify(one) !== JSON.stringify(order)))
      breaches.push(`${name} says one thing and another: ${JSON.stringify([...before, order])}`);
    return name;
  };
  const passCallback = async (request: IncomingMessage, body: Buffer): Promise<Passed> => {
    const name = remember((JSON.parse(body.toString()) as { data: { order: Order } }).data.order);
    const id = String(request.headers['webhook-id']);
    const before = idsByState.get(name) ?? id;
    if (before !== id) breaches.push(`${name} was posted as ${before} and as ${id}`);
    idsByState.set(name, id);
    const passed = await pass(shop(), request, body);
    callbacks += passed.status < 300 ? 1 : 0;
    if (passed.status === 401) breaches.push(`the shop refuses a signature: ${passed.body.toString()}`);
    return passed;
  };
  const passQuestion = async (request: IncomingMessage, body: Buffer): Promise<Passed> => {
    const passed = await pass(admin(), request, body);
    if (passed.status !== 200 || !request.url?.startsWith('/api/orders?after=')) return passed;
    for (const order of (JSON.parse(passed.body.toString()) as { items: Order[] }).items) remember(order);
    return passed;
  };

  const server = createServer((request, response) => {
    void (async () => {
      const body = await buffer(request);
      const passed = await (request.url === '/callbacks' ? passCallback : passQuestion)(request, body);
      answer(response, passed);
    })().catch((error: unknown) => {
      breaches.push(String(error));
      response.destroy();
    });
  });
  const port = await listening(server);
  return {
    callbackUrl: `http://127.0.0.1:${port}/callbacks`,
    adminUrl: `http://127.0.0.1:${port}`,
    shown: (clientId, orderId, revision) => shown.get(nameOf(clientId, orderId, revision)) ?? [],
    all: () => [...shown.values()].flat(),
    breaches: () => breaches,
    callbacks: () => callbacks,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
};

const listening = async (server: Server): Promise<number> => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
};

interface Passed {
  readonly status: number;
  readonly body: Buffer;
}

/** A connection that breaks on the other side breaks on this side, too. */
const answer = (response: ServerResponse, { status, body }: Passed): void => {
  if (status === 0) response.destroy();
  else response.writeHead(status).end(body);
};

const BROKEN: Passed = { status: 0, body: Buffer.alloc(0) };

/** Status 0 where the other side does not answer. */
const pass = async (to: Address | null, { method, url, headers }: IncomingMessage, body: Buffer): Promise<Passed> => {
  if (to === null) return BROKEN;
  const kept = Object.entries(headers).filter(
    ([name]) => name.startsWith('webhook-') || ['content-type', 'authorization'].includes(name),
  );
  try {
    const response = await fetch(`http://${to.host}:${to.port}${url ?? ''}`, {
      method: method ?? 'GET',
      headers: kept as [string, string][],
      ...(method === 'GET' ? {} : { body: Uint8Array.from(body) }),
    });
    return { status: response.status, body: Buffer.from(await response.arrayBuffer()) };
  } catch {
    return BROKEN;
  }
};
