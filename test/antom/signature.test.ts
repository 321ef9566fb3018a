import { beforeEach, describe, expect, test } from '@jest/globals';
import { constants, createHash, privateEncrypt, sign } from 'node:crypto';
import * as fc from 'fast-check';
import { type AntomKey, readKey } from '../../src/antom/keys.ts';
import {
  pathOf,
  type SignedRequest,
  stringToSign,
  type Trust,
  UNVERIFIED_REASONS,
  type UnverifiedReason,
  type Verification,
  verify,
} from '../../src/antom/signature.ts';
import { nextKeyPair } from '../support/keys.ts';
import { createForgeSigner, type ForgeMessage, keyFixture } from '../support/forge-signer.ts';
import { anyCharacter } from '../support/texts.ts';

const PRIVATE_KEY = keyFixture('throw-away.private.pkcs8.pem');
const signer = createForgeSigner(PRIVATE_KEY);
const secondSigner = createForgeSigner(keyFixture('throw-away-second.private.pkcs8.pem'));
const longSigner = createForgeSigner(keyFixture('throw-away-3072.private.pkcs8.pem'));
const oddSigner = createForgeSigner(keyFixture('throw-away-2052.private.pkcs8.pem'));

const CLIENT = 'T_client';
const BODY = Buffer.from(
  '{"notifyType":"PAYMENT_RESULT","paymentId":"P1","result":{"resultStatus":"S","resultMessage":"success."}}',
);
/** Chosen so that the signature holds several `+` and `/`: only then do the alphabets differ. */
const REQUEST_TIME = '2025-05-17T07:58:06Z';
const message: ForgeMessage = { uri: '/payNotify', clientId: CLIENT, requestTime: REQUEST_TIME, body: BODY };

const accepted: SignedRequest = {
  method: 'POST',
  target: message.uri,
  clientIds: [message.clientId],
  requestTimes: [message.requestTime],
  signatures: [signer.sign(message)],
  body: BODY,
};

const trusting = (keys: Readonly<Record<string, readonly string[]>>, publicUris: readonly string[] = []): Trust => ({
  keys: new Map(Object.entries(keys).map(([clientId, configured]) => [clientId, configured.map(readKey)])),
  publicUris,
});
const trust = trusting({ [CLIENT]: [signer.publicKey] });

const judged = (verification: Verification): UnverifiedReason | 'VERIFIED' =>
  verification.verified ? 'VERIFIED' : verification.reason;
/** The accepted request with something changed, under the given trust. */
const judge = (change: Partial<SignedRequest>, by: Trust = trust): UnverifiedReason | 'VERIFIED' =>
  judged(verify({ ...accepted, ...change }, by));
const judgeHeader = (signature: string): UnverifiedReason | 'VERIFIED' => judge({ signatures: [signature] });

const base64 = signer.signatureOf(message);
const percentEncoded = encodeURIComponent(base64);
const header = (signature: string): string => `algorithm=RSA256,keyVersion=1,signature=${signature}`;

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

/**
 * The last digit before `==` holds two bits of the signature and four that belong to nothing: the fifteen other ways to
 * write it.
 */
const withTrailingBits = Array.from({ length: 15 }, (_, bits) => {
  const last = base64.length - '=='.length - 1;
  return `${base64.slice(0, last)}${ALPHABET.charAt(ALPHABET.indexOf(base64.charAt(last)) + bits + 1)}==`;
});

describe('what node-forge signs', () => {
  test('verifies', () => {
    const verification = verify(accepted, trust);
    expect(verification).toEqual({
      verified: true,
      notification: {
        clientId: CLIENT,
        method: 'POST',
        target: '/payNotify',
        requestTime: REQUEST_TIME,
        signature: accepted.signatures[0],
        body: BODY,
      },
    });
  });

  test('verifies with a key pair generated this moment', () => {
    const fresh = createForgeSigner();
    expect(judge({ signatures: [fresh.sign(message)] }, trusting({ [CLIENT]: [fresh.publicKey] }))).toBe('VERIFIED');
    expect(judge({ signatures: [fresh.sign(message)] })).toBe('SIGNATURE_MISMATCH');
  });

  test.each([
    ['a longer key', longSigner],
    ['a key whose bits fill no whole bytes', oddSigner],
  ])('verifies under %s', (_, by) => {
    expect(judge({ signatures: [by.sign(message)] }, trusting({ [CLIENT]: [by.publicKey] }))).toBe('VERIFIED');
  });

  test.each([
    ['an empty body', ''],
    ['every byte there is', Uint8Array.from({ length: 256 }, (_, byte) => byte)],
    ['a line break at the end', `${BODY.toString()}\n`],
    ['text beyond ASCII', '{"a":"金額 ✓ é"}'],
  ])('verifies over %s', (_, body) => {
    expect(judge({ body: Buffer.from(body), signatures: [signer.sign({ ...message, body })] })).toBe('VERIFIED');
  });

  test.each([
    '2025-05-17T13:28:04+05:30',
    '2025-05-17T07:58:04.123Z',
    '1747468684000',
    'yesterday',
    '1999-01-01T00:00:00Z',
  ])('verifies whatever its request-time says: %s', (requestTime) => {
    const signatures = [signer.sign({ ...message, requestTime })];
    expect(judge({ requestTimes: [requestTime], signatures })).toBe('VERIFIED');
    expect(judge({ signatures })).toBe('SIGNATURE_MISMATCH');
  });

  test('is signed over the header bytes as they came, also beyond ASCII', () => {
    const requestTime = 'caf\xe9';
    const signatures = [signer.sign({ ...message, requestTime })];
    expect(judge({ requestTimes: [requestTime], signatures })).toBe('VERIFIED');
    const written = stringToSign({ ...message, method: 'POST', requestTime, body: BODY });
    expect(written.includes(Buffer.from([0x63, 0x61, 0x66, 0xe9, 0x2e]))).toBe(true);
  });

  test('does not verify for another method', () => {
    expect(judge({ method: 'PUT' })).toBe('SIGNATURE_MISMATCH');
    expect(judge({ method: 'PUT', signatures: [signer.sign({ ...message, method: 'PUT' })] })).toBe('VERIFIED');
  });
});

