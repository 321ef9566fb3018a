import { afterAll, expect, test } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { setTimeout as after } from 'node:timers/promises';
import { createSigner } from '../support/client.ts';
import { paymentResult } from '../support/facts.ts';
import { environmentOf, makeDirectory, removeDirectories, startReady } from '../support/receiver.ts';

afterAll(removeDirectories);

test("the service does not load Node's HTTP client, which takes memory, until it calls somebody", () => {
  const main = new URL('../../src/main.ts', import.meta.url).href;
  const program = `await import(${JSON.stringify(main)}); console.log(JSON.stringify(process.moduleLoadList));`;
  const { stdout } = spawnSync(process.execPath, ['--input-type=module', '--eval', program], { encoding: 'utf8' });
  const loaded = JSON.parse(stdout) as readonly string[];
  expect(loaded).toContain('NativeModule _http_server');
  expect(loaded.filter((name) => name.includes('undici'))).toEqual([]);
});

/** Each has a port. */
const threads = (): number => process.getActiveResourcesInfo().filter((name) => name === 'MessagePort').length;

test('on SQLite the thread that reads for others, which takes memory, starts when somebody reads', async () => {
  const directory = makeDirectory();
  const signer = createSigner();
  const before = threads();
  const receiver = await startReady(directory, environmentOf(directory, signer));
  try {
    await receiver.post(signer.sign(paymentResult('S')));
    // What the service looks after by itself, it has begun with by now.
    await after(1_500);
    expect(threads()).toBe(before + 1);
    expect(await receiver.notifications()).toHaveLength(1);
    expect(threads()).toBe(before + 2);
  } finally {
    await receiver.stop();
  }
});
