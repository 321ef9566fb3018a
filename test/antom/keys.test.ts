import { describe, expect, test } from '@jest/globals';
import { readdirSync, readFileSync } from 'node:fs';
import * as fc from 'fast-check';
import { KeyError, readKey } from '../../src/antom/keys.ts';
import { keyFixture } from '../support/forge-signer.ts';

/** As OpenSSL computed them. */
const fingerprints = new Map(
  keyFixture('throw-away.fingerprints.txt')
    .trim()
    .split('\n')
    .map((line) => line.split(' ') as [string, string]),
);
const FINGERPRINT = fingerprints.get('throw-away');

const spki = keyFixture('throw-away.public.spki.pem');
const pkcs1 = keyFixture('throw-away.public.pkcs1.pem');
const certificate = keyFixture('throw-away.public.certificate.pem');
const oneLine = keyFixture('throw-away.public.spki.base64.txt').trim();

/** PEM without its first and last line. */
const bare = (pem: string): string => pem.replaceAll(/-----[^-]+-----/g, '').replaceAll(/\s/g, '');
const escaped = (text: string): string => text.replaceAll('\n', '\\n');

/** The message with which a key is refused. */
const refusalOf = (configured: string): string => {
  try {
    readKey(configured);
  } catch (error) {
    expect(error).toBeInstanceOf(KeyError);
    return (error as KeyError).message;
  }
  return 'accepted';
};

describe('every format gives the same key', () => {
  const formats: readonly (readonly [string, string])[] = [
    ['one line of Base64, as the dashboard shows it', oneLine],
    ['Base64 with white space around it', `  \n${oneLine}\t\n`],
    ['Base64 with line breaks', bare(spki).replaceAll(/.{64}/g, '$&\n')],
    ['Base64 with Windows line breaks', bare(spki).replaceAll(/.{64}/g, '$&\r\n')],
    ['Base64 with spaces, as a shell joins lines', bare(spki).replaceAll(/.{64}/g, '$& ')],
    ['Base64 with line breaks as \\n escapes', escaped(bare(spki).replaceAll(/.{64}/g, '$&\n'))],
    ['PEM', spki],
    ['PEM with Windows line breaks', spki.replaceAll('\n', '\r\n')],
    ['PEM with \\n escapes', escaped(spki)],
    ['PEM with \\r\\n escapes', spki.replaceAll('\n', '\\r\\n')],
    ['PEM on one line', spki.replaceAll('\n', ' ')],
    ['PEM without line breaks at all', spki.replaceAll('\n', '')],
    ['PEM after a line of explanation', `APO's key, from the dashboard\n${spki}`],
    ['PEM before a note that ends as a path does', `${spki}# apo.pem`],
    ['PKCS#1 PEM', pkcs1],
    ['PKCS#1 PEM with \\n escapes', escaped(pkcs1)],
    ['PKCS#1 as bare Base64', bare(pkcs1)],
    ['an X.509 certificate', certificate],
    ['an X.509 certificate with \\n escapes', escaped(certificate)],
    ['an X.509 certificate as bare Base64', bare(certificate)],
  ];

  test.each(formats)('%s', (_, configured) => {
    expect(readKey(configured)).toMatchObject({ version: null, signatureBytes: 256, fingerprint: FINGERPRINT });
  });

  test.each(formats)('with a version: %s', (_, configured) => {
    expect(readKey(`2:${configured.trim()}`)).toMatchObject({
      version: '2',
      signatureBytes: 256,
      fingerprint: FINGERPRINT,
    });
  });

  test.each(['throw-away-second', 'throw-away-3072'])('and another key another one: %s', (name) => {
    const { fingerprint, signatureBytes } = readKey(keyFixture(`${name}.public.spki.pem`));
    expect(fingerprint).toBe(fingerprints.get(name));
    expect(fingerprint).not.toBe(FINGERPRINT);
    expect(signatureBytes).toBe(name.endsWith('3072') ? 384 : 256);
  });

  test.each(['1', '01', 'v2', '2025-05', 'key_3', '1.2', 'v'.repeat(32)])('a version is text: %s', (version) => {
    expect(readKey(`${version}:${oneLine}`).version).toBe(version);
  });

  test("Antom's own sandbox key is accepted", () => {
    const vector = JSON.parse(
      readFileSync(new URL('../fixtures/payment-result-sandbox-2025.json', import.meta.url), 'utf8'),
    ) as { publicKey: string };
    expect(readKey(vector.publicKey)).toMatchObject({ version: null, signatureBytes: 256 });
  });

  test('keeps only a public key', () => {
    const { key } = readKey(oneLine);
    expect(key.type).toBe('public');
    expect(key.asymmetricKeyDetails).toMatchObject({ modulusLength: 2048, publicExponent: 65_537n });
  });
});