describe('the signature header is read however it was written', () => {
  const tolerated: readonly (readonly [string, string])[] = [
    ['as APO writes it', `algorithm=RSA256,keyVersion=1,signature=${percentEncoded}`],
    ['white space after the commas', `algorithm=RSA256, keyVersion=1,\tsignature=${percentEncoded}`],
    ['white space around everything', `  algorithm = RSA256 ,  keyVersion = 1 , signature = ${percentEncoded}  `],
    ['the signature first', `signature=${percentEncoded},keyVersion=1,algorithm=RSA256`],
    ['the key version first', `keyVersion=1,signature=${percentEncoded},algorithm=RSA256`],
    ['lower-case percent escapes', header(percentEncoded.replaceAll(/%../g, (escape) => escape.toLowerCase()))],
    ['not percent-encoded, with its plus signs', header(base64)],
    ['not percent-encoded and unpadded', header(base64.replace(/=+$/, ''))],
    ['percent-encoded and unpadded', header(percentEncoded.replace(/(%3D)+$/, ''))],
    ['partly percent-encoded', header(base64.replaceAll('/', '%2F'))],
    ['every character percent-encoded', header(Buffer.from(base64).toString('hex').replaceAll(/../g, '%$&'))],
    ['URL-safe, unpadded', header(Buffer.from(base64, 'base64').toString('base64url'))],
    ['URL-safe, padded', header(`${Buffer.from(base64, 'base64').toString('base64url')}==`)],
    ['without a key version', `algorithm=RSA256,signature=${percentEncoded}`],
    ['with a key version nobody configured', `algorithm=RSA256,keyVersion=77,signature=${percentEncoded}`],
    ['with a field nobody knows', `algorithm=RSA256,keyVersion=1,extra=x,signature=${percentEncoded}`],
  ];
  test.each(tolerated)('verifies %s', (_, written) => {
    expect(judgeHeader(written)).toBe('VERIFIED');
  });

  test('is tried on a signature that shows the difference', () => {
    expect(base64.match(/\+/g)?.length).toBeGreaterThanOrEqual(2);
    expect(base64.match(/\//g)?.length).toBeGreaterThanOrEqual(2);
    expect(base64).toMatch(/[^=]==$/);
  });
});

describe('the signature header is refused, with the first reason that holds', () => {
  const bytes = Buffer.from(base64, 'base64');
  const refused: readonly (readonly [UnverifiedReason, string, string])[] = [
    ['UNSUPPORTED_ALGORITHM', 'another algorithm', `algorithm=RSA512,keyVersion=1,signature=${percentEncoded}`],
    [
      'UNSUPPORTED_ALGORITHM',
      'no algorithm at all, by its name',
      `algorithm=none,keyVersion=1,signature=${percentEncoded}`,
    ],
    [
      'UNSUPPORTED_ALGORITHM',
      'the algorithm in lower case',
      `algorithm=rsa256,keyVersion=1,signature=${percentEncoded}`,
    ],
    ['MALFORMED_SIGNATURE', 'another algorithm and a broken signature', 'algorithm=RSA512,keyVersion=1,signature=%ZZ'],
    ['MALFORMED_SIGNATURE', 'no algorithm', `keyVersion=1,signature=${percentEncoded}`],
    ['MALFORMED_SIGNATURE', 'an empty algorithm', `algorithm=,keyVersion=1,signature=${percentEncoded}`],
    ['MALFORMED_SIGNATURE', 'two algorithms', `algorithm=RSA256,algorithm=RSA256,signature=${percentEncoded}`],
    ['MALFORMED_SIGNATURE', 'an empty key version', `algorithm=RSA256,keyVersion=,signature=${percentEncoded}`],
    [
      'MALFORMED_SIGNATURE',
      'two key versions',
      `algorithm=RSA256,keyVersion=1,keyVersion=1,signature=${percentEncoded}`,
    ],
    ['MALFORMED_SIGNATURE', 'two signatures', `${header(percentEncoded)},signature=${percentEncoded}`],
    ['MALFORMED_SIGNATURE', 'two signatures, of which one is empty', `${header(percentEncoded)},signature=`],
    ['MALFORMED_SIGNATURE', 'two headers joined by a comma', `${header(percentEncoded)}, ${header(percentEncoded)}`],
    ['MALFORMED_SIGNATURE', 'no signature', 'algorithm=RSA256,keyVersion=1'],
    ['MALFORMED_SIGNATURE', 'an empty signature', header('')],
    ['MALFORMED_SIGNATURE', 'nothing but padding', header('==')],
    ['MALFORMED_SIGNATURE', 'a bare signature', percentEncoded],
    ['MALFORMED_SIGNATURE', 'a comma at the end', `${header(percentEncoded)},`],
    ['MALFORMED_SIGNATURE', 'a word between the fields', `algorithm=RSA256,junk,signature=${percentEncoded}`],
    ['MALFORMED_SIGNATURE', 'a field without a name', `${header(percentEncoded)},=x`],
    ['MALFORMED_SIGNATURE', 'a name in capitals', `ALGORITHM=RSA256,keyVersion=1,signature=${percentEncoded}`],
    [
      'MALFORMED_SIGNATURE',
      'a semicolon between the fields',
      `algorithm=RSA256;keyVersion=1;signature=${percentEncoded}`,
    ],
    ['MALFORMED_SIGNATURE', 'quotation marks', header(`"${percentEncoded}"`)],
    ['MALFORMED_SIGNATURE', 'a character outside the alphabet', header(base64.replace(/^./, '!'))],
    ['MALFORMED_SIGNATURE', 'a character outside the alphabet beside a whole signature', header(`${base64}!`)],
    ['MALFORMED_SIGNATURE', 'an escaped character outside the alphabet', header(percentEncoded.replace(/^./, '%00'))],
    ['MALFORMED_SIGNATURE', 'an escaped line break', header(`${percentEncoded}%0A`)],
    ['MALFORMED_SIGNATURE', 'a byte beyond ASCII', header(base64.replace(/^./, '\xe9'))],
    ['MALFORMED_SIGNATURE', 'white space inside', header(`${base64.slice(0, 10)} ${base64.slice(10)}`)],
    [
      'MALFORMED_SIGNATURE',
      'plus signs that became spaces, as form decoding makes them',
      header(base64.replaceAll('+', ' ')),
    ],
    ['MALFORMED_SIGNATURE', 'the same, of a percent-encoded signature', header(percentEncoded.replaceAll('%2B', ' '))],
    ['MALFORMED_SIGNATURE', 'mixed alphabets', header(base64.replaceAll('+', '-'))],
    ['MALFORMED_SIGNATURE', 'mixed alphabets, one escaped', header(percentEncoded.replaceAll('%2F', '_'))],
    ['MALFORMED_SIGNATURE', 'half the padding', header(base64.replace(/==$/, '='))],
    ['MALFORMED_SIGNATURE', 'too much padding', header(`${base64}=`)],
    ['MALFORMED_SIGNATURE', 'padding inside', header(`${base64.slice(0, 4)}==${base64.slice(4)}`)],
    ['MALFORMED_SIGNATURE', 'a broken escape', header(percentEncoded.replace(/%2B/, '%ZZ'))],
    ['MALFORMED_SIGNATURE', 'an escape cut off after one digit', header(`${percentEncoded.replace(/%3D%3D$/, '')}%3`)],
    [
      'MALFORMED_SIGNATURE',
      'an escape cut off at the percent sign',
      header(`${percentEncoded.replace(/%3D%3D$/, '')}%`),
    ],
    ['MALFORMED_SIGNATURE', 'a double-encoded signature', header(encodeURIComponent(percentEncoded))],
    [
      'MALFORMED_SIGNATURE',
      'a signature one byte short',
      header(encodeURIComponent(bytes.subarray(1).toString('base64'))),
    ],
    [
      'MALFORMED_SIGNATURE',
      'a signature one byte long',
      header(encodeURIComponent(Buffer.concat([bytes, Buffer.from([0])]).toString('base64'))),
    ],
    [
      'MALFORMED_SIGNATURE',
      'a zero byte in front',
      header(encodeURIComponent(Buffer.concat([Buffer.from([0]), bytes]).toString('base64'))),
    ],
    ['MALFORMED_SIGNATURE', 'hexadecimal instead of Base64', header(bytes.toString('hex'))],
    ['MALFORMED_SIGNATURE', "another key's length", longSigner.sign(message)],
    ['SIGNATURE_MISMATCH', "another key's signature", secondSigner.sign(message)],
    ['SIGNATURE_MISMATCH', 'a signature of zeros', header(encodeURIComponent(Buffer.alloc(256).toString('base64')))],
    [
      'SIGNATURE_MISMATCH',
      'a signature beyond the modulus',
      header(encodeURIComponent(Buffer.alloc(256, 0xff).toString('base64'))),
    ],
    ['MISSING_HEADER', 'empty', ''],
  ];
  test.each(refused)('%s: %s', (reason, _, written) => {
    expect(judgeHeader(written)).toBe(reason);
  });

  test('MALFORMED_SIGNATURE: trailing bits that are not zero, any of them, padded or not', () => {
    for (const written of withTrailingBits) {
      expect(Buffer.from(written, 'base64')).toEqual(bytes);
      expect(judgeHeader(header(written))).toBe('MALFORMED_SIGNATURE');
      expect(judgeHeader(header(encodeURIComponent(written)))).toBe('MALFORMED_SIGNATURE');
      expect(judgeHeader(header(written.replace('==', '')))).toBe('MALFORMED_SIGNATURE');
    }
  });
});

describe('headers', () => {
  test.each(['clientIds', 'requestTimes', 'signatures'] as const)(
    '%s: sent twice, absent or empty is refused',
    (name) => {
      const [value = ''] = accepted[name];
      expect(judge({ [name]: [value] })).toBe('VERIFIED');
      expect(judge({ [name]: [value, value] })).toBe('DUPLICATE_HEADER');
      expect(judge({ [name]: [value, ''] })).toBe('DUPLICATE_HEADER');
      expect(judge({ [name]: ['', ''] })).toBe('DUPLICATE_HEADER');
      expect(judge({ [name]: [] })).toBe('MISSING_HEADER');
      expect(judge({ [name]: [''] })).toBe('MISSING_HEADER');
    },
  );

  /** Each request has its own fault and all those after it: the first decides. */
  const faults: readonly (readonly [UnverifiedReason, Partial<SignedRequest>])[] = [
    ['DUPLICATE_HEADER', { requestTimes: ['a', 'b'], clientIds: [], signatures: ['%ZZ'] }],
    ['MISSING_HEADER', { requestTimes: [], clientIds: ['nobody'], signatures: ['%ZZ'] }],
    ['MALFORMED_SIGNATURE', { clientIds: ['nobody'], signatures: ['algorithm=RSA512,keyVersion=3,signature=%ZZ'] }],
    ['UNSUPPORTED_ALGORITHM', { clientIds: ['nobody'], signatures: ['algorithm=RSA512,keyVersion=3,signature=AAAA'] }],
    ['UNKNOWN_CLIENT', { clientIds: ['nobody'], signatures: ['algorithm=RSA256,keyVersion=3,signature=AAAA'] }],
    ['MALFORMED_SIGNATURE', { signatures: ['algorithm=RSA256,keyVersion=3,signature=AAAA'] }],
    ['UNKNOWN_KEY_VERSION', { signatures: [secondSigner.sign(message, '3')] }],
    ['SIGNATURE_MISMATCH', { signatures: [secondSigner.sign(message, '1')] }],
  ];
  test.each(faults)('%s stands before whatever else is wrong', (reason, change) => {
    const versioned = trusting({ [CLIENT]: [`1:${signer.publicKey}`] });
    expect(judge({}, versioned)).toBe('VERIFIED');
    expect(judge(change, versioned)).toBe(reason);
  });

  test('every reason of the closed set is shown above', () => {
    expect(new Set(faults.map(([reason]) => reason))).toEqual(new Set(UNVERIFIED_REASONS));
  });
});

describe('clients and keys', () => {
  const rotating = trusting({ [CLIENT]: [`1:${signer.publicKey}`, `2:${secondSigner.publicKey}`] });

  test.each([
    ['the version it names', '1', signer],
    ['the other version it names', '2', secondSigner],
    ['a version that names another of the keys', '2', signer],
    ['a version nobody configured', '9', secondSigner],
  ] as const)('any key of the client verifies, under %s', (_, version, by) => {
    expect(judge({ signatures: [by.sign(message, version)] }, rotating)).toBe('VERIFIED');
  });

  test.each([
    ['SIGNATURE_MISMATCH', 'all keys carry versions, and one is named', ['1:', '2:', '2']],
    ['UNKNOWN_KEY_VERSION', 'all keys carry versions, and none is named', ['1:', '2:', '3']],
    ['UNKNOWN_KEY_VERSION', 'versions are text, not numbers', ['1:', '2:', '01']],
    ['SIGNATURE_MISMATCH', 'one key carries no version, so it could be any', ['1:', '', '3']],
    ['SIGNATURE_MISMATCH', 'no key carries a version', ['', '', '3']],
  ] as const)('%s: %s', (reason, _, [first, second, named]) => {
    const by = trusting({ [CLIENT]: [first + signer.publicKey, second + secondSigner.publicKey] });
    expect(judge({ signatures: [signer.sign(message, named)] }, by)).toBe('VERIFIED');
    expect(judge({ signatures: [signer.sign({ ...message, body: 'another body' }, named)] }, by)).toBe(reason);
  });

  test('SIGNATURE_MISMATCH: without a version in the header none is unknown', () => {
    const written = secondSigner.sign(message).replace('keyVersion=1,', '');
    expect(judge({ signatures: [written] }, trusting({ [CLIENT]: [`1:${signer.publicKey}`] }))).toBe(
      'SIGNATURE_MISMATCH',
    );
  });

  test('a version is known also where its key has another length', () => {
    const by = trusting({ [CLIENT]: [`1:${signer.publicKey}`, `2:${longSigner.publicKey}`] });
    expect(judge({ signatures: [secondSigner.sign(message, '2')] }, by)).toBe('SIGNATURE_MISMATCH');
    expect(judge({ signatures: [longSigner.sign(message, '1')] }, by)).toBe('VERIFIED');
  });

  describe('whose use is watched', () => {
    const tried: string[] = [];
    const watched = (configured: string): AntomKey => {
      const read = readKey(configured);
      return {
        ...read,
        get key() {
          tried.push(read.version ?? '');
          return read.key;
        },
      };
    };
    const keys = new Map([
      [CLIENT, [`1:${signer.publicKey}`, `2:${signer.publicKey}`, `3:${signer.publicKey}`].map(watched)],
    ]);
    const forged = secondSigner.sign(message, '3');
    beforeEach(() => {
      tried.length = 0;
    });

    test('the key that keyVersion names is tried first', () => {
      expect(judge({ signatures: [forged] }, { keys, publicUris: [] })).toBe('SIGNATURE_MISMATCH');
      expect(tried).toEqual(['3', '1', '2']);
    });

    test('no key is tried for more uris than the first where none made the signature', () => {
      const publicUris = ['/a', '/a?b', '/c', '/c?d'];
      expect(judge({ signatures: [forged] }, { keys, publicUris })).toBe('SIGNATURE_MISMATCH');
      expect(tried).toEqual(['3', '3', '1', '2']);
    });

    test('a request that verifies at first costs nothing more', () => {
      const publicUris = ['/a', '/a?b'];
      expect(judge({ signatures: [signer.sign(message, '3')] }, { keys, publicUris })).toBe('VERIFIED');
      expect(tried).toEqual(['3']);
    });
  });

  test("a client's key does not verify for another client", () => {
    const two = trusting({ [CLIENT]: [signer.publicKey], T_other: [secondSigner.publicKey] });
    const forOther = { ...message, clientId: 'T_other' };
    expect(judge({}, two)).toBe('VERIFIED');
    expect(judge({ clientIds: ['T_other'], signatures: [secondSigner.sign(forOther)] }, two)).toBe('VERIFIED');
    expect(judge({ clientIds: ['T_other'], signatures: [signer.sign(forOther)] }, two)).toBe('SIGNATURE_MISMATCH');
    expect(judge({ clientIds: ['T_other'] }, two)).toBe('SIGNATURE_MISMATCH');
    expect(judge({ clientIds: ['t_client'] }, two)).toBe('UNKNOWN_CLIENT');
    expect(judge({ clientIds: ['__proto__'] }, two)).toBe('UNKNOWN_CLIENT');
  });

  test('a client without keys verifies nothing', () => {
    expect(judge({}, trusting({ [CLIENT]: [] }))).toBe('MALFORMED_SIGNATURE');
    expect(judge({}, trusting({}))).toBe('UNKNOWN_CLIENT');
  });
});

describe('the signed uri', () => {
  const PUBLIC = ['/shop/payNotify', '/shop/payNotify?tenant=1'];
  const rewritten = trusting({ [CLIENT]: [signer.publicKey] }, PUBLIC);
  const signedFor = (uri: string): readonly string[] => [signer.sign({ ...message, uri })];

  test.each([
    ['the received path', '/payNotify', '/payNotify'],
    ['the received path, with a query added', '/payNotify', '/payNotify?x=1'],
    ['the received target with its query', '/payNotify?x=1&y=%2f', '/payNotify?x=1&y=%2f'],
    ['an empty query', '/payNotify?', '/payNotify?'],
    ['a query that holds a question mark', '/payNotify?a?b', '/payNotify?a?b'],
    ['the public path', '/shop/payNotify', '/payNotify'],
    ['the public path, with a query added', '/shop/payNotify', '/payNotify?x=1'],
    ['the public path with its query', '/shop/payNotify?tenant=1', '/payNotify'],
  ])('may be %s', (_, uri, target) => {
    expect(judge({ target, signatures: signedFor(uri) }, rewritten)).toBe('VERIFIED');
  });

  test.each([
    ['another path', '/payNotify2', '/payNotify'],
    ['the path in another case', '/paynotify', '/payNotify'],
    ['the path with a slash more', '/payNotify/', '/payNotify'],
    ['the path percent-encoded again', '/pay%4eotify', '/payNotify'],
    ['a query that did not come', '/payNotify?x=1', '/payNotify'],
    ['a query in another order', '/payNotify?y=2&x=1', '/payNotify?x=1&y=2'],
    ['a query percent-encoded again', '/payNotify?a=%2F', '/payNotify?a=%2f'],
    ['the public path with the received query', '/shop/payNotify?x=1', '/payNotify?x=1'],
    ['the received path with the public query', '/payNotify?tenant=1', '/payNotify'],
    ['the whole URL', 'https://shop.example/payNotify', '/payNotify'],
    ['no path', '', '/payNotify'],
  ])('is not %s', (_, uri, target) => {
    expect(judge({ target, signatures: signedFor(uri) }, rewritten)).toBe('SIGNATURE_MISMATCH');
  });

  test.each([
    ['1', signer],
    ['2', signer],
    ['9', secondSigner],
    ['2', secondSigner],
  ] as const)('may be any of them for any key, under version %s', (version, by) => {
    const two = trusting({ [CLIENT]: [`1:${signer.publicKey}`, `2:${secondSigner.publicKey}`] }, PUBLIC);
    const target = '/payNotify?x=1';
    for (const uri of ['/payNotify', target, ...PUBLIC])
      expect(judge({ target, signatures: [by.sign({ ...message, uri }, version)] }, two)).toBe('VERIFIED');
    expect(judge({ target, signatures: [by.sign({ ...message, uri: '/other' }, version)] }, two)).toBe(
      version === '9' ? 'UNKNOWN_KEY_VERSION' : 'SIGNATURE_MISMATCH',
    );
  });

  test('is not the public path where none is configured', () => {
    expect(judge({ signatures: signedFor('/shop/payNotify') })).toBe('SIGNATURE_MISMATCH');
  });

  test('ends its path at the first question mark', () => {
    expect(['/a', '/a?', '/a?b', '/a?b?c', '?', ''].map(pathOf)).toEqual(['/a', '/a', '/a', '/a', '', '']);
  });
});

const signedBytes = stringToSign({ ...message, method: 'POST', body: BODY });
const digest = (algorithm: string): string => createHash(algorithm).update(signedBytes).digest('hex');

/** The raw RSA operation over an encoded message. */
const rawSignature = (encoded: string): string => {
  const bytes = privateEncrypt({ key: PRIVATE_KEY, padding: constants.RSA_NO_PADDING }, Buffer.from(encoded, 'hex'));
  return header(encodeURIComponent(bytes.toString('base64')));
};

describe('PKCS#1 v1.5 is read to the letter', () => {
  /** RFC 8017, 9.2 notes 1: the DER in front of a SHA-256 digest. */
  const SHA256 = '3031300d060960864801650304020105000420';
  const hash = digest('sha256');
  const KEY_BYTES = 256;

  /** `00 01 FF… 00 <rest>`, with as much padding as there is room for. */
  const padded = (rest: string, begin = '0001'): string => {
    const room = KEY_BYTES * 2 - begin.length - 2 - rest.length;
    return `${begin}${'f'.repeat(room)}00${rest}`;
  };

  test('verifies what is built by hand to the letter', () => {
    expect(rawSignature(padded(SHA256 + hash))).toBe(signer.sign(message));
    expect(judgeHeader(rawSignature(padded(SHA256 + hash)))).toBe('VERIFIED');
  });

  const shortPadding = `0001${'ff'.repeat(8)}00${SHA256}${hash}`;
  const middle = padded(SHA256 + hash);
  test.each([
    ['SHA-1, correctly', padded(`3021300906052b0e03021a05000414${digest('sha1')}`)],
    ['SHA-512, correctly', padded(`3051300d060960864801650304020305000440${digest('sha512')}`)],
    ['MD5, correctly', padded(`3020300c06082a864886f70d020505000410${digest('md5')}`)],
    ['the name of SHA-512 before a SHA-256 digest', padded(`3031300d060960864801650304020305000420${hash}`)],
    ['the name of SHA-512/256', padded(`3031300d060960864801650304020605000420${hash}`)],
    ['no NULL after the algorithm', padded(`302f300b06096086480165030402010420${hash}`)],
    ['something else than NULL after the algorithm', padded(`3031300d060960864801650304020104000420${hash}`)],
    ['no DigestInfo around the digest', padded(hash)],
    ['only the octet string of the digest', padded(`0420${hash}`)],
    ['another digest', padded(SHA256 + createHash('sha256').update('other').digest('hex'))],
    ['a digest cut short, by its length', padded(`3030300d06096086480165030402010500041f${hash.slice(0, 62)}`)],
    ['an empty digest', padded('3011300d060960864801650304020105000400')],
    ['garbage after the DigestInfo', padded(`${SHA256}${hash}00`)],
    ['garbage after the DigestInfo, padding cut short (Bleichenbacher 2006)', shortPadding.padEnd(KEY_BYTES * 2, '0')],
    ['garbage inside the DigestInfo', padded(`3033300d060960864801650304020105000420${hash}0500`)],
    ['garbage inside the algorithm', padded(`3033300f0609608648016503040201050005000420${hash}`)],
    ['short padding, with zeros in front', shortPadding.padStart(KEY_BYTES * 2, '0')],
    ['no padding', `000100${SHA256}${hash}`.padStart(KEY_BYTES * 2, '0')],
    ['a length in the long form', padded(`308131300d060960864801650304020105000420${hash}`)],
    ['a length in the long form, of the digest', padded(`3032300d06096086480165030402010500048120${hash}`)],
    ['an indefinite length', padded(`3080300d060960864801650304020105000420${hash}0000`)],
    ['a constructed octet string', padded(`3033300d0609608648016503040201050024220420${hash}`)],
    ['block type 0', padded(SHA256 + hash, '0000')],
    ['block type 2, as for encryption', padded(SHA256 + hash, '0002')],
    ['one byte of padding that is not FF', `${middle.slice(0, 100)}fe${middle.slice(102)}`],
    ['no zero after the padding', padded(SHA256 + hash).replace(`ff00${SHA256}`, `ffff${SHA256}`)],
    ['a second zero after the padding', padded(`00${SHA256}${hash}`)],
  ])('refuses %s', (_, encoded) => {
    expect(encoded).toHaveLength(KEY_BYTES * 2);
    expect(judgeHeader(rawSignature(encoded))).toBe('SIGNATURE_MISMATCH');
  });

  test('refuses PSS padding under the same key', () => {
    const bytes = sign('sha256', signedBytes, { key: PRIVATE_KEY, padding: constants.RSA_PKCS1_PSS_PADDING });
    expect(judgeHeader(header(encodeURIComponent(bytes.toString('base64'))))).toBe('SIGNATURE_MISMATCH');
  });
});

/** Header values as Node hands them over: one character a byte. */
const latin1 = (maxLength: number): fc.Arbitrary<string> =>
  fc.string({ unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)), maxLength });

