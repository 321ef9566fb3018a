import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, test } from '@jest/globals';
import { run } from '../../src/cli.ts';
import { openExisting } from '../../src/commands/stored.ts';
import { eventually } from '../support/client.ts';
import { capture, notified, ownPlace, payment } from './support.ts';

const place = ownPlace();

test('orders --follow begins at the end of the feed, and ends with what the 410 says once the database went back', async () => {
  const { directory, env, store } = place();
  await store(notified(payment()));
  let out = '';
  let err = '';
  const ended = run(['orders', '--follow', '--json'], {
    env,
    out: (text) => (out += text),
    err: (text) => (err += text),
    bytes: () => {},
    overwrite: null,
    paint: (_colour, text) => text,
    ask: null,
    openStore: openExisting,
  });
  const second = notified(payment({ paymentId: 'P2', paymentRequestId: 'R2' }));
  await eventually(
    'a change',
    async () => {
      await store(second);
      await store(notified(capture({ paymentId: 'P2', captureId: `C${Math.random()}` })));
      return out;
    },
    (text) => text.includes('P2'),
  );
  expect(out).not.toContain('"P1"');
  // As an older dump, restored over the rows, would leave it.
  const db = new DatabaseSync(join(directory, 'paynotify.db'), { timeout: 5_000 });
  db.exec('delete from starts');
  db.close();
  expect(await ended).toBe(1);
  expect(err).toMatch(/^error: This cursor is of another generation.*Start again at after=0/);
});
