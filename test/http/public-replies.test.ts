import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { amount, captureResult, type Fields, jpy, paymentPending, paymentResult, result } from '../support/facts.ts';
import {
  ACKNOWLEDGEMENT,
  createSigner,
  eventually,
  get,
  headerOf,
  PATH,
  type Post,
  withHeaders,
} from '../support/client.ts';
import {
  environmentOf,
  idOf,
  type InProcess,
  makeDirectory,
  query,
  removeDirectory,
  startReady,
  type UnverifiedItem,
} from '../support/receiver.ts';

/** Law 2: stored means acknowledged. Every outcome and every reason gets the same bytes. */
const signer = createSigner();
const stranger = createSigner(signer.clientId);

const starting = async (env: Readonly<Record<string, string>>) => {
  const directory = makeDirectory();
  // Every key carries a version: only then can a version be unknown.
  const receiver = await startReady(directory, {
    ...environmentOf(directory, { ...signer, publicKey: `1:${signer.publicKey}` }),
    UNVERIFIED_MAX_PER_SECOND: '100000',
    ...env,
  });
  return {
    directory,
    receiver,
    stop: async () => {
      await receiver.stop();
      removeDirectory(directory);
    },
  };
};

let made = 0;
const nextId = (): string => {
  made += 1;
  return `P-${made}`;
};

interface Stored {
  readonly outcome: string;
  readonly kind: string;
  readonly paymentId: string | null;
  readonly deliveries: number;
  readonly body: string;
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly signatureVerifies: boolean;
}

const findStored = async (receiver: InProcess, { body }: Post): Promise<Stored | null> => {
  const { status, json } = await receiver.read(`/api/notifications/${idOf(body)}`);
  return status === 200 ? (json as Stored) : null;
};

const handled = (fields: Fields): Fields => ({
  notifyType: 'PAYMENT_RESULT',
  result: result('S'),
  paymentId: 'MALFORMED-1',
  ...fields,
});

const withAmount = (value: unknown): Fields => handled({ paymentAmount: { currency: 'JPY', value } });

const withRawAmount = (value: string): string => JSON.stringify(withAmount('RAW')).replace('"RAW"', value);

/** A payment's notification with so many lists in one another in front. */
const nesting = (begin: string, levels: number): string =>
  `${begin}${'['.repeat(levels)}${']'.repeat(levels)},${JSON.stringify(paymentResult('S')).slice(1)}`;

