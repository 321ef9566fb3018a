import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { openLog, problemOf } from '../src/log.ts';
import { createSigner, eventually, get, PATH, type Post, send, withHeaders } from './support/client.ts';
import { captureResult, type Fields, paymentResult } from './support/facts.ts';
import { exchange, headOf } from './support/raw-http.ts';
import {
  endPrograms,
  environmentOf,
  type LogLine,
  makeDirectory,
  type ReceiverProcess,
  removeDirectory,
  startProcessReady,
} from './support/receiver.ts';

/** What may reach the log; an amount of a payment, a card or a token is none of it. */
const ALLOWED: ReadonlySet<string> = new Set([
  'level',
  'time',
  'msg',
  'requestId',
  'status',
  'kind',
  'paymentId',
  'paymentRequestId',
  'clientId',
  'outcome',
  'reason',
  'diagnosis',
  'unverifiedId',
  'deliveries',
  'ms',
  'address',
  'hint',
  'keyVersion',
  'keyFingerprint',
  'notificationId',
  'host',
  'port',
  'database',
  'signal',
  'orders',
  'changed',
  'moved',
  'count',
  'bytes',
  'maxBytes',
  'problem',
  'error',
  'code',
]);
const CANARY = 'canary7f3a';

const signer = createSigner();
const stranger = createSigner(signer.clientId);
const directory = makeDirectory();
let receiver: ReceiverProcess;

beforeAll(async () => {
  receiver = await startProcessReady({
    ...environmentOf(directory, signer),
    LOG_LEVEL: 'trace',
    NOTIFY_PATHS: `${PATH},/second`,
    ADMIN_TOKEN: `${CANARY}-token-0123456789-0123456789`,
    UNVERIFIED_MAX_PER_SECOND: '100000',
  });
});

afterAll(async () => {
  await endPrograms();
  removeDirectory(directory);
});

/** Each canary is another one, so that a find says which field it was. */
const canary = (name: string): string => `${CANARY}-${name}`;
const canaries = (...names: readonly string[]): Fields => Object.fromEntries(names.map((name) => [name, canary(name)]));

const PAYMENT_FIELDS: Fields = {
  ...canaries(
    'paymentRequestId',
    'paymentTime',
    'paymentCreateTime',
    'authExpiryTime',
    'paymentMethodType',
    'acquirerReferenceNo',
    'captureId',
    'captureRequestId',
    'captureTime',
  ),
  result: { resultStatus: 'S', ...canaries('resultCode', 'resultMessage') },
  paymentAmount: { currency: 'JPY', value: '7316429900000' },
  paymentResultInfo: {
    ...canaries(
      'cardNo',
      'cardBin',
      'cardBrand',
      'lastFour',
      'funding',
      'issuerName',
      'issuingCountry',
      'avsResultRaw',
      'cvvResultRaw',
      'networkTransactionId',
      'fingerprint',
      'cardToken',
    ),
    threeDSResult: canaries('eci', 'cavv', 'threeDSVersion'),
  },
  pspCustomerInfo: canaries('pspName', 'pspCustomerId', 'displayCustomerId'),
  acquirerInfo: canaries(
    'acquirerName',
    'acquirerMerchantId',
    'acquirerTransactionId',
    'acquirerResultCode',
    'acquirerResultMessage',
  ),
  [canary('unknown-name')]: { [canary('nested-name')]: [canary('nested-value'), { deep: [[canary('deep')]] }] },
};

let made = 0;
const nextId = (): string => {
  made += 1;
  return `P-${made}`;
};

/** In a target and in headers that nobody signs, too. */
const disguised = (post: Post): Post =>
  withHeaders(post, {
    'User-Agent': canary('user-agent'),
    Cookie: canary('cookie'),
    Authorization: `Bearer ${canary('authorization')}`,
    'X-Forwarded-For': canary('forwarded'),
    Referer: canary('referer'),
    [canary('header-name')]: 'x',
  });
const TARGET = `${PATH}?${canary('query')}=${canary('query-value')}`;

