import { expect, test } from '@jest/globals';
import { Agent } from 'node:http';
import { ACKNOWLEDGEMENT, createSigner, eventually, type Post, send, withHeaders } from '../support/client.ts';
import { paymentResult } from '../support/facts.ts';
import { ordersOf } from '../support/orders.ts';
import { type Environment, environmentOf, type ReceiverProcess, startProcessReady } from '../support/receiver.ts';
import { freePorts, startNginx } from './balancer.ts';
import { loadDuring, notificationsOf, receivedBy, restartAll, stopped } from './rolling.ts';
import { useSite } from './site.ts';

/** As entered at APO; nginx.conf strips /shop. */
const PUBLIC_NOTIFY_URL = 'https://pay.example.com/shop/payNotify';
const PAYMENTS = 500;

const signer = createSigner();
const { directory, createDatabase } = useSite();

const threePorts = async (): Promise<readonly [number, number, number]> =>
  (await freePorts(3)) as unknown as readonly [number, number, number];

/** Signed as APO does it: over the path that was entered there, whatever becomes of it on its way. */
const throughPrefix = (paymentId: string): Post =>
  signer.sign(paymentResult('S', { paymentId }), { target: '/shop/payNotify' });

test('nginx that strips a prefix: verified where PUBLIC_NOTIFY_URL says what was signed, and the client is the one that is logged', async () => {
  const ports = await threePorts();
  const env: Environment = {
    ...environmentOf(directory(), signer),
    PORT: String(ports[0]),
    PUBLIC_NOTIFY_URL,
    TRUST_PROXY: '1',
  };
  const replica = await startProcessReady(env);
  const nginx = await startNginx(directory(), ports);
  const client = new Agent({ localAddress: '127.0.0.2' });
  const post = withHeaders(throughPrefix('P1'), { 'X-Forwarded-For': '203.0.113.9' });
  expect(await send(nginx.address, post, client)).toMatchObject({ status: 200, text: ACKNOWLEDGEMENT });
  expect(await replica.order('P1')).toMatchObject({ status: 'AUTHORIZED' });
  expect(await replica.unverified()).toEqual([]);
  // The other location of nginx.conf changes nothing on the way.
  expect(await send(nginx.address, signer.sign(paymentResult('S', { paymentId: 'P2' })), client)).toMatchObject({
    status: 200,
  });
  expect(await replica.order('P2')).toMatchObject({ status: 'AUTHORIZED' });
  client.destroy();
  await stopped(replica);
  const lines = replica.log().filter(({ msg }) => msg === 'notification');
  expect(lines.map(({ address }) => address)).toEqual(['127.0.0.2', '127.0.0.2']);
});

test('nginx that strips a prefix: kept as unverified where nobody told us, and applied once the setting is corrected', async () => {
  const ports = await threePorts();
  const env: Environment = { ...environmentOf(directory(), signer), PORT: String(ports[0]) };
  const nginx = await startNginx(directory(), ports);
  const wrong = await startProcessReady(env);
  for (const id of ['P1', 'P2'])
    expect(await send(nginx.address, throughPrefix(id))).toMatchObject({ status: 200, text: ACKNOWLEDGEMENT });
  expect(await wrong.order('P1')).toBeNull();
  expect((await wrong.unverified()).map(({ reason }) => reason)).toEqual(['SIGNATURE_MISMATCH', 'SIGNATURE_MISMATCH']);
  await stopped(wrong);

  const corrected = await startProcessReady({ ...env, PUBLIC_NOTIFY_URL });
  await eventually('nothing unverified', corrected.unverified, ({ length }) => length === 0);
  for (const id of ['P1', 'P2']) expect(await corrected.order(id)).toMatchObject({ status: 'AUTHORIZED' });
  expect(await send(nginx.address, throughPrefix('P3'))).toMatchObject({ status: 200, text: ACKNOWLEDGEMENT });
  expect(await corrected.order('P3')).toMatchObject({ status: 'AUTHORIZED' });
  await stopped(corrected);
});

test('nginx: a rolling restart of all replicas under load fails no request and loses none', async () => {
  const ports = await threePorts();
  const shared: Environment = {
    ...environmentOf(directory(), signer),
    DATABASE_URL: await createDatabase(),
    DRAIN_DELAY: '2',
  };
  const startAgain = async (index: number): Promise<ReceiverProcess> =>
    await startProcessReady({ ...shared, PORT: String(ports[index]) });
  const replicas = await Promise.all(ports.map(async (_, index) => await startAgain(index)));
  const nginx = await startNginx(directory(), ports);
  const posts = notificationsOf(signer, PAYMENTS);
  // nginx takes none out, so each is back at once.
  const rolling = restartAll({ replicas, startAgain, isBack: async () => {} });
  const { done: restarted, acknowledged, failures } = await loadDuring(rolling, nginx.address, posts);

  expect(failures).toEqual([]);
  expect(acknowledged).toBeGreaterThanOrEqual(posts.length);
  const [last] = restarted as readonly [ReceiverProcess];
  const stored = await last.notifications();
  expect(stored).toHaveLength(posts.length);
  // nginx may send a request again whose answer it did not get: then that is one more delivery of the same
  // notification.
  expect(stored.reduce((sum, { deliveries }) => sum + deliveries, 0)).toBeGreaterThanOrEqual(acknowledged);
  const orders = await ordersOf(last);
  expect(orders).toHaveLength(PAYMENTS);
  expect(
    orders.filter(
      ({ status, fulfillable, attention }) => status !== 'CAPTURED' || !fulfillable || attention.length > 0,
    ),
  ).toEqual([]);
  for (const replica of restarted) await stopped(replica);
  expect(receivedBy([...replicas, ...restarted]).filter((count) => count === 0)).toEqual([]);
});
