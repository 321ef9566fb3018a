import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { DERIVATION } from '../../../src/order/rules.ts';
import { VERSION } from '../../../src/version.ts';
import { here, json, removePlace } from '../../commands/support.ts';
import { createSigner, eventually } from '../../support/client.ts';
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

/** What is said of a client-id that is not configured. */
const hintOf = (client: string): string =>
  `client-id received: ${client}; configured: ${signer.clientId}. If it is yours, and its diagnosis, which follows, does not say that it was changed on the way, set ANTOM_CLIENT_ID to it, or add it to ANTOM_CLIENTS_FILE`;

/** The log is written in the background. */
const linesAtStart = async () =>
  await eventually('the last line of the start', service.log, (lines) => lines.some(({ msg }) => msg === 'ready'));

describe('status', () => {
  test('says what runs here, with what, and what waits; the command says the same', async () => {
    const { status, json: before } = await service.read('/api/status');
    expect(status).toBe(200);
    expect(before).toMatchObject({ lastVerifiedAt: null, backlog: { failed: 0, malformed: 0, unverified: {} } });
    await service.post(signer.sign(paymentResult('S')));
    await service.post(signer.sign(paymentResult('S', { result: { resultStatus: 'X' } })));
    await service.post(createSigner('T_stranger').sign(paymentResult('S')));
    await service.post(createSigner('T_stranger').sign(paymentResult('F')));
    const { json: told } = await service.read('/api/status');
    expect(told).toEqual({
      versions: { paynotify: VERSION, node: process.version },
      startedAt: TIME,
      database: { name: env['DATABASE_URL'], schema: 1, generation: expect.stringMatching(/^[0-9a-f]{16}$/) },
      rules: {
        number: 1,
        derivation: DERIVATION,
        rules: {
          captureRequired: 'methods',
          noCaptureMethods: [],
          captureMode: 'MANUAL',
          requireRegistration: false,
          production: false,
        },
      },
      configuration: expect.objectContaining({
        PORT: '0',
        NOTIFY_PATHS: '/payNotify',
        CAPTURE_MODE: 'MANUAL',
        ADMIN_TOKEN: 'not set',
        UNVERIFIED_REPLY: 'acknowledge',
      }),
      keys: [{ clientId: signer.clientId, keyVersion: null, fingerprint: DIGEST }],
      lastVerifiedAt: TIME,
      backlog: { failed: 0, malformed: 1, unverified: { UNKNOWN_CLIENT: 2 } },
      heldUp: null,
      moves: { underWay: 0, since: null },
      callbacks: [],
      inquiries: [],
    });
    expect(await json(['status'], env)).toEqual(told);
    const { code, out } = await here(['status'], env);
    expect(code).toBe(0);
    expect(out).toMatch(/^last verified \(UTC\) +\d{4}-/m);
    expect(out).toMatch(/^unverified, UNKNOWN_CLIENT +2$/m);
    expect(out).toMatch(/^CAPTURE_MODE +MANUAL$/m);
  });

  test('an unknown client is a warning that names the one received, cleaned and cut, and those configured', async () => {
    await service.post(createSigner(`T_"\u00e9${'x'.repeat(500)}`).sign(paymentResult('S')));
    const hints = await eventually(
      'the warnings',
      async () => (await service.log()).filter(({ msg }) => msg === 'unverified').map(({ hint }) => hint),
      ({ length }) => length === 3,
    );
    expect(hints).toContain(hintOf('T_stranger'));
    expect(hints.at(-1)).toBe(hintOf(`T_%22%E9${'x'.repeat(60)}...`));
  });

  test('takes no parameter, and holds no secret', async () => {
    expect((await service.read('/api/status?x=1')).status).toBe(400);
    const other = makeDirectory();
    const guarded = { ...environmentOf(other, signer), ADMIN_TOKEN: SECRET, ADMIN_READ_TOKEN: `${SECRET}-read` };
    const second = await startReady(other, guarded);
    const told = await json<{ readonly configuration: object }>(['status'], guarded);
    expect(told.configuration).toMatchObject({ ADMIN_TOKEN: 'set', ADMIN_READ_TOKEN: 'set' });
    expect(JSON.stringify(told)).not.toContain(SECRET);
    expect(JSON.stringify(await second.log())).not.toContain(SECRET);
    expect(await second.stop()).toBe(0);
    await removePlace({ directory: other });
  });

  test('the log of a start has version, database, paths and rules', async () => {
    expect(await linesAtStart()).toEqual(
      expect.arrayContaining([
        expect.objectContaining({
          database: env['DATABASE_URL'],
          msg: 'a new database: no service has started on it before',
        }),
        expect.objectContaining({
          msg: 'rules 1: CAPTURE_REQUIRED=methods NO_CAPTURE_METHODS= CAPTURE_MODE=MANUAL REQUIRE_REGISTRATION=false NODE_ENV=not production',
        }),
        expect.objectContaining({ msg: 'notification paths: /payNotify' }),
        expect.objectContaining({ database: env['DATABASE_URL'], msg: 'ready' }),
      ]),
    );
    expect(await service.stop()).toBe(0);
    service = await startReady(directory, { ...env, CAPTURE_MODE: 'AUTOMATIC' });
    const lines = await linesAtStart();
    expect(lines).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ msg: 'an existing database' }),
        expect.objectContaining({
          msg: 'rules 2, new: all orders are derived again: CAPTURE_REQUIRED=methods NO_CAPTURE_METHODS= CAPTURE_MODE=AUTOMATIC REQUIRE_REGISTRATION=false NODE_ENV=not production',
        }),
      ]),
    );
    expect(await json(['status'], env)).toMatchObject({
      rules: { number: 2 },
      configuration: { CAPTURE_MODE: 'AUTOMATIC' },
    });
  });
});
