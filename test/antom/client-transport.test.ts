import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { type ClientSettings, createAntomClient } from '../../src/antom/client.ts';
import { readKey } from '../../src/antom/keys.ts';
import { readPrivateKeyText } from '../../src/antom/private-key.ts';
import {
  answering,
  answerHeaders,
  type AntomApi,
  APO_PUBLIC_KEY,
  CLIENT_ID,
  MERCHANT_KEY,
  type Reply,
  startAntomApi,
} from '../support/antom-api.ts';
import { makeCertificate } from '../support/certificate.ts';
import { freePort } from '../support/port.ts';

const signingKey = { key: readPrivateKeyText(MERCHANT_KEY).key, version: '1' };
const keys = [readKey(APO_PUBLIC_KEY)];

const CAPTURED = JSON.stringify({
  result: { resultStatus: 'S', resultCode: 'SUCCESS', resultMessage: 'success.' },
  captureRequestId: 'C1',
  captureId: 'A1',
  paymentId: 'P1',
});

/** What becomes of a capture there. */
const captureAt = async (origin: string, change: Partial<ClientSettings> = {}, signal?: AbortSignal) =>
  await createAntomClient({ clientId: CLIENT_ID, origin, signingKey, keys, ...change }).capture(
    { captureRequestId: 'C1', paymentId: 'P1', captureAmount: { currency: 'HKD', value: 10n } },
    signal,
  );

const unknown = (reason: string, detail?: string) => ({
  outcome: 'UNKNOWN',
  reason,
  delay: 'AGAIN',
  result: null,
  ...(detail === undefined ? {} : { detail }),
});

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

const startApi = async (tls?: Parameters<typeof startAntomApi>[0]): Promise<AntomApi> => {
  const api = await startAntomApi(tls);
  closing.push(api.close);
  api.reply(answering(CAPTURED));
  return api;
};

