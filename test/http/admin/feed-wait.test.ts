import { type AddressInfo, connect } from 'node:net';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { pino } from 'pino';
import { createHttpServer } from '../../../src/http/server.ts';
import { type Store, StoreUnavailableError } from '../../../src/store/store.ts';
import { type Address, eventually, get } from '../../support/client.ts';
import { jpy, paymentResult } from '../../support/facts.ts';
import { type Admin, CLIENT, openAdmin, OTHER } from './support.ts';

let admin: Admin;
let address: Address;
const server = { close: (): void => undefined };
/** Which pages of orders were read, and how often the ends of the feeds. */
const read: string[] = [];
let looks = 0;
let held: Promise<void> | null = null;
let fail: (() => Error) | null = null;

const counted = (store: Store): Store => ({
  ...store,
  followOrders: async (page) => {
    read.push(page.cursor ?? '');
    if (fail !== null && read.length > 1) throw fail();
    return await store.followOrders(page);
  },
  feedEnds: async () => {
    looks += 1;
    await held;
    return await store.feedEnds();
  },
});

beforeAll(async () => {
  admin = await openAdmin({ around: counted, clientIds: () => [CLIENT, OTHER] });
  const listening = createHttpServer(admin.app, { log: pino({ enabled: false }) });
  await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve));
  address = { host: '127.0.0.1', port: (listening.address() as AddressInfo).port };
  server.close = () => listening.close();
  await pay();
});
afterAll(async () => {
  server.close();
  await admin.close();
});
beforeEach(() => {
  read.length = 0;
  fail = null;
  held = null;
});

let made = 0;
const pay = async (clientId = CLIENT): Promise<string> => {
  made += 1;
  const ids = { paymentId: `P${made}`, paymentRequestId: `R${made}` };
  await admin.notify(paymentResult('S', { ...ids, paymentAmount: jpy('120') }), { clientId });
  return ids.paymentId;
};

interface Listing {
  readonly status: number;
  readonly items: readonly { readonly paymentId: string }[];
  readonly next: string;
}
const list = async (target: string): Promise<Listing> => {
  const { status, text } = await get(address, `/api/${target}`);
  return { status, ...(JSON.parse(text) as Omit<Listing, 'status'>) };
};
const named = ({ items }: Listing): readonly string[] => items.map(({ paymentId }) => paymentId);
const end = async (): Promise<string> => await admin.store.endOfFeed();
const waiting = async (count: number): Promise<void> => {
  await eventually(`${count} to wait`, admin.feedWatch.waiting, (now) => now === count);
};

