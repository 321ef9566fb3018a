import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { paymentResult } from '../support/facts.ts';
import { ACKNOWLEDGEMENT, createSigner, PATH, type Post, type SignOptions, withHeaders } from '../support/client.ts';
import { exchange, headOf, openRaw, type RawAnswer } from '../support/raw-http.ts';
import {
  environmentOf,
  idOf,
  type InProcess,
  makeDirectory,
  query,
  removeDirectory,
  startReady,
} from '../support/receiver.ts';

const BODY_LIMIT = 4_096;
/** Paths are compared byte for byte: an escape that is configured is an escape that is asked for. */
const ODD_PATH = '/Shop%2f1/../%C3%BC//notify;v=1';

const signer = createSigner();
const directory = makeDirectory();
let receiver: InProcess;

beforeAll(async () => {
  receiver = await startReady(directory, {
    ...environmentOf(directory, signer),
    NOTIFY_PATHS: `${PATH},${ODD_PATH}`,
    BODY_LIMIT: String(BODY_LIMIT),
  });
});

afterAll(async () => {
  await receiver.stop();
  removeDirectory(directory);
});

let made = 0;
/** A signed notification that was never sent before. */
const fresh = (options?: SignOptions): Post => {
  made += 1;
  return signer.sign(paymentResult('S', { paymentId: `P${made}`, paymentRequestId: `R${made}` }), options);
};

/** A signed notification of exactly so many bytes. */
const ofLength = (bytes: number): Post => {
  made += 1;
  const fields = paymentResult('S', { paymentId: `P${made}`, paymentRequestId: `R${made}` });
  const short = JSON.stringify({ ...fields, padding: '' });
  return signer.sign({ ...fields, padding: 'x'.repeat(bytes - short.length) });
};

const isStored = ({ body }: Post): boolean =>
  query(directory, `select 1 from notifications where hex(digest) = '${idOf(body).toUpperCase()}'`).length === 1;
const storedAtAll = (): number =>
  Number(
    query(directory, 'select (select count(*) from notifications) + (select count(*) from unverified) as n')[0]?.['n'],
  );

/** The request as bytes; `lines` replace the Content-Length. */
const wire = (
  { method, target, headers, body }: Post,
  lines: readonly string[] = [`Content-Length: ${body.length}`],
): Buffer =>
  Buffer.concat([
    Buffer.from(
      headOf(`${method} ${target} HTTP/1.1`, [
        'Host: shop.example',
        ...headers.map(([name, value]) => `${name}: ${value}`),
        ...lines,
      ]),
    ),
    body,
  ]);

const chunked = (body: Buffer, size: number): Buffer => {
  const parts: Buffer[] = [];
  for (let at = 0; at < body.length; at += size) {
    const part = body.subarray(at, at + size);
    parts.push(Buffer.from(`${part.length.toString(16)}\r\n`), part, Buffer.from('\r\n'));
  }
  return Buffer.concat([...parts, Buffer.from('0\r\n\r\n')]);
};

const expectRefusal = (text: string): void => {
  expect(JSON.parse(text)).toEqual({
    result: { resultCode: 'ERROR', resultStatus: 'F', resultMessage: expect.stringMatching(/./) },
  });
};

