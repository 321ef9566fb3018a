import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { MOVE_KINDS, type MoveKind } from '../../src/order/move.ts';
import { keepUp } from '../sandbox/support.ts';
import { eventually, get } from '../support/client.ts';
import type { Fields } from '../support/facts.ts';
import {
  endPrograms,
  fileIn,
  type ReceiverProcess,
  removeDirectories,
  startProcessReady,
} from '../support/receiver.ts';
import { callingEnvironment, post } from './service.ts';
import { openStallingWay, type StallingWay } from './stalling.ts';
import { type Ground, layGround, made } from './support.ts';

keepUp();
let ground: Ground;
let way: StallingWay;
/** Open throughout: whoever closes a database last moves its log into the file. */
let lock: DatabaseSync;
beforeAll(async () => {
  ground = await layGround();
  way = await openStallingWay(ground.sandbox.url);
});
afterAll(async () => {
  await endPrograms();
  lock.close();
  way.close();
  await ground.stop();
  removeDirectories();
});

interface Payment {
  readonly kind: MoveKind;
  readonly id: string;
  readonly body: Fields;
}

/** One payment for each kind of move. */
const payments = async (): Promise<readonly Payment[]> => {
  const [toCapture, toCancel, toRefund] = [
    await ground.authorized(),
    await ground.authorized(),
    await ground.authorized(),
  ];
  await made(ground, toRefund, { kind: 'capture' });
  return [
    { kind: 'capture', id: toCapture, body: { captureRequestId: `${toCapture}-shop` } },
    { kind: 'cancel', id: toCancel, body: {} },
    {
      kind: 'refund',
      id: toRefund,
      body: { amount: { currency: 'JPY', value: '400' }, refundRequestId: `${toRefund}-back` },
    },
  ];
};

/** Where the process is killed; resolves when it has come that far with all that was asked. */
interface Point {
  readonly name: string;
  readonly reach: (ask: () => void, receiver: ReceiverProcess) => Promise<void>;
}

const areHeld = async (): Promise<void> => {
  await eventually(
    'all are held',
    async () => way.held(),
    (held) => held === MOVE_KINDS.length,
  );
};
/** What reached it before has been read by now. */
const turned = async ({ admin }: ReceiverProcess): Promise<void> => void (await get(admin, '/healthz'));

const POINTS: readonly Point[] = [
  {
    name: 'before it is written',
    reach: async (ask, receiver) => {
      lock.exec('begin immediate');
      ask();
      for (let turns = 0; turns < 5; turns += 1) await turned(receiver);
    },
  },
  {
    name: 'after it is written, before it is sent',
    reach: async (ask) => {
      way.set('hold calls');
      ask();
      await areHeld();
    },
  },
  {
    name: 'after it is sent, before the answer',
    reach: async (ask) => {
      way.set('hold answers');
      ask();
      await areHeld();
    },
  },
  {
    name: 'after the answer, before it is stored',
    reach: async (ask, receiver) => {
      way.set('hold answers');
      ask();
      await areHeld();
      lock.exec('begin immediate');
      await way.release();
      for (let turns = 0; turns < 5; turns += 1) await turned(receiver);
    },
  },
];

const DONE = {
  capture: { captures: 1, refunds: 0, moved: { paid: '1000', returned: '0' }, order: { status: 'CAPTURED' } },
  cancel: { captures: 0, refunds: 0, moved: { paid: '0', returned: '0' }, order: { status: 'CANCELLED' } },
  refund: {
    captures: 1,
    refunds: 1,
    moved: { paid: '1000', returned: '400' },
    order: { refundedAmount: { currency: 'JPY', value: '400' } },
  },
} as const;

/** Of one that was killed: taken up by itself, once, under the id that it had. */
const isDoneOnce = async (receiver: ReceiverProcess, { kind, id, body }: Payment, isNew: boolean): Promise<void> => {
  const { order, ...ledger } = DONE[kind];
  const again = async () => await post(receiver.admin, [kind, id], body);
  const first = await again();
  // Nothing was written: now it is. All else was, and goes on without the shop.
  expect(first.status).toBe(isNew ? 201 : 200);
  const last = await eventually('its end', again, ({ json }) => json['status'] !== 'PROCESSING');
  expect(last).toMatchObject({ status: 200, json: { kind, status: 'SUCCEEDED', requestId: first.json['requestId'] } });
  expect(await receiver.order(id)).toMatchObject(order);
  const { captures, refunds, moved } = await ground.ledger(id);
  expect({ captures: captures.length, refunds: refunds.length, moved }).toMatchObject(ledger);
};

test('a process that is killed at any point of a capture, a cancel and a refund ends in one of each', async () => {
  const cases: { readonly point: Point; readonly asked: readonly Payment[] }[] = [];
  for (const point of POINTS) cases.push({ point, asked: await payments() });
  await ground.store.close();
  lock = new DatabaseSync(fileIn(ground.directory), { timeout: 5_000 });
  const env = callingEnvironment(ground.sandbox, {
    url: way.url,
    databaseUrl: `sqlite:${fileIn(ground.directory)}`,
  });
  let receiver = await startProcessReady(env);
  for (const [index, { point, asked }] of cases.entries()) {
    const answers: Promise<unknown>[] = [];
    await point.reach(() => {
      for (const { kind, id, body } of asked)
        answers.push(
          post(receiver.admin, [kind, id], body).then(
            ({ status }) => status,
            () => 'no answer',
          ),
        );
    }, receiver);
    receiver.kill('SIGKILL');
    await receiver.exited;
    if (lock.isTransaction) lock.exec('rollback');
    expect([point.name, await Promise.all(answers)]).toEqual([point.name, asked.map(() => 'no answer')]);
    way.set('pass');
    receiver = await startProcessReady(env);
    for (const payment of asked) await isDoneOnce(receiver, payment, index === 0);
  }
  receiver.kill('SIGTERM');
  expect(await receiver.exited).toBe(0);
  expect(receiver.log().filter(({ level }) => Number(level) >= 50)).toEqual([]);
}, 60_000);