describe('GET /api/orders?after=&wait=', () => {
  test('answers at once where there is something', async () => {
    const id = await pay();
    expect(named(await list('orders?after=0&wait=60&limit=1000'))).toContain(id);
    expect(admin.feedWatch.waiting()).toBe(0);
  });

  test('holds the answer until there is something', async () => {
    const answer = list(`orders?after=${await end()}&wait=60`);
    await waiting(1);
    const id = await pay();
    expect(named(await answer)).toEqual([id]);
    expect((await answer).next).toBe(await end());
  });

  test('holds it no longer than it is asked to', async () => {
    const next = await end();
    expect(await list(`orders?after=${next}&wait=1`)).toEqual({ status: 200, items: [], next });
    expect(await list(`orders?after=${next}&wait=0`)).toEqual({ status: 200, items: [], next });
  });

  test('of one client: waits on behind what changes of others', async () => {
    const cursor = await end();
    const answer = list(`orders?after=${cursor}&clientId=${OTHER}&wait=60`);
    await waiting(1);
    await pay();
    const passed = await end();
    await eventually(
      'the other change',
      () => read.length,
      (count) => count === 2,
    );
    await waiting(1);
    const looked = looks;
    await eventually(
      'more looks',
      () => looks,
      (count) => count > looked + 3,
    );
    const id = await pay(OTHER);
    expect(named(await answer)).toEqual([id]);
    expect(read).toEqual([cursor, cursor, passed]);
  });

  test('hears of what the clock changes, with the sweep', async () => {
    const ids = { paymentId: 'CLOCK', paymentRequestId: 'CLOCK' };
    await admin.notify(paymentResult('S', ids), { receivedAt: new Date() });
    const answer = list(`orders?after=${await end()}&wait=60`);
    await waiting(1);
    expect(await admin.store.sweep(new Date(Date.now() + 7_200_000), 1_000)).toBe(1);
    expect((await answer).items).toEqual([expect.objectContaining({ paymentId: 'CLOCK', nextAction: 'INQUIRE' })]);
  });

  test('holds it no longer where the database went back meanwhile', async () => {
    const answer = list(`orders?after=${await end()}&wait=60`);
    await waiting(1);
    const db = new DatabaseSync(admin.file, { timeout: 5_000 });
    db.exec("insert into starts select max(number) + 1, '0123456789abcdef', 0, 0 from starts");
    db.close();
    expect(await answer).toMatchObject({ status: 410, code: 'CURSOR_OUTDATED' });
  });

  test('an outage while it waits is waited for', async () => {
    fail = () => new StoreUnavailableError('away');
    const answer = list(`orders?after=${await end()}&wait=60`);
    await waiting(1);
    const id = await pay();
    await eventually(
      'failures',
      () => read.length,
      (count) => count > 3,
    );
    fail = null;
    expect(named(await answer)).toEqual([id]);
    expect(admin.lines).toEqual([]);
  });

  test('a fault while it waits is told', async () => {
    fail = () => new Error('broken');
    const answer = get(address, `/api/orders?after=${await end()}&wait=60`);
    await waiting(1);
    await pay();
    expect((await answer).status).toBe(500);
    expect(admin.lines).toEqual([expect.stringContaining('a request to the admin listener failed')]);
  });

  test('whoever goes away waits no more', async () => {
    const socket = connect(address.port, address.host);
    socket.write(`GET /api/orders?after=${await end()}&wait=60 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`);
    await waiting(1);
    const left = performance.now();
    socket.destroy();
    await waiting(0);
    // The wait that was asked for is not over.
    expect(performance.now() - left).toBeLessThan(30_000);
  });

  test('all answers are given at once when waits are ended', async () => {
    const next = await end();
    const answers = [list(`orders?after=${next}&wait=60`), list(`notifications?after=0&kind=INVOICE&wait=60`)];
    await waiting(2);
    admin.feedWatch.endWaits();
    const [orders, notifications] = await Promise.all(answers);
    expect(orders).toEqual({ status: 200, items: [], next });
    expect(notifications).toEqual({ status: 200, items: [], next: (await admin.store.feedEnds()).notifications });
  });

  test('a thousand who wait hear of one notification, and cost one look and one page together', async () => {
    const next = await end();
    const answers = Array.from({ length: 1_000 }, async () => await list(`orders?after=${next}&wait=60`));
    await waiting(1_000);
    const { promise, resolve } = Promise.withResolvers<void>();
    held = promise;
    const before = looks;
    await eventually(
      'a look',
      () => looks - before,
      (count) => count > 0,
    );
    read.length = 0;
    const id = await pay();
    resolve();
    const heard = await Promise.all(answers);
    expect(new Set(heard.map((one) => named(one).join()))).toEqual(new Set([id]));
    expect(read).toEqual([next]);
    expect(looks - before).toBe(1);
  });
});

describe('GET /api/notifications?after=&wait=', () => {
  test('follows one kind, past all others', async () => {
    const answer = list('notifications?after=0&kind=AUTHORIZATION&wait=60');
    await waiting(1);
    await pay();
    const id = await admin.notify({ authorizationNotifyType: 'TOKEN_CANCELED', accessToken: 'T1' });
    expect((await answer).items).toEqual([expect.objectContaining({ id, kind: 'AUTHORIZATION' })]);
  });

  test('looks at a part at a time, however many are of other kinds', async () => {
    const db = new DatabaseSync(admin.file, { timeout: 5_000 });
    db.exec(`
      with recursive many (n) as (select 1 union all select n + 1 from many where n < 20001)
      insert into notifications (
        client_id, payment_id, digest, kind, outcome, reading_check, raw_check, deliveries, first_received_at,
        last_received_at, raw_batch, raw_place
      )
      select '${CLIENT}', '', randomblob(32), 'METER', 'UNHANDLED', 0, 0, 1, 0, 0, 0, -1 from many`);
    db.close();
    const id = await admin.notify({ notifyType: 'VAULTING_RESULT', vaultingRequestId: 'V1' });
    const first = await list('notifications?after=0&kind=VAULTING');
    expect(first.items).toEqual([]);
    const { items, next } = await list(`notifications?after=${first.next}&kind=VAULTING`);
    expect(items).toEqual([expect.objectContaining({ id, kind: 'VAULTING' })]);
    expect(next).toBe((await admin.store.feedEnds()).notifications);
    expect((await list('notifications?after=0&kind=VAULTING&wait=60')).items).toEqual(items);
  });
});
