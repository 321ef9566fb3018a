import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, expect, test } from '@jest/globals';
import { Webhook } from 'standardwebhooks';
import { createSigner, eventually } from '../support/client.ts';
import { paymentResult } from '../support/facts.ts';
import {
  endPrograms,
  environmentOf,
  makeDirectory,
  removeDirectories,
  startProcessReady,
  startReady,
} from '../support/receiver.ts';
import { newSecret, openShop, type Shop, status } from '../support/shop.ts';

const signer = createSigner();
const shops: Shop[] = [];
afterEach(async () => {
  await endPrograms();
  for (const shop of shops.splice(0)) await shop.close();
});
afterAll(removeDirectories);

const open = async (secrets: readonly string[]): Promise<Shop> => {
  const shop = await openShop(secrets);
  shops.push(shop);
  return shop;
};

test('a process killed between a post and its record posts the same again, with the same id', async () => {
  const secret = newSecret();
  const shop = await open([secret]);
  const directory = makeDirectory();
  const env = { ...environmentOf(directory, signer), CALLBACK_URL: shop.url, CALLBACK_SECRETS: secret };
  const first = await startProcessReady(env);
  await eventually('posting', first.log, (lines) => lines.some(({ msg }) => msg === 'this replica posts callbacks'));
  // Whoever answers too late has done his work all the same.
  shop.answer(() => first.kill('SIGKILL'));
  await first.post(signer.sign(paymentResult('S')));
  await first.exited;
  await eventually('a callback', shop.received, (list) => list.length === 1);
  shop.answer(status(200));
  const second = await startProcessReady(env);
  const [killed, again] = await eventually('the callback again', shop.received, (list) => list.length === 2);
  expect(again?.id).toBe(killed?.id);
  expect(again?.text).toBe(killed?.text);
  second.kill('SIGTERM');
  expect(await second.exited).toBe(0);
  expect(JSON.stringify([first.output(), second.output()])).not.toMatch(/hidden|whsec_\w{8}/);
});

test('SIGHUP reads the secrets again; what cannot be used changes nothing', async () => {
  const directory = makeDirectory();
  const file = join(directory, 'secrets');
  const [old, renewed] = [newSecret(), newSecret()];
  const shop = await open([]);
  writeFileSync(file, old);
  const receiver = await startReady(directory, {
    ...environmentOf(directory, signer),
    CALLBACK_URL: shop.url,
    CALLBACK_SECRETS_FILE: file,
  });
  const told = async (paymentId: string, secret: string): Promise<void> => {
    const before = shop.received().length;
    await receiver.post(signer.sign(paymentResult('S', { paymentId, paymentRequestId: `R-${paymentId}` })));
    const list = await eventually('a callback', shop.received, (all) => all.length > before);
    const { text, headers } = list.at(-1) ?? { text: '', headers: {} };
    new Webhook(secret).verify(text, headers as Record<string, string>);
  };
  await eventually('posting', receiver.log, (lines) => lines.some(({ msg }) => msg === 'this replica posts callbacks'));
  await told('P1', old);
  writeFileSync(file, 'nonsense');
  receiver.reloadKeys();
  await told('P2', old);
  writeFileSync(file, renewed);
  receiver.reloadKeys();
  await eventually(
    'again',
    receiver.log,
    (lines) => lines.filter(({ msg }) => msg === 'this replica posts callbacks').length === 2,
  );
  await told('P3', renewed);
  expect(await receiver.stop()).toBe(0);
  expect((await receiver.log()).filter(({ level }) => Number(level) >= 50)).toMatchObject([
    { msg: 'keys and callbacks were not read again; the old ones stay' },
  ]);
  expect(JSON.stringify(await receiver.log())).not.toMatch(/hidden|whsec_\w{8}|nonsense/);
});

test('SIGHUP with callbacks that cannot be used leaves the keys as they were, too', async () => {
  const directory = makeDirectory();
  const [file, keyFile] = [join(directory, 'secrets'), join(directory, 'key')];
  const shop = await open([]);
  writeFileSync(file, newSecret());
  writeFileSync(keyFile, signer.publicKey);
  const { ANTOM_PUBLIC_KEY: _key, ...env } = environmentOf(directory, signer);
  const callback = { CALLBACK_URL: shop.url, CALLBACK_SECRETS_FILE: file };
  const receiver = await startReady(directory, { ...env, ...callback, ANTOM_PUBLIC_KEY_FILE: keyFile });
  writeFileSync(file, 'nonsense');
  writeFileSync(keyFile, createSigner().publicKey);
  receiver.reloadKeys();
  await eventually('refused', receiver.log, (lines) => lines.some(({ msg }) => String(msg).includes('not read again')));
  await receiver.post(signer.sign(paymentResult('S')));
  // By the new keys it would be unverified, at first.
  expect((await receiver.log()).filter(({ msg }) => msg === 'unverified')).toEqual([]);
  await receiver.stop();
});