describe('the acknowledgement', () => {
  test('keeps the connection for the next notification', async () => {
    const [first, second] = [fresh(), fresh()];
    const connection = await openRaw(receiver.address);
    await connection.write(wire(first));
    const answer = await connection.answer();
    expect(answer).toMatchObject({ status: 200, body: ACKNOWLEDGEMENT });
    expect(answer.headers.get('connection')).toBe('keep-alive');
    await connection.write(wire(second));
    expect(await connection.answer()).toMatchObject({ status: 200, body: ACKNOWLEDGEMENT });
    connection.destroy();
    expect([first, second].map(isStored)).toEqual([true, true]);
  });

  test('comes once for each of several notifications sent in one go, in their order', async () => {
    const posts = [fresh(), fresh(), fresh()];
    const connection = await openRaw(receiver.address);
    await connection.write(
      Buffer.concat([
        wire(posts[0] as Post),
        wire({ ...fresh(), target: '/elsewhere' }),
        wire(posts[1] as Post),
        wire(posts[2] as Post),
      ]),
    );
    const statuses = [
      await connection.answer(),
      await connection.answer(),
      await connection.answer(),
      await connection.answer(),
    ];
    connection.destroy();
    expect(statuses.map(({ status }) => status)).toEqual([200, 404, 200, 200]);
    expect(posts.map(isStored)).toEqual([true, true, true]);
  });

  test('is given for a chunked body, however it is cut', async () => {
    const post = fresh();
    const answer = await exchange(
      receiver.address,
      wire({ ...post, body: chunked(post.body, 7) }, ['Transfer-Encoding: chunked']),
    );
    expect(answer).toMatchObject({ status: 200, body: ACKNOWLEDGEMENT });
    expect(isStored(post)).toBe(true);
  });

  test('is given for a body that comes byte by byte', async () => {
    const post = fresh();
    const bytes = wire(post);
    const connection = await openRaw(receiver.address);
    await connection.write(bytes.subarray(0, bytes.length - 40));
    for (let at = bytes.length - 40; at < bytes.length; at += 1) await connection.write(bytes.subarray(at, at + 1));
    expect(await connection.answer()).toMatchObject({ status: 200, body: ACKNOWLEDGEMENT });
    connection.destroy();
    expect(isStored(post)).toBe(true);
  });

  test('reaches a sender that has closed its sending side after the last byte, if it was stored', async () => {
    const post = fresh();
    const connection = await openRaw(receiver.address);
    await connection.write(wire(post));
    connection.halfClose();
    const left = (await connection.ended).toString();
    connection.destroy();
    // Notifications are stored in the order of their last bytes: after this one nothing is on its way any more.
    expect((await receiver.post(fresh())).status).toBe(200);
    expect({ acknowledged: left.startsWith('HTTP/1.1 200 ') && left.endsWith(ACKNOWLEDGEMENT) }).toEqual({
      acknowledged: isStored(post),
    });
  });

  test('is given to a sender that speaks HTTP/1.0', async () => {
    const post = fresh();
    const bytes = Buffer.from(wire(post).toString('latin1').replace('HTTP/1.1', 'HTTP/1.0'), 'latin1');
    expect(await exchange(receiver.address, bytes)).toMatchObject({ status: 200, body: ACKNOWLEDGEMENT });
    expect(isStored(post)).toBe(true);
  });
});

describe('a path', () => {
  test.each([
    '/pay%4Eotify',
    `/${PATH}`,
    `/.${PATH}`,
    `${PATH};v=1`,
    `${PATH}%20`,
    `${PATH}%3Fa=1`,
    `http://shop.example${PATH}`,
    '/Shop%2F1/../%C3%BC//notify;v=1',
    '/%C3%BC//notify;v=1',
    '/%ZZ',
  ])('%s is not one of ours', async (target) => {
    const post = fresh({ target });
    const answer = await exchange(receiver.address, wire(post));
    expect(answer.status).toBe(404);
    expect(answer.headers.get('content-type')).toBe('application/json');
    expect(JSON.parse(answer.body)).toEqual({ error: expect.any(String) });
    expect(isStored(post)).toBe(false);
  });
});

test('HEAD on the path gets the head of a 405, and no body', async () => {
  const connection = await openRaw(receiver.address);
  await connection.write(headOf(`HEAD ${PATH} HTTP/1.1`, ['Host: x']) + headOf('GET /healthz HTTP/1.1', ['Host: x']));
  const answer = await connection.answer(true);
  expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'POST']);
  expect((await connection.answer()).status).toBe(200);
  connection.destroy();
});

/** Sends on and on until the receiver closes; what it answered must be readable all the same. */
const keepSending = async (head: string, piece: Buffer): Promise<RawAnswer> => {
  const connection = await openRaw(receiver.address);
  await connection.write(head);
  for (let sent = 0; sent < 2_000 && !connection.isOver(); sent += 1) await connection.write(piece);
  const answer = await connection.answer();
  await connection.ended;
  connection.destroy();
  return answer;
};

