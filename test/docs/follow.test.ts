import { afterAll, expect, test } from '@jest/globals';
import { createSigner } from '../support/client.ts';
import { sql, startServer } from '../support/postgres.ts';
import { environmentOf, makeDirectory, removeDirectories, startReady } from '../support/receiver.ts';
import { createShop, describeFollower, pay } from './follower.case.ts';

const NODE = { command: process.execPath, file: 'follow.mjs', language: 'js' };

describeFollower(NODE);
afterAll(removeDirectories);

test('the follower ships every order after a PostgreSQL database was made again from its copy', async () => {
  const signer = createSigner();
  const directory = makeDirectory();
  const server = await startServer();
  try {
    const url = new URL(await server.createDatabase());
    const name = url.pathname.slice(1);
    const maintenance = new URL('/postgres', url).href;
    const environment = { ...environmentOf(directory, signer), DATABASE_URL: url.href };
    const shop = createShop(directory, NODE);
    const numbers = (): readonly string[] => Object.keys(shop.parcels());
    const before = await startReady(directory, environment);
    await pay(before, signer, [1]);
    await before.stop();
    await sql(maintenance, `create database ${name}_copy template ${name}`);
    const running = await startReady(directory, environment);
    await pay(running, signer, [2, 3]);
    await shop.follow(running, 'all parcels', () => numbers().length === 3);
    await running.stop();

    await sql(maintenance, `drop database ${name} with (force)`);
    await sql(maintenance, `alter database ${name}_copy rename to ${name}`);
    const restored = await startReady(directory, environment);
    await pay(restored, signer, [4, 5]);
    await shop.follow(restored, 'the parcels after the restore', () => numbers().length === 5);
    expect(numbers()).toEqual(['R1', 'R2', 'R3', 'R4', 'R5']);
    await restored.stop();
  } finally {
    await server.stop();
  }
});