const PRIVATE =
  "this is a private key, and it may be compromised now: what belongs here is APO's public key, from the dashboard";
const NOT_RSA = 'the key is not an RSA public key';
const CUT =
  'the key is not DER: it may have been cut off when it was copied, or several stand here: give each key on its own, separated by commas';

const refused: readonly (readonly [string, string, string])[] = [
  ['an empty value', '', 'the key is empty'],
  ['white space', ' \n ', 'the key is empty'],
  ['nothing but escapes', '\\n', 'the key is empty'],
  ['text that is no key', 'not-a-key!', 'the key is neither PEM nor Base64'],
  ['quotation marks around a key', `"${oneLine}"`, 'the key is neither PEM nor Base64'],
  ['a version without a key', '2:', 'the key is neither PEM nor Base64'],
  ['two versions', `1:2:${oneLine}`, 'the key is neither PEM nor Base64'],
  ['a version with a space', `key 2:${oneLine}`, 'the key is neither PEM nor Base64'],
  ['a version of 33 characters', `${'v'.repeat(33)}:${oneLine}`, 'the key is neither PEM nor Base64'],
  ['Base64 of something else', Buffer.from('hello, world').toString('base64'), CUT],
  ['Base64 cut off', oneLine.slice(0, 200), CUT],
  ['Base64 that lost its beginning', oneLine.slice(4), CUT],
  ['Base64 that lost its beginning, up to a slash', oneLine.slice(oneLine.search(/\/\w/)), CUT],
  [
    'Base64 with bytes after the key',
    Buffer.concat([Buffer.from(oneLine, 'base64'), Buffer.from([0, 0])]).toString('base64'),
    CUT,
  ],
  ['PEM that lost its last line', spki.trim().split('\n').slice(0, -1).join('\n'), 'the PEM block is incomplete'],
  ['PEM with another last line', spki.replace('END PUBLIC', 'END RSA PUBLIC'), 'the PEM block is incomplete'],
  ['PEM cut off inside', spki.replace(/(MII.{100})[^-]*/s, '$1\n'), CUT],
  ['a private key, PKCS#8 PEM', keyFixture('throw-away.private.pkcs8.pem'), PRIVATE],
  ['a private key, PKCS#8 PEM with \\n escapes', escaped(keyFixture('throw-away.private.pkcs8.pem')), PRIVATE],
  [
    'a private key, PKCS#8 bare Base64, as merchants hold theirs',
    bare(keyFixture('throw-away.private.pkcs8.pem')),
    PRIVATE,
  ],
  ['a private key, PKCS#1 PEM', keyFixture('throw-away.private.pkcs1.pem'), PRIVATE],
  ['a private key, encrypted PEM', keyFixture('throw-away.private.encrypted.pem'), PRIVATE],
  ['a private key, EC PKCS#8 PEM', keyFixture('throw-away-ec.private.pkcs8.pem'), PRIVATE],
  ['a private key, EC PKCS#8 bare Base64', bare(keyFixture('throw-away-ec.private.pkcs8.pem')), PRIVATE],
  ['a private key, EC SEC 1 PEM', keyFixture('throw-away-ec.private.sec1.pem'), PRIVATE],
  ['a private key, EC SEC 1 bare Base64', bare(keyFixture('throw-away-ec.private.sec1.pem')), PRIVATE],
  ['a private key, encrypted, bare Base64', bare(keyFixture('throw-away.private.encrypted.pem')), PRIVATE],
  ['a private key of OpenSSH', spki.replaceAll('PUBLIC KEY', 'OPENSSH PRIVATE KEY'), PRIVATE],
  ['a private key, RSA-PSS', keyFixture('throw-away-pss.private.pkcs8.pem'), PRIVATE],
  ['a private key with a version', `2:${bare(keyFixture('throw-away.private.pkcs8.pem'))}`, PRIVATE],
  [
    'nine values that are no integers',
    Buffer.of(0x30, 18, ...Array.from({ length: 9 }, () => [5, 0]).flat()).toString('base64'),
    NOT_RSA,
  ],
  ['an EC public key', keyFixture('throw-away-ec.public.spki.pem'), NOT_RSA],
  ['an EC public key, bare Base64', bare(keyFixture('throw-away-ec.public.spki.pem')), NOT_RSA],
  ['a certificate of an EC key', keyFixture('throw-away-ec.public.certificate.pem'), NOT_RSA],
  ['a public key for RSA-PSS only', keyFixture('throw-away-pss.public.spki.pem'), NOT_RSA],
  ['1024 bits', keyFixture('weak-1024-bits.public.spki.pem'), 'the key has 1024 bits; at least 2048 are needed'],
  ['2047 bits', keyFixture('weak-2047-bits.public.spki.pem'), 'the key has 2047 bits; at least 2048 are needed'],
  ['exponent 3', keyFixture('weak-exponent-3.public.spki.pem'), "the key's exponent is 3; at least 65537 is needed"],
];

