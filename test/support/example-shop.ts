import { randomBytes, randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { Webhook } from 'standardwebhooks';
import type { Order } from '../../src/order/order.ts';
import { type Address, type Answer, eventually, send } from './client.ts';
import { type Environment, type Program, runProgram } from './receiver.ts';

/** The example of deploy/shop as a process: not ours, it knows nothing but the documentation. */
export interface Shop extends Program {
  readonly address: Address;
  readonly kill: (signal: NodeJS.Signals) => void;
  /** Posts a callback as paynotify would; each field may be another one. */
  readonly callBack: (callback: Partial<Callback> & { readonly secret: string }) => Promise<Answer>;
}

export interface Callback {
  readonly id: string;
  /** Signed over this; `body` is what is sent. */
  readonly signed: string;
  readonly body: string;
  readonly at: Date;
}

const FILE = fileURLToPath(new URL('../../deploy/shop/shop.mjs', import.meta.url));

export const createSecret = (): string => `whsec_${randomBytes(32).toString('base64')}`;

export const orderChanged = (order: Order): string =>
  JSON.stringify({ type: 'order.changed', timestamp: order.updatedAt, data: { order, previous: null } });

/** Starts it, and learns its port from what it prints. */
export const startShop = async (env: Environment): Promise<Shop> => {
  const program = runProgram({ PORT: '0', ...env }, [process.execPath, FILE]);
  let gone = false;
  const ended = program.exited.finally(() => (gone = true));
  const printed = await eventually(
    'the shop',
    () => /listens on (\S+):(\d+)/.exec(program.output().stdout),
    (line) => line !== null || gone,
  );
  if (printed === null) throw new Error(`the shop ended with ${await ended}: ${program.output().stderr}`);
  const address = { host: String(printed[1]), port: Number(printed[2]) };
  return {
    ...program,
    address,
    kill: (signal) => void program.child.kill(signal),
    callBack: async ({ secret, id = `evt_${randomUUID()}`, at = new Date(), body = '{}', signed = body }) =>
      await send(address, {
        method: 'POST',
        target: '/callbacks',
        headers: [
          ['webhook-id', id],
          ['webhook-timestamp', String(Math.floor(at.getTime() / 1_000))],
          [
            'webhook-signature',
            secret
              .split(',')
              .map((one) => new Webhook(one).sign(id, at, signed))
              .join(' '),
          ],
          ['content-type', 'application/json'],
        ],
        body: Buffer.from(body),
      }),
  };
};

export interface LedgerRow {
  readonly client_id: string;
  readonly order_id: string;
  readonly revision: number;
}
export interface Ledger {
  /** Each order's latest state, without registrations that a payment's order has replaced. */
  readonly orders: readonly (LedgerRow & { readonly status: string; readonly fulfillable: number })[];
  readonly parcels: readonly (LedgerRow & { readonly shop_order: string })[];
  readonly questions: readonly (LedgerRow & { readonly question: string })[];
}

/** What the shop's file holds; nothing where the shop has not made it yet. */
export const readLedger = (file: string): Ledger => {
  if (!existsSync(file)) return { orders: [], parcels: [], questions: [] };
  const db = new DatabaseSync(file, { readOnly: true, timeout: 5_000 });
  try {
    const rows = (sql: string): readonly unknown[] => db.prepare(sql).all();
    return {
      orders: rows("select * from orders where status <> 'REPLACED' order by client_id, order_id"),
      parcels: rows('select * from parcels order by shop_order'),
      questions: rows('select * from questions order by client_id, order_id, revision'),
    } as Ledger;
  } finally {
    db.close();
  }
};

/** What the shop's ledger is to hold of these orders. */
export const ledgerOf = (orders: readonly Order[]): Ledger['orders'] =>
  orders
    .map(({ clientId, paymentId, paymentRequestId, revision, status, fulfillable }) => ({
      client_id: clientId,
      order_id: paymentId ?? `request:${paymentRequestId}`,
      revision,
      status,
      fulfillable: Number(fulfillable),
    }))
    .sort((a, b) => (`${a.client_id} ${a.order_id}` < `${b.client_id} ${b.order_id}` ? -1 : 1));
