import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { signCallback, type SignedCallback } from '../support/callback.ts';
import { newSecret, openShop } from '../support/shop.ts';
import { createSigner, eventually } from '../support/client.ts';
import { captureResult, jpy, paymentResult } from '../support/facts.ts';
import { freePort } from '../support/port.ts';
import { environmentOf, makeDirectory, removeDirectories, startReady } from '../support/receiver.ts';
import { blocksOf, readPage } from './blocks.ts';

/** The receiver of docs/consuming.md, run as it stands. */

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const page = readPage('docs/consuming.md');
const receiver = blocksOf(page, 'js').find((block) => block.startsWith('// receive.mjs\n'));
const handOver = blocksOf(page, 'sql').find((block) => block.startsWith('update orders')) ?? '';
const secret = newSecret();
const directory = makeDirectory();
let url = '';
let child: ChildProcess;

const post = async ({ headers, body }: SignedCallback): Promise<number> =>
  (await fetch(url, { method: 'POST', headers, body })).status;

beforeAll(async () => {
  writeFileSync(join(directory, 'receive.mjs'), receiver ?? '');
  symlinkSync(join(ROOT, 'node_modules'), join(directory, 'node_modules'));
  const port = await freePort();
  url = `http://127.0.0.1:${port}/paynotify`;
  child = spawn(process.execPath, ['receive.mjs'], {
    cwd: directory,
    env: { PORT: String(port), CALLBACK_SECRET: secret },
    stdio: 'ignore',
  });
  await eventually(
    'a receiver',
    async () => await fetch(url).catch(() => null),
    (answer) => answer !== null,
  );
});
afterAll(async () => {
  child.kill();
  await once(child, 'close');
  removeDirectories();
});

const sql = (text: string): readonly unknown[] => {
  const db = new DatabaseSync(join(directory, 'shop.db'), { timeout: 5_000 });
  try {
    return db.prepare(text).all();
  } finally {
    db.close();
  }
};
/** Those that wait to be packed. */
const parcels = (): readonly unknown[] =>
  sql('select number from to_ship order by number').map((row) => (row as { readonly number: string }).number);

const ship = (number: string): unknown => sql(handOver.replace('?', `'${number}'`));

interface Fields {
  readonly revision: number;
  readonly fulfillable: boolean;
  /** Null for a registration. */
  readonly paymentId?: string | null;
  readonly paymentRequestId?: string | null;
  readonly referenceOrderId?: string | null;
}
const changed = ({ paymentId = 'P1', referenceOrderId = null, ...fields }: Fields): string =>
  JSON.stringify({
    type: 'order.changed',
    timestamp: new Date().toISOString(),
    data: {
      order: { clientId: 'C', paymentId, paymentRequestId: `R-${paymentId}`, referenceOrderId, ...fields },
      previous: null,
    },
  });
const say = async (fields: Fields): Promise<number> => await post(signCallback(changed(fields), [secret]));

/** The names in a callback, and in its `data`. */
const keysOf = (text: string): unknown => {
  const { data, ...rest } = JSON.parse(text) as { readonly data: object };
  return [Object.keys(rest), Object.keys(data)];
};

