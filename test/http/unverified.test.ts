import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  ACKNOWLEDGEMENT,
  createSigner,
  eventually,
  headerOf,
  PATH,
  type Post,
  withHeaders,
} from '../support/client.ts';
import { jpy, paymentResult } from '../support/facts.ts';
import {
  type Environment,
  environmentOf,
  idOf,
  type InProcess,
  makeDirectory,
  query,
  removeDirectory,
  startReady,
} from '../support/receiver.ts';

const signer = createSigner();
/** The merchant's own key, say: the most common mistake is to configure that one. */
const other = createSigner(signer.clientId);

let directory: string;
let receiver: InProcess | null = null;

beforeEach(() => {
  directory = makeDirectory();
});

afterEach(async () => {
  await receiver?.stop();
  receiver = null;
  removeDirectory(directory);
});

const begin = async (env: Environment = {}): Promise<InProcess> => {
  await receiver?.stop();
  receiver = null;
  receiver = await startReady(directory, {
    ...environmentOf(directory, signer),
    UNVERIFIED_MAX_PER_SECOND: '100000',
    ...env,
  });
  return receiver;
};

let made = 0;
/** Signed by nobody that is configured. */
const forged = (bytes = 200): Post => {
  made += 1;
  return other.sign({ made, padding: 'x'.repeat(bytes) });
};
const unsigned = (bytes = 200): Post => withHeaders(forged(bytes), { signature: null });

const header = (signature: Buffer): string =>
  `algorithm=RSA256,keyVersion=1,signature=${encodeURIComponent(signature.toString('base64'))}`;

/** Signed by the configured key, and changed on the way. */
const damaged = (bytes: number): Post => {
  made += 1;
  return { ...signer.sign({ made }), body: Buffer.from(JSON.stringify({ made, padding: 'x'.repeat(bytes) })) };
};
const ofUnknownClient = (bytes: number): Post => withHeaders(forged(bytes), { 'client-id': 'T_unknown' });

/** Of so many bytes, signed by nobody that is configured. */
const sized = (bytes: number): Post => other.sign('x'.repeat(bytes));

const statusOf = async (to: InProcess, post: Post): Promise<number> => (await to.post(post)).status;
const storedBytes = (): number =>
  Number(query(directory, 'select coalesce(sum(bytes), 0) as n from unverified')[0]?.['n']);
const contentBytes = (): number =>
  Number(
    query(
      directory,
      'select coalesce(sum(length(body) + length(target) + length(headers)), 0) as n from unverified',
    )[0]?.['n'],
  );

/** Sends different ones until one is refused; returns those that were acknowledged. */
const fill = async (to: InProcess, make: () => Post): Promise<readonly Post[]> => {
  const acknowledged: Post[] = [];
  for (let sent = 0; sent < 200; sent += 1) {
    const post = make();
    const answer = await to.post(post);
    if (answer.status === 503) {
      expect(JSON.parse(answer.text)).toMatchObject({ result: { resultStatus: 'F' } });
      expect(answer.headers['retry-after']).toBeDefined();
      return acknowledged;
    }
    expect(answer).toMatchObject({ status: 200, text: ACKNOWLEDGEMENT });
    acknowledged.push(post);
  }
  throw new Error('nothing was refused');
};

