import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createHttpServer, MAX_CONNECTIONS } from '../../src/http/server.ts';
import { listen, stopListening } from '../../src/http/listener.ts';
import pino from 'pino';
import { ACKNOWLEDGEMENT, createSigner, eventually, get, type Post } from '../support/client.ts';
import { paymentResult } from '../support/facts.ts';
import { exchange, headOf, openRaw, type RawConnection } from '../support/raw-http.ts';
import {
  environmentOf,
  idOf,
  type InProcess,
  type LogLine,
  makeDirectory,
  query,
  removeDirectory,
  startReady,
} from '../support/receiver.ts';

/** Nothing here needs a key: anybody who reaches the port can send it. */
const signer = createSigner();
const directory = makeDirectory();
let receiver: InProcess;

beforeAll(async () => {
  receiver = await startReady(directory, environmentOf(directory, signer));
});

afterAll(async () => {
  await receiver.stop();
  removeDirectory(directory);
});

let made = 0;
const fresh = (padding = ''): Post => {
  made += 1;
  return signer.sign(paymentResult('S', { paymentId: `P${made}`, padding }));
};
const isStored = ({ body }: Post): boolean =>
  query(directory, `select 1 from notifications where hex(digest) = '${idOf(body).toUpperCase()}'`).length === 1;

const headFor = ({ target, headers }: Post, ...framing: readonly string[]): string =>
  headOf(`POST ${target} HTTP/1.1`, ['Host: x', ...headers.map(([name, value]) => `${name}: ${value}`), ...framing]);

const LARGE = 250_000;
const inOneByteChunks = (body: Buffer): string =>
  `${[...body].map((byte) => `1\r\n${String.fromCharCode(byte)}\r\n`).join('')}0\r\n\r\n`;

const expectCut = async (connection: RawConnection): Promise<void> => {
  const answer = await connection.answer();
  expect([answer.status, answer.headers.get('connection')]).toEqual([400, 'close']);
  expect(JSON.parse(answer.body)).toMatchObject({ result: { resultCode: 'ERROR', resultStatus: 'F' } });
  expect(await connection.ended).toHaveLength(0);
  connection.destroy();
};

describe('a body in absurdly many pieces', () => {
  test('is refused with 400 and the connection is closed, where they are chunks', async () => {
    const post = fresh('x'.repeat(LARGE));
    const connection = await openRaw(receiver.address);
    void connection.write(headFor(post, 'Transfer-Encoding: chunked') + inOneByteChunks(post.body));
    await expectCut(connection);
    expect(isStored(post)).toBe(false);
    expect((await receiver.post(fresh())).text).toBe(ACKNOWLEDGEMENT);
  });

  test('nothing that follows on its connection is taken for a request', async () => {
    const [cut, hidden] = [fresh('x'.repeat(LARGE)), fresh()];
    const connection = await openRaw(receiver.address);
    const framed = headFor(hidden, `Content-Length: ${hidden.body.length}`) + hidden.body.toString();
    void connection.write(headFor(cut, 'Transfer-Encoding: chunked') + inOneByteChunks(cut.body) + framed);
    await expectCut(connection);
    expect(isStored(hidden)).toBe(false);
  });

  test('a small body in chunks of a byte is still read: that is slow, and harms nobody', async () => {
    const post = fresh();
    expect(post.body.length).toBeLessThan(1_024);
    const answer = await exchange(
      receiver.address,
      headFor(post, 'Transfer-Encoding: chunked') + inOneByteChunks(post.body),
    );
    expect(answer).toMatchObject({ status: 200, body: ACKNOWLEDGEMENT });
    expect(isStored(post)).toBe(true);
  });

  test.each([
    ['chunks of the size of a packet', 1_400],
    ['chunks of 100 bytes', 100],
  ])('a large body in %s is stored byte for byte', async (_, size) => {
    const post = fresh('0123456789'.repeat(LARGE / 10));
    const chunks: string[] = [];
    for (let at = 0; at < post.body.length; at += size) {
      const chunk = post.body.toString('latin1', at, at + size);
      chunks.push(`${chunk.length.toString(16)}\r\n${chunk}\r\n`);
    }
    const answer = await exchange(
      receiver.address,
      `${headFor(post, 'Transfer-Encoding: chunked')}${chunks.join('')}0\r\n\r\n`,
    );
    expect(answer).toMatchObject({ status: 200, body: ACKNOWLEDGEMENT });
    expect(isStored(post)).toBe(true);
  });
});