describe('a verified notification', () => {
  let running: Awaited<ReturnType<typeof starting>>;
  beforeAll(async () => {
    running = await starting({});
  });
  afterAll(() => running.stop());

  /** Sends it, and reads it back. */
  const deliver = async (body: string | Uint8Array | Fields): Promise<Stored> => {
    const { receiver } = running;
    const post = signer.sign(body, { target: `${PATH}?shop=7` });
    const answer = await receiver.post(post);
    expect(answer).toMatchObject({ status: 200, text: ACKNOWLEDGEMENT });
    const stored = await findStored(receiver, post);
    if (stored === null) throw new Error('it was acknowledged, and is not stored');
    expect(Buffer.from(stored.body, 'base64').equals(post.body)).toBe(true);
    expect(stored).toMatchObject({
      target: `${PATH}?shop=7`,
      headers: {
        'client-id': signer.clientId,
        'request-time': headerOf(post, 'request-time'),
        signature: headerOf(post, 'signature'),
      },
      signatureVerifies: true,
    });
    return stored;
  };

  test.each([
    [
      'an authorization',
      'AUTHORIZED',
      (paymentId: string) => paymentResult('S', { paymentId, paymentAmount: jpy('120') }),
    ],
    ['a decline', 'FAILED', (paymentId: string) => paymentResult('F', { paymentId })],
    ['an unknown result', 'PROCESSING', (paymentId: string) => paymentResult('U', { paymentId })],
    ['a pending payment', 'PROCESSING', (paymentId: string) => paymentPending({ paymentId })],
    [
      'a capture',
      'PARTIALLY_CAPTURED',
      (paymentId: string) => captureResult('S', { paymentId, captureId: `C${paymentId}`, captureAmount: jpy('120') }),
    ],
    [
      'a failed capture',
      'PENDING',
      (paymentId: string) => captureResult('F', { paymentId, captureId: `C${paymentId}` }),
    ],
  ])('APPLIED: %s is acknowledged, and its order is %s', async (_, status, fieldsFor) => {
    const paymentId = nextId();
    expect(await deliver({ ...fieldsFor(paymentId), paymentRequestId: `R${paymentId}` })).toMatchObject({
      outcome: 'APPLIED',
      paymentId,
    });
    expect(await running.receiver.order(paymentId)).toMatchObject({ status, fulfillable: false });
  });

  test('APPLIED: a payment and its capture make an order that may be fulfilled', async () => {
    const paymentId = nextId();
    await deliver(paymentResult('S', { paymentId, paymentRequestId: `R${paymentId}`, paymentAmount: jpy('120') }));
    await deliver(captureResult('S', { paymentId, captureId: `C${paymentId}`, captureAmount: jpy('120') }));
    expect(await running.receiver.order(paymentId)).toMatchObject({
      status: 'CAPTURED',
      fulfillable: true,
      nextAction: 'FULFIL',
      attention: [],
    });
  });

  test('a resend is acknowledged and counted, and is no second notification', async () => {
    const fields = paymentResult('S', { paymentId: nextId() });
    expect((await deliver(fields)).deliveries).toBe(1);
    expect((await deliver(fields)).deliveries).toBe(2);
    expect((await deliver(fields)).deliveries).toBe(3);
  });

  test('a resend with a new request-time and signature is the same notification', async () => {
    const fields = paymentResult('S', { paymentId: nextId() });
    await deliver(fields);
    const again = signer.sign(fields, { requestTime: '1747468684136' });
    expect((await running.receiver.post(again)).text).toBe(ACKNOWLEDGEMENT);
    expect(await findStored(running.receiver, again)).toMatchObject({ deliveries: 2 });
  });

  test.each<[string, string | Fields]>([
    ['no notifyType', {}],
    ['a notifyType of null', { notifyType: null, paymentId: 'x' }],
    ['another kind', { transferRequestId: 'R1', result: result('S') }],
    ['a kind nobody knows', { notifyType: 'CANARY\u0000\ud800' }],
    ['a kind that every object has', { notifyType: 'constructor' }],
    ['a refund of another product', { notifyType: 'REFUND_RESULT', refundRequestId: 'R1', refundStatus: 'SUCCESS' }],
    ['a consent, which is no card authorization', { authorizationNotifyType: 'AUTHCODE_CREATED', authCode: 'x' }],
    [
      'malformed fields under a kind without a handler',
      { notifyType: 'OFFLINE_PAYMENT_CODE', paymentId: ' with space', result: 5 },
    ],
  ])('UNHANDLED: %s is acknowledged and makes no order', async (_, body) => {
    const { outcome, paymentId } = await deliver(body);
    expect(outcome).toBe('UNHANDLED');
    // It may state one, and is found by it; no order comes of that.
    if (paymentId !== null) expect(await running.receiver.order(paymentId)).toBeNull();
  });

  test.each<[string, string | Uint8Array | Fields]>([
    ['no bytes', ''],
    ['no JSON', 'paymentId=1&result=S'],
    ['half of a JSON', '{"notifyType":"PAYMENT_RESULT"'],
    ['a JSON and more', '{}{}'],
    ['an array', '[{"notifyType":"PAYMENT_RESULT"}]'],
    ['null', 'null'],
    ['a string', '"PAYMENT_RESULT"'],
    ['a number', '1e400'],
    ['true', 'true'],
    ['100,000 opened arrays', '['.repeat(100_000)],
    ['a byte order mark', `\ufeff${JSON.stringify(handled({}))}`],
    ['invalid UTF-8', Buffer.from(JSON.stringify(handled({ note: 'ü' })), 'latin1')],
    [
      'an overlong encoding',
      Buffer.concat([Buffer.from('{"notifyType":"'), Buffer.from([0xc1, 0x81]), Buffer.from('"}')]),
    ],
    [
      'a surrogate in UTF-8',
      Buffer.concat([Buffer.from('{"notifyType":"'), Buffer.from([0xed, 0xa0, 0x80]), Buffer.from('"}')]),
    ],
    ['UTF-16', Buffer.from(JSON.stringify(handled({})), 'utf16le')],
    ['a bare U+0000', `${JSON.stringify(handled({}))}\u0000`],
    ['a notifyType that is a number', handled({ notifyType: 5 })],
    ['a notifyType that is a list', handled({ notifyType: ['PAYMENT_RESULT'] })],
    ['no paymentId', handled({ paymentId: undefined })],
    ['an empty paymentId', handled({ paymentId: '' })],
    ['a paymentId of null', handled({ paymentId: null })],
    [
      'a paymentId that only a prototype names',
      '{"notifyType":"PAYMENT_RESULT","result":{"resultStatus":"S"},"__proto__":{"paymentId":"P-proto"}}',
    ],
    ['a paymentId that is a number', handled({ paymentId: 5 })],
    ['a paymentId with a space at its end', handled({ paymentId: 'P1 ' })],
    ['a paymentId with U+0000', handled({ paymentId: 'P\u00001' })],
    ['a paymentId with a lone surrogate', handled({ paymentId: 'P\ud800' })],
    ['a paymentId of 129 characters', handled({ paymentId: 'P'.repeat(129) })],
    ['a paymentId with a line break at its end', handled({ paymentId: 'P1\n' })],
    ['a malformed paymentRequestId', handled({ paymentRequestId: 'R\t1' })],
    ['a capture with no id of its own', handled({ notifyType: 'CAPTURE_RESULT' })],
    [
      'a capture with a malformed captureId',
      handled({ notifyType: 'CAPTURE_RESULT', captureId: 'C\t1', captureRequestId: 'CR1' }),
    ],
    ['no result', handled({ result: undefined })],
    ['a result that is text', handled({ result: 'S' })],
    ['another resultStatus', handled({ result: { resultStatus: 'SUCCESS' } })],
    ['an amount of 1e400', withRawAmount('1e400')],
    ['an amount of "1e400"', withAmount('1e400')],
    ['an amount of -1', withRawAmount('-1')],
    ['an amount of "-1"', withAmount('-1')],
    ['an amount of ٣', withAmount('٣')],
    ['an amount of 10,000 digits', withAmount('9'.repeat(10_000))],
    ['an amount that is a fraction of a number', withAmount(120.5)],
    ['an amount with a fraction', withAmount('1.20')],
    ['an empty amount', withAmount('')],
    ['an amount without a currency', handled({ paymentAmount: { value: '1' } })],
    ['a currency in lower case', handled({ paymentAmount: amount('jpy', '1') })],
    ['an amount that is a list', handled({ paymentAmount: [] })],
    ['100,000 nested arrays', nesting('{"deep":', 100_000)],
    ['a deeply nested acquirerInfo', nesting('{"acquirerInfo":', 50_000)],
  ])('MALFORMED: %s is acknowledged and kept byte for byte', async (_, body) => {
    expect(await deliver(body)).toMatchObject({ outcome: 'MALFORMED' });
  });

  test('MALFORMED notifications alone make an order for a person to look at, where they name their payment', async () => {
    expect(await running.receiver.order('MALFORMED-1')).toMatchObject({
      status: 'PENDING',
      fulfillable: false,
      nextAction: 'REVIEW',
      attention: [{ code: 'UNREADABLE_NOTIFICATION' }],
    });
    expect(await running.receiver.order('P-proto')).toBeNull();
  });

  test.each<[string, (paymentId: string) => string | Fields]>([
    [
      'U+0000 and lone surrogates',
      (paymentId) =>
        paymentResult('S', {
          paymentId,
          result: { resultStatus: 'S', resultCode: 'A\u0000B', resultMessage: 'x\ud800y\udc00' },
        }),
    ],
    [
      '__proto__ and constructor',
      (paymentId) =>
        `{"__proto__":{"x":1},"constructor":{"prototype":{"x":1}},"acquirerInfo":{"__proto__":{"y":2}},${JSON.stringify(paymentResult('S', { paymentId })).slice(1)}`,
    ],
    ['an amount of 64 digits', (paymentId) => paymentResult('S', { paymentId, paymentAmount: jpy('9'.repeat(64)) })],
    [
      'fields that nobody knows',
      (paymentId) => paymentResult('S', { paymentId, surprise: { a: [1e308, true, null] } }),
    ],
    [
      'numbers beyond every range',
      (paymentId) => `{"big":1e400,"small":-1e-400,${JSON.stringify(paymentResult('S', { paymentId })).slice(1)}`,
    ],
    [
      'spaces and line breaks around it',
      (paymentId) => `\r\n\t ${JSON.stringify(paymentResult('S', { paymentId }), null, 4)} \n`,
    ],
  ])('APPLIED: %s do no harm, and are kept byte for byte', async (_, bodyFor) => {
    const paymentId = nextId();
    expect(await deliver(bodyFor(paymentId))).toMatchObject({ outcome: 'APPLIED', paymentId });
    expect(await running.receiver.order(paymentId)).toMatchObject({ paymentId, status: 'AUTHORIZED' });
    expect((await get(running.receiver.address, '/healthz')).status).toBe(200);
  });

  test('U+0000 and lone surrogates become U+FFFD where they are kept in columns', async () => {
    const paymentId = nextId();
    await deliver(
      paymentResult('S', {
        paymentId,
        result: { resultStatus: 'S', resultCode: 'A\u0000B', resultMessage: 'x\ud800y\udc00' },
      }),
    );
    expect(await running.receiver.order(paymentId)).toMatchObject({
      result: { resultCode: 'A\ufffdB', resultMessage: 'x\ufffdy\ufffd' },
    });
  });

  test('of duplicate keys the last one wins', async () => {
    const [first, last] = [nextId(), nextId()];
    await deliver(
      `{"notifyType":"NOTHING","paymentId":"${first}",${JSON.stringify(paymentResult('F', { paymentId: last })).slice(1)}`,
    );
    expect(await running.receiver.order(first)).toBeNull();
    expect(await running.receiver.order(last)).toMatchObject({ status: 'FAILED' });
  });

  test('stays acknowledged while UNVERIFIED_REPLY is refuse', async () => {
    const refusing = await starting({ UNVERIFIED_REPLY: 'refuse' });
    expect(await refusing.receiver.post(signer.sign('not JSON'))).toMatchObject({ status: 200, text: ACKNOWLEDGEMENT });
    await refusing.stop();
  });
});

