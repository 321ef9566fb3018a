import { spawn } from 'node:child_process';
import { copyFileSync, existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { createSigner, eventually, type Signer } from '../support/client.ts';
import { captureResult, jpy, paymentResult } from '../support/facts.ts';
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
            const isMade = db.prepare("select 1 from sqlite_schema where name = 'parcels'").get() !== undefined;
            const rows = isMade ? db.prepare('select number, state from parcels order by number').all() : [];
            return Object.fromEntries(rows.map(({ number, state }) => [number, state]));
          })
        : {},
    handOver: (number) =>
      inDatabase((db) => {
        const ship = "update parcels set state = 'SHIPPED' where number = ? and state = 'TO_SHIP'";
        expect(db.prepare(ship).run(number).changes).toBe(1);
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
      const decision = async (): Promise<boolean> => {
        if (!until({ R1: 'STOPPED' })()) return false;
        const { revision } = (await receiver.order('P1')) ?? {};
        const { status } = await fetch(`http://${receiver.admin.host}:${receiver.admin.port}/api/orders/P1/review`, {
          method: 'PUT',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ decision: 'FULFIL', revision }),
        });
        return status === 200;
      };
      await contradict(1);
      let decided = false;
      await shop.follow(receiver, 'the parcel again', async () => {
        decided ||= await decision();
        return decided && until({ R1: 'TO_SHIP' })();
      });
      expect(new Set(shop.asked())).toEqual(new Set(['R2', 'R1']));
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
      await shop.follow(receiver, 'a stop', until({ R1: 'STOPPED', R2: 'SHIPPED', R3: 'TO_SHIP' }));

      await receiver.stop();
      copyFileSync(join(directory, 'backup.db'), fileIn(directory));
      receiver = await startReady(directory, environment);
      await pay(receiver, signer, [4, 5]);
      const after = { R1: 'STOPPED', R2: 'SHIPPED', R3: 'TO_SHIP', R4: 'TO_SHIP', R5: 'TO_SHIP' };
      await shop.follow(receiver, 'the parcels after the restore', until(after));
      expect((await receiver.order('P1'))?.fulfillable).toBe(true);
    });

    test('ships a payment that states no paymentRequestId', async () => {
      const unnamed = { paymentId: 'P4', paymentRequestId: undefined, paymentAmount: jpy('120') };
      await receiver.post(signer.sign(paymentResult('S', { ...unnamed, paymentMethodType: 'GCASH' })));
      await shop.follow(receiver, 'a parcel', until({ P4: 'TO_SHIP' }));
      shop.handOver('P4');
      expect(shop.parcels()).toEqual({ P4: 'SHIPPED' });
    });
  });
};