/**
 * Where the log is now. Lines come in the order of their answers: when that of this notification is there, all before
 * it are.
 */
const place = async (): Promise<number> => {
  const marker = nextId();
  await receiver.post(signer.sign(paymentResult('S', { paymentId: marker })));
  const find = (): number => receiver.log().findIndex(({ paymentId }) => paymentId === marker);
  return await eventually('the line of a notification', find, (at) => at !== -1);
};

/**
 * The lines that some requests added to the log. Background tasks write when they come to it: diagnoses
 * (http/diagnosis.test.ts), the first derivation of all orders, which counts what was stored before it ran, and how
 * many more lines of a kind a minute would have had (http/sampled-log.test.ts).
 */
const linesOf = async (work: () => Promise<unknown>): Promise<readonly LogLine[]> => {
  const before = await place();
  await work();
  const after = await place();
  const added = receiver.log().slice(before + 1, after);
  return added.filter(({ unverifiedId, orders, count }) =>
    [unverifiedId, orders, count].every((of) => of === undefined),
  );
};

describe('a request is one line', () => {
  const FIELDS = {
    requestId: expect.stringMatching(/^\S+$/),
    ms: expect.any(Number),
    address: expect.any(String),
    time: expect.any(String),
  };

  test('of an applied notification, with what it was and what became of it', async () => {
    const paymentId = nextId();
    const post = signer.sign(paymentResult('S', { paymentId }));
    const applied = { ...FIELDS, level: 30, status: 200, kind: 'PAYMENT', paymentId, outcome: 'APPLIED' };
    expect(await linesOf(() => receiver.post(post))).toEqual([expect.objectContaining({ ...applied, deliveries: 1 })]);
    expect(await linesOf(() => receiver.post(post))).toEqual([expect.objectContaining({ ...applied, deliveries: 2 })]);
  });

  test('of a kind without a handler', async () => {
    const lines = await linesOf(() =>
      receiver.post(signer.sign({ notifyType: 'OFFLINE_PAYMENT_CODE', made: nextId() })),
    );
    expect(lines).toEqual([
      expect.objectContaining({ ...FIELDS, outcome: 'UNHANDLED', kind: 'OFFLINE_CODE', paymentId: null }),
    ]);
  });

  test('of a malformed one, as a warning', async () => {
    const lines = await linesOf(() =>
      receiver.post(signer.sign(paymentResult('S', { paymentId: ' P1', made: nextId() }))),
    );
    expect(lines).toEqual([expect.objectContaining({ ...FIELDS, level: 40, outcome: 'MALFORMED', paymentId: null })]);
  });

  test('of an unverified one, as a warning with its reason', async () => {
    const lines = await linesOf(() => receiver.post(stranger.sign(paymentResult('S', { paymentId: nextId() }))));
    expect(lines).toEqual([
      expect.objectContaining({ ...FIELDS, level: 40, reason: 'SIGNATURE_MISMATCH', status: 200, deliveries: 1 }),
    ]);
    expect(Object.keys(lines[0] ?? {})).not.toContain('paymentId');
  });

  test('of one that is refused', async () => {
    const lines = await linesOf(() => receiver.post(withHeaders(signer.sign('{}'), { 'Content-Encoding': 'gzip' })));
    expect(lines).toEqual([expect.objectContaining({ ...FIELDS, status: 415 })]);
  });

  test.each([
    ['another method', 405, () => get(receiver.address, PATH)],
    ['a body over the limit', 413, () => receiver.post({ ...signer.sign('{}'), body: Buffer.alloc(262_145) })],
    ['a path that nothing is at', 404, () => get(receiver.address, '/favicon.ico')],
  ])('of %s, with its status %d', async (_, status, ask) => {
    expect(await linesOf(ask)).toEqual([expect.objectContaining({ ...FIELDS, level: 30, status })]);
  });

  test('of a signed POST to another path: a warning with that path, those configured, and what to do', async () => {
    const post = signer.sign('{}', { target: `/shop/payNotify?${canary('query')}` });
    expect(await linesOf(() => receiver.post(post))).toEqual([
      expect.objectContaining({
        ...FIELDS,
        level: 40,
        status: 404,
        problem: `received: /shop/payNotify configured: ${PATH},/second`,
        hint: expect.stringContaining('NOTIFY_PATHS'),
      }),
    ]);
  });

  test.each([
    ['quotes and backslashes', `/a"b'c\`d\\e`, '/a%22b%27c%60d%5Ce'],
    ['8 KB', `/${'x'.repeat(8_000)}`, `/${'x'.repeat(199)}...`],
  ])('of such a path with %s: escaped and cut', async (_, target, shown) => {
    const head = headOf(`POST ${target} HTTP/1.1`, ['Host: x', 'Signature: x', 'Content-Length: 0']);
    const [line] = await linesOf(() => exchange(receiver.address, Buffer.from(head, 'latin1')));
    expect(line?.['problem']).toBe(`received: ${shown} configured: ${PATH},/second`);
  });

  test('with a request id of its own', async () => {
    const lines = await linesOf(() =>
      Promise.all(Array.from({ length: 20 }, () => receiver.post(signer.sign({ made: nextId() })))),
    );
    expect(new Set(lines.map(({ requestId }) => requestId)).size).toBe(20);
  });
});

