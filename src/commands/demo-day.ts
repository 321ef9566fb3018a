import { createPrivateKey } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { readKey } from '../antom/keys.ts';
import type { Order } from '../order/order.ts';
import type { PaymentEntry } from '../sandbox/ledger.ts';
import { GOOD } from '../sandbox/misbehaviour.ts';
import type { Sandbox } from '../sandbox/sandbox.ts';
import { differences, type Difference, type Told } from './demo-compare.ts';
import { createShop, type Shop } from './demo-shop.ts';
import { type DemoService, startService } from './demo-service.ts';
import { makeKeyPair } from '../antom/key-pair.ts';
import type { Signer } from './post.ts';
import { createProgressBar, type ProgressBar } from './progress.ts';
import { findSample } from './samples.ts';
import { printJson, type Shell } from './shell.ts';
import { table } from './table.ts';

/** A shop's day: payments come in, APO misbehaves, the shop acts on what it is told; in the end books are compared. */

const CLIENT = 'SANDBOX_DEMO';
const BITS = 2_048;
/** A day in 24 seconds, in which there are 200 payments. */
const SPEED = 3_600;
const A_PAYMENT_EVERY_MS = 120;
const SEED = 1;
/** What APO promises does not happen, and what does happen. Lost ones have to be inquired about. */
const DAILY_TROUBLE = {
  duplicates: 0.2,
  reordered: 0.2,
  late: 0.05,
  captureFirst: 0.3,
  pending: 0.1,
  declines: 0.1,
  processing: 0.2,
  failedCaptures: 0.05,
  disputes: 0.05,
  failing: 0.1,
} as const;

export interface Day {
  readonly payments: number;
  readonly directory: string;
  readonly shell: Shell;
  readonly signal: AbortSignal;
  readonly json: boolean;
}

export const playDay = async ({ payments, directory, shell, signal, json }: Day): Promise<void> => {
  const [apo, merchant] = [await makeKeyPair(BITS), await makeKeyPair(BITS)];
  const service = await startService({ directory, clientId: CLIENT, publicKey: apo.publicKey, env: shell.env });
  try {
    const sandbox = await startTrouble(service, { apo: apo.privateKey, merchant: merchant.publicKey });
    try {
      const signer = { clientId: CLIENT, key: createPrivateKey(merchant.privateKey), keyVersion: '1', breaks: false };
      const story = await play({ payments, service, sandbox, signer, signal, bar: createProgressBar(shell) });
      if (story === null) return;
      if (story.wrong.length > 0) shell.foundWrong();
      if (json) printJson(shell, story);
      else shell.out(told(story, shell));
    } finally {
      await sandbox.stop();
    }
  } finally {
    if ((await service.stop()) !== 0) shell.foundWrong();
  }
};

const startTrouble = async (
  { notifyUrl }: DemoService,
  keys: { readonly apo: string; readonly merchant: string },
): Promise<Sandbox> => {
  const { startSandbox } = await import('../sandbox/sandbox.ts');
  return await startSandbox({
    host: '127.0.0.1',
    port: 0,
    clientId: CLIENT,
    privateKey: createPrivateKey(keys.apo),
    merchantKey: readKey(`1:${keys.merchant}`),
    notifyUrl: notifyUrl.href,
    seed: SEED,
    settings: { speed: SPEED, slowMs: 0, rotateAfter: null, shares: { ...GOOD, ...DAILY_TROUBLE } },
    ledgerFile: null,
    sample: (name) => findSample(name)?.notification ?? {},
  });
};

interface Playing {
  readonly payments: number;
  readonly service: DemoService;
  readonly sandbox: Sandbox;
  readonly signer: Signer;
  readonly signal: AbortSignal;
  readonly bar: ProgressBar;
}

interface Story {
  readonly payments: number;
  readonly notifications: number;
  /** Sends of notifications, resends and duplicates included. */
  readonly sends: number;
  readonly shipped: number;
  readonly captured: number;
  readonly refunded: number;
  readonly statuses: Readonly<Record<string, number>>;
  readonly wrong: readonly Difference[];
}