describe('the receiver of docs/consuming.md', () => {
  beforeEach(() => {
    sql('delete from orders');
  });

  test('keeps what is signed, and a parcel for what is fulfillable, once', async () => {
    expect(await say({ revision: 1, fulfillable: false })).toBe(204);
    expect(parcels()).toEqual([]);
    const paid = signCallback(changed({ revision: 2, fulfillable: true }), [secret]);
    expect([await post(paid), await post(paid)]).toEqual([204, 204]);
    expect(parcels()).toEqual(['R-P1']);
    expect(sql('select name, revision from orders')).toMatchObject([{ name: '["C","P1"]', revision: 2 }]);
  });

  test('refuses what is not signed by its secret, and takes one of two signatures', async () => {
    const body = changed({ revision: 1, fulfillable: true });
    const signed = signCallback(body, [secret]);
    expect(await post(signCallback(body, [newSecret()]))).toBe(401);
    expect(await post({ ...signed, body: body.replace('"P1"', '"P2"') })).toBe(401);
    expect(await post(signCallback(body, [secret], new Date(Date.now() - 600_000)))).toBe(401);
    expect((await fetch(url, { method: 'POST' })).status).toBe(401);
    expect(parcels()).toEqual([]);
    expect(await post(signCallback(body, [newSecret(), secret]))).toBe(204);
    expect(parcels()).toEqual(['R-P1']);
  });

  test('passes over an older state that arrives late', async () => {
    await say({ revision: 3, fulfillable: false });
    expect(await say({ revision: 2, fulfillable: true })).toBe(204);
    expect(parcels()).toEqual([]);
  });

  test('takes nothing from a payment for what is registered under its paymentId', async () => {
    await say({ revision: 1, fulfillable: true });
    expect(await say({ revision: 2, fulfillable: false, paymentId: null, paymentRequestId: 'P1' })).toBe(204);
    expect(parcels()).toEqual(['R-P1']);
  });

  test('makes one parcel for two payments of one order', async () => {
    await say({ revision: 1, fulfillable: true, referenceOrderId: 'order-1' });
    await say({ revision: 2, fulfillable: true, referenceOrderId: 'order-1', paymentId: 'P2' });
    expect(parcels()).toEqual(['order-1']);
    ship('order-1');
    await say({ revision: 3, fulfillable: true, referenceOrderId: 'order-1', paymentId: 'P3' });
    expect(parcels()).toEqual([]);
  });

  test('stops the parcel of an order that is no longer fulfillable, but not one that has left', async () => {
    await say({ revision: 1, fulfillable: true });
    await say({ revision: 1, fulfillable: true, paymentId: 'P2' });
    ship('R-P2');
    await say({ revision: 2, fulfillable: false });
    await say({ revision: 2, fulfillable: false, paymentId: 'P2' });
    expect(parcels()).toEqual([]);
    await say({ revision: 3, fulfillable: true });
    await say({ revision: 3, fulfillable: true, paymentId: 'P2' });
    expect(parcels()).toEqual(['R-P1']);
  });

  test('keeps the parcel of a shop order while one of two payments is fulfillable', async () => {
    const referenceOrderId = 'order-1';
    await say({ revision: 1, fulfillable: true, referenceOrderId });
    await say({ revision: 2, fulfillable: true, referenceOrderId, paymentId: 'P2' });
    await say({ revision: 3, fulfillable: false, referenceOrderId });
    expect(parcels()).toEqual(['order-1']);
    await say({ revision: 4, fulfillable: true, referenceOrderId });
    await say({ revision: 5, fulfillable: false, referenceOrderId, paymentId: 'P2' });
    expect(parcels()).toEqual(['order-1']);
    await say({ revision: 6, fulfillable: false, referenceOrderId });
    expect(parcels()).toEqual([]);
  });

  test('ships a payment once, whatever it is called, and a shop order whose number was lost', async () => {
    await say({ revision: 1, fulfillable: true, paymentRequestId: null });
    expect(parcels()).toEqual(['P1']);
    await say({ revision: 2, fulfillable: true });
    expect(parcels()).toEqual(['R-P1']);
    ship('R-P1');
    await say({ revision: 3, fulfillable: true, referenceOrderId: 'order-1' });
    expect(parcels()).toEqual([]);
    // Of a restored backup, which knows nothing of the registration.
    await say({ revision: 4, fulfillable: true });
    await say({ revision: 5, fulfillable: true, referenceOrderId: 'order-1', paymentId: 'P2' });
    expect(parcels()).toEqual([]);
  });

  test('answers what it cannot store with 500, so that it is posted again', async () => {
    sql('alter table orders rename to gone');
    expect(await say({ revision: 1, fulfillable: true })).toBe(500);
    expect(sql('select * from gone')).toEqual([]);
    sql('alter table gone rename to orders');
    expect(await say({ revision: 1, fulfillable: true })).toBe(204);
    expect(parcels()).toEqual(['R-P1']);
  });

  test('takes what paynotify posts, which is as the page shows it', async () => {
    const shop = await openShop([secret]);
    const signer = createSigner();
    // The shop in between sees what is posted, and hands it on.
    shop.answer(async ({ headers, text }, response) => {
      const status = await post({ headers: headers as SignedCallback['headers'], body: text });
      response.writeHead(status).end();
    });
    const place = makeDirectory();
    const env = { ...environmentOf(place, signer), CALLBACK_URL: shop.url, CALLBACK_SECRETS: secret };
    const service = await startReady(place, env);
    try {
      await eventually(
        'the URL in use',
        async () => (await service.read('/api/status')).json as { readonly callbacks: readonly unknown[] },
        ({ callbacks }) => callbacks.length === 1,
      );
      await service.post(signer.sign(paymentResult('S', { paymentAmount: jpy('120') })));
      await service.post(signer.sign(captureResult('S', { captureId: 'C1', captureAmount: jpy('120') })));
      await eventually('a parcel', parcels, (numbers) => numbers.length > 0);
      expect(parcels()).toEqual(['R1']);
    } finally {
      await service.stop();
      await shop.close();
    }

    const [, example = ''] = blocksOf(page, 'http');
    const [head = '', body = ''] = example.split('\n\n');
    const [first] = shop.received();
    const shown = [...head.matchAll(/^([\w-]+): (.+)$/gm)].map(([, name = '']) => name.toLowerCase());
    expect(Object.keys(first?.headers ?? {})).toEqual(expect.arrayContaining(shown));
    expect(keysOf(first?.text ?? '')).toEqual(keysOf(body));
  });
});