describe('the room for unverified requests', () => {
  const MAX_BYTES = 40_000;

  test('is bounded in bytes; what is over is neither stored nor acknowledged, repeats and the verified are', async () => {
    const running = await begin({ UNVERIFIED_MAX_BYTES: String(MAX_BYTES) });
    const acknowledged = await fill(running, () => forged(3_000));
    expect(acknowledged.length).toBeGreaterThan(3);
    expect(await running.unverified()).toHaveLength(acknowledged.length);
    expect(storedBytes()).toBeLessThanOrEqual(MAX_BYTES);
    expect(contentBytes()).toBeLessThanOrEqual(storedBytes());

    for (const post of acknowledged) expect(await statusOf(running, post)).toBe(200);
    expect((await running.unverified()).map(({ deliveries }) => deliveries)).toEqual(acknowledged.map(() => 2));
    expect(await running.post(signer.sign(paymentResult('S')))).toMatchObject({ status: 200, text: ACKNOWLEDGEMENT });
    expect(await statusOf(running, forged(3_000))).toBe(503);
  });

  test('gives a quarter to what anybody can send, a half to who knows a client id, and keeps a quarter for genuine signatures', async () => {
    const running = await begin({ UNVERIFIED_MAX_BYTES: String(MAX_BYTES) });
    const strangers = await fill(running, () => (made % 2 === 0 ? unsigned(2_000) : ofUnknownClient(2_000)));
    expect(strangers.length).toBeGreaterThan(1);
    expect(storedBytes()).toBeLessThanOrEqual(MAX_BYTES / 4);
    for (const change of [
      { signature: '%ZZ' },
      { signature: headerOf(forged(), 'signature').replace('RSA256', 'HS256') },
      { 'client-id': ['a', 'b'] },
      { 'client-id': 'T_unknown' },
    ]) {
      expect(await statusOf(running, withHeaders(forged(2_000), change))).toBe(503);
    }
    const knowing = await fill(running, () => forged(3_000));
    expect(storedBytes()).toBeGreaterThan(MAX_BYTES / 2);
    expect(storedBytes()).toBeLessThanOrEqual((MAX_BYTES * 3) / 4);
    // Random bytes as long as a signature say no more than a signature by another key.
    const random = header(Buffer.concat([Buffer.of(1), randomBytes(255)]));
    expect(await statusOf(running, withHeaders(forged(3_000), { signature: random }))).toBe(503);

    const rescued = await fill(running, () => damaged(2_000));
    expect(rescued.length).toBeGreaterThan(1);
    expect(storedBytes()).toBeLessThanOrEqual(MAX_BYTES);
    for (const post of [...strangers, ...knowing, ...rescued]) expect(await statusOf(running, post)).toBe(200);
  });

  test('is the same for each, whoever came first', async () => {
    const running = await begin({ UNVERIFIED_MAX_BYTES: String(MAX_BYTES) });
    await fill(running, () => damaged(2_000));
    expect(storedBytes()).toBeLessThanOrEqual(MAX_BYTES / 4);
    await fill(running, () => forged(3_000));
    expect(storedBytes()).toBeLessThanOrEqual((MAX_BYTES * 3) / 4);
    expect(await statusOf(running, unsigned(12_000))).toBe(503);
    expect(await statusOf(running, unsigned(2_000))).toBe(200);
  });

  test('takes bodies of 32 KiB and none above, whatever BODY_LIMIT says', async () => {
    const running = await begin();
    expect(await statusOf(running, sized(32_768))).toBe(200);
    const answer = await running.post(sized(32_769));
    expect(answer.status).toBe(503);
    expect(JSON.parse(answer.text)).toMatchObject({ result: { resultStatus: 'F' } });
    expect(await statusOf(running, sized(200_000))).toBe(503);
    expect((await running.unverified()).map(({ bytes }) => bytes >= 32_768)).toEqual([true]);
    expect(await statusOf(running, signer.sign(paymentResult('S', { padding: 'x'.repeat(200_000) })))).toBe(200);
  });

  test('takes so many a second and no more', async () => {
    const PER_SECOND = 5;
    const running = await begin({ UNVERIFIED_MAX_PER_SECOND: String(PER_SECOND) });
    const posts = Array.from({ length: 100 }, () => forged());
    const began = performance.now();
    const answers = await Promise.all(posts.map((post) => running.post(post)));
    const stored = (await running.unverified()).length;
    const seconds = (performance.now() - began) / 1_000;
    const acknowledged = answers.filter(({ status }) => status === 200).length;
    expect(answers.map(({ status }) => status).filter((status) => status !== 200 && status !== 503)).toEqual([]);
    expect(acknowledged).toBeGreaterThanOrEqual(PER_SECOND);
    expect(stored).toBeGreaterThanOrEqual(acknowledged);
    expect(stored).toBeLessThanOrEqual(PER_SECOND * (Math.floor(seconds) + 2));
    await eventually(
      'room in a later second',
      () => statusOf(running, forged()),
      (status) => status === 200,
    );
  });

  test('counts repeats even where there is no room at all', async () => {
    const first = await begin();
    const earlier = forged();
    expect(await statusOf(first, earlier)).toBe(200);
    const running = await begin({ UNVERIFIED_MAX_BYTES: '0' });
    expect(await statusOf(running, earlier)).toBe(200);
    expect(await statusOf(running, forged())).toBe(503);
    expect(await running.unverified()).toMatchObject([{ deliveries: 2 }]);
  });

  test('is not asked over the number a second, not even for repeats; the response and the log say so', async () => {
    const first = await begin();
    const earlier = [forged(), unsigned()];
    for (const post of earlier) expect(await statusOf(first, post)).toBe(200);
    const running = await begin({ UNVERIFIED_MAX_PER_SECOND: '0' });
    for (const post of earlier) {
      const answer = await running.post(post);
      expect([answer.status, answer.headers['retry-after']]).toEqual([503, '10']);
    }
    expect((await running.unverified()).map(({ deliveries }) => deliveries)).toEqual([1, 1]);
    expect((await running.log()).filter(({ problem }) => problem === 'UNVERIFIED_TOO_MANY')).toMatchObject([
      { status: 503, reason: 'SIGNATURE_MISMATCH' },
      { status: 503, reason: 'MISSING_HEADER' },
    ]);
    expect(await running.post(signer.sign(paymentResult('S')))).toMatchObject({ status: 200, text: ACKNOWLEDGEMENT });
  });

  test('tells repeats by method, target, headers and body', async () => {
    const running = await begin();
    const post = forged();
    const variants = [
      post,
      { ...post, target: `${PATH}?x=1` },
      withHeaders(post, { 'request-time': '2025-05-17T07:58:05Z' }),
      { ...post, body: Buffer.concat([post.body, Buffer.from(' ')]) },
    ];
    for (const variant of [...variants, ...variants, withHeaders(post, { 'x-other': 'unsigned' })])
      await running.post(variant);
    expect((await running.unverified()).map(({ deliveries }) => deliveries)).toEqual([2, 2, 2, 3]);
  });

  test('is called nearly full in the log at 80 % of a share, once', async () => {
    const running = await begin({ UNVERIFIED_MAX_BYTES: String(MAX_BYTES) });
    const nearlyFull = async (): Promise<readonly unknown[]> =>
      (await running.log()).filter(({ bytes }) => bytes !== undefined);
    while (storedBytes() + 3_000 < (MAX_BYTES / 4) * 0.8) {
      expect(await nearlyFull()).toEqual([]);
      await running.post(unsigned(500));
    }
    await fill(running, () => unsigned(500));
    await eventually('a warning', nearlyFull, ({ length }) => length > 0);
    await running.post(unsigned(1));
    expect(await nearlyFull()).toMatchObject([{ level: 40, share: 'UNKNOWN', maxBytes: MAX_BYTES / 4 }]);
    await fill(running, () => forged(500));
    expect(await nearlyFull()).toMatchObject([{ share: 'UNKNOWN' }, { share: 'OTHER_KEY' }]);
  });
});