describe('bodies that are held open', () => {
  const HOLDERS = 160;

  test('beyond 32 MiB together those that began first get 503; what others send meanwhile is stored', async () => {
    const posts = Array.from({ length: HOLDERS }, () => fresh('x'.repeat(LARGE)));
    const holders: RawConnection[] = [];
    for (const post of posts) {
      const connection = await openRaw(receiver.address);
      await connection.write(headFor(post, `Content-Length: ${post.body.length}`));
      await connection.write(post.body.subarray(0, -1));
      holders.push(connection);
    }
    // In two pieces, so that it has to be held for a moment itself.
    const small = fresh();
    const connection = await openRaw(receiver.address);
    await connection.write(headFor(small, `Content-Length: ${small.body.length}`));
    await connection.write(small.body.subarray(0, 10));
    await get(receiver.address, '/healthz');
    await connection.write(small.body.subarray(10));
    expect(await connection.answer()).toMatchObject({ status: 200, body: ACKNOWLEDGEMENT });
    connection.destroy();
    expect(isStored(small)).toBe(true);

    const refused = await (holders[0] as RawConnection).answer();
    expect([refused.status, refused.headers.get('connection')]).toEqual([503, 'close']);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    await (holders[0] as RawConnection).ended;
    // No more than the room needs: the last ones are still read to their end.
    const last = holders.at(-1) as RawConnection;
    await last.write((posts.at(-1) as Post).body.subarray(-1));
    expect(await last.answer()).toMatchObject({ status: 200, body: ACKNOWLEDGEMENT });
    const over = holders.filter((holder) => holder.isOver()).length;
    expect(over).toBeGreaterThanOrEqual(HOLDERS - Math.ceil((32 * 1_048_576) / LARGE));
    expect(over).toBeLessThan(HOLDERS / 2);
    for (const holder of holders) holder.destroy();
  });
});

describe('pipelined requests', () => {
  test('thousands in one go close the connection after a few, and hold up nobody', async () => {
    const connection = await openRaw(receiver.address);
    void connection.write('GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(10_000));
    const answered = (await connection.ended).toString('latin1').split('HTTP/1.1 200').length - 1;
    expect(answered).toBeLessThan(50);
    connection.destroy();
    await eventually('a line', receiver.log, (lines) =>
      lines.some(({ level, problem }) => level === 40 && problem === 'TOO_MANY_PIPELINED_REQUESTS'),
    );
  });

  test('notifications behind the few are not stored', async () => {
    const posts = Array.from({ length: 40 }, () => fresh());
    const connection = await openRaw(receiver.address);
    void connection.write(
      posts.map((post) => headFor(post, `Content-Length: ${post.body.length}`) + post.body.toString()).join(''),
    );
    await connection.ended;
    connection.destroy();
    expect((await receiver.post(fresh())).status).toBe(200);
    expect(posts.slice(20).filter(isStored)).toEqual([]);
  });

  test('a handful is answered, each in its turn', async () => {
    const posts = Array.from({ length: 10 }, () => fresh());
    const connection = await openRaw(receiver.address);
    await connection.write(
      posts.map((post) => headFor(post, `Content-Length: ${post.body.length}`) + post.body.toString()).join(''),
    );
    for (const post of posts) {
      expect(await connection.answer()).toMatchObject({ status: 200, body: ACKNOWLEDGEMENT });
      expect(isStored(post)).toBe(true);
    }
    connection.destroy();
  });

  test('as many as you like, one after the other, keep their connection', async () => {
    const connection = await openRaw(receiver.address);
    for (let count = 0; count < 100; count += 1) {
      await connection.write(headOf('GET /healthz HTTP/1.1', ['Host: x']));
      expect((await connection.answer()).status).toBe(200);
    }
    connection.destroy();
  });
});

test('connections above the limit are closed, and the log says so', async () => {
  const lines: LogLine[] = [];
  const log = pino({ base: null }, { write: (line: string) => lines.push(JSON.parse(line) as LogLine) });
  const server = createHttpServer((_request, response) => response.end(), { log });
  expect(server.maxConnections).toBe(MAX_CONNECTIONS);
  server.maxConnections = 2;
  const address = await listen(server, { host: '127.0.0.1', port: 0 });
  const kept = await Promise.all([openRaw(address), openRaw(address)]);
  const dropped = await openRaw(address);
  expect(await dropped.ended).toHaveLength(0);
  expect(kept.map((connection) => connection.isOver())).toEqual([false, false]);
  expect(lines).toMatchObject([{ level: 40, problem: 'TOO_MANY_CONNECTIONS', address: '127.0.0.1' }]);
  for (const connection of [...kept, dropped]) connection.destroy();
  await stopListening(server);
});
