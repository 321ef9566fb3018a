import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ACKNOWLEDGEMENT, createSigner, type Address, PATH } from '../support/client.ts';
import { paymentResult } from '../support/facts.ts';
import { exchange, headOf, openRaw, type RawAnswer } from '../support/raw-http.ts';
import { environmentOf, type InProcess, makeDirectory, removeDirectory, startReady } from '../support/receiver.ts';

const signer = createSigner();
const directory = makeDirectory();
const TOKEN = 'a-token-that-may-do-everything-0123';
let receiver: InProcess;

beforeAll(async () => {
  receiver = await startReady(directory, { ...environmentOf(directory, signer), ADMIN_TOKEN: TOKEN });
});

afterAll(async () => {
  await receiver.stop();
  removeDirectory(directory);
});

const TARGETS = ['http://[', 'http://x:port/', 'foo://x', 'foo://x/payNotify', 'http://', '*', '//[', '/%', '/\\'];
const METHODS = ['GET', 'HEAD', 'POST', 'OPTIONS', 'PUT'];

const ask = async (address: Address, requestLine: string, ...lines: readonly string[]): Promise<RawAnswer> => {
  const connection = await openRaw(address);
  try {
    await connection.write(headOf(requestLine, ['Host: x', ...lines]));
    return await connection.answer(requestLine.startsWith('HEAD'));
  } finally {
    connection.destroy();
  }
};

const asked = METHODS.flatMap((method) => TARGETS.map((target) => `${method} ${target} HTTP/1.1`));

describe('a target in which there is no path', () => {
  test.each(asked)('%s is 404 with JSON that holds nothing of it', async (requestLine) => {
    const answer = await ask(receiver.address, requestLine);
    expect([answer.status, answer.headers.get('content-type')]).toEqual([404, 'application/json']);
    if (!requestLine.startsWith('HEAD')) expect(JSON.parse(answer.body)).toEqual({ error: 'not found' });
  });

  test.each(asked)('%s tells a stranger nothing at the admin listener', async (requestLine) => {
    const answer = await ask(receiver.admin, requestLine);
    expect([answer.status, answer.headers.get('content-type')]).toEqual([
      401,
      'application/problem+json; charset=utf-8',
    ]);
    expect(answer.headers.get('cache-control')).toBe('no-store');
  });

  test.each(asked)('%s is a problem in JSON at the admin listener for who has the token', async (requestLine) => {
    const answer = await ask(receiver.admin, requestLine, `Authorization: Bearer ${TOKEN}`);
    expect(answer.headers.get('content-type')).toBe('application/problem+json; charset=utf-8');
    // `/%` has a path, and a malformed one.
    expect([400, 404]).toContain(answer.status);
    expect(answer.headers.get('cache-control')).toBe('no-store');
  });

  test.each([
    ['GET http://x/healthz HTTP/1.1', 200],
    [`POST http://x${PATH} HTTP/1.1`, 404],
  ])('%s has a path: %d', async (requestLine, status) => {
    expect((await ask(receiver.address, requestLine)).status).toBe(status);
  });
});

describe('CONNECT', () => {
  test('is 404 with JSON, and ends the connection', async () => {
    const connection = await openRaw(receiver.address);
    await connection.write(headOf('CONNECT shop.example:443 HTTP/1.1', ['Host: shop.example:443']));
    const answer = await connection.answer();
    expect([answer.status, answer.headers.get('content-type')]).toEqual([404, 'application/json']);
    expect(answer.headers.get('connection')).toBe('close');
    expect(await connection.ended).toHaveLength(0);
    connection.destroy();
  });

  test('needs the token at the admin listener', async () => {
    expect((await ask(receiver.admin, 'CONNECT x:1 HTTP/1.1')).status).toBe(401);
    expect((await ask(receiver.admin, 'CONNECT x:1 HTTP/1.1', `Authorization: Bearer ${TOKEN}`)).status).toBe(404);
  });

  test.each([
    ['behind another request', `${headOf(`GET ${PATH} HTTP/1.1`, ['Host: x'])}CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n`],
    ['with a body that is to come', 'CONNECT x:1 HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n'],
    ['with bytes behind it', 'CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n'],
  ])('%s ends nothing but its connection', async (_, bytes) => {
    const connection = await openRaw(receiver.address);
    await connection.write(bytes);
    await connection.ended;
    connection.destroy();
    expect((await receiver.readiness()).status).toBe(200);
  });

  test('whose sender is gone before its answer does no harm', async () => {
    for (let count = 0; count < 20; count += 1) {
      const connection = await openRaw(receiver.address);
      await connection.write('CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n');
      connection.destroy();
    }
    expect((await receiver.readiness()).status).toBe(200);
  });
});

describe('Expect', () => {
  test.each(['address', 'admin'] as const)(
    'of another kind is 417 on the %s listener, and nothing follows it',
    async (listener) => {
      const connection = await openRaw(receiver[listener]);
      await connection.write(
        headOf(`POST ${PATH} HTTP/1.1`, ['Host: x', 'Expect: 200-ok', 'Content-Length: 0']) +
          headOf('GET /healthz HTTP/1.1', ['Host: x']),
      );
      const answer = await connection.answer();
      expect([answer.status, answer.body, answer.headers.get('connection')]).toEqual([417, '', 'close']);
      if (listener === 'address') expect(await connection.ended).toHaveLength(0);
      else await connection.ended;
      connection.destroy();
    },
  );

  test('100-continue with HTTP/1.0 gets no 100, which that does not know, and is stored', async () => {
    const { headers, body } = signer.sign(paymentResult('S', { paymentId: 'P1' }));
    const lines = [...headers.map(([name, value]) => `${name}: ${value}`), `Content-Length: ${body.length}`];
    const answer = await exchange(
      receiver.address,
      headOf(`POST ${PATH} HTTP/1.0`, [...lines, 'Expect: 100-continue']) + body.toString(),
    );
    expect(answer).toMatchObject({ status: 200, body: ACKNOWLEDGEMENT });
  });
});

test('headers that do not come to their end are timed out on both listeners', async () => {
  const slow = await Promise.all([openRaw(receiver.address), openRaw(receiver.admin)]);
  for (const connection of slow) await connection.write('GET /healthz HTTP/1.1\r\nHost: lo');
  const answers = await Promise.all(slow.map(({ answer }) => answer()));
  expect(answers.map(({ status }) => status)).toEqual([408, 408]);
  for (const connection of slow) connection.destroy();
});