const keyFile = (): string => join(directory, 'apo.pem');

const configure = (...keys: readonly string[]): void => writeFileSync(keyFile(), `${keys.join(',')}\n`);

const beginWith = async (...keys: readonly string[]): Promise<InProcess> => {
  configure(...keys);
  return await begin({ ANTOM_PUBLIC_KEY: '', ANTOM_PUBLIC_KEY_FILE: keyFile() });
};

const moved = async (running: InProcess): Promise<void> => {
  await eventually('nothing unverified', running.unverified, ({ length }) => length === 0);
};

describe('a wrong key costs no payment', () => {
  test('once the right one is read, what came meanwhile moves to the notifications and is applied', async () => {
    const running = await beginWith(other.publicKey);
    const post = signer.sign(paymentResult('S', { paymentId: 'P1', paymentAmount: jpy('120') }));
    for (let sent = 0; sent < 3; sent += 1)
      expect(await running.post(post)).toMatchObject({ status: 200, text: ACKNOWLEDGEMENT });
    const [before] = await running.unverified();
    expect(before).toMatchObject({ reason: 'SIGNATURE_MISMATCH', deliveries: 3 });
    expect(await running.order('P1')).toBeNull();

    configure(signer.publicKey);
    running.reloadKeys();
    await moved(running);
    expect(await running.order('P1')).toMatchObject({
      status: 'AUTHORIZED',
      paymentAmount: { currency: 'JPY', value: '120' },
    });
    const { firstReceivedAt, lastReceivedAt } = before ?? {};
    expect(await running.notifications()).toMatchObject([
      { id: idOf(post.body), outcome: 'APPLIED', deliveries: 3, firstReceivedAt, lastReceivedAt },
    ]);
    expect((await running.read(`/api/notifications/${idOf(post.body)}`)).json).toMatchObject({
      signatureVerifies: true,
      body: post.body.toString('base64'),
    });
    await eventually('a line that says so', running.log, (lines) => lines.some((line) => line['moved'] === 1));
  });

  test('its count joins the deliveries of the same notification; the earliest and the latest receipt stand', async () => {
    const running = await beginWith(other.publicKey);
    const body = JSON.stringify(paymentResult('S', { paymentId: 'P1' }));
    const [bySigner, byOther] = [signer.sign(body), other.sign(body)];
    await running.post(bySigner);
    await running.post(bySigner);
    await running.post(byOther);
    await running.post(bySigner);
    const [unverified] = await running.unverified();
    const [verified] = await running.notifications();
    expect([unverified?.deliveries, verified?.deliveries]).toEqual([3, 1]);

    configure(other.publicKey, signer.publicKey);
    running.reloadKeys();
    await moved(running);
    expect(await running.notifications()).toMatchObject([
      { deliveries: 4, firstReceivedAt: unverified?.firstReceivedAt, lastReceivedAt: unverified?.lastReceivedAt },
    ]);
  });

  test('a verified receipt before and after the unverified ones stands as well', async () => {
    const running = await beginWith(other.publicKey);
    const body = JSON.stringify(paymentResult('S', { paymentId: 'P1' }));
    for (const post of [other.sign(body), signer.sign(body), other.sign(body)]) await running.post(post);
    const [verified] = await running.notifications();
    configure(other.publicKey, signer.publicKey);
    running.reloadKeys();
    await moved(running);
    expect(await running.notifications()).toMatchObject([
      { deliveries: 3, firstReceivedAt: verified?.firstReceivedAt, lastReceivedAt: verified?.lastReceivedAt },
    ]);
  });

  test('also when the right key comes with a restart', async () => {
    await (await beginWith(other.publicKey)).post(signer.sign(paymentResult('S', { paymentId: 'P1' })));
    const running = await beginWith(signer.publicKey);
    await moved(running);
    expect(await running.order('P1')).toMatchObject({ status: 'AUTHORIZED' });
  });

  test('also when the client was not configured at first', async () => {
    const late = createSigner('T_late');
    const clientsFile = join(directory, 'clients.json');
    const writeClients = (...clients: readonly { readonly clientId: string; readonly publicKey: string }[]): void =>
      writeFileSync(
        clientsFile,
        JSON.stringify({ clients: clients.map(({ clientId, publicKey }) => ({ clientId, publicKeys: [publicKey] })) }),
      );
    writeClients(signer);
    const running = await begin({ ANTOM_CLIENT_ID: '', ANTOM_PUBLIC_KEY: '', ANTOM_CLIENTS_FILE: clientsFile });
    await running.post(late.sign(paymentResult('S', { paymentId: 'P-late' })));
    expect(await running.unverified()).toMatchObject([{ reason: 'UNKNOWN_CLIENT' }]);
    writeClients(signer, late);
    running.reloadKeys();
    await moved(running);
    expect((await running.read('/api/orders/P-late?clientId=T_late')).json).toMatchObject({
      clientId: 'T_late',
      status: 'AUTHORIZED',
    });
  });

  test('what still does not verify stays, under the reason of today', async () => {
    const running = await beginWith(`1:${other.publicKey}`);
    const post = signer.sign(paymentResult('S'), { keyVersion: '2' });
    await running.post(post);
    await running.post(withHeaders(post, { signature: null }));
    expect((await running.unverified()).map(({ reason }) => reason)).toEqual(['MISSING_HEADER', 'UNKNOWN_KEY_VERSION']);
    configure(`2:${other.publicKey}`);
    running.reloadKeys();
    await eventually('the reason of today', running.unverified, (items) => items[1]?.reason === 'SIGNATURE_MISMATCH');
    expect((await running.unverified()).map(({ reason }) => reason)).toEqual(['MISSING_HEADER', 'SIGNATURE_MISMATCH']);
    expect(await running.notifications()).toEqual([]);
  });

  test('the room that moved ones took is free again', async () => {
    const running = await beginWith(other.publicKey);
    for (let sent = 0; sent < 120; sent += 1) await running.post(signer.sign({ sent }));
    expect(storedBytes()).toBeGreaterThan(0);
    configure(signer.publicKey);
    running.reloadKeys();
    await moved(running);
    expect(await running.notifications()).toHaveLength(120);
    expect(query(directory, 'select coalesce(sum(bytes), 0) as n from unverified_totals')).toMatchObject([{ n: 0 }]);
  });

  test.each([
    ['is no key', 'nonsense'],
    ['is empty', ''],
    ['is cut off', signer.publicKey.slice(0, 100)],
  ])('a key file that %s leaves the old keys and is an error in the log', async (_, text) => {
    const running = await beginWith(signer.publicKey);
    configure(text);
    running.reloadKeys();
    await eventually('an error', running.log, (lines) =>
      lines.some(
        ({ level, problem, msg }) =>
          level === 50 && String(problem).includes('ANTOM_PUBLIC_KEY') && String(msg).includes('old ones stay'),
      ),
    );
    await running.post(signer.sign(paymentResult('S', { paymentId: 'P1' })));
    expect(await running.order('P1')).toMatchObject({ status: 'AUTHORIZED' });
    expect(await running.unverified()).toEqual([]);
  });

  test('keys that are taken away verify no more', async () => {
    const running = await beginWith(signer.publicKey);
    configure(other.publicKey);
    running.reloadKeys();
    await running.post(signer.sign(paymentResult('S', { paymentId: 'P1' })));
    expect(await running.order('P1')).toBeNull();
    expect(await running.unverified()).toMatchObject([{ reason: 'SIGNATURE_MISMATCH' }]);
  });
});

