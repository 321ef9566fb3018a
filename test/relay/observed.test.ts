import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { CallbackLag } from '../../src/upkeep/callbacks.ts';
import { here, json, removePlace } from '../commands/support.ts';
import { createSigner, eventually, get } from '../support/client.ts';
import { paymentResult } from '../support/facts.ts';
import { environmentOf, type InProcess, makeDirectory, removeDirectories, startReady } from '../support/receiver.ts';
import { newSecret, openShop, type Shop, status } from '../support/shop.ts';

/** A service that posts, as its operators see it. */

const signer = createSigner();
const directory = makeDirectory();
let shop: Shop;
let service: InProcess;
let env: Readonly<Record<string, string>>;

beforeAll(async () => {
  const secret = newSecret();
  shop = await openShop([secret]);
  env = { ...environmentOf(directory, signer), CALLBACK_URL: shop.url, CALLBACK_SECRETS: secret };
  service = await startReady(directory, env);
  await eventually('the URL in use', lags, ({ length }) => length === 1);
});
afterAll(async () => {
  await service.stop();
  await removePlace({ directory });
  await shop.close();
  removeDirectories();
});

const lags = async (): Promise<readonly CallbackLag[]> =>
  ((await service.read('/api/status')).json as { readonly callbacks: readonly CallbackLag[] }).callbacks;

/** What was counted at least once: on a slow machine a probe may have been made meanwhile. */
const counted = async (): Promise<readonly string[]> =>
  (await get(service.admin, '/metrics')).text
    .split('\n')
    .flatMap((line) => /^(paynotify_callbacks_(?:delivered|failed).*) [1-9]/.exec(line)?.[1] ?? []);

test('a shop that is down is seen in status, timeline, metrics and commands; --send makes it be tried at once', async () => {
  shop.answer(status(503));
  await service.post(signer.sign(paymentResult('S')));
  const [lag] = await eventually('a pause', lags, ([one]) => one?.paused === true);
  expect(lag).toMatchObject({ clientId: signer.clientId, origin: shop.origin, waiting: 1, why: 'HTTP 503' });
  const { clientId, origin, waitingSince } = lag ?? {};
  expect(await json(['callbacks'], env)).toMatchObject({ destinations: [{ clientId, origin, waitingSince }] });
  expect(JSON.stringify((await service.read('/api/status')).json)).not.toContain('hidden');
  expect(await counted()).toEqual(['paynotify_callbacks_failed_total{class="5xx"}']);

  shop.answer(status(204));
  expect((await here(['callbacks', '--send', 'P1'], env)).code).toBe(0);
  await eventually('its delivery', lags, ([one]) => one?.waitingSince === null);
  expect(await counted()).toEqual([
    'paynotify_callbacks_delivered_total',
    'paynotify_callbacks_failed_total{class="5xx"}',
  ]);
  const revision = shop.received().at(-1)?.order.revision;
  const { json: timeline } = await service.read('/api/orders/P1/timeline');
  expect(timeline).toMatchObject({
    items: [{ type: 'notification' }, { type: 'callback', origin: shop.origin, revision, waiting: null }],
  });
});