describe('a body over the limit', () => {
  const over = ofLength(BODY_LIMIT + 1);

  test('at the limit is accepted in chunks', async () => {
    const post = ofLength(BODY_LIMIT);
    const answer = await exchange(
      receiver.address,
      wire({ ...post, body: chunked(post.body, 1_000) }, ['Transfer-Encoding: chunked']),
    );
    expect(answer.status).toBe(200);
    expect(isStored(post)).toBe(true);
  });

  test('is refused by its Content-Length before any of it was sent', async () => {
    const connection = await openRaw(receiver.address);
    await connection.write(wire({ ...over, body: Buffer.alloc(0) }, [`Content-Length: ${BODY_LIMIT + 1}`]));
    const answer = await connection.answer();
    expect(answer.status).toBe(413);
    expect(answer.headers.get('connection')).toBe('close');
    expect(answer.headers.get('content-type')).toBe('application/json');
    expectRefusal(answer.body);
    expect(await connection.ended).toHaveLength(0);
    connection.destroy();
  });

  test('is refused where the sender waits for 100 Continue, without a 100', async () => {
    const connection = await openRaw(receiver.address);
    await connection.write(
      wire({ ...over, body: Buffer.alloc(0) }, [`Content-Length: ${BODY_LIMIT + 1}`, 'Expect: 100-continue']),
    );
    const answer = await connection.answer();
    expect([answer.status, answer.headers.get('connection')]).toEqual([413, 'close']);
    expectRefusal(answer.body);
    await connection.ended;
    connection.destroy();
  });

  test('is cut at the limit where it comes in chunks, and not stored', async () => {
    const connection = await openRaw(receiver.address);
    // The last chunk is never sent: what is over the limit is enough.
    await connection.write(
      wire({ ...over, body: chunked(over.body, 512).subarray(0, -5) }, ['Transfer-Encoding: chunked']),
    );
    const answer = await connection.answer();
    expect([answer.status, answer.headers.get('connection')]).toEqual([413, 'close']);
    expectRefusal(answer.body);
    connection.halfClose();
    await connection.ended;
    connection.destroy();
    expect(isStored(over)).toBe(false);
  });

  test('is answered readably to a sender that goes on sending', async () => {
    const head = wire({ ...over, body: Buffer.alloc(0) }, ['Content-Length: 10000000000']).toString('latin1');
    const answer = await keepSending(head, Buffer.alloc(65_536));
    expect([answer.status, answer.headers.get('connection')]).toEqual([413, 'close']);
    expectRefusal(answer.body);
  });

  test('is answered readably to a sender that goes on sending chunks', async () => {
    const head = wire({ ...over, body: Buffer.alloc(0) }, ['Transfer-Encoding: chunked']).toString('latin1');
    const answer = await keepSending(head, chunked(Buffer.alloc(65_536), 65_536).subarray(0, -5));
    expect([answer.status, answer.headers.get('connection')]).toEqual([413, 'close']);
    expectRefusal(answer.body);
  });
});

test.each(['__proto__', 'constructor', 'hasOwnProperty'])(
  'a header that is named %s, as what every object has, does no harm',
  async (name) => {
    const post = fresh();
    const answer = await exchange(receiver.address, wire(post, [`${name}: x`, `Content-Length: ${post.body.length}`]));
    expect(answer).toMatchObject({ status: 200, body: ACKNOWLEDGEMENT });
    expect(isStored(post)).toBe(true);
  },
);

describe('Expect: 100-continue', () => {
  test('gets 100, and after the body the acknowledgement', async () => {
    const post = fresh();
    const connection = await openRaw(receiver.address);
    await connection.write(
      wire({ ...post, body: Buffer.alloc(0) }, [`Content-Length: ${post.body.length}`, 'Expect: 100-continue']),
    );
    expect((await connection.answer()).status).toBe(100);
    await connection.write(post.body);
    expect(await connection.answer()).toMatchObject({ status: 200, body: ACKNOWLEDGEMENT });
    connection.destroy();
    expect(isStored(post)).toBe(true);
  });

  test.each([
    ['GET', PATH, 405],
    ['POST', '/elsewhere', 404],
  ])('gets no 100 for %s %s, for nothing of it is wanted', async (method, target, status) => {
    const answer = await exchange(
      receiver.address,
      headOf(`${method} ${target} HTTP/1.1`, ['Host: x', 'Expect: 100-continue', 'Content-Length: 5']),
    );
    expect(answer.status).toBe(status);
  });
});

/** Nothing that follows on the connection is taken for a request. */
const refused = async (bytes: Buffer): Promise<RawAnswer> => {
  const connection = await openRaw(receiver.address);
  await connection.write(bytes);
  const answer = await connection.answer();
  expect(await connection.ended).toHaveLength(0);
  connection.destroy();
  return answer;
};