const genuine = (): Post => signer.sign(paymentResult('S', { paymentId: nextId() }), { target: `${PATH}?shop=7` });

const signatureOf = (post: Post): string => headerOf(post, 'signature').replace(/.*signature=/, '');

describe.each([
  ['acknowledge', 200],
  ['refuse', 401],
])('an unverified request, UNVERIFIED_REPLY=%s', (reply, status) => {
  let running: Awaited<ReturnType<typeof starting>>;
  beforeAll(async () => {
    running = await starting({ UNVERIFIED_REPLY: reply });
  });
  afterAll(() => running.stop());

  test.each<[string, string, (post: Post) => Post]>([
    [
      'DUPLICATE_HEADER',
      'two signatures',
      (post) => withHeaders(post, { signature: [headerOf(post, 'signature'), headerOf(post, 'signature')] }),
    ],
    [
      'DUPLICATE_HEADER',
      'two client-ids',
      (post) => withHeaders(post, { 'client-id': [signer.clientId, signer.clientId] }),
    ],
    [
      'DUPLICATE_HEADER',
      'a second, empty request-time',
      (post) => withHeaders(post, { 'request-time': [headerOf(post, 'request-time'), ''] }),
    ],
    ['DUPLICATE_HEADER', 'a second signature in other letters', (post) => withHeaders(post, { Signature: 'x' })],
    ['MISSING_HEADER', 'no signature', (post) => withHeaders(post, { signature: null })],
    ['MISSING_HEADER', 'no client-id', (post) => withHeaders(post, { 'client-id': null })],
    ['MISSING_HEADER', 'no request-time', (post) => withHeaders(post, { 'request-time': null })],
    ['MISSING_HEADER', 'an empty signature', (post) => withHeaders(post, { signature: '' })],
    ['MISSING_HEADER', 'an empty client-id', (post) => withHeaders(post, { 'client-id': '' })],
    [
      'MALFORMED_SIGNATURE',
      'a broken percent escape',
      (post) => withHeaders(post, { signature: 'algorithm=RSA256,keyVersion=1,signature=%ZZ' }),
    ],
    ['MALFORMED_SIGNATURE', 'nothing but a broken escape', (post) => withHeaders(post, { signature: '%ZZ' })],
    [
      'MALFORMED_SIGNATURE',
      'two signature fields',
      (post) => withHeaders(post, { signature: `${headerOf(post, 'signature')},signature=AAAA` }),
    ],
    [
      'MALFORMED_SIGNATURE',
      'no algorithm',
      (post) => withHeaders(post, { signature: `keyVersion=1,signature=${signatureOf(post)}` }),
    ],
    [
      'MALFORMED_SIGNATURE',
      'a signature of another length',
      (post) => withHeaders(post, { signature: 'algorithm=RSA256,keyVersion=1,signature=AAAA' }),
    ],
    [
      'UNSUPPORTED_ALGORITHM',
      'another algorithm',
      (post) => withHeaders(post, { signature: headerOf(post, 'signature').replace('RSA256', 'RSA512') }),
    ],
    ['UNKNOWN_CLIENT', 'another client', (post) => withHeaders(post, { 'client-id': `${signer.clientId}X` })],
    [
      'UNKNOWN_KEY_VERSION',
      'another key under another version',
      (post) => stranger.sign(post.body, { target: post.target, keyVersion: '2' }),
    ],
    ['SIGNATURE_MISMATCH', 'another key', (post) => stranger.sign(post.body, { target: post.target })],
    [
      'SIGNATURE_MISMATCH',
      'another request-time',
      (post) => withHeaders(post, { 'request-time': '2025-05-17T07:58:05Z' }),
    ],
    [
      'SIGNATURE_MISMATCH',
      'one more byte',
      (post) => ({ ...post, body: Buffer.concat([post.body, Buffer.from(' ')]) }),
    ],
    ['SIGNATURE_MISMATCH', 'no byte at all', (post) => ({ ...post, body: Buffer.alloc(0) })],
  ])(
    `%s (%s) is stored by the time of its answer, which is ${status}; its order never hears of it`,
    async (reason, _, change) => {
      const post = genuine();
      const paymentId = String((JSON.parse(post.body.toString()) as { paymentId: unknown }).paymentId);
      expect((await running.receiver.post(post)).status).toBe(200);
      const order = await running.receiver.order(paymentId);
      const feed = await running.receiver.read('/api/orders?after=0&limit=200');

      const changed = change(post);
      const before = await running.receiver.unverified();
      const answer = await running.receiver.post(changed);
      const rows = query(running.directory, 'select reason from unverified order by request desc limit 1');
      expect(rows).toMatchObject([{ reason }]);
      expect(answer.status).toBe(status);
      if (status === 200) expect(answer.text).toBe(ACKNOWLEDGEMENT);
      else
        expect(JSON.parse(answer.text)).toEqual({
          result: { resultCode: 'ERROR', resultStatus: 'F', resultMessage: expect.any(String) },
        });

      const unverified = await running.receiver.unverified();
      const [latest] = unverified as [UnverifiedItem];
      expect(unverified).toHaveLength(before.length + 1);
      expect(latest).toMatchObject({ reason, deliveries: 1 });
      const whole = (await running.receiver.read(`/api/unverified/${latest.id}`)).json as {
        body: string;
        headers: Record<string, string[]>;
      };
      const occurrences = (name: string): string[] =>
        changed.headers.flatMap(([header, value]) => (header.toLowerCase() === name ? [value] : []));
      expect(whole).toMatchObject({
        method: 'POST',
        target: `${PATH}?shop=7`,
        headers: {
          'client-id': occurrences('client-id'),
          'request-time': occurrences('request-time'),
          signature: occurrences('signature'),
        },
      });
      expect(Buffer.from(whole.body, 'base64').equals(changed.body)).toBe(true);
      expect(await running.receiver.order(paymentId)).toEqual(order);
      expect(await running.receiver.read('/api/orders?after=0&limit=200')).toEqual(feed);
    },
  );

  test('that is sent again is counted, and answered with the same bytes', async () => {
    const post = stranger.sign(paymentResult('S', { paymentId: nextId() }));
    const first = await running.receiver.post(post);
    const second = await running.receiver.post(post);
    expect([first.status, second.status]).toEqual([status, status]);
    expect(second.text).toBe(first.text);
    expect((await running.receiver.unverified())[0]).toMatchObject({ deliveries: 2 });
  });

  test('is logged at warn with its reason', async () => {
    await running.receiver.post(stranger.sign(paymentResult('S', { paymentId: nextId() })));
    const all = await running.receiver.unverified();
    const warned = await eventually(
      'a line for each delivery',
      async () =>
        (await running.receiver.log()).filter(({ level, requestId }) => level === 40 && requestId !== undefined),
      ({ length }) => length === all.reduce((sum, { deliveries }) => sum + deliveries, 0),
    );
    expect(warned.at(-1)).toMatchObject({
      reason: 'SIGNATURE_MISMATCH',
      status,
      deliveries: 1,
      hint: expect.stringContaining('its diagnosis follows'),
    });
  });
});
