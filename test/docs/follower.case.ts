import { spawn } from 'node:child_process';
import { copyFileSync, existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { createSigner, eventually, type Signer } from '../support/client.ts';
import { captureResult, type Fields, jpy, paymentResult, refundResult } from '../support/facts.ts';
import {
  type Environment,
  environmentOf,
  fileIn,
  type InProcess,
  makeDirectory,
  startReady,
} from '../support/receiver.ts';
import { blocksOf, readPage } from './blocks.ts';

/** A program of docs/consuming.md. */
export interface FollowerProgram {
  /** Runs the file that follows. */
  readonly command: string;
  readonly file: string;
  /** Of its block. */
  readonly language: string;
}

const sourceOf = ({ file, language }: FollowerProgram): string => {
  const found = blocksOf(readPage('docs/consuming.md'), language).find((block) => block.includes(` ${file}\n`));
  if (found === undefined) throw new Error(`docs/consuming.md has no ${file}`);
  return found;
};

const HAND_OVER = blocksOf(readPage('docs/consuming.md'), 'sql').find((block) => block.startsWith('update')) ?? '';
const PARCELS = `
  select number, 'TO_SHIP' as state from to_ship
  union select number, 'SHIPPED' from orders where shipped_at is not null
  order by number`;

/** A shop that runs the follower, in a directory of its own. */
export interface Shop {
  /** Runs it until what is waited for has happened. */
  readonly follow: (receiver: InProcess, what: string, isDone: () => boolean | Promise<boolean>) => Promise<void>;
  /** State by number. */
  readonly parcels: () => Readonly<Record<string, string>>;
  readonly handOver: (number: string) => void;
  /** The numbers that a person was asked about. */
  readonly asked: () => readonly string[];
}

export const createShop = (directory: string, program: FollowerProgram): Shop => {
  let said = '';
  const file = join(directory, 'shop.db');
  writeFileSync(join(directory, program.file), sourceOf(program));
  const inDatabase = <T>(work: (db: DatabaseSync) => T): T => {
    const db = new DatabaseSync(file, { timeout: 5_000 });
    try {
      return work(db);
    } finally {
      db.close();
    }
  };
  return {
    follow: async ({ admin }, what, isDone) => {
      const child = spawn(program.command, [program.file], {
        cwd: directory,
        env: { PATH: process.env['PATH'], PAYNOTIFY_URL: `http://${admin.host}:${admin.port}` },
        stdio: ['ignore', 'pipe', 'ignore'],
      });
      child.stdout.setEncoding('utf8').on('data', (text: string) => (said += text));
      const ended = new Promise((resolve) => child.once('close', resolve));
      try {
        await eventually(what, isDone, (done) => done);
      } finally {
        child.kill('SIGKILL');
        await ended;
      }
    },
    parcels: () =>
      existsSync(file)
        ? inDatabase((db) => {
            const isMade = db.prepare("select 1 from sqlite_schema where name = 'to_ship'").get() !== undefined;
            const rows = isMade ? db.prepare(PARCELS).all() : [];
            return Object.fromEntries(rows.map(({ number, state }) => [number, state]));
          })
        : {},
    handOver: (number) =>
      inDatabase((db) => {
        expect(db.prepare(HAND_OVER).run(number).changes).toBe(1);
      }),
    asked: () => [...said.matchAll(/^(\S+): ask a person/gm)].map(([, number = '']) => number),
  };
};

/** Pays an order in full: payment and capture. */
export const pay = async ({ post }: InProcess, { sign }: Signer, numbers: readonly number[]): Promise<void> => {
  for (const number of numbers) {
    const ids = { paymentId: `P${number}`, paymentRequestId: `R${number}` };
    await post(sign(paymentResult('S', { ...ids, paymentAmount: jpy('120') })));
    await post(
      sign(captureResult('S', { paymentId: `P${number}`, captureId: `C${number}`, captureAmount: jpy('120') })),
    );
  }
};

export const describeFollower = (program: FollowerProgram): void => {
  describe(`the follower ${program.file}`, () => {
    const signer = createSigner();
    let directory = '';
    let environment: Environment = {};
    let receiver: InProcess;
    let shop: Shop;
    beforeEach(async () => {
      directory = makeDirectory();
      environment = environmentOf(directory, signer);
      receiver = await startReady(directory, environment);
      shop = createShop(directory, program);
    });
    afterEach(async () => {
      await receiver.stop();
    });

    const put = async (target: string, body: Fields): Promise<number> => {
      const response = await fetch(`http://${receiver.admin.host}:${receiver.admin.port}${target}`, {
        method: 'PUT',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
      return response.status;
    };
    const register = async (number: number, referenceOrderId: string): Promise<void> =>
      expect(await put(`/api/orders/R${number}`, { amount: jpy('120'), referenceOrderId })).toBe(201);
    const fulfil = async (paymentId: string): Promise<boolean> => {
      const { revision } = (await receiver.order(paymentId)) ?? {};
      return (await put(`/api/orders/${paymentId}/review`, { decision: 'FULFIL', revision })) === 200;
    };
    /** APO contradicts itself. */
    const contradict = async (number: number): Promise<void> => {
      const ids = { paymentId: `P${number}`, paymentRequestId: `R${number}` };
      await receiver.post(signer.sign(paymentResult('F', ids)));
    };
    const until =
      (expected: Readonly<Record<string, string>>): (() => boolean) =>
      () =>
        JSON.stringify(shop.parcels()) === JSON.stringify(expected);

    test('ships what is fulfillable, stops what is not any more, asks a person, and goes on where it was', async () => {
      await receiver.post(signer.sign(paymentResult('S', { paymentAmount: jpy('120') })));
      await receiver.post(signer.sign(paymentResult('S', { paymentId: 'P2', paymentRequestId: 'R2' })));
      await contradict(2);
      await shop.follow(receiver, 'a review', () => shop.asked().length > 0);
      expect(shop.parcels()).toEqual({});

      await receiver.post(signer.sign(captureResult('S', { captureId: 'C1', captureAmount: jpy('120') })));
      await shop.follow(receiver, 'a parcel', until({ R1: 'TO_SHIP' }));
      // The parcel is stopped and released while the program runs: it waits, and hears of it.
      const decision = async (): Promise<boolean> => until({})() && (await fulfil('P1'));
      await contradict(1);
      let decided = false;
      await shop.follow(receiver, 'the parcel again', async () => {
        decided ||= await decision();
        return decided && until({ R1: 'TO_SHIP' })();
      });
      expect(new Set(shop.asked())).toEqual(new Set(['R2', 'R1']));
    });

    test('takes nothing from a payment for what is registered under its paymentId', async () => {
      const mistaken = '/api/orders/P1';
      expect(await put(mistaken, { amount: jpy('120') })).toBe(201);
      await pay(receiver, signer, [1]);
      await shop.follow(receiver, 'a parcel', until({ R1: 'TO_SHIP' }));
      expect(await put(`${mistaken}?replace=true`, { amount: jpy('121') })).toBe(200);
      await pay(receiver, signer, [2]);
      await shop.follow(receiver, 'what came last', () => 'R2' in shop.parcels());
      expect(shop.parcels()).toEqual({ R1: 'TO_SHIP', R2: 'TO_SHIP' });
    });

    test('begins again where the database went back, and ships nothing twice and nothing that it has stopped', async () => {
      await pay(receiver, signer, [1, 2]);
      await receiver.stop();
      copyFileSync(fileIn(directory), join(directory, 'backup.db'));
      receiver = await startReady(directory, environment);
      await pay(receiver, signer, [3]);
      await shop.follow(receiver, 'parcels', until({ R1: 'TO_SHIP', R2: 'TO_SHIP', R3: 'TO_SHIP' }));
      shop.handOver('R2');
      await contradict(1);
      await shop.follow(receiver, 'a stop', until({ R2: 'SHIPPED', R3: 'TO_SHIP' }));

      await receiver.stop();
      copyFileSync(join(directory, 'backup.db'), fileIn(directory));
      receiver = await startReady(directory, environment);
      await pay(receiver, signer, [4, 5]);
      const after = { R2: 'SHIPPED', R3: 'TO_SHIP', R4: 'TO_SHIP', R5: 'TO_SHIP' };
      await shop.follow(receiver, 'the parcels after the restore', until(after));
      expect((await receiver.order('P1'))?.fulfillable).toBe(true);
    });

    test('ships a shop order once, by whichever payment, and a payment once, whatever it is called', async () => {
      await register(1, 'O1');
      await register(2, 'O1');
      await pay(receiver, signer, [1, 2, 3]);
      expect(await fulfil('P1')).toBe(true);
      const unnamed = { paymentId: 'P4', paymentRequestId: undefined, paymentAmount: jpy('120') };
      await receiver.post(signer.sign(paymentResult('S', unnamed)));
      await receiver.post(
        signer.sign(captureResult('S', { paymentId: 'P4', captureId: 'C4', captureAmount: jpy('120') })),
      );
      await shop.follow(receiver, 'parcels', until({ O1: 'TO_SHIP', P4: 'TO_SHIP', R3: 'TO_SHIP' }));
      shop.handOver('R3');
      shop.handOver('P4');

      // The second payment becomes fulfillable, and the first one changes once more after that.
      const refund = { refundId: 'F1', refundRequestId: 'F1', paymentId: 'P1', refundAmount: jpy('120') };
      await receiver.post(signer.sign(refundResult('S', refund)));
      await contradict(1);
      await register(3, 'O3');
      await receiver.post(signer.sign(paymentResult('S', { ...unnamed, paymentRequestId: 'R4' })));
      await pay(receiver, signer, [5]);
      await shop.follow(receiver, 'what came last', () => 'R5' in shop.parcels());
      expect(shop.parcels()).toEqual({ O1: 'TO_SHIP', O3: 'SHIPPED', R4: 'SHIPPED', R5: 'TO_SHIP' });
    });
  });
};
