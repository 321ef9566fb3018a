import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';
import { readKey } from '../../src/antom/keys.ts';
import { createForgeSigner, keyFixture } from '../support/forge-signer.ts';
import { CLIENT, here, OTHER_PUBLIC_KEY, ownPlace, payment, PUBLIC_KEY } from './support.ts';

const CLI = fileURLToPath(new URL('../../src/cli.ts', import.meta.url));
const place = ownPlace();

const BODY = JSON.stringify(payment());
const signer = createForgeSigner(keyFixture('throw-away.private.pkcs8.pem'));
const headers = signer.headers({
  uri: '/payNotify',
  clientId: CLIENT,
  requestTime: '2025-05-17T07:58:06Z',
  body: BODY,
});

interface Message {
  readonly line?: string;
  readonly lines?: readonly string[];
  readonly body?: string;
  readonly newline?: string;
}

/** One raw HTTP message, as a proxy or `tcpdump` writes it down. */
const message = ({ line = 'POST /payNotify HTTP/1.1', lines = [], body = BODY, newline = '\r\n' }: Message): string =>
  [
    line,
    'Host: shop.example',
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    ...lines,
    '',
    body,
  ].join(newline);

const capture = (text: string | Uint8Array): string => {
  const file = join(place().directory, 'captured.http');
  writeFileSync(file, text);
  return file;
};

const verifying = async (text: string, env = {}) => {
  const { code, out, err } = await here(['verify', capture(text), '--json'], { ...place().env, ...env });
  return { code, err, json: out === '' ? null : (JSON.parse(out) as Readonly<Record<string, unknown>>) };
};

const oneLine = (pem: string): string => pem.replaceAll(/-----.*-----|\n/g, '');

const CHUNKED = `5;x=y\r\n${BODY.slice(0, 5)}\r\n${(BODY.length - 5).toString(16)}\r\n${BODY.slice(5)}\r\n0\r\n\r\n`;