/** The lines of forty such requests. */
const linesOfMany = async (sendOne: () => Promise<unknown>): Promise<readonly LogLine[]> =>
  await linesOf(async () => {
    for (let count = 0; count < 40; count += 1) await sendOne();
  });
const unsigned = (): Promise<unknown> => receiver.post(withHeaders(signer.sign(nextId()), { signature: null }));
const tooLarge = (): Promise<unknown> =>
  receiver.post(withHeaders(signer.sign(nextId().padEnd(40_000)), { 'client-id': 'another' }));

describe('what anybody can cause is a warning at most, and ten lines of a kind a minute:', () => {
  test.each<[string, () => Promise<unknown>]>([
    ['unverified', unsigned],
    ['unverified and not stored', tooLarge],
    ['404', () => get(receiver.address, '/nothing')],
    ['a signed POST elsewhere', () => receiver.post(signer.sign('{}', { target: '/elsewhere' }))],
    ['405', () => get(receiver.address, PATH)],
    ['413', () => receiver.post({ ...signer.sign('{}'), body: Buffer.alloc(262_145) })],
    ['415', () => receiver.post(withHeaders(signer.sign('{}'), { 'Content-Encoding': 'gzip' }))],
    [
      '400',
      () => exchange(receiver.address, headOf(`POST ${PATH} HTTP/1.1`, ['Host: x', 'Host: x', 'Content-Length: 0'])),
    ],
  ])('%s', async (_, sendOne) => {
    const lines = await linesOfMany(sendOne);
    expect(lines.length).toBeLessThanOrEqual(10);
    expect(lines.filter(({ level }) => Number(level) > 40)).toEqual([]);
  });

  test('a genuine notification has its line all the same', async () => {
    const post = signer.sign(paymentResult('S', { paymentId: nextId() }));
    expect(await linesOfMany(() => receiver.post(post))).toHaveLength(40);
  });
});