describe('what cannot be used is refused, with the likely cause', () => {
  test.each(refused)('%s', (_, configured, message) => {
    expect(refusalOf(configured)).toBe(message);
  });

  test('every key cut off anywhere', () => {
    const accepted = [spki, pkcs1]
      .map(bare)
      .flatMap((whole) =>
        Array.from({ length: whole.length }, (_, length) => whole.slice(0, length)).filter(
          (cut) => refusalOf(cut) === 'accepted',
        ),
      );
    expect(accepted).toEqual([]);
  });

  test('no message holds key material', () => {
    const material = readdirSync(new URL('../fixtures/keys/', import.meta.url))
      .filter((name) => name.endsWith('.pem'))
      .map((name) => keyFixture(name));
    const written = material.flatMap((pem) => [
      pem,
      bare(pem),
      escaped(pem),
      pem.slice(0, -40),
      bare(pem).slice(0, -7),
      `2:${pem}`,
      `"${bare(pem)}"`,
    ]);
    for (const configured of [...written, ...refused.map(([, text]) => text)]) {
      const message = refusalOf(configured);
      const whole = bare(configured.replaceAll('\\n', '\n'));
      const pieces = Array.from({ length: Math.max(0, whole.length - 8) }, (_, at) => whole.slice(at, at + 8));
      expect(pieces.filter((piece) => message.replaceAll(' ', '').includes(piece))).toEqual([]);
    }
  });

  test('whatever stands there, it is a key or a KeyError that says why', () => {
    const damaged = fc
      .record({
        whole: fc.constantFrom(oneLine, bare(pkcs1), bare(certificate)),
        at: fc.nat(),
        by: fc.base64String({ maxLength: 8 }),
        cut: fc.nat(8),
      })
      .map(({ whole, at, by, cut }) => whole.slice(0, at % whole.length) + by + whole.slice((at % whole.length) + cut));
    fc.assert(
      fc.property(
        fc.oneof(fc.string({ maxLength: 200 }), fc.base64String({ maxLength: 800 }), damaged),
        (configured) => {
          expect(refusalOf(configured)).toMatch(
            /^(accepted|the key('s)? .+|this is (a private key|the path of a file).+|the PEM block is incomplete)$/,
          );
        },
      ),
      { numRuns: 300 },
    );
  });
});