/** One place of a text changed, removed or grown. */
const mutationOf = (text: string): fc.Arbitrary<string> =>
  fc
    .record({
      at: fc.nat(text.length - 1),
      by: fc.oneof(latin1(3), fc.constant(''), fc.constantFrom('%', '=', ',', '+', ' ', '?', '.', '\n', '\0')),
      cut: fc.nat(2),
    })
    .map(({ at, by, cut }) => text.slice(0, at) + by + text.slice(at + cut))
    .filter((changed) => changed !== text);

describe('whatever comes', () => {
  /**
   * Two spellings of one signature are not two signatures: escapes in either case, white space around it, padding or
   * none.
   */
  const sameSignature = (written: string): boolean => {
    const escapes = written.replaceAll(/%[0-9a-f]{2}/gi, (escape) =>
      String.fromCharCode(Number.parseInt(escape.slice(1), 16)),
    );
    return escapes.trim().replace(/==$/, '') === base64.replace(/==$/, '');
  };

  const mutations: fc.Arbitrary<Partial<SignedRequest>> = fc.oneof(
    mutationOf(percentEncoded)
      .filter((changed) => !sameSignature(changed))
      .map((changed) => ({ signatures: [header(changed)] })),
    mutationOf('RSA256')
      .filter((changed) => changed.trim() !== 'RSA256')
      .map((changed) => ({ signatures: [`algorithm=${changed},keyVersion=1,signature=${percentEncoded}`] })),
    mutationOf('signature')
      .filter((changed) => changed.trim() !== 'signature')
      .map((changed) => ({ signatures: [`algorithm=RSA256,${changed}=${percentEncoded}`] })),
    mutationOf(message.uri)
      .filter((changed) => pathOf(changed) !== message.uri)
      .map((target) => ({ target })),
    mutationOf(message.requestTime).map((requestTime) => ({ requestTimes: [requestTime] })),
    mutationOf(BODY.toString('latin1')).map((changed) => ({ body: Buffer.from(changed, 'latin1') })),
    fc.uint8Array({ maxLength: 300 }).map((body) => ({ body })),
  );

  test('a thousand random mutations of header, path, time and body never verify and never throw', () => {
    fc.assert(
      fc.property(mutations, (change) => {
        expect(UNVERIFIED_REASONS).toContain(judge(change));
      }),
      { numRuns: 1_000 },
    );
  });

  const pieces = fc.constantFrom(
    'algorithm',
    'RSA256',
    'keyVersion',
    'signature',
    '=',
    '==',
    ',',
    ', ',
    '1',
    '%',
    '%2',
    '%2B',
    '%ZZ',
    '%00',
    '+',
    '-',
    '_',
    '/',
    base64,
    percentEncoded,
  );
  const garbage = fc.oneof(
    latin1(100),
    fc.string({ unit: anyCharacter, maxLength: 100 }),
    fc.array(pieces, { maxLength: 12 }).map((some) => some.join('')),
    fc.base64String({ maxLength: 700 }).map(header),
    fc
      .uint8Array({ minLength: 256, maxLength: 256 })
      .map((bytes) => header(encodeURIComponent(Buffer.from(bytes).toString('base64')))),
  );

  test('random headers never throw, and only the genuine signature ever verifies', () => {
    fc.assert(
      fc.property(
        fc.array(garbage, { maxLength: 2 }),
        fc.array(latin1(20), { maxLength: 2 }),
        fc.array(latin1(20), { maxLength: 2 }),
        (signatures, clientIds, requestTimes) => {
          expect(UNVERIFIED_REASONS).toContain(judge({ signatures, clientIds, requestTimes }));
          const known = judge({ signatures });
          expect(
            known === 'VERIFIED'
              ? signatures.some((written) => written.includes(base64) || written.includes(percentEncoded))
              : true,
          ).toBe(true);
        },
      ),
      { numRuns: 1_000 },
    );
  });

  test('a header as long as Node lets through is judged at once', () => {
    const began = performance.now();
    for (const unit of ['%', '%2B', ',', '=', 'a=', 'a,', ' ', '\t,', '+', '=='] as const)
      judgeHeader(header(unit.repeat(16_384 / unit.length)));
    expect(performance.now() - began).toBeLessThan(2_000);
  });
});