/** Signed for the URL entered at APO, received behind the balancer. */
const stripped = (uri: string, paymentId: string): Post =>
  signer.sign(paymentResult('S', { paymentId }), { target: PATH, uri });

describe('a prefix that a balancer strips costs no payment', () => {
  const PUBLIC = '/shop/api/payNotify';
  test.each([
    ['its path', PUBLIC],
    ['its path with its query', `${PUBLIC}?shop=1`],
  ])('once PUBLIC_NOTIFY_URL names it, with %s signed', async (_, uri) => {
    const before = await begin();
    expect(await statusOf(before, stripped(uri, 'P1'))).toBe(200);
    expect(await before.unverified()).toMatchObject([{ reason: 'SIGNATURE_MISMATCH' }]);
    expect(await before.order('P1')).toBeNull();

    const running = await begin({ PUBLIC_NOTIFY_URL: `https://shop.example${PUBLIC}?shop=1` });
    await eventually('nothing unverified', running.unverified, ({ length }) => length === 0);
    expect(await running.order('P1')).toMatchObject({ status: 'AUTHORIZED' });
    await running.post(stripped(uri, 'P2'));
    expect(await running.order('P2')).toMatchObject({ status: 'AUTHORIZED' });
    expect(await running.unverified()).toEqual([]);
  });
});