describe('verify', () => {
  test.each<readonly [string, Message]>([
    ['with Content-Length', { lines: [`Content-Length: ${BODY.length}`] }],
    [
      'with Content-Length, and a newline that an editor added',
      { lines: [`content-length:${BODY.length}`], body: `${BODY}\n` },
    ],
    ['to the end of the file', {}],
    ['with LF', { newline: '\n' }],
    ['with a tab at the end of a header', { lines: [`Content-Length: ${BODY.length}\t`, 'Accept: */*'] }],
    ['chunked', { lines: ['Transfer-Encoding: chunked'], body: CHUNKED }],
  ])('checks a request %s', async (_, text) => {
    expect(await verifying(message(text))).toMatchObject({
      code: 0,
      json: {
        verified: true,
        taken: true,
        clientId: CLIENT,
        keyVersion: null,
        keyFingerprint: expect.stringMatching(/^[A-Za-z0-9+/]{43}=$/),
        kind: 'PAYMENT',
        outcome: 'APPLIED',
        problem: null,
      },
    });
  });

  test('says which key, which kind, and what cannot be read', async () => {
    const { code, out } = await here(['verify', capture(message({}))], place().env);
    expect(code).toBe(0);
    expect(out).toMatch(/^It verifies\.\n[^]*kind +PAYMENT\noutcome +APPLIED\n/);
    const body = '{"notifyType":"PAYMENT_RESULT"}';
    const signature = signer.sign({ uri: '/payNotify', clientId: CLIENT, requestTime: '2025-05-17T07:58:06Z', body });
    const malformed = message({ body }).replace(headers.signature, signature);
    expect(await verifying(malformed)).toMatchObject({
      code: 0,
      json: { outcome: 'MALFORMED', problem: expect.stringContaining('paymentId') },
    });
  });

  test('names the key that made the signature, of several as long', async () => {
    const keys = { ANTOM_PUBLIC_KEY: `${oneLine(OTHER_PUBLIC_KEY)},${oneLine(PUBLIC_KEY)}` };
    expect(await verifying(message({}), keys)).toMatchObject({
      code: 0,
      json: { keyFingerprint: readKey(PUBLIC_KEY).fingerprint },
    });
  });

  test('says of another method that the service would not take it, well signed as it is', async () => {
    const made = { uri: '/payNotify', clientId: CLIENT, requestTime: '2025-05-17T07:58:06Z', body: BODY };
    const put = message({ line: 'PUT /payNotify HTTP/1.1' }).replace(
      headers.signature,
      signer.sign({ method: 'PUT', ...made }),
    );
    expect(await verifying(put)).toMatchObject({ code: 0, json: { verified: true, taken: false } });
  });

  test.each<readonly [string, Message, object, object]>([
    [
      'another path',
      { line: 'POST /shop/payNotify HTTP/1.1' },
      {},
      { reason: 'SIGNATURE_MISMATCH', taken: false, diagnosis: { code: 'TEXT_CHANGED_PATH' } },
    ],
    [
      'a body written again',
      { body: BODY.replaceAll(',', ', ').replaceAll('":', '": ') },
      {},
      { diagnosis: { code: 'TEXT_CHANGED_JSON' } },
    ],
    ['another key', {}, { ANTOM_PUBLIC_KEY: OTHER_PUBLIC_KEY }, { diagnosis: { code: 'OTHER_KEY' } }],
    [
      'another client',
      {},
      { ANTOM_CLIENT_ID: 'T_2' },
      { reason: 'UNKNOWN_CLIENT', diagnosis: { code: 'UNKNOWN_CLIENT' } },
    ],
    ['a header twice', { lines: [`CLIENT-ID: ${CLIENT}`] }, {}, { diagnosis: { code: 'DUPLICATE_HEADER' } }],
  ])('says why %s does not verify', async (_, ...[text, env, expected]) => {
    expect(await verifying(message(text), env)).toMatchObject({ code: 1, json: { verified: false, ...expected } });
  });

  test('says it in words, and that the service takes another path only', async () => {
    const file = capture(message({ line: 'POST /shop/payNotify HTTP/1.1' }));
    const { code, out } = await here(['verify', file], place().env);
    expect(code).toBe(1);
    expect(out).toContain('APO signed this request for /payNotify, and it came to /shop/payNotify');
    expect(out).toContain('would not take this request');
  });

  test.each<readonly [string, string, string]>([
    ['is empty', '', 'no request line'],
    ['is a response', message({ line: 'HTTP/1.1 200 OK' }), 'no request line'],
    ['has no body', message({}).split('\r\n\r\n')[0] ?? '', 'the capture is cut off'],
    ['has a line that is no header', message({ lines: ['no header'] }), 'no header'],
    ['is shorter than it says', message({ lines: ['Content-Length: 100000'] }), 'the body is cut off'],
    ['has no number as its length', message({ lines: ['Content-Length: x'] }), 'is no number'],
    [
      'is chunked, and cut off',
      message({ lines: ['Transfer-Encoding: chunked'], body: CHUNKED.slice(0, -9) }),
      'cut off',
    ],
    [
      'is compressed in transfer',
      message({ lines: ['Transfer-Encoding: gzip'] }),
      'its Transfer-Encoding is not chunked',
    ],
    ['is compressed', message({ lines: ['Content-Encoding: gzip'] }), 'a signed body comes raw'],
  ])('refuses a file that %s', async (_, text, words) => {
    const { code, json, err } = await verifying(text);
    expect([code, json]).toEqual([1, null]);
    expect(err).toContain(words);
  });

  test('names a file that cannot be read, and needs the keys', async () => {
    const missing = await here(['verify', join(place().directory, 'missing')], place().env);
    expect([missing.code, missing.err]).toEqual([1, expect.stringContaining('ENOENT')]);
    expect((await here(['verify', capture(message({}))], {})).code).toBe(78);
  });

  test('reads standard input', () => {
    const { PATH, NODE_COMPILE_CACHE } = process.env;
    const env = { PATH, NODE_COMPILE_CACHE, ...place().env };
    const { status, stdout } = spawnSync(process.execPath, [CLI, 'verify', '-'], { env, input: message({}) });
    expect([status, stdout.toString()]).toEqual([0, expect.stringMatching(/^It verifies\./)]);
  });
});
