import { mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Order } from '../../src/order/order.ts';
import { VERSION } from '../../src/version.ts';
import { createSigner, eventually } from '../support/client.ts';
import { captureResult, jpy, paymentResult } from '../support/facts.ts';
import {
  environmentOf,
  idOf,
  type InProcess,
  makeDirectory,
  removeDirectories,
  startReady,
} from '../support/receiver.ts';
import { here, json, KEYS, OTHER_PUBLIC_KEY, removePlace, spawned } from './support.ts';

const signer = createSigner();
const RULES = { CAPTURE_MODE: 'MANUAL', REQUIRE_REGISTRATION: 'true', NO_CAPTURE_METHODS: 'toss pay' };

let directory: string;
let service: InProcess;
let env: Readonly<Record<string, string>>;
/** As on a machine that knows the database and nothing else. */
let bare: Readonly<Record<string, string>>;

const P1 = signer.sign(paymentResult('S', { paymentAmount: jpy('120'), paymentRequestId: 'R1' }));

beforeAll(async () => {
  directory = makeDirectory();
  env = { ...environmentOf(directory, signer), ...RULES, PUBLIC_NOTIFY_URL: 'https://shop.example/hooks/payNotify' };
  bare = { DATABASE_URL: env['DATABASE_URL'] ?? '' };
  service = await startReady(directory, env);
  await service.post(P1);
  await service.post(signer.sign(captureResult('S', { captureId: 'C1', captureAmount: jpy('120') })));
});
afterAll(async () => {
  await service.stop();
  await removePlace({ directory });
  removeDirectories();
});

/** What is said beside the answer. */
const saidBy = async (words: readonly string[], shell: Readonly<Record<string, string>>): Promise<readonly string[]> =>
  (await here(words, shell)).err
    .trimEnd()
    .split('\n')
    .filter((line) => line !== '');

describe('commands speak for the service', () => {
  test('its rules decide, whatever the environment of the command says', async () => {
    const asService = await service.order('P1');
    expect(asService).toMatchObject({ status: 'CAPTURED', fulfillable: false });
    expect(asService?.attention.map(({ code }) => code)).toEqual(['UNREGISTERED']);
    for (const shell of [env, bare, { ...bare, REQUIRE_REGISTRATION: 'false', CAPTURE_MODE: 'AUTOMATIC' }])
      expect(await json<Order>(['orders', 'P1'], shell)).toEqual(asService);
    expect(await json(['rebuild'], bare)).toEqual({ orders: 1, changed: 0 });
    expect(await json<Order>(['orders', 'P1'], env)).toEqual(await service.order('P1'));
  });

  test('each difference is said in one line that names the variable and both values', async () => {
    expect(await saidBy(['orders'], env)).toEqual([]);
    expect(await saidBy(['orders'], { ...env, CAPTURE_MODE: 'AUTOMATIC' })).toEqual([
      'note: CAPTURE_MODE is AUTOMATIC here and MANUAL in the service, which decides',
    ]);
    expect(await saidBy(['orders', '--json'], { ...bare, NODE_ENV: 'production' })).toEqual([
      'note: NO_CAPTURE_METHODS is not set here and TOSSPAY in the service, which decides',
      'note: CAPTURE_MODE is AUTOMATIC here and MANUAL in the service, which decides',
      'note: REQUIRE_REGISTRATION is false here and true in the service, which decides',
      'note: NODE_ENV is production here and not production in the service, which decides',
    ]);
  });

  test('also of clients, keys by their fingerprints, and paths', async () => {
    const said = await saidBy(['orders'], {
      ...env,
      ANTOM_CLIENT_ID: 'T_other',
      ANTOM_PUBLIC_KEY: OTHER_PUBLIC_KEY,
      PUBLIC_NOTIFY_URL: '',
      ADMIN_TOKEN: 'a-secret-of-this-shell',
    });
    expect(said).toEqual([
      `note: ANTOM_CLIENT_ID is T_other here and ${signer.clientId} in the service, which decides`,
      expect.stringMatching(
        /^note: ANTOM_PUBLIC_KEY is [\w+/]{43}= here and [\w+/]{43}= in the service, which decides$/,
      ),
      'note: PUBLIC_NOTIFY_URL is not set here and /hooks/payNotify in the service, which decides',
    ]);
  });

  test('verify-store and notifications use its keys, register its client', async () => {
    for (const shell of [bare, { ...env, ANTOM_PUBLIC_KEY: OTHER_PUBLIC_KEY }]) {
      const { code, out } = await here(['verify-store', '--json'], shell);
      expect(code).toBe(0);
      expect(JSON.parse(out)).toMatchObject({ verified: 2, failed: [], flaws: [], ordersPassedOver: false });
      expect(await json(['notifications', idOf(P1.body)], shell)).toMatchObject({ signatureVerifies: true });
    }
    expect(await json(['register', 'R9', '--amount', 'JPY:5'], bare)).toMatchObject({ clientId: signer.clientId });
    expect(await here(['register', 'R9', '--amount', 'JPY:5', '--client', 'T_other'], bare)).toMatchObject({
      code: 64,
      err: expect.stringContaining(`--client is not one that is configured: ${signer.clientId}`),
    });
  });
});

test('keys that the service reads again are those of commands, too', async () => {
  const other = makeDirectory();
  const file = join(other, 'apo.pem');
  writeFileSync(file, signer.publicKey, { mode: 0o600 });
  const { ANTOM_PUBLIC_KEY: _key, ...others } = environmentOf(other, signer);
  const second = await startReady(other, { ...others, ANTOM_PUBLIC_KEY_FILE: file });
  const shell = { DATABASE_URL: others['DATABASE_URL'] ?? '' };
  const keys = async () => (await json<{ readonly keys: readonly unknown[] }>(['status'], shell)).keys;
  expect(await keys()).toHaveLength(1);
  writeFileSync(file, `${signer.publicKey},2:${OTHER_PUBLIC_KEY}`);
  second.reloadKeys();
  await eventually('both keys', keys, ({ length }) => length === 2);
  expect(await second.stop()).toBe(0);
  await removePlace({ directory: other });
});

describe('.env in the working directory', () => {
  test('is read by a command, and the environment wins over it', async () => {
    const working = mkdtempSync(join(directory, 'working-'));
    writeFileSync(join(working, '.env'), `DATABASE_URL="sqlite:/nowhere/of-env.db"\nCAPTURE_MODE=NONE\n`, {
      mode: 0o600,
    });
    const said = async (shell: Readonly<Record<string, string>>) => (await spawned(['orders'], shell, working)).err;
    expect(await said({})).toBe('CAPTURE_MODE: must be one of AUTOMATIC, MANUAL\n');
    expect(await said({ CAPTURE_MODE: 'MANUAL' })).toContain('there is no database at /nowhere/of-env.db');
    expect(await said({ CAPTURE_MODE: 'MANUAL', DATABASE_URL: 'sqlite:/nowhere/else.db' })).toContain(
      '/nowhere/else.db',
    );
  });

  test('--version is that of package.json', async () => {
    expect(await spawned(['--version'], {}, KEYS)).toEqual({ code: 0, out: `${VERSION}\n`, err: '' });
    expect(VERSION).toMatch(/^\d+\.\d+\.\d+/);
  });
});