test('nothing unverified is interpreted, counted as a delivery, or seen in an order or in the feed', async () => {
  const running = await begin();
  const genuine = signer.sign(
    paymentResult('S', { paymentId: 'P1', paymentRequestId: 'R1', paymentAmount: jpy('120') }),
  );
  await running.post(genuine);
  const order = await running.order('P1');
  const feed = await running.read('/api/orders?after=0');
  const notifications = await running.notifications();
  const lies = [
    paymentResult('F', { paymentId: 'P1', paymentRequestId: 'R1' }),
    paymentResult('S', { paymentId: 'P1', paymentAmount: jpy('1') }),
    paymentResult('S', { paymentId: 'P2', paymentRequestId: 'R1' }),
    {
      notifyType: 'CAPTURE_RESULT',
      result: { resultStatus: 'S' },
      paymentId: 'P1',
      captureId: 'C1',
      captureAmount: jpy('120'),
    },
  ];
  for (const lie of lies) await running.post(other.sign(lie));
  await running.post(withHeaders(genuine, { signature: null }));
  expect(await running.unverified()).toHaveLength(lies.length + 1);
  expect(await running.order('P1')).toEqual(order);
  expect(await running.order('P2')).toBeNull();
  expect(await running.read('/api/orders?after=0')).toEqual(feed);
  expect(await running.notifications()).toEqual(notifications);
});
