import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';
import { run } from '../../src/cli.ts';
import { openExisting } from '../../src/commands/stored.ts';
import { readStoreConfig } from '../../src/config.ts';
import { openStore } from '../../src/store/open.ts';
import { eventually } from '../support/client.ts';
import { startOwnServer } from '../support/postgres.ts';
import { endPrograms, runProgram } from '../support/receiver.ts';
import { capture, CLIENT, notified, ownPlace, payment } from './support.ts';

const CLI = fileURLToPath(new URL('../../src/cli.ts', import.meta.url));
const AMPLE = { maxBytes: 1_000_000 };
const place = ownPlace();

test('orders --follow begins at the end of the feed, tells of one client, and ends with what the 410 says once the database went back', async () => {
  const { directory, env, store } = place();
  await store(notified(payment()));
  let out = '';
  let err = '';
  const ended = run(['orders', '--follow', '--client', CLIENT, '--json'], {
    env,
    out: (text) => (out += text),
    err: (text) => (err += text),
    bytes: () => {},
    overwrite: null,
    paint: (_colour, text) => text,
    ask: null,
    openStore: openExisting,
  });
  const second = notified(
    payment({
      paymentId: 'P2',
      paymentRequestId: 'R2',
      result: { resultStatus: 'S', resultCode: 'SUCCESS', resultMessage: 'Red\u009B31m' },
    }),
  );
  await eventually(
    'a change',
    async () => {
      const captureId = `C${Math.random()}`;
      await store(second, notified(capture({ paymentId: 'P3', captureId }), 'OTHER'));
      await store(notified(capture({ paymentId: 'P2', captureId })));
      return out;
    },
    (text) => text.includes('P2'),
  );
  expect(out).not.toMatch(/"P[13]"/);
  expect(out).toContain(String.raw`Red\u009b31m`);
  for (const line of out.trimEnd().split('\n')) expect(JSON.parse(line)).toMatchObject({ paymentId: 'P2' });
  // As an older dump, restored over the rows, would leave it.
  const db = new DatabaseSync(join(directory, 'paynotify.db'), { timeout: 5_000 });
  db.exec('delete from starts');
  db.close();
  expect(await ended).toBe(1);
  expect(err).toMatch(/^error: This cursor is of another generation.*Start again at after=0/);
});

test('orders --follow waits for a database that does not answer, and leaves nothing out', async () => {
  const server = await startOwnServer();
  const env = { ...place().env, DATABASE_URL: await server.createDatabase() };
  const store = await openStore(readStoreConfig(env));
  try {
    const { output, exited, child } = runProgram(env, [process.execPath, CLI, 'orders', '--follow', '--json']);
    // It begins at the end: which change is the first one that it tells nobody knows.
    await eventually(
      'a change',
      async () => {
        await store.record([notified(capture({ captureId: `C${Math.random()}` }))], AMPLE);
        return output().stdout;
      },
      (text) => text.includes('"P1"'),
    );
    await server.kill('SIGINT');
    await eventually('the outage', output, ({ stderr }) => stderr.includes('the database does not answer'));
    await server.start();
    await eventually(
      'the store',
      async () =>
        await store.record([notified(payment({ paymentId: 'P2' }))], AMPLE).then(
          () => true,
          () => false,
        ),
      Boolean,
    );
    await eventually('what changed', output, ({ stdout }) => stdout.includes('"P2"'));
    child.kill('SIGTERM');
    expect(await exited).toBe(0);
    expect(output().stderr).toMatch(/^warning: the database does not answer; .*\nThe database answers again\.\n$/);
  } finally {
    await store.close();
    await endPrograms();
    await server.stop();
  }
});