/** Null where somebody has ended it. */
const play = async ({ payments, service, sandbox, signer, signal, bar }: Playing): Promise<Story | null> => {
  const shop = createShop({ adminUrl: service.adminUrl, apiUrl: sandbox.url, signer });
  try {
    for (let index = 0; index < payments; index += 1) {
      if (signal.aborted) return null;
      await shop.sell(index);
      if (index % 10 === 9) await shop.work();
      bar.show({ text: 'payments', done: index + 1, total: payments });
      await pause(A_PAYMENT_EVERY_MS);
    }
    await finish(shop, { sandbox, signal, bar });
  } finally {
    bar.end();
  }
  return signal.aborted ? null : await closeBooks(shop, { service, sandbox });
};

const ASK_EVERY_MS = 200;

interface Control {
  readonly pending: number;
  readonly notifications: Readonly<Record<string, number>>;
}

/** Until everything has been told, and the shop has done all that it is asked to. */
const finish = async (
  shop: Shop,
  { sandbox, signal, bar }: Pick<Playing, 'sandbox' | 'signal' | 'bar'>,
): Promise<void> => {
  while (!signal.aborted) {
    const { pending, notifications } = await read<Control>(sandbox, '/control');
    const open = await shop.work();
    const { WAITING: waiting = 0 } = notifications;
    const all = Object.values(notifications).reduce((sum, count) => sum + count, 0);
    if (open === 0 && pending === 0 && waiting === 0) return;
    bar.show({ text: 'notifications', done: all - waiting, total: all + pending });
    await pause(ASK_EVERY_MS);
  }
};

const read = async <T>({ url }: Sandbox, path: string): Promise<T> =>
  (await (await fetch(`${url}${path}`)).json()) as T;

interface Deliveries {
  readonly notifications: readonly { readonly sends: readonly unknown[] }[];
}

const closeBooks = async (shop: Shop, { service, sandbox }: Pick<Playing, 'service' | 'sandbox'>): Promise<Story> => {
  const { payments } = await read<{ readonly payments: readonly PaymentEntry[] }>(sandbox, '/control/ledger');
  const { notifications } = await read<Deliveries>(sandbox, '/control/notifications');
  const books: Told[] = [];
  for (const entry of payments) {
    const response = await fetch(new URL(`/api/orders/${entry.paymentId}`, service.adminUrl));
    const order = response.ok ? ((await response.json()) as Order) : null;
    books.push({ entry, order, isShipped: shop.hasShipped(entry.paymentRequestId) });
  }
  const statuses = books.map(({ order }) => order?.status ?? 'none');
  return {
    payments: payments.length,
    notifications: notifications.length,
    sends: notifications.reduce((sum, { sends }) => sum + sends.length, 0),
    ...shop.done(),
    statuses: Object.fromEntries(
      [...new Set(statuses)].sort().map((status) => [status, statuses.filter((one) => one === status).length]),
    ),
    wrong: books.flatMap(differences),
  };
};

const told = ({ wrong, statuses, ...counts }: Story, { paint }: Shell): string => {
  const { payments, notifications, sends, shipped, captured, refunded } = counts;
  const rows = Object.entries(statuses).map(([status, count]) => [
    { text: status, colour: 'bold' as const },
    String(count),
  ]);
  return [
    `${payments} payments. ${notifications} notifications in ${sends} sends.`,
    `The shop captured ${captured}, shipped ${shipped}, and refunded ${refunded}.\n`,
    table(paint, ['STATUS', 'ORDERS'], rows),
    '',
    ...(wrong.length === 0
      ? ['Every order says what the ledger says. What was paid was shipped, and nothing else.']
      : wrong.map(({ paymentRequestId, what }) => paint('red', `${paymentRequestId}: ${what}`))),
  ].join('\n');
};
