import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { FAILURES } from '../../src/antom/call-codes.ts';
import { MOVE_REFUSALS } from '../../src/order/move.ts';
import { callingEnvironment, post } from '../moves/service.ts';
import { type Ground, layGround } from '../moves/support.ts';
import { keepUp } from '../sandbox/support.ts';
import type { Fields } from '../support/facts.ts';
import { fileIn, type InProcess, removeDirectories, startReady } from '../support/receiver.ts';
import { cellsOf, commandsOf, readPage, sectionOf } from './blocks.ts';

/** What docs/consuming.md shows of captures and refunds is sent to a sandbox. */

keepUp();
let ground: Ground;
let receiver: InProcess;
beforeAll(async () => {
  ground = await layGround();
  const databaseUrl = `sqlite:${fileIn(ground.directory)}`;
  receiver = await startReady(
    ground.directory,
    callingEnvironment(ground.sandbox, { url: ground.way.url, databaseUrl }),
  );
});
afterAll(async () => {
  await receiver.stop();
  await ground.stop();
  removeDirectories();
});

const page = readPage('docs/consuming.md');
const commands = commandsOf({ path: page.path, text: sectionOf(page, 'Capture, cancel, refund') });

test('a capture in two parts, and a refund, are what the page says', async () => {
  const moved = commands.filter((command) => !command.includes('/cancel '));
  expect(moved).toHaveLength(3);
  const id = await ground.authorized({ currency: 'HKD', value: '10000' });
  for (const command of moved) {
    const [, what = '', said = ''] = /^curl -X POST \S+\/(captures|refunds) -H \S+ \S+ -d '(.*)'$/.exec(command) ?? [];
    const kind = what === 'captures' ? 'capture' : 'refund';
    const body = JSON.parse(said) as Fields;
    const first = await post(receiver.admin, [kind, id], body);
    expect(first).toMatchObject({ status: 201, json: { kind, status: 'SUCCEEDED', amount: body['amount'] } });
    expect(await post(receiver.admin, [kind, id], body)).toEqual({ status: 200, json: first.json });
  }
  expect(await ground.ledger(id)).toMatchObject({ moved: { authorized: '10000', paid: '9000', returned: '1000' } });
  expect(await receiver.order(id)).toMatchObject({
    capturedAmount: { currency: 'HKD', value: '9000' },
    refundedAmount: { currency: 'HKD', value: '1000' },
  });
});

test('a cancel is what the page says', async () => {
  const [said = ''] = commands.flatMap((command) => /\/cancel -H \S+ \S+ -d '(.*)'$/.exec(command)?.slice(1) ?? []);
  const id = await ground.authorized({ currency: 'HKD', value: '10000' });
  const first = await post(receiver.admin, ['cancel', id], JSON.parse(said) as Fields);
  expect(first).toMatchObject({ status: 201, json: { kind: 'cancel', status: 'SUCCEEDED' } });
  expect(await post(receiver.admin, ['cancel', id], {})).toEqual({ status: 200, json: first.json });
});

test('the tables of operating have every reason', () => {
  const rows = cellsOf(sectionOf(readPage('docs/operating.md'), 'Captures, cancels and refunds'));
  const reasons = rows.flatMap(([cell = '']) => [...cell.matchAll(/`(\w+)`/g)].map(([, reason]) => reason));
  expect(reasons).toEqual(expect.arrayContaining([...FAILURES, ...MOVE_REFUSALS]));
  expect(rows.slice(-MOVE_REFUSALS.length).map(([cell = '']) => cell)).toEqual(
    MOVE_REFUSALS.map((reason) => `\`${reason}\``),
  );
});