describe('of a notification only its kind and its payment reach the log', () => {
  test('applied, whatever its fields hold', async () => {
    const paymentId = nextId();
    await receiver.post(
      disguised(signer.sign({ notifyType: 'PAYMENT_RESULT', paymentId, ...PAYMENT_FIELDS }, { target: TARGET })),
    );
    await receiver.post(
      disguised(signer.sign({ ...PAYMENT_FIELDS, notifyType: 'PAYMENT_PENDING', paymentId }, { target: TARGET })),
    );
    const capture = captureResult('F', {
      ...PAYMENT_FIELDS,
      result: { resultStatus: 'F', ...canaries('captureResultCode') },
      paymentId,
    });
    await receiver.post(
      disguised(
        signer.sign({ ...capture, captureAmount: { currency: 'JPY', value: '7316429900000' } }, { target: TARGET }),
      ),
    );
    expect(await linesOf(() => receiver.post(signer.sign(capture)))).toMatchObject([
      { paymentId, kind: 'CAPTURE', outcome: 'APPLIED' },
    ]);
  });

  test('unhandled, malformed, no JSON', async () => {
    const bodies: readonly (string | Fields)[] = [
      { notifyType: canary('notify-type'), ...PAYMENT_FIELDS },
      { ...PAYMENT_FIELDS, disputeNotificationType: canary('dispute') },
      paymentResult('S', { ...PAYMENT_FIELDS, paymentId: `${canary('payment')} ` }),
      paymentResult('S', { ...PAYMENT_FIELDS, paymentId: nextId(), paymentAmount: canary('amount') }),
      canary('body'),
      `{"notifyType":"${canary('broken')}`,
    ];
    for (const body of bodies)
      expect((await receiver.post(disguised(signer.sign(body, { target: TARGET })))).status).toBe(200);
  });

  test('unverified: not even these', async () => {
    const paymentId = canary('unverified-payment');
    const post = disguised(
      stranger.sign({ notifyType: 'PAYMENT_RESULT', ...PAYMENT_FIELDS, paymentId }, { target: TARGET }),
    );
    await receiver.post(post);
    for (const name of ['request-time', 'signature']) await receiver.post(withHeaders(post, { [name]: canary(name) }));
    // Of all that is not verified this alone is named, for whoever has configured another one.
    const [line] = await linesOf(async () => await receiver.post(withHeaders(post, { 'client-id': 'T_somebody' })));
    expect(line).toMatchObject({ hint: expect.stringContaining(`T_somebody; configured: ${signer.clientId}`) });
    await receiver.post(
      withHeaders(post, {
        signature: `algorithm=${canary('algorithm')},keyVersion=${canary('version')},signature=AAAA`,
      }),
    );
    await receiver.post(withHeaders(post, { 'client-id': [canary('first'), canary('second')] }));
  });

  test('refused, elsewhere, or no HTTP at all', async () => {
    const post = disguised(signer.sign({ ...PAYMENT_FIELDS }, { target: TARGET }));
    await receiver.post(withHeaders(post, { 'Content-Encoding': canary('encoding') }));
    await receiver.post({ ...post, target: `/elsewhere?${canary('elsewhere')}` });
    await receiver.post({ ...post, target: `/second?${canary('second')}` });
    await get(receiver.address, `/${canary('elsewhere')}`);
    await receiver.post({ ...post, body: Buffer.from(canary('large').repeat(20_000)) });
    await get(receiver.address, TARGET);
    await exchange(
      receiver.address,
      headOf(`POST ${TARGET} HTTP/1.1`, [`Host: ${canary('host')}`, `Host: ${canary('host')}`, 'Content-Length: 0']),
    );
    await exchange(receiver.address, `${canary('garbage')}\r\n\r\n`);
  });

  test('on the admin listener', async () => {
    const asked = (method: string, target: string, body = ''): Post => ({
      method,
      target,
      headers: [
        ['Authorization', `Bearer ${CANARY}-token-0123456789-0123456789`],
        ['Content-Type', 'application/json'],
        ['Cookie', canary('cookie')],
      ],
      body: Buffer.from(body),
    });
    const amount = { currency: 'JPY', value: '7316429900000' };
    const requests = [
      asked('GET', `/api/orders/${canary('order')}`),
      asked('GET', `/api/notifications?id=${canary('payment')}`),
      asked('GET', `/api/orders?cursor=${canary('cursor')}`),
      asked(
        'PUT',
        `/api/orders/${canary('request')}`,
        JSON.stringify({ amount, referenceOrderId: canary('reference') }),
      ),
      asked('PUT', `/api/orders/${canary('request')}`, canary('no-json')),
      asked('GET', `/${canary('elsewhere')}`),
      { ...asked('GET', '/api/orders'), headers: [['Authorization', `Bearer ${canary('wrong-token')}`] as const] },
    ];
    const statuses = [];
    for (const request of requests) statuses.push((await send(receiver.admin, request)).status);
    expect(statuses).toEqual([404, 200, 400, 201, 400, 404, 401]);
  });

  test('not stored', async () => {
    const large = {
      notifyType: 'PAYMENT_RESULT',
      paymentId: canary('large-payment'),
      ...PAYMENT_FIELDS,
      [canary('padding')]: 'x'.repeat(40_000),
    };
    const lines = await linesOf(() => receiver.post(disguised(stranger.sign(large, { target: TARGET }))));
    expect(lines).toEqual([
      expect.objectContaining({ level: 40, status: 503, problem: 'UNVERIFIED_FULL', reason: 'SIGNATURE_MISMATCH' }),
    ]);
  });

  test('altogether: no canary, no amount, no key in all that was written', async () => {
    receiver.kill('SIGTERM');
    expect(await receiver.exited).toBe(0);
    const { stdout, stderr } = receiver.output();
    expect(stderr).toBe('');
    expect(stdout).not.toContain(CANARY);
    expect(stdout).not.toContain('73164299');
    expect(stdout).not.toContain(signer.publicKey.slice(44, 100));
    expect(stdout).not.toContain('algorithm=');
    const lines = receiver.log();
    expect(lines.filter(({ outcome }) => outcome === 'APPLIED').length).toBeGreaterThan(5);
    expect([...new Set(lines.flatMap((line) => Object.keys(line)))].filter((name) => !ALLOWED.has(name))).toEqual([]);
  });
});

