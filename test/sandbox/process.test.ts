import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { eventually } from '../support/client.ts';
import type { Fields } from '../support/facts.ts';
import {
  becomesReady,
  endPrograms,
  type Environment,
  makeDirectory,
  type Program,
  removeDirectories,
  runProgram,
  startProcess,
} from '../support/receiver.ts';
import { isQuiet, type LedgerPayment } from './support.ts';

/** The sandbox and the service as processes of their own, as a developer runs them. */

const CLI = fileURLToPath(new URL('../../src/cli.ts', import.meta.url));
const KEYS = fileURLToPath(new URL('../fixtures/keys/', import.meta.url));
const APO_KEY = join(KEYS, 'throw-away-second.private.pkcs8.pem');
const MERCHANT_KEY = join(KEYS, 'throw-away.public.spki.base64.txt');

afterEach(endPrograms);
afterAll(removeDirectories);

let directory = '';
beforeAll(() => {
  directory = makeDirectory();
});

interface Started extends Program {
  readonly url: string;
  readonly seed: number;
  readonly notifyUrl: string;
  readonly environment: Environment;
}

const sandbox = (...options: readonly string[]): Program =>
  runProgram({}, [process.execPath, CLI, 'sandbox', '--json', '--port', '0', ...options]);

const started = async (program: Program): Promise<Started> => {
  const { stdout } = await eventually('its start line', program.output, (said) => said.stdout.endsWith('}\n'));
  return { ...program, ...(JSON.parse(stdout) as Omit<Started, keyof Program>) };
};

const control = async (url: string, path: string, body?: Fields): Promise<Fields> => {
  const request = body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) };
  const response = await fetch(`${url}/control${path}`, {
    headers: { 'content-type': 'application/json' },
    ...request,
  });
  expect(response.status).toBe(200);
  return (await response.json()) as Fields;
};

describe('paynotify sandbox', () => {
  test('makes keys that it finds again, says how to configure paynotify, keeps its ledger, and ends well', async () => {
    const keys = join(directory, 'keys');
    const options = ['--keys', keys, '--ledger', join(directory, 'ledger'), '--seed', '5'];
    const first = await started(sandbox(...options));
    const { ANTOM_PUBLIC_KEY, ANTOM_PRIVATE_KEY_FILE = '' } = first.environment;
    expect(first.environment).toEqual({
      ANTOM_CLIENT_ID: 'SANDBOX_LOCAL',
      ANTOM_PUBLIC_KEY: expect.stringMatching(/^MII[\w+/=]+$/),
      ANTOM_PRIVATE_KEY_FILE: join(keys, 'merchant-private-key.pem'),
      ANTOM_REGION: 'ASIA',
      ANTOM_API_URL: first.url,
    });
    expect(first).toMatchObject({ seed: 5, notifyUrl: 'http://127.0.0.1:8080/payNotify' });
    expect(readdirSync(keys).map((name) => [name, statSync(join(keys, name)).mode % 0o1000])).toEqual([
      ['apo-private-key.pem', 0o600],
      ['merchant-private-key.pem', 0o600],
    ]);
    expect(readFileSync(ANTOM_PRIVATE_KEY_FILE, 'utf8')).toContain('BEGIN PRIVATE KEY');
    await control(first.url, '/payments', { paymentRequestId: 'R1', amount: { currency: 'JPY', value: '120' } });
    first.child.kill('SIGTERM');
    expect(await first.exited).toBe(0);

    const second = await started(sandbox(...options));
    expect(second.environment['ANTOM_PUBLIC_KEY']).toBe(ANTOM_PUBLIC_KEY);
    const { payments } = await control(second.url, '/ledger');
    expect(payments).toEqual([expect.objectContaining({ paymentRequestId: 'R1' })]);

    // Its port is taken.
    const third = sandbox('--keys', keys, '--port', new URL(second.url).port);
    expect(await third.exited).toBe(1);
    expect(third.output().stderr).toMatch(/^error: 127\.0\.0\.1:\d+ cannot be listened on: EADDRINUSE\n$/);
  });

  test('the service says in the end what the ledger says', async () => {
    const receiver = await startProcess({
      HOST: '127.0.0.1',
      PORT: '0',
      ADMIN_PORT: '0',
      DATABASE_URL: `sqlite:${join(directory, 'paynotify.db')}`,
      ANTOM_CLIENT_ID: 'SANDBOX_SHOP',
      ANTOM_PUBLIC_KEY_FILE: join(KEYS, 'throw-away-second.public.spki.pem'),
    });
    const options = `--client SANDBOX_SHOP --speed 1000 --seed 1 --apo-key ${APO_KEY} --merchant-key ${MERCHANT_KEY}
      --notify-url http://127.0.0.1:${receiver.address.port}/payNotify
      --misbehave duplicates=0.3,reordered=0.3,captureFirst=0.3,pending=0.3,declines=0.2
      --misbehave processing=0.3,failedCaptures=0.2`;
    const { url } = await started(sandbox(...options.split(/\s+/)));
    await becomesReady(receiver);
    const amount = { currency: 'JPY', value: '1000' };
    for (let index = 0; index < 25; index += 1) {
      const more = { as: index % 4 === 0 ? 'GCASH' : 'CARD', captureMode: index % 5 === 0 ? 'MANUAL' : 'AUTOMATIC' };
      await control(url, '/payments', { paymentRequestId: `R${index}`, amount, ...more });
    }
    await eventually('all told', async () => await control(url, ''), isQuiet);
    const ledger = (await control(url, '/ledger'))['payments'] as readonly LedgerPayment[];
    const statuses = new Set<string>();
    for (const { paymentRequestId, result, moved, captures } of ledger) {
      const order = await receiver.order(paymentRequestId);
      const isPaid = moved.paid === '1000';
      const failed = result['resultStatus'] === 'F';
      expect(order).toMatchObject({
        paymentRequestId,
        status: isPaid ? 'CAPTURED' : failed ? 'FAILED' : 'AUTHORIZED',
        fulfillable: isPaid,
        capturedAmount: captures.some((one) => (one['result'] as Fields)['resultStatus'] === 'S') ? amount : null,
      });
      statuses.add(String(order?.status));
    }
    expect([ledger.length, [...statuses].sort()]).toEqual([25, ['AUTHORIZED', 'CAPTURED', 'FAILED']]);
    expect(await receiver.unverified()).toEqual([]);
  });
});
