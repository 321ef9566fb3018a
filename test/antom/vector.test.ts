import { describe, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { readKey } from '../../src/antom/keys.ts';
import { type SignedRequest, stringToSign, type Trust, type Verification, verify } from '../../src/antom/signature.ts';

interface Variant {
  readonly change: string;
  readonly signedUri?: string;
  readonly clientId?: string;
  readonly requestTime?: string;
  readonly body?: string;
}

interface Vector {
  readonly method: string;
  readonly signedUri: string;
  readonly clientId: string;
  readonly requestTime: string;
  readonly body: string;
  readonly bodyBase64: string;
  readonly signatureHeader: string;
  readonly publicKey: string;
  readonly stringToSign: string;
  readonly mustFail: readonly Variant[];
}

const vector = JSON.parse(
  readFileSync(new URL('../fixtures/payment-result-sandbox-2025.json', import.meta.url), 'utf8'),
) as Vector;
const key = readKey(vector.publicKey);
const body = Buffer.from(vector.bodyBase64, 'base64');

const genuine: SignedRequest = {
  method: vector.method,
  target: vector.signedUri,
  clientIds: [vector.clientId],
  requestTimes: [vector.requestTime],
  signatures: [vector.signatureHeader],
  body,
};

const genuineBut = (change: Partial<SignedRequest>): SignedRequest => ({ ...genuine, ...change });

/** Trusts the vector's key for whatever client the request names, so that only the signature can refuse it. */
const trustFor = ({ clientIds }: SignedRequest): Trust => ({
  keys: new Map(clientIds.map((id) => [id, [key]])),
  publicUris: [],
});
const verifyFor = (request: SignedRequest): Verification => verify(request, trustFor(request));
const MISMATCH: Verification = { verified: false, reason: 'SIGNATURE_MISMATCH' };

/** Every text or buffer that differs in one bit: eight for every byte. */
const oneBitApart = (bytes: Buffer): readonly Buffer[] =>
  Array.from({ length: bytes.length * 8 }, (_, bit) => {
    const changed = Buffer.from(bytes);
    changed.writeUInt8(changed.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
    return changed;
  });
const oneBitApartText = (text: string): readonly string[] =>
  oneBitApart(Buffer.from(text, 'latin1')).map((bytes) => bytes.toString('latin1'));

const signatureBytes = Buffer.from(decodeURIComponent(vector.signatureHeader.split('signature=')[1] ?? ''), 'base64');
const headerOf = (signature: Uint8Array): string =>
  `algorithm=RSA256,keyVersion=1,signature=${encodeURIComponent(Buffer.from(signature).toString('base64'))}`;

describe("the notification that Antom's sandbox signed", () => {
  test('verifies with its own path, client id and key', () => {
    const verification = verifyFor(genuine);
    expect(verification).toMatchObject({
      verified: true,
      notification: { clientId: vector.clientId, target: vector.signedUri, body },
    });
  });

  test('has the string to sign that its source states', () => {
    const { method, signedUri: uri, clientId, requestTime } = vector;
    expect(stringToSign({ method, uri, clientId, requestTime, body }).toString()).toBe(vector.stringToSign);
    expect(body.toString()).toBe(vector.body);
  });

  test('carries a signature as long as its key', () => {
    expect(signatureBytes).toHaveLength(key.signatureBytes);
    expect(headerOf(signatureBytes)).toBe(vector.signatureHeader);
  });

  test.each(vector.mustFail.map((variant) => [variant.change, variant] as const))(
    'is signed over another string: %s',
    (_, variant) => {
      const { method } = vector;
      const { signedUri: uri, clientId, requestTime, body: text } = { ...vector, ...variant };
      const signed = stringToSign({ method, uri, clientId, requestTime, body: Buffer.from(text) });
      expect(signed.toString()).not.toBe(vector.stringToSign);
      // Over HTTP an added query may stay unsigned, so the changed uri is offered as the public one, and the request
      // comes to another path.
      const request = {
        ...genuine,
        target: '/elsewhere',
        clientIds: [clientId],
        requestTimes: [requestTime],
        body: Buffer.from(text),
      };
      expect(verify(request, { ...trustFor(request), publicUris: [uri] })).toEqual(MISMATCH);
    },
  );

  test('verifies with a query added on the way, which the docs leave unsigned', () => {
    expect(verifyFor({ ...genuine, target: `${vector.signedUri}?x=1` }).verified).toBe(true);
  });
});

describe('one bit changed anywhere does not verify', () => {
  const changes: readonly (readonly [string, readonly SignedRequest[]])[] = [
    ['method', oneBitApartText(vector.method).map((method) => genuineBut({ method }))],
    ['path', oneBitApartText(vector.signedUri).map((target) => genuineBut({ target }))],
    [
      'client id, though its owner is trusted',
      oneBitApartText(vector.clientId).map((clientId) => genuineBut({ clientIds: [clientId] })),
    ],
    [
      'request time',
      oneBitApartText(vector.requestTime).map((requestTime) => genuineBut({ requestTimes: [requestTime] })),
    ],
    ['body', oneBitApart(body).map((changed) => genuineBut({ body: changed }))],
    [
      'decoded signature',
      oneBitApart(signatureBytes).map((signature) => genuineBut({ signatures: [headerOf(signature)] })),
    ],
  ];

  test.each(changes)('%s', (_, requests) => {
    expect(requests.length).toBeGreaterThan(0);
    expect(requests.map(verifyFor)).toEqual(requests.map(() => MISMATCH));
  });

  test('nor one byte more or less of the body', () => {
    const shorter = Array.from(body, (_, at) => Buffer.concat([body.subarray(0, at), body.subarray(at + 1)]));
    const longer = Array.from({ length: body.length + 1 }, (_, at) =>
      Buffer.concat([body.subarray(0, at), Buffer.from(' '), body.subarray(at)]),
    );
    const requests = [...shorter, ...longer].map((changed) => genuineBut({ body: changed }));
    expect(requests.filter((request) => verifyFor(request).verified)).toEqual([]);
  });
});
