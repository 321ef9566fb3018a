import { afterAll, describe, expect, test } from '@jest/globals';
import { DatabaseSync } from 'node:sqlite';
import { join } from 'node:path';
import { SETTING } from '../../src/store/setting.ts';
import { createSigner, eventually } from '../support/client.ts';
import { paymentResult } from '../support/facts.ts';
import { environmentOf, makeDirectory, query, removeDirectories, startReady } from '../support/receiver.ts';

const signer = createSigner();
afterAll(removeDirectories);

const sql = (directory: string, statement: string): void => {
  const db = new DatabaseSync(join(directory, 'paynotify.db'), { timeout: 5_000 });
  db.exec(statement);
  db.close();
};

const TWO_DAYS_MS = 2 * 24 * 60 * 60_000;

test('what fails verification does not count as what verified last, though it is acknowledged', async () => {
  const directory = makeDirectory();
  const receiver = await startReady(directory, {
    ...environmentOf(directory, signer),
    UNVERIFIED_REPLY: 'acknowledge',
  });
  expect(await receiver.post(createSigner('T_stranger').sign(paymentResult('S')))).toMatchObject({ status: 200 });
  // What was seen is written down with it.
  await receiver.post(signer.sign(paymentResult('S'), { target: '/elsewhere' }));
  await receiver.stop();
  const [row] = query(directory, `select value from settings where name = '${SETTING.seen}'`);
  expect(JSON.parse(String(row?.['value']))).toMatchObject({ verifiedAt: null, misdirected: { count: 1 } });
});

describe('a service that starts', () => {
  test('removes what is older than it is to be kept, and says so', async () => {
    const directory = makeDirectory();
    const env = environmentOf(directory, signer);
    const first = await startReady(directory, env);
    await first.post(signer.sign(paymentResult('S')));
    const stranger = createSigner('T_stranger');
    await first.post(stranger.sign(paymentResult('S')));
    expect(await first.stop()).toBe(0);
    expect((await first.log()).filter(({ msg }) => String(msg).includes('RETENTION'))).toEqual([]);
    sql(
      directory,
      `update raw_batches set received_at = received_at - ${TWO_DAYS_MS}; update unverified set last_received_at = last_received_at - ${TWO_DAYS_MS}`,
    );

    const second = await startReady(directory, { ...env, RETENTION_DAYS: '1', UNVERIFIED_RETENTION_DAYS: '1' });
    const lines = await eventually(
      'removal',
      async () => (await second.log()).filter(({ msg }) => String(msg).includes('RETENTION')),
      ({ length }) => length === 2,
    );
    expect(lines).toMatchObject([
      { level: 30, count: 1, msg: expect.stringMatching(/^notifications/) },
      { level: 30, count: 1, msg: expect.stringMatching(/^unverified/) },
    ]);
    const [notification] = await second.notifications();
    expect(await second.read(`/api/notifications/${notification?.id}`)).toMatchObject({
      status: 200,
      json: { outcome: 'APPLIED', deliveries: 1 },
    });
    expect(await second.order('P1')).toMatchObject({ status: 'AUTHORIZED' });
    expect(await second.unverified()).toEqual([]);
    // Seen before: it only counts.
    expect(await second.post(signer.sign(paymentResult('S')))).toMatchObject({ status: 200 });
    expect(await second.notifications()).toMatchObject([{ deliveries: 2 }]);
    await second.stop();
  });

  test('on what a copy has not ended to fill says so, and lets the copy know', async () => {
    const directory = makeDirectory();
    const env = environmentOf(directory, signer);
    await (await startReady(directory, env)).stop();
    sql(
      directory,
      `insert into settings values ('copy', '{"source":"sqlite:/elsewhere","kind":"orders","cursor":null,"done":0}')`,
    );
    const receiver = await startReady(directory, env);
    await eventually(
      'a warning',
      () => receiver.log(),
      (lines) => lines.some(({ level, msg }) => level === 50 && String(msg).includes('has not ended')),
    );
    await receiver.stop();
    const db = new DatabaseSync(join(directory, 'paynotify.db'));
    expect(db.prepare("select value from settings where name = 'copy in use'").get()).toMatchObject({ value: 'true' });
    db.close();
  });
});