const twoDigits = (below: number): fc.Arbitrary<string> => fc.nat(below - 1).map((n) => String(n).padStart(2, '0'));

describe('`time.body` is signed as one text', () => {
  const { privateKey, publicKey } = nextKeyPair();
  const fresh = trusting({ [CLIENT]: [publicKey.export({ format: 'pem', type: 'spki' })] });
  /** What APO would sign for this text, as any division of it is sent. */
  const signedText = (text: string): string =>
    header(
      encodeURIComponent(
        sign('sha256', Buffer.from(`POST /payNotify\n${CLIENT}.${text}`, 'latin1'), privateKey).toString('base64'),
      ),
    );
  const sent = (requestTime: string, body: string, signature: string): UnverifiedReason | 'VERIFIED' =>
    judge({ requestTimes: [requestTime], body: Buffer.from(body, 'latin1'), signatures: [signature] }, fresh);

  const times = fc.oneof(
    fc
      .record({
        date: fc.tuple(
          fc.integer({ min: 1970, max: 2099 }),
          fc.integer({ min: 1, max: 12 }),
          fc.integer({ min: 1, max: 28 }),
        ),
        clock: fc.tuple(twoDigits(24), twoDigits(60), twoDigits(60)),
        fraction: fc.oneof(
          fc.constant(''),
          fc.integer({ min: 0, max: 999_999_999 }).map((n) => `.${n}`),
        ),
        zone: fc.oneof(
          fc.constant('Z'),
          fc.tuple(fc.constantFrom('+', '-'), twoDigits(24), twoDigits(60)).map(([sign_, h, m]) => `${sign_}${h}:${m}`),
        ),
      })
      .map(({ date: [year, month, day], clock, fraction, zone }) => {
        const date = [year, ...[month, day].map((n) => String(n).padStart(2, '0'))].join('-');
        return `${date}T${clock.join(':')}${fraction}${zone}`;
      }),
    fc.integer({ min: 1_000_000_000_000, max: 9_999_999_999_999 }).map(String),
  );
  const dotted = fc.string({
    unit: fc.constantFrom('.', '.', '{', '}', '"', 'Z', '2', '0', ':', '+', 'a'),
    maxLength: 12,
  });
  const objects = fc.dictionary(
    dotted,
    fc.oneof(dotted, fc.double(), fc.array(fc.dictionary(dotted, dotted), { maxLength: 2 })),
    { maxKeys: 4 },
  );
  const bodies = fc.oneof(
    objects.map((fields) => JSON.stringify(fields)),
    objects.map((fields) => JSON.stringify(fields, null, 2)),
    objects.map((fields) => `\n ${JSON.stringify(fields)}\n`),
    // Signed nonsense: JSON, but no object.
    fc
      .oneof(
        fc.double({ noNaN: true, noDefaultInfinity: true }),
        dotted,
        fc.array(fc.oneof(fc.double(), objects), { maxLength: 3 }),
      )
      .map((value) => JSON.stringify(value)),
  );

  test('a genuine message verifies as it is divided, and cut at no other dot', () => {
    fc.assert(
      fc.property(times, bodies, (time, body) => {
        const text = `${time}.${body}`;
        const signature = signedText(text);
        for (let dot = text.indexOf('.'); dot !== -1; dot = text.indexOf('.', dot + 1)) {
          expect([dot, sent(text.slice(0, dot), text.slice(dot + 1), signature)]).toEqual([
            dot,
            dot === time.length ? 'VERIFIED' : dot === 0 ? 'MISSING_HEADER' : 'SIGNATURE_MISMATCH',
          ]);
        }
      }),
      { numRuns: 300 },
    );
  });

  const body = BODY.toString('latin1');
  test.each([
    ['within the fraction of its time', '2025-05-17T13:28:06', `253+05:30.${body}`],
    ['within the fraction of its time, in UTC', '2025-05-17T13:28:06', `253Z.${body}`],
    ['in its body', `2025-05-17T13:28:06Z.${body.slice(0, -4)}`, 'x"}}'],
  ])('SIGNATURE_MISMATCH: a genuine message cut %s', (_, requestTime, rest) => {
    const signature = signedText(`${requestTime}.${rest}`);
    expect(sent(requestTime, rest, signature)).toBe('SIGNATURE_MISMATCH');
  });

  test.each([
    ['no JSON', 'nonsense'],
    ['an array', '[]'],
    ['a BOM first', '\xef\xbb\xbf{}'],
    ['white space first', ' {}'],
    ['nothing', ''],
  ])('a body with %s verifies with a complete time, and with no other', (_, strange) => {
    const asked = (time: string): string => sent(time, strange, signedText(`${time}.${strange}`));
    expect(['2025-05-17T07:58:06.253+05:30', '1747468684000'].map(asked)).toEqual(['VERIFIED', 'VERIFIED']);
    expect(['2025-05-17T07:58:06', '2025-05-17', 'yesterday', '1747468684'].map(asked)).toEqual(
      Array.from({ length: 4 }, () => 'SIGNATURE_MISMATCH'),
    );
  });
});
