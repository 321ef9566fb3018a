import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { paymentResult } from '../support/facts.ts';
import { ACKNOWLEDGEMENT, createSigner, get, PATH, type Post, withHeaders } from '../support/client.ts';
import { exchange, headOf, openRaw } from '../support/raw-http.ts';
import {
  environmentOf,
  type InProcess,
  makeDirectory,
  query,
  removeDirectory,
  startReady,
} from '../support/receiver.ts';

const signer = createSigner();
const directory = makeDirectory();
let receiver: InProcess;
let made = 0;

const fresh = (): Post => {
  made += 1;
  return signer.sign(paymentResult('S', { paymentId: `P${made}` }));
};
const count = (table: string): number => Number(query(directory, `select count(*) as n from ${table}`)[0]?.['n']);

beforeAll(async () => {
  receiver = await startReady(directory, { ...environmentOf(directory, signer), UNVERIFIED_MAX_PER_SECOND: '100000' });
});

afterEach(async () => {
  expect((await get(receiver.address, '/healthz')).status).toBe(200);
  expect(await receiver.post(fresh())).toMatchObject({ status: 200, text: ACKNOWLEDGEMENT });
});

afterAll(async () => {
  await receiver.stop();
  removeDirectory(directory);
});

/** Reads what comes until the receiver closes. */
const sendAndWait = async (bytes: string | Uint8Array): Promise<string> => {
  const connection = await openRaw(receiver.address);
  await connection.write(bytes);
  connection.halfClose();
  const answer = (await connection.ended).toString('latin1');
  connection.destroy();
  return answer;
};

describe('what Node refuses before us', () => {
  test.each([
    [
      'headers of more than 16 KiB',
      headOf(`POST ${PATH} HTTP/1.1`, ['Host: x', `signature: ${'A'.repeat(16_384)}`]),
      431,
    ],
    ['a target of more than 16 KiB', headOf(`POST ${PATH}?${'a'.repeat(16_384)} HTTP/1.1`, ['Host: x']), 431],
    ['no Host', headOf(`POST ${PATH} HTTP/1.1`, ['Content-Length: 0']), 400],
    ['a header without a colon', headOf(`POST ${PATH} HTTP/1.1`, ['Host: x', 'nonsense']), 400],
    ['a header name with a space', headOf(`POST ${PATH} HTTP/1.1`, ['Host: x', 'client id: x']), 400],
    ['a bare line feed in a header', headOf(`POST ${PATH} HTTP/1.1`, ['Host: x', 'client-id: a\nsignature: b']), 400],
    ['U+0000 in a header', headOf(`POST ${PATH} HTTP/1.1`, ['Host: x', 'client-id: a\u0000b']), 400],
    ['another expectation', headOf(`POST ${PATH} HTTP/1.1`, ['Host: x', 'Expect: 200-ok', 'Content-Length: 0']), 417],
    ['another protocol', 'SSH-2.0-OpenSSH_9.6\r\n\r\n', 400],
    ['a method nobody knows', headOf(`CHEAT ${PATH} HTTP/1.1`, ['Host: x']), 400],
  ])('%s is answered with an empty body and stores nothing', async (_, bytes, status) => {
    const before = count('unverified');
    const answer = await exchange(receiver.address, bytes);
    expect([answer.status, answer.body]).toEqual([status, '']);
    expect(count('unverified')).toBe(before);
  });

  test('a connection of TLS bytes is closed', async () => {
    expect(await sendAndWait(Buffer.from('16030100c8010000c40303', 'hex'))).toMatch(/^HTTP\/1\.1 400 /);
  });
});

describe('headers', () => {
  test('more than a hundred are refused: one that was dropped may have been signed', async () => {
    const before = count('notifications');
    const many = Array.from({ length: 120 }, (_, index) => [`x-${index}`, 'y'] as const);
    for (const headers of [
      [...many, ...fresh().headers],
      [...fresh().headers, ...many],
    ]) {
      const answer = await receiver.post({ ...fresh(), headers });
      expect([answer.status, answer.headers.connection]).toEqual([431, 'close']);
    }
    expect(count('notifications')).toBe(before);
  });

  test('some dozens beside the signed ones do no harm', async () => {
    const post = fresh();
    const some = Array.from({ length: 80 }, (_, index) => [`x-${index}`, 'y'.repeat(100)] as const);
    expect((await receiver.post({ ...post, headers: [...some, ...post.headers] })).text).toBe(ACKNOWLEDGEMENT);
  });

  test.each([
    '%ZZ',
    '%',
    '=',
    ',',
    ',,,,',
    '===',
    '\u00ff\u0080',
    'algorithm=RSA256,signature=%ZZ',
    'x'.repeat(8_000),
    '__proto__=1',
    '%00'.repeat(256),
  ])('a signature of %j is stored as unverified', async (signature) => {
    const before = count('unverified');
    expect((await receiver.post(withHeaders(fresh(), { signature }))).status).toBe(200);
    expect(count('unverified')).toBe(before + 1);
  });

  test.each(['__proto__', 'constructor', 'toString', '\u00fc', 'a b', "'; drop table orders; --"])(
    'a client-id of %j is an unknown client',
    async (clientId) => {
      expect((await receiver.post(withHeaders(fresh(), { 'client-id': clientId }))).status).toBe(200);
      expect((await receiver.unverified())[0]).toMatchObject({ reason: 'UNKNOWN_CLIENT' });
    },
  );
});

describe('garbage', () => {
  test('of random bytes, alone or behind a good beginning, ends nothing but its own connection', async () => {
    const head = `POST ${PATH} HTTP/1.1\r\nHost: x\r\n`;
    const before = count('notifications');
    for (let round = 0; round < 60; round += 1) {
      const noise = randomBytes(1 + round * 7);
      const bytes = [
        noise,
        Buffer.concat([Buffer.from(head), noise]),
        Buffer.concat([Buffer.from(`${head}Transfer-Encoding: chunked\r\n\r\n`), noise]),
      ];
      for (const garbage of bytes) {
        const answer = await sendAndWait(garbage);
        const isRefused = answer === '' || answer.startsWith('HTTP/1.1 4');
        expect([garbage.toString('base64'), isRefused]).toEqual([expect.anything(), true]);
      }
    }
    expect(count('notifications')).toBe(before);
  });

  test('of hundreds of connections that say nothing holds up nobody', async () => {
    const silent = await Promise.all(Array.from({ length: 300 }, () => openRaw(receiver.address)));
    await Promise.all(
      silent.map(
        async (connection, index) => await connection.write(index % 2 === 0 ? '' : `POST ${PATH} HTTP/1.1\r\nHo`),
      ),
    );
    expect(await receiver.post(fresh())).toMatchObject({ status: 200, text: ACKNOWLEDGEMENT });
    for (const connection of silent) connection.destroy();
  });
});
