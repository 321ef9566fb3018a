import { expect, test } from '@jest/globals';
import { Agent } from 'node:http';
import { ACKNOWLEDGEMENT, createSigner, eventually, send, withHeaders } from '../support/client.ts';
import { paymentResult } from '../support/facts.ts';
import { ordersOf } from '../support/orders.ts';
import { type Environment, environmentOf, type ReceiverProcess, startProcessReady } from '../support/receiver.ts';
import { drainDelay, freePorts, startHaproxy } from './balancer.ts';
import { loadDuring, notificationsOf, receivedBy, restartAll, stopped } from './rolling.ts';
import { useSite } from './site.ts';

const REPLICAS = 3;
const PAYMENTS = 500;

const signer = createSigner();
const { directory, createDatabase } = useSite();

test('HAProxy: a rolling restart of all replicas under load fails no request, loses none and applies none twice', async () => {
  const ports = await freePorts(REPLICAS);
  const shared: Environment = {
    ...environmentOf(directory(), signer),
    DATABASE_URL: await createDatabase(),
    DRAIN_DELAY: drainDelay(),
    TRUST_PROXY: '1',
  };
  const startAt = async (port: number): Promise<ReceiverProcess> =>
    await startProcessReady({ ...shared, PORT: String(port) });
  const replicas = await Promise.all(ports.map(startAt));
  const haproxy = await startHaproxy(directory(), ports);

  const posts = notificationsOf(signer, PAYMENTS);
  const rolling = restartAll({
    replicas,
    startAgain: async (index) => await startAt(ports[index] ?? 0),
    isBack: async (index) =>
      await eventually(
        'HAProxy to take it back',
        () => haproxy.hasPrinted(`Server paynotify/replica-${index + 1} is UP`),
        (times) => times > 0,
      ),
  });
  const { done: restarted, acknowledged, failures } = await loadDuring(rolling, haproxy.address, posts);

  expect(failures).toEqual([]);
  expect(acknowledged).toBeGreaterThanOrEqual(posts.length);
  const [last] = restarted as readonly [ReceiverProcess];
  const stored = await last.notifications();
  expect(stored).toHaveLength(posts.length);
  expect(stored.reduce((sum, { deliveries }) => sum + deliveries, 0)).toBe(acknowledged);
  const orders = await ordersOf(last);
  expect(orders).toHaveLength(PAYMENTS);
  expect(
    orders.filter(
      ({ status, fulfillable, capturedAmount, attention }) =>
        status !== 'CAPTURED' || !fulfillable || capturedAmount?.value !== '120' || attention.length > 0,
    ),
  ).toEqual([]);
  // All of them took part, before and after: otherwise nothing was shown.
  for (const replica of restarted) await stopped(replica);
  const received = receivedBy([...replicas, ...restarted]);
  expect(received.filter((count) => count === 0)).toEqual([]);
  expect(received.reduce((sum, count) => sum + count, 0)).toBe(acknowledged);
});

test('HAProxy: a connection of its own can reach the other replicas when one has died, and the client is the one that is logged', async () => {
  const ports = await freePorts(REPLICAS);
  const shared = { ...environmentOf(directory(), signer), DATABASE_URL: await createDatabase(), TRUST_PROXY: '1' };
  const [first, ...others] = await Promise.all(
    ports.map(async (port) => await startProcessReady({ ...shared, PORT: String(port) })),
  );
  const haproxy = await startHaproxy(directory(), ports);
  first?.kill('SIGKILL');
  await first?.exited;
  // At once, before any check can have noticed.
  const client = new Agent({ localAddress: '127.0.0.2' });
  for (let index = 0; index < 12; index += 1) {
    const post = withHeaders(signer.sign(paymentResult('S', { paymentId: `P${index}` })), {
      'X-Forwarded-For': '203.0.113.9',
    });
    expect(await send(haproxy.address, post, client)).toMatchObject({ status: 200, text: ACKNOWLEDGEMENT });
  }
  client.destroy();
  const logged = (): readonly unknown[] =>
    others
      .flatMap((replica) => replica.log())
      .filter(({ msg }) => msg === 'notification')
      .map(({ address }) => address);
  expect(await eventually('the log', logged, ({ length }) => length === 12)).toEqual(
    Array.from({ length: 12 }, () => '127.0.0.2'),
  );
});
