import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { CLIENT, keepUp } from '../sandbox/support.ts';
import { registration } from '../store/support.ts';
import { eventually } from '../support/client.ts';
import { startServer, type TestServer } from '../support/postgres.ts';
import { type InProcess, makeDirectory, removeDirectories, startReady } from '../support/receiver.ts';
import { callingEnvironment } from './service.ts';
import { type Ground, layGround, made } from './support.ts';

keepUp();
let server: TestServer;
let ground: Ground;
const replicas: InProcess[] = [];
beforeAll(async () => {
  server = await startServer();
});
afterAll(async () => {
  for (const replica of replicas) expect(await replica.stop()).toBe(0);
  await ground.stop();
  await server.stop();
  removeDirectories();
});

const yen = (value: string) => ({ currency: 'JPY', value });
const MANUAL = { clientId: CLIENT, amount: yen('1000'), referenceOrderId: null, captureMode: 'MANUAL' } as const;

test('AUTO_CAPTURE captures once with several replicas, and only what a registration says', async () => {
  const databaseUrl = await server.createDatabase();
  ground = await layGround(databaseUrl);
  const registered = async (fields: Parameters<typeof registration>[0]): Promise<string> => {
    const id = await ground.authorized();
    const { paymentRequestId } = await ground.ledger(id);
    const said = registration({ ...MANUAL, paymentRequestId, ...fields });
    await ground.store.register(said, { replace: false, now: new Date() });
    return id;
  };
  const whole: string[] = [];
  for (let number = 0; number < 6; number += 1) whole.push(await registered({}));
  const less = await registered({ finalAmount: yen('700') });
  const another = await registered({ amount: yen('900') });
  const unregistered = await ground.authorized();
  const toBeCancelled = await registered({});
  const refusal = { operation: 'cancel', resultCode: 'MERCHANT_BALANCE_NOT_ENOUGH', payment: toBeCancelled };
  await ground.sandbox.control('POST', '/answers', refusal);
  expect(await made(ground, toBeCancelled, { kind: 'cancel' })).toMatchObject({ status: 'FAILED' });

  const env = callingEnvironment(ground.sandbox, { url: ground.way.url, databaseUrl });
  const start = async (): Promise<InProcess> =>
    await startReady(makeDirectory(), { ...env, AUTO_CAPTURE: 'true', ALLOW_UNSAFE_DATABASE: 'true' });
  replicas.push(...(await Promise.all([start(), start()])));
  for (const id of [...whole, less])
    await eventually(
      `the capture of ${id}`,
      async () => await ground.order(id),
      ({ status }) => status === 'CAPTURED',
    );
  for (const id of [...whole, less]) {
    const { captures, moved } = await ground.ledger(id);
    expect([captures.length, moved.paid]).toEqual([1, id === less ? '700' : '1000']);
    expect(await ground.store.listMoves(CLIENT, id)).toMatchObject([{ kind: 'capture', requestId: `${id}-1` }]);
  }
  // Nobody has said what is due of the one, and of the other something else than what was authorized.
  for (const id of [another, unregistered]) {
    expect(await ground.ledger(id)).toMatchObject({ captures: [], moved: { paid: '0' } });
    expect(await ground.store.listMoves(CLIENT, id)).toEqual([]);
  }
  // Nor what the shop has tried to cancel: a person is told.
  const errors = await eventually(
    'the one that is not captured',
    async () =>
      (await Promise.all(replicas.map((replica) => replica.log()))).flat().filter(({ level }) => Number(level) >= 50),
    ({ length }) => length > 0,
  );
  for (const error of errors) expect(error).toMatchObject({ paymentId: toBeCancelled, reason: 'FAILED' });
  expect(await ground.ledger(toBeCancelled)).toMatchObject({ captures: [], moved: { paid: '0' } });
});
