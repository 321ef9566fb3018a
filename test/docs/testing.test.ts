import { spawnSync } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from '@jest/globals';
import * as testing from '../../src/testing.ts';
import { freePort } from '../support/port.ts';
import { makeDirectory, removeDirectories } from '../support/receiver.ts';
import { keyFixture } from '../support/forge-signer.ts';
import { blocksOf, cellsOf, readPage, sectionOf } from './blocks.ts';

afterAll(removeDirectories);

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const page = readPage('docs/consuming.md');
const example = blocksOf(page, 'js').find((block) => block.startsWith('// shop.test.mjs\n')) ?? '';

/** What the page leaves to the reader. */
const SHOP = `
import { setTimeout as pause } from 'node:timers/promises';
const shipped = new Set();
export const isShipped = (id) => shipped.has(id);
export const startShop = async (paynotify) => {
  let stopped = false;
  const following = (async () => {
    while (!stopped) {
      const { items } = await (await fetch(paynotify + '/api/orders?after=0')).json();
      for (const order of items) if (order.fulfillable) shipped.add(order.paymentRequestId);
      await pause(20);
    }
  })();
  return { stop: async () => { stopped = true; await following; } };
};
`;

/** A project with a checkout of paynotify in it, which npm has linked. */
const run = async (): Promise<{ readonly code: number | null; readonly out: string }> => {
  const directory = makeDirectory();
  symlinkSync(ROOT, join(directory, 'paynotify'));
  mkdirSync(join(directory, 'node_modules'));
  symlinkSync('../paynotify', join(directory, 'node_modules/paynotify'));
  writeFileSync(join(directory, 'shop.test.mjs'), example);
  writeFileSync(join(directory, 'shop.mjs'), SHOP);
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--test', '--test-reporter=tap'], {
    cwd: directory,
    encoding: 'utf8',
    env: { PORT: String(await freePort()), ADMIN_PORT: String(await freePort()) },
  });
  return { code: status, out: stdout + stderr };
};

test('the test of docs/consuming.md passes with a shop that ships what is fulfillable', async () => {
  const { code, out } = await run();
  expect([code, out]).toEqual([0, expect.stringMatching(/^# pass 1$/m)]);
});

test('the page lists what the module exports', () => {
  const cells = cellsOf(sectionOf(page, 'Test your shop')).map(([cell = '']) => cell);
  const functions = cells.flatMap((cell) => [...(/^`(\w+)\(/.exec(cell) ?? [])].slice(1));
  const exported = Object.entries(testing).filter(([, value]) => typeof value === 'function');
  expect(functions.toSorted()).toEqual(exported.map(([name]) => name).toSorted());
  const sender = testing.createSender({
    url: 'http://127.0.0.1/payNotify',
    clientId: 'C',
    privateKey: keyFixture('throw-away.private.pkcs8.pem'),
  });
  expect(cells.flatMap((cell) => [...(/^… `(\w+)\(/.exec(cell) ?? [])].slice(1))).toEqual(Object.keys(sender));
});