/** A server that speaks bytes, not HTTP; its origin. */
const startRaw = async (onSocket: (socket: Socket) => void): Promise<string> => {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    onSocket(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closing.push(async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, 'close');
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
};

const PATH = '/ams/sandbox/api/v1/payments/capture';
/** The whole answer as it goes over the wire. */
const wire = (body: string, framing: readonly string[]): Buffer =>
  Buffer.from(
    [
      'HTTP/1.1 200 OK',
      ...Object.entries(answerHeaders(PATH, body)).map(([name, value]) => `${name}: ${value}`),
      ...framing,
    ]
      .map((line) => `${line}\r\n`)
      .join('') + `\r\n${body}`,
  );
const WHOLE = wire(CAPTURED, [`content-length: ${Buffer.byteLength(CAPTURED)}`]);

/** Sends that many bytes of the answer once the request is there, and then ends in the way given. */
const cutAt = async (ending: 'reset' | 'end', bytes: Buffer): Promise<(length: number) => Promise<unknown>> => {
  let length = 0;
  const origin = await startRaw((socket) =>
    socket.on('data', (chunk) => {
      if (!chunk.includes('"C1"')) return;
      // A reset may overtake what was written: it waits until that has left.
      if (length === 0) socket[ending === 'reset' ? 'resetAndDestroy' : 'end']();
      else socket.write(bytes.subarray(0, length), () => socket[ending === 'reset' ? 'resetAndDestroy' : 'end']());
    }),
  );
  return async (to) => {
    length = to;
    return await captureAt(origin);
  };
};

describe('a connection that breaks leaves the call UNKNOWN', () => {
  test('refused', async () => {
    expect(await captureAt(`http://127.0.0.1:${await freePort()}`)).toMatchObject(unknown('NO_ANSWER', 'ECONNREFUSED'));
  });

  test.each(['at once', 'within the request', 'after the request'])('reset %s', async (when) => {
    const origin = await startRaw((socket) => {
      if (when === 'at once') socket.resetAndDestroy();
      else
        socket.on('data', (chunk) =>
          when === 'after the request' && !chunk.includes('"C1"') ? undefined : socket.resetAndDestroy(),
        );
    });
    expect(await captureAt(origin)).toMatchObject(unknown('NO_ANSWER'));
  });

  const head = WHOLE.indexOf('\r\n\r\n') + 4;
  const places = Array.from({ length: WHOLE.length }, (_, place) => place).filter(
    (place) => place % 11 === 0 || Math.abs(place - head) < 3 || place >= WHOLE.length - 3,
  );

  test.each(['reset', 'end'] as const)('%s, after any byte of the answer but the last', async (ending) => {
    const captureCutAt = await cutAt(ending, WHOLE);
    expect(places.length).toBeGreaterThan(50);
    for (const place of places) expect([place, await captureCutAt(place)]).toMatchObject([place, unknown('NO_ANSWER')]);
    if (ending === 'end') expect(await captureCutAt(WHOLE.length)).toMatchObject({ outcome: 'OK' });
  });

  test('end, where nothing says how long the answer is: what is left does not verify', async () => {
    const bytes = wire(CAPTURED, ['connection: close']);
    const captureCutAt = await cutAt('end', bytes);
    const body = bytes.length - Buffer.byteLength(CAPTURED);
    for (const place of [body, body + 1, body + 50, bytes.length - 1])
      expect([place, await captureCutAt(place)]).toMatchObject([place, unknown('UNVERIFIED', 'SIGNATURE_MISMATCH')]);
    expect(await captureCutAt(bytes.length)).toMatchObject({ outcome: 'OK' });
  });

  test('end, within a chunk', async () => {
    const size = Buffer.byteLength(CAPTURED).toString(16);
    const chunked = wire(CAPTURED, ['transfer-encoding: chunked'])
      .toString()
      .replace('\r\n\r\n', `\r\n\r\n${size}\r\n`);
    const captureCutAt = await cutAt('end', Buffer.from(`${chunked}\r\n0\r\n\r\n`));
    expect(await captureCutAt(chunked.length - 1)).toMatchObject(unknown('NO_ANSWER'));
    expect(await captureCutAt(chunked.length)).toMatchObject(unknown('NO_ANSWER'));
    expect(await captureCutAt(chunked.length + 7)).toMatchObject({ outcome: 'OK' });
  });

  test('an answer that is no HTTP', async () => {
    const origin = await startRaw((socket) => socket.end(CAPTURED));
    expect(await captureAt(origin)).toMatchObject(unknown('NO_ANSWER'));
  });
});

describe('an answer that does not end', () => {
  const soon = { timeoutMs: 300 };

  test('is given up: nothing at all', async () => {
    expect(await captureAt(await startRaw((socket) => socket.resume()), soon)).toMatchObject(
      unknown('TIMEOUT', 'over 300 ms'),
    );
  });

  test('is given up: byte by byte, however often one comes', async () => {
    const origin = await startRaw((socket) => {
      let sent = 0;
      const timer = setInterval(() => socket.write(WHOLE.subarray(sent, (sent += 1))), 5);
      socket.on('close', () => clearInterval(timer));
    });
    expect(await captureAt(origin, soon)).toMatchObject(unknown('TIMEOUT'));
  });

  test('is given up: a body that stops', async () => {
    const origin = await startRaw((socket) => socket.write(WHOLE.subarray(0, -1)));
    expect(await captureAt(origin, soon)).toMatchObject(unknown('TIMEOUT'));
  });

  test('is given up when the service stops', async () => {
    const stopping = new AbortController();
    const origin = await startRaw((socket) => socket.on('data', () => stopping.abort()));
    expect(await captureAt(origin, {}, stopping.signal)).toMatchObject(unknown('STOPPED'));
    expect(await captureAt(origin, {}, stopping.signal)).toMatchObject(unknown('STOPPED'));
  });

  test('is read up to the limit', async () => {
    const { origin } = await startApi();
    const length = Buffer.byteLength(CAPTURED);
    expect(await captureAt(origin, { maxBytes: length })).toMatchObject({ outcome: 'OK' });
    expect(await captureAt(origin, { maxBytes: length - 1 })).toMatchObject(
      unknown('TOO_LARGE', `over ${length - 1} bytes`),
    );
  });

  test('is not read any further than a mebibyte', async () => {
    const { promise: closed, resolve: onClosed } = Promise.withResolvers<void>();
    const chunk = Buffer.alloc(65_536, ' ');
    const origin = await startRaw((socket) => {
      socket.on('close', () => onClosed());
      socket.write('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n');
      const more = (): void => {
        while (!socket.destroyed && socket.write(`10000\r\n${chunk.toString()}\r\n`));
      };
      socket.on('drain', more);
      more();
    });
    expect(await captureAt(origin)).toMatchObject(unknown('TOO_LARGE', 'over 1048576 bytes'));
    await closed;
  });
});

const compressed = (body: Buffer): Reply => {
  return ({ target }, response) =>
    void response
      .writeHead(200, { ...answerHeaders(target, CAPTURED), 'content-encoding': 'gzip' })
      .end(gzipSync(body));
};

describe('an answer that comes compressed, though nobody asked for it', () => {
  test('is verified over what it holds', async () => {
    const api = await startApi();
    api.reply(compressed(Buffer.from(CAPTURED)));
    expect(await captureAt(api.origin)).toMatchObject({ outcome: 'OK' });
  });

  test('is not unpacked beyond the limit', async () => {
    const api = await startApi();
    api.reply(compressed(Buffer.alloc(32 * 1_048_576)));
    expect(await captureAt(api.origin)).toMatchObject(unknown('TOO_LARGE'));
  });
});

describe('an HTTP status other than 200 says nothing of the capture, whatever stands under it', () => {
  test.each([201, 204, 400, 401, 403, 404, 429, 500, 502, 503, 504])('%i', async (status) => {
    const api = await startApi();
    api.reply(({ target }, response) => {
      response.writeHead(status, answerHeaders(target, CAPTURED)).end(status === 204 ? undefined : CAPTURED);
    });
    expect(await captureAt(api.origin)).toMatchObject(unknown('HTTP_STATUS', String(status)));
  });

  test.each([301, 302, 303, 307, 308])('%i is not followed', async (status) => {
    const elsewhere = await startApi();
    const api = await startApi();
    api.reply(({ target }, response) => {
      const headers = { ...answerHeaders(target, CAPTURED), location: `${elsewhere.origin}${target}` };
      response.writeHead(status, headers).end(CAPTURED);
    });
    expect(await captureAt(api.origin)).toMatchObject(unknown('HTTP_STATUS', String(status)));
    expect(elsewhere.seen).toEqual([]);
    expect(await captureAt(elsewhere.origin)).toMatchObject({ outcome: 'OK' });
  });
});

describe('TLS', () => {
  const trusted = makeCertificate();
  const expired = makeCertificate(new Date(Date.now() - 86_400_000));
  const known = getCACertificates();
  beforeAll(() => setDefaultCACertificates([...known, trusted.certificate, expired.certificate]));
  afterAll(() => setDefaultCACertificates(known));

  test('of a host that is trusted carries the call', async () => {
    const api = await startApi(trusted);
    expect(await captureAt(api.origin)).toMatchObject({ outcome: 'OK' });
    expect(api.seen).toHaveLength(1);
  });

  test.each([
    ['by nobody who is trusted', makeCertificate(), '127.0.0.1', 'DEPTH_ZERO_SELF_SIGNED_CERT'],
    ['for another host', trusted, 'localhost', 'ERR_TLS_CERT_ALTNAME_INVALID'],
    ['for a time that has passed', expired, '127.0.0.1', 'CERT_HAS_EXPIRED'],
  ])('with a certificate %s ends the call before anything is sent', async (_, tls, ...[host, detail]) => {
    const api = await startApi(tls);
    expect(await captureAt(api.origin.replace('127.0.0.1', host))).toMatchObject(unknown('NO_ANSWER', detail));
    expect(api.seen).toEqual([]);
  });

  test('that the other side does not speak ends it as well', async () => {
    const api = await startApi();
    expect(await captureAt(api.origin.replace('http:', 'https:'))).toMatchObject(unknown('NO_ANSWER'));
    expect(api.seen).toEqual([]);
  });
});
