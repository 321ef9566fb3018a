import { afterAll, expect, test } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import {
  ACKNOWLEDGEMENT,
  type Answer,
  createSigner,
  eventually,
  get,
  type Post,
  withHeaders,
} from '../support/client.ts';
import { paymentResult } from '../support/facts.ts';
import {
  COMMAND,
  endPrograms,
  environmentOf,
  idOf,
  makeDirectory,
  query,
  removeDirectory,
  startProcessReady,
} from '../support/receiver.ts';

const signer = createSigner();
const directory = makeDirectory();
afterAll(async () => {
  await endPrograms();
  removeDirectory(directory);
});

/**
 * No file of this process may grow beyond so many blocks (of 512 or 1,024 bytes: shells differ); Node ignores the
 * signal.
 */
const LIMITED = ['sh', '-c', 'ulimit -f 2048; exec "$@"', 'sh', ...COMMAND] as const;

test('a disk that is full: 503, unready, alive; what was acknowledged is stored, and all of it once there is room', async () => {
  const sized = (name: string, padding: number): readonly Post[] =>
    Array.from({ length: 40 }, (_, index) =>
      signer.sign(
        paymentResult('S', { paymentId: `${name}${index}`, padding: randomBytes(padding / 2).toString('base64') }),
      ),
    );
  const unverified = withHeaders(signer.sign('{}'), { signature: null });
  const posts = [unverified, ...sized('large', 150_000), ...sized('small', 0)];

  const limited = await startProcessReady(environmentOf(directory, signer), LIMITED);
  const acknowledged: Post[] = [];
  const refused: Answer[] = [];
  const deliver = async (post: Post): Promise<void> => {
    const answer = await limited.post(post);
    if (answer.status === 200) acknowledged.push(post);
    else refused.push(answer);
  };
  for (const post of posts) await deliver(post);
  // A commit that is small enough still fits in the last pages: a repeat of something unverified changes but one.
  const repeatAndLook = async (): Promise<{ readonly state: string }> => {
    await deliver(unverified);
    return await limited.readiness();
  };
  await eventually('not ready', repeatAndLook, ({ state }) => state === 'store unavailable');
  expect(acknowledged.length).toBeGreaterThan(5);
  expect(refused.length).toBeGreaterThan(5);
  expect(new Set(refused.map(({ status }) => status))).toEqual(new Set([503]));
  for (const { headers, text } of refused) {
    expect(headers['retry-after']).toBeDefined();
    expect(JSON.parse(text)).toMatchObject({ result: { resultCode: 'ERROR', resultStatus: 'F' } });
  }
  expect((await get(limited.address, '/healthz')).text).toBe('{"status":"ok"}');
  expect(limited.child.exitCode).toBeNull();
  limited.kill('SIGKILL');
  await limited.exited;

  const roomy = await startProcessReady(environmentOf(directory, signer));
  const stored = new Set(
    query(directory, 'select lower(hex(digest)) as id from notifications').map(({ id }) => String(id)),
  );
  expect(acknowledged.filter((post) => post !== unverified && !stored.has(idOf(post.body)))).toEqual([]);
  const [counted] = await roomy.unverified();
  expect(counted?.deliveries).toBeGreaterThanOrEqual(acknowledged.filter((post) => post === unverified).length);
  for (const post of posts) expect(await roomy.post(post)).toMatchObject({ status: 200, text: ACKNOWLEDGEMENT });
  expect(await roomy.notifications()).toHaveLength(80);
  roomy.kill('SIGTERM');
  expect(await roomy.exited).toBe(0);
});
