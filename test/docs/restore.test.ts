import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { closeShared, here } from '../commands/support.ts';
import { callingEnvironment } from '../moves/service.ts';
import { type Ground, layGround, made } from '../moves/support.ts';
import { keepUp } from '../sandbox/support.ts';
import type { Fields } from '../support/facts.ts';
import { fileIn, makeDirectory, removeDirectories } from '../support/receiver.ts';
import { commandsOf, readPage, sectionOf } from './blocks.ts';

/** What docs/operating.md says to do after a restore is done to a database that has lost what was sent. */

keepUp();
let ground: Ground;
const directory = makeDirectory();
beforeAll(async () => {
  ground = await layGround();
});
afterAll(async () => {
  await closeShared(directory);
  await ground.stop();
  removeDirectories();
});

const page = readPage('docs/operating.md');
const HEADING = 'After a restore, or a fail-over to an asynchronous standby';
const yen = (value: string) => ({ currency: 'JPY', value });

test('reconcile shows the captures, cancels and refunds that were lost, of whatever changed after its time', async () => {
  const [command = ''] = commandsOf({ path: page.path, text: sectionOf(page, HEADING) });
  const [, ...words] = /^paynotify (reconcile) (--since) \S+$/.exec(command) ?? [];
  expect(words).toEqual(['reconcile', '--since']);

  const [captured, cancelled, refunded] = [
    await ground.authorized(),
    await ground.authorized(),
    await ground.authorized(),
  ];
  await made(ground, refunded, { kind: 'capture' });
  const file = fileIn(directory);
  await ground.store.backup(file);
  const lostSince = new Date().toISOString();
  await made(ground, captured, { kind: 'capture', amount: yen('300') });
  await made(ground, cancelled, { kind: 'cancel' });
  await made(ground, refunded, { kind: 'refund', amount: yen('300') });

  const env = {
    ...callingEnvironment(ground.sandbox, { url: ground.way.url, databaseUrl: `sqlite:${file}` }),
    INQUIRIES_PER_SECOND: '100',
  };
  const order = async (id: string): Promise<Fields> =>
    JSON.parse((await here(['orders', id, '--json'], env)).out) as Fields;
  const untouched = { capturedAmount: null, status: 'AUTHORIZED' };
  // The database has no change since then: the time is to be that of the payments.
  expect((await here([...words, lostSince], env)).out).toBe('There is nothing to ask.\n');
  expect([await order(captured), await order(cancelled)]).toMatchObject([untouched, untouched]);
  expect((await here([...words, '2020-01-01T00:00:00Z'], env)).code).toBe(0);
  expect([await order(captured), await order(cancelled), await order(refunded)]).toMatchObject([
    { status: 'PARTIALLY_CAPTURED', capturedAmount: yen('300') },
    { status: 'CANCELLED' },
    { status: 'CAPTURED', refundedAmount: yen('300') },
  ]);
});
