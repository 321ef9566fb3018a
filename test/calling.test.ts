import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, expect, test } from '@jest/globals';
import { openStore } from '../src/store/open.ts';
import { SETTING } from '../src/store/setting.ts';
import { register } from './reconcile/support.ts';
import { APO_PUBLIC_KEY, CLIENT_ID, MERCHANT_KEY, startAntomApi } from './support/antom-api.ts';
import { eventually } from './support/client.ts';
import { type Environment, environmentOf, makeDirectory, removeDirectories, startReady } from './support/receiver.ts';
import { RULES } from './support/rules.ts';

/** What was started, to be ended in the reverse sequence. */
const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});
afterAll(removeDirectories);

const LONG_AGO = new Date(Date.now() - 3_600_000).toISOString();

test('an inquiry is signed with the key that was read last', async () => {
  const api = await startAntomApi();
  closing.push(api.close);
  const directory = makeDirectory();
  const keyFile = join(directory, 'merchant.pem');
  const key = MERCHANT_KEY.replaceAll(/-----.*-----|\n/g, '');
  writeFileSync(keyFile, `1:${key}`);
  const env: Environment = {
    ...environmentOf(directory, { clientId: CLIENT_ID, publicKey: APO_PUBLIC_KEY }),
    ANTOM_PRIVATE_KEY_FILE: keyFile,
    ANTOM_REGION: 'ASIA',
    ANTOM_API_URL: api.origin,
  };
  const store = await openStore({ databaseUrl: env['DATABASE_URL'] ?? '', rules: RULES, allowUnsafeDatabase: false });
  closing.push(store.close);
  await register(store, 'R1', CLIENT_ID);
  // All that is waited for is asked about at once where the service was down for long.
  await store.remember(SETTING.reconciled, LONG_AGO);
  const receiver = await startReady(directory, env);
  closing.push(receiver.stop);
  const seen = async (count: number): Promise<void> =>
    void (await eventually(
      'an inquiry',
      () => api.seen.length,
      (length) => length >= count,
    ));
  const looked = async (): Promise<void> =>
    void (await eventually(
      'a look',
      () => store.recall(SETTING.reconciled),
      (at) => at !== LONG_AGO,
    ));
  await seen(1);
  await looked();

  await store.remember(SETTING.reconciled, LONG_AGO);
  writeFileSync(keyFile, `2:${key}`);
  receiver.reloadKeys();
  await seen(2);
  expect(api.seen.map(({ headers }) => /keyVersion=(\d)/.exec(String(headers['signature']))?.[1])).toEqual(['1', '2']);
});