describe('ambiguous framing', () => {
  test('two Host headers are 400 and the connection is closed', async () => {
    const post = fresh();
    const answer = await refused(wire(withHeaders(post, { Host: 'other.example' })));
    expect([answer.status, answer.headers.get('connection')]).toEqual([400, 'close']);
    expect(isStored(post)).toBe(false);
  });

  test.each(['gzip', 'gzip, chunked', 'chunked, chunked', 'identity', 'x-chunked', 'chunked, gzip'])(
    'Transfer-Encoding: %s is 400 and the connection is closed',
    async (encoding) => {
      const post = fresh();
      const answer = await refused(wire({ ...post, body: chunked(post.body, 64) }, [`Transfer-Encoding: ${encoding}`]));
      expect([answer.status, answer.headers.get('connection')]).toEqual([400, 'close']);
      expect(isStored(post)).toBe(false);
    },
  );

  test.each([
    ['two Transfer-Encodings', ['Transfer-Encoding: chunked', 'Transfer-Encoding: chunked']],
    ['a Transfer-Encoding beside a Content-Length', ['Transfer-Encoding: chunked', 'Content-Length: 5']],
    ['two Content-Lengths', ['Content-Length: 5', 'Content-Length: 6']],
    ['a Content-Length that is no number', ['Content-Length: 5x']],
    ['a negative Content-Length', ['Content-Length: -1']],
  ])('%s is 400 and the connection is closed', async (_, lines) => {
    const post = fresh();
    const answer = await refused(wire({ ...post, body: chunked(post.body, 64) }, lines));
    expect([answer.status, answer.headers.get('connection')]).toEqual([400, 'close']);
    expect(isStored(post)).toBe(false);
  });

  test.each([
    ['two Hosts', () => wire(withHeaders(fresh(), { Host: 'other.example' }))],
    [
      'Transfer-Encoding: gzip, chunked',
      () => wire({ ...fresh(), body: Buffer.from('0\r\n\r\n') }, ['Transfer-Encoding: gzip, chunked']),
    ],
    ['a body over the limit', () => wire(ofLength(BODY_LIMIT + 1))],
    [
      'a chunked body over the limit',
      () => wire({ ...fresh(), body: chunked(Buffer.alloc(BODY_LIMIT + 1), 512) }, ['Transfer-Encoding: chunked']),
    ],
  ])('%s: nothing that follows on the connection is taken for a notification', async (_, makeRefused) => {
    const hidden = fresh();
    expect((await refused(Buffer.concat([makeRefused(), wire(hidden)]))).status).toBeGreaterThanOrEqual(400);
    expect((await receiver.post(fresh())).status).toBe(200);
    expect(isStored(hidden)).toBe(false);
  });
});

test('a notification before a refused request on its connection is stored and acknowledged', async () => {
  const [good, bad, hidden] = [fresh(), withHeaders(fresh(), { Host: 'other.example' }), fresh()];
  const connection = await openRaw(receiver.address);
  await connection.write(Buffer.concat([wire(good), wire(bad), wire(hidden)]));
  expect(await connection.answer()).toMatchObject({ status: 200, body: ACKNOWLEDGEMENT });
  expect((await connection.answer()).status).toBe(400);
  expect(await connection.ended).toHaveLength(0);
  connection.destroy();
  expect([good, bad, hidden].map(isStored)).toEqual([true, false, false]);
});

describe('a body that does not come whole', () => {
  test('stores nothing, whether the sender resets, closes or half-closes', async () => {
    const before = storedAtAll();
    const ends = ['destroy', 'halfClose'] as const;
    for (const end of ends) {
      const bytes = wire(fresh());
      for (const part of [bytes.subarray(0, -1), bytes.subarray(0, -100)]) {
        const connection = await openRaw(receiver.address);
        await connection.write(part);
        connection[end]();
        await connection.ended;
        connection.destroy();
      }
    }
    const { body } = fresh();
    const cut = await openRaw(receiver.address);
    await cut.write(wire({ ...fresh(), body: chunked(body, 64).subarray(0, -5) }, ['Transfer-Encoding: chunked']));
    cut.destroy();
    await cut.ended;
    expect((await receiver.post(fresh())).status).toBe(200);
    expect(storedAtAll()).toBe(before + 1);
  });
});
