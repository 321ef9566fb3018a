import { randomBytes } from 'node:crypto';
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Webhook } from 'standardwebhooks';
import type { Order } from '../../src/order/order.ts';

export const newSecret = (): string => `whsec_${randomBytes(32).toString('base64')}`;

/** What the shop of a test was told; verified before it is looked at. */
export interface Callback {
  readonly id: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  readonly order: Order;
  readonly previous: Readonly<Record<string, unknown>> | null;
  readonly timestamp: string;
  /** How many other callbacks were being answered when it came. */
  readonly beside: readonly Callback[];
}

export type Answering = (callback: Callback, response: ServerResponse) => void | Promise<void>;

export interface Shop {
  readonly url: string;
  readonly origin: string;
  readonly received: () => readonly Callback[];
  readonly answer: (answering: Answering) => void;
  readonly close: () => Promise<void>;
}

export const status =
  (code: number, headers: Readonly<Record<string, string>> = {}): Answering =>
  (_, response) => {
    response.writeHead(code, headers).end();
  };

/** A shop that takes callbacks, and verifies each with every one of its secrets by the public library. */
export const openShop = async (secrets: readonly string[], path = '/callbacks?key=hidden'): Promise<Shop> => {
  const received: Callback[] = [];
  const open = new Set<Callback>();
  let answering: Answering = status(204);
  const problems: unknown[] = [];
  const server = createServer((request, response) => {
    const pieces: Buffer[] = [];
    request.on('data', (piece: Buffer) => pieces.push(piece));
    request.on('end', async () => {
      const text = Buffer.concat(pieces).toString();
      try {
        for (const secret of secrets) new Webhook(secret).verify(text, request.headers as Record<string, string>);
      } catch (error) {
        problems.push(error);
        response.writeHead(401).end();
        return;
      }
      const { timestamp, data } = JSON.parse(text) as {
        readonly timestamp: string;
        readonly data: Pick<Callback, 'order' | 'previous'>;
      };
      const callback: Callback = {
        id: String(request.headers['webhook-id']),
        path: request.url ?? '',
        headers: request.headers,
        text,
        timestamp,
        ...data,
        beside: [...open],
      };
      received.push(callback);
      open.add(callback);
      response.once('close', () => open.delete(callback));
      await answering(callback, response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url: origin + path,
    origin,
    received: () => received,
    answer: (next) => {
      answering = next;
    },
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      if (problems.length > 0) throw new Error('a callback did not verify', { cause: problems[0] });
    },
  };
};