const openFile = (name: string) => {
  const file = join(directory, name);
  const descriptor = openSync(file, 'a');
  const opened = openLog({ level: 'info', pretty: false, descriptor });
  const text = (): string => readFileSync(file, 'utf8');
  const counts = (): readonly unknown[] =>
    text()
      .split('\n')
      .slice(0, -1)
      .map((line) => (JSON.parse(line) as LogLine)['count']);
  const write = (from: number, to: number): void => {
    for (let count = from; count < to; count += 1) opened.log.info({ count, problem: 'x'.repeat(100) }, 'a line');
  };
  return { ...opened, text, counts, write, done: () => closeSync(descriptor) };
};
const upTo = (end: number): readonly number[] => Array.from({ length: end }, (_, index) => index);

test('a field that is not allowed is left out, whoever logs it', async () => {
  const { log, text, close, done } = openFile('allowed.jsonl');
  log.info({ status: 1, body: canary('body') }, 'a line');
  await close();
  done();
  expect(JSON.parse(text())).toEqual({ level: 30, time: expect.any(String), status: 1, msg: 'a line' });
});

test('of what an error says 300 characters are logged', () => {
  const error = new TypeError('x'.repeat(1_000));
  expect(problemOf(error)).toEqual({ error: `TypeError: ${'x'.repeat(289)}` });
});

test('lines that come faster than they are written are dropped and counted, also where the log is closed then', async () => {
  const { write, counts, close, done } = openFile('dropped.jsonl');
  write(0, 20_000);
  await close();
  done();
  const written = counts().length - 1;
  expect(written).toBeLessThan(20_000);
  expect(counts().at(-1)).toBe(20_000 - written);
});

describe('lines wait for others, and none is lost:', () => {
  test('a few are written soon', async () => {
    const { write, counts, close, done } = openFile('soon.jsonl');
    write(0, 3);
    expect(await eventually('the lines', counts, ({ length }) => length === 3)).toEqual(upTo(3));
    await close();
    done();
  });

  test('all are written when it is flushed', async () => {
    const { write, counts, flush, close, done } = openFile('flushed.jsonl');
    write(0, 7);
    await flush();
    expect(counts()).toEqual(upTo(7));
    // The first of these are being written, once there are enough of them, when the last few come.
    write(7, 60);
    await flush();
    expect(counts()).toEqual(upTo(60));
    await close();
    done();
  });

  test('all are written, and nothing is any more, when it is closed', async () => {
    const { write, counts, close, done } = openFile('closed.jsonl');
    write(0, 1_000);
    await new Promise(setImmediate);
    write(1_000, 2_000);
    await close();
    done();
    expect(counts()).toEqual(upTo(2_000));
  });
});
