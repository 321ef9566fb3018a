import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { readBody } from '../../src/handlers/read.ts';
import { createSigner } from '../support/client.ts';
import type { Fields } from '../support/facts.ts';
import {
  endPrograms,
  type Environment,
  environmentOf,
  makeDirectory,
  type ReceiverProcess,
  removeDirectories,
  startProcessReady,
} from '../support/receiver.ts';
import { blocksOf, readPage } from './blocks.ts';

/** The example of docs/extending.md, carried out: what the page says to add is added to a copy of src, which is run. */

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const page = readPage('docs/extending.md');
const file = blocksOf(page, 'ts').map((block) => ({ path: /^\/\/ (src\/\S+)\n/.exec(block)?.[1] ?? '', block }));
const diff = blocksOf(page, 'diff').map((block) => ({ path: /^--- (src\/\S+)\n/.exec(block)?.[1] ?? '', block }));

/** What one hunk takes away and what it puts there, both with the lines around it. */
const sidesOf = (hunk: string): readonly [before: string, after: string] => {
  const side = (other: string): string =>
    hunk
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith(other))
      .map((line) => `${line.slice(1)}\n`)
      .join('');
  return [side('+'), side('-')];
};

const applyHunk = (source: string, hunk: string): string => {
  const [before, after] = sidesOf(hunk);
  const parts = source.split(before);
  if (parts.length !== 2) throw new Error(`stands ${parts.length - 1} times in the source, not once:\n${before}`);
  return parts.join(after);
};

/** A copy of the program with the file and the line of the page. */
const extend = (directory: string): void => {
  cpSync(join(ROOT, 'src'), join(directory, 'src'), { recursive: true });
  for (const name of ['package.json', 'tsconfig.json']) cpSync(join(ROOT, name), join(directory, name));
  symlinkSync(join(ROOT, 'node_modules'), join(directory, 'node_modules'), 'junction');
  for (const { path, block } of file) {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), block);
  }
  for (const { path, block } of diff) {
    const [, ...hunks] = block.split(/^@@.*\n/m);
    writeFileSync(join(directory, path), hunks.reduce(applyHunk, readFileSync(join(directory, path), 'utf8')));
  }
};

const signer = createSigner();
const extended = makeDirectory();
beforeAll(() => extend(extended));
afterEach(endPrograms);
afterAll(removeDirectories);

/** As `notifyDirectPayment` of Antom's documentation has it. */
const directPayment = (fields: Fields): Fields => ({
  notifyType: 'PAYMENT_RESULT',
  paymentId: 'P1',
  paymentRequestId: 'R1',
  paymentStatus: 'SUCCESS',
  payToAmount: { currency: 'JPY', value: '120' },
  payToMethod: { paymentMethodType: 'BALANCE' },
  paymentTime: '2025-11-27T12:01:01+08:00',
  ...fields,
});

const environmentIn = (directory: string): Environment => ({
  ...environmentOf(directory, signer),
  NO_CAPTURE_METHODS: 'BALANCE',
});

/** A place for the database of one test; what is run is below `root`. */
const start = async (directory: string, root: string): Promise<ReceiverProcess> =>
  await startProcessReady(environmentIn(directory), [process.execPath, join(root, 'src/main.ts')]);

const stop = async (receiver: ReceiverProcess): Promise<void> => {
  receiver.kill('SIGTERM');
  expect(await receiver.exited).toBe(0);
};

describe('the example of docs/extending.md', () => {
  test('is one new file, and lines of the dispatch table', () => {
    expect(file.map(({ path }) => path)).toEqual(['src/handlers/direct-payment.ts']);
    expect(diff.map(({ path }) => path)).toEqual(['src/handlers/index.ts']);
    const added = diff.flatMap(({ block }) => block.split('\n').filter((line) => line.startsWith('+')));
    expect(added.filter((line) => !line.startsWith('+import'))).toEqual(['+  directPayment,']);
  });

  test('is accepted by the type checker', () => {
    const tsconfig = JSON.parse(readFileSync(join(extended, 'tsconfig.json'), 'utf8')) as Fields;
    writeFileSync(join(extended, 'tsconfig.json'), JSON.stringify({ ...tsconfig, include: ['src'] }));
    const tsc = join(ROOT, 'node_modules/typescript/bin/tsc');
    const { stdout } = spawnSync(process.execPath, [tsc, '--noEmit', '--singleThreaded', '--pretty', 'false'], {
      cwd: extended,
      encoding: 'utf8',
    });
    expect(stdout).toBe('');
  });

  test('is of a kind that nothing reads yet', () => {
    const [, kind] = /kind: '(\w+)'/.exec(file[0]?.block ?? '') ?? [];
    expect(readBody(Buffer.from(JSON.stringify(directPayment({}))))).toMatchObject({ kind, outcome: 'UNHANDLED' });
  });

  test('makes an order of a payment of that kind, and of one that failed', async () => {
    const receiver = await start(makeDirectory(), extended);
    await receiver.post(signer.sign(directPayment({})));
    expect(await receiver.order('P1')).toMatchObject({
      paymentRequestId: 'R1',
      status: 'CAPTURED',
      fulfillable: true,
      nextAction: 'FULFIL',
      paymentAmount: { currency: 'JPY', value: '120' },
      attention: [],
    });
    const failed = { paymentStatus: 'FAIL', paymentResultCode: 'RISK_REJECT', payToMethod: null };
    await receiver.post(signer.sign(directPayment({ paymentId: 'P2', paymentRequestId: 'R2', ...failed })));
    expect(await receiver.order('P2')).toMatchObject({
      status: 'FAILED',
      nextAction: 'NEW_PAYMENT_REQUEST',
      result: { resultStatus: 'F', resultCode: 'RISK_REJECT' },
      attention: [],
    });
    await stop(receiver);
  });

  test('says what is wrong with a notification that does not fit', async () => {
    const receiver = await start(makeDirectory(), extended);
    await receiver.post(signer.sign(directPayment({ paymentStatus: 'PERHAPS' })));
    const { json } = await receiver.read('/api/notifications?kind=DIRECT_PAYMENT');
    expect(json).toMatchObject({
      items: [{ outcome: 'MALFORMED', problem: 'paymentStatus must be SUCCESS or FAIL.' }],
    });
    expect(page.text).toContain('`paymentStatus must be SUCCESS or FAIL.`');
    await stop(receiver);
  });

  test('applies what came before, once it is redriven', async () => {
    const directory = makeDirectory();
    const before = await start(directory, ROOT);
    await before.post(signer.sign(directPayment({})));
    expect(await before.order('P1')).toBeNull();
    await stop(before);

    const after = await start(directory, extended);
    const { status, stdout } = spawnSync(
      process.execPath,
      [join(extended, 'src/cli.ts'), 'redrive', '--outcome', 'UNHANDLED', '--json'],
      { env: environmentIn(directory), encoding: 'utf8', cwd: directory },
    );
    expect([status, JSON.parse(stdout)]).toMatchObject([0, { redriven: 1, outcomes: { APPLIED: 1 } }]);
    expect(await after.order('P1')).toMatchObject({ status: 'CAPTURED', fulfillable: true });
    await stop(after);
  });
});
