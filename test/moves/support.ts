import { createPublicKey } from 'node:crypto';
import { createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { type AntomClient, createAntomClient } from '../../src/antom/client.ts';
import { readKey } from '../../src/antom/keys.ts';
import { readInquiry } from '../../src/handlers/inquiry.ts';
import { createMoves, type Moves } from '../../src/moves/moves.ts';
import type { AmountText } from '../../src/order/amount.ts';
import type { MoveAsked } from '../../src/order/move.ts';
import type { Order } from '../../src/order/order.ts';
import { openStore } from '../../src/store/open.ts';
import type { Move, Store } from '../../src/store/store.ts';
import { APO_KEY, CLIENT, type LedgerPayment, MERCHANT_KEY, type Served, serve } from '../sandbox/support.ts';
import { makeDirectory } from '../support/receiver.ts';
import { RULES } from '../support/rules.ts';

/** What the way to APO does with a call: it never arrives, or its answer does not. */
export type Fault = 'lost on the way' | 'answer lost';

export interface Way {
  readonly url: string;
  /** Of the next calls, one each. */
  readonly faults: Fault[];
  readonly close: () => void;
}

/** A way to the sandbox that can break, before or behind it. */
const openWay = async (to: string): Promise<Way> => {
  const faults: Fault[] = [];
  const server: Server = createServer((asked, answer) => {
    const fault = faults.shift();
    if (fault === 'lost on the way') {
      asked.socket.destroy();
      return;
    }
    const onward = request(`${to}${asked.url}`, { method: asked.method, headers: asked.headers }, (back) => {
      if (fault === 'answer lost') {
        back.resume().on('end', () => asked.socket.destroy());
        return;
      }
      answer.writeHead(back.statusCode ?? 500, back.headers);
      back.pipe(answer);
    });
    asked.pipe(onward);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, faults, close: () => server.close().closeAllConnections() };
};

export interface Ground {
  readonly sandbox: Served;
  /** Where `paynotify.db` is. */
  readonly directory: string;
  readonly way: Way;
  readonly store: Store;
  readonly client: AntomClient;
  readonly moves: Moves;
  /** Makes a MANUAL payment, of JPY 1000 where nothing is said, that the store knows of; returns its id. */
  readonly authorized: (amount?: AmountText) => Promise<string>;
  readonly order: (paymentId: string) => Promise<Order>;
  readonly ledger: (paymentId: string) => Promise<LedgerPayment>;
  readonly stop: () => Promise<void>;
}

/** APO tells nothing by itself here: what is known is what was asked. On a SQLite file where no database is named. */
export const layGround = async (url: string | null = null): Promise<Ground> => {
  const sandbox = await serve({ notifyUrl: null, speed: 1_000 });
  const way = await openWay(sandbox.url);
  const directory = makeDirectory();
  const databaseUrl = url ?? `sqlite:${join(directory, 'paynotify.db')}`;
  const rules = { ...RULES, captureMode: 'MANUAL' } as const;
  const { own: store } = await openStore({ databaseUrl, rules, allowUnsafeDatabase: false });
  const client = createAntomClient({
    clientId: CLIENT,
    origin: way.url,
    signingKey: { key: MERCHANT_KEY, version: '1' },
    keys: [readKey(createPublicKey(APO_KEY).export({ format: 'pem', type: 'spki' }))],
  });
  const { signal } = new AbortController();
  let payments = 0;
  const inquire = async (paymentId: string): Promise<void> => {
    const result = await client.inquiryPayment({ paymentId });
    if (result.outcome !== 'OK') throw new Error('the sandbox does not know its payment');
    const asked = { operation: 'inquiryPayment', paymentId } as const;
    await store.recordInquiry({ read: readInquiry(result.evidence.verified, asked), receivedAt: new Date() });
  };
  return {
    sandbox,
    directory,
    way,
    store,
    client,
    moves: createMoves({ store, clients: new Map([[CLIENT, client]]), signal }),
    authorized: async (amount = { currency: 'JPY', value: '1000' }) => {
      payments += 1;
      const asked = { paymentRequestId: `R${payments}`, amount, captureMode: 'MANUAL' };
      const { payment } = await sandbox.control('POST', '/payments', asked);
      const { paymentId } = payment as LedgerPayment;
      await inquire(paymentId);
      return paymentId;
    },
    order: async (paymentId) => {
      const [order] = await store.findOrders({ clientId: CLIENT, id: paymentId });
      if (order === undefined) throw new Error(`there is no order ${paymentId}`);
      return order;
    },
    ledger: async (paymentId) => {
      const found = (await sandbox.ledger()).find((one) => one.paymentId === paymentId);
      if (found === undefined) throw new Error(`the ledger has no ${paymentId}`);
      return found;
    },
    stop: async () => {
      await store.close();
      way.close();
    },
  };
};

export const asking = (id: string, asked: Partial<MoveAsked> & Pick<MoveAsked, 'kind'>) => ({
  clientId: CLIENT,
  id,
  amount: null,
  requestId: null,
  captureId: null,
  isLast: null,
  ...asked,
});

export const begun = async (
  { store }: Pick<Ground, 'store'>,
  id: string,
  asked: Partial<MoveAsked> & Pick<MoveAsked, 'kind'>,
): Promise<Move> => {
  const result = await store.beginMove({ ...asking(id, asked), nextAttemptAt: 0 }, new Date());
  if (result.kind !== 'begun') throw new Error(`not begun: ${JSON.stringify(result)}`);
  return result.move;
};

export const made = async (
  { moves }: Pick<Ground, 'moves'>,
  id: string,
  asked: Partial<MoveAsked> & Pick<MoveAsked, 'kind'>,
): Promise<Move> => {
  const result = await moves.make(asking(id, asked));
  if (!('move' in result)) throw new Error(`not made: ${JSON.stringify(result)}`);
  return result.move;
};
