import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { VERSION } from '../../../src/version.ts';
import { here, json, removePlace } from '../../commands/support.ts';
import { createSigner } from '../../support/client.ts';
import { paymentResult } from '../../support/facts.ts';
import { environmentOf, type InProcess, makeDirectory, removeDirectories, startReady } from '../../support/receiver.ts';

const signer = createSigner();
const SECRET = 'a-token-that-nobody-may-see-0123456';
let directory: string;
let env: Readonly<Record<string, string>>;
let service: InProcess;

beforeAll(async () => {
  directory = makeDirectory();
  env = { ...environmentOf(directory, signer), CAPTURE_MODE: 'MANUAL', UNVERIFIED_REPLY: 'acknowledge' };
  service = await startReady(directory, env);
});
afterAll(async () => {
  await service.stop();
  await removePlace({ directory });
  removeDirectories();
});

const TIME = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
const DIGEST = expect.stringMatching(/^[\w+/]{43}=$/);

describe('status', () => {
  test('says what runs here, with what, and what waits; the command says the same', async () => {
    const { status, json: before } = await service.read('/api/status');
    expect(status).toBe(200);
    expect(before).toMatchObject({ lastVerifiedAt: null, backlog: { failed: 0, unverified: {} } });
    await service.post(signer.sign(paymentResult('S')));
    await service.post(createSigner('T_stranger').sign(paymentResult('S')));
    await service.post(createSigner('T_stranger').sign(paymentResult('F')));
    const { json: told } = await service.read('/api/status');
    expect(told).toEqual({
      versions: { paynotify: VERSION, node: process.version },
      startedAt: TIME,
      database: { name: env['DATABASE_URL'], schema: 1, generation: expect.stringMatching(/^[0-9a-f]{16}$/) },
      rules: 1,
      configuration: expect.objectContaining({
        PORT: '0',
        NOTIFY_PATHS: '/payNotify',
        CAPTURE_MODE: 'MANUAL',
        ADMIN_TOKEN: 'not set',
        UNVERIFIED_REPLY: 'acknowledge',
      }),
      keys: [{ clientId: signer.clientId, keyVersion: null, fingerprint: DIGEST }],
      lastVerifiedAt: TIME,
      backlog: { failed: 0, unverified: { UNKNOWN_CLIENT: 2 } },
    });
    expect(await json(['status'], env)).toEqual(told);
    const { code, out } = await here(['status'], env);
    expect(code).toBe(0);
    expect(out).toMatch(/^last verified \(UTC\) +\d{4}-/m);
    expect(out).toMatch(/^unverified, UNKNOWN_CLIENT +2$/m);
    expect(out).toMatch(/^CAPTURE_MODE +MANUAL$/m);
  });

  test('takes no parameter, and holds no secret', async () => {
    expect((await service.read('/api/status?x=1')).status).toBe(400);
    const other = makeDirectory();
    const guarded = { ...environmentOf(other, signer), ADMIN_TOKEN: SECRET, ADMIN_READ_TOKEN: `${SECRET}-read` };
    const second = await startReady(other, guarded);
    const told = await json<{ readonly configuration: object }>(['status'], guarded);
    expect(told.configuration).toMatchObject({ ADMIN_TOKEN: 'set', ADMIN_READ_TOKEN: 'set' });
    expect(JSON.stringify(told)).not.toContain(SECRET);
    expect(JSON.stringify(second.log())).not.toContain(SECRET);
    expect(await second.stop()).toBe(0);
    await removePlace({ directory: other });
  });

  test('the log of a start has version, database, paths and rules', async () => {
    expect(service.log()).toEqual(
      expect.arrayContaining([
        expect.objectContaining({
          database: env['DATABASE_URL'],
          msg: 'a new database: no service has started on it before',
        }),
        expect.objectContaining({
          rules: {
            number: 1,
            CAPTURE_REQUIRED: 'methods',
            NO_CAPTURE_METHODS: '',
            CAPTURE_MODE: 'MANUAL',
            REQUIRE_REGISTRATION: 'false',
            NODE_ENV: 'not production',
          },
          msg: 'rules',
        }),
        expect.objectContaining({ database: env['DATABASE_URL'], paths: ['/payNotify'], msg: 'ready' }),
      ]),
    );
    expect(await service.stop()).toBe(0);
    service = await startReady(directory, { ...env, CAPTURE_MODE: 'AUTOMATIC' });
    const lines = service.log();
    expect(lines).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ msg: 'an existing database' }),
        expect.objectContaining({
          rules: expect.objectContaining({ number: 2, CAPTURE_MODE: 'AUTOMATIC' }),
          msg: 'new rules: all orders are derived again',
        }),
      ]),
    );
    expect(await json(['status'], env)).toMatchObject({ rules: 2, configuration: { CAPTURE_MODE: 'AUTOMATIC' } });
  });
});
