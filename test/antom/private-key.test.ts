import { createPublicKey } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { KeyError, readKey } from '../../src/antom/keys.ts';
import { readPrivateKeyText } from '../../src/antom/private-key.ts';
import { keyFixture } from '../support/forge-signer.ts';

const pkcs8 = keyFixture('throw-away.private.pkcs8.pem');
const pkcs1 = keyFixture('throw-away.private.pkcs1.pem');
const spki = keyFixture('throw-away.public.spki.pem');
const { fingerprint } = readKey(spki);

/** PEM without its first and last line. */
const bare = (pem: string): string => pem.replaceAll(/-----[^-]+-----/g, '').replaceAll(/\s/g, '');
const escaped = (text: string): string => text.replaceAll('\n', '\\n');
const base64 = (text: string): string => Buffer.from(text).toString('base64');
const at = (text: string, place: number, by: string): string => text.slice(0, place) + by + text.slice(place + 1);

/** The message with which a key is refused. */
const refusalOf = (configured: string): string => {
  try {
    readPrivateKeyText(configured);
  } catch (error) {
    expect(error).toBeInstanceOf(KeyError);
    return (error as KeyError).message;
  }
  return 'accepted';
};

describe('every format gives the same private key', () => {
  const formats: readonly (readonly [string, string])[] = [
    ['PKCS#8 PEM', pkcs8],
    ['PKCS#8 PEM with \\n escapes', escaped(pkcs8)],
    ['PKCS#8 PEM with Windows line breaks', pkcs8.replaceAll('\n', '\r\n')],
    ['PKCS#8 PEM on one line', pkcs8.replaceAll('\n', ' ')],
    ['PKCS#8 as bare Base64, as the SDKs take it', bare(pkcs8)],
    ['PKCS#8 as bare Base64 with line breaks', `\n${bare(pkcs8).replaceAll(/.{64}/g, '$&\n')}\n`],
    ['PKCS#1 PEM', pkcs1],
    ['PKCS#1 PEM with \\n escapes', escaped(pkcs1)],
    ['PKCS#1 as bare Base64', bare(pkcs1)],
  ];

  test.each(formats)('%s', (_, configured) => {
    const read = readPrivateKeyText(configured);
    expect(read).toMatchObject({ version: null, fingerprint });
    expect(read.key.type).toBe('private');
    expect(createPublicKey(read.key).export({ format: 'pem', type: 'spki' })).toBe(spki);
  });

  test('a version may stand before it, as before a public key', () => {
    expect(readPrivateKeyText(`2:${bare(pkcs8)}`)).toMatchObject({ version: '2', fingerprint });
  });

  test('and another key is another one', () => {
    expect(readPrivateKeyText(keyFixture('throw-away-3072.private.pkcs8.pem')).fingerprint).toBe(
      readKey(keyFixture('throw-away-3072.public.spki.pem')).fingerprint,
    );
  });
});

describe('what cannot be used is refused, with the likely cause', () => {
  const publicKey = 'this is a public key: what belongs here is your own private key';
  const passphrase = 'the key is protected by a passphrase';
  const none = 'this is no private key: PEM or bare Base64, of PKCS#8 or PKCS#1';
  const notRsa = 'the key is not an RSA key';
  const refused: readonly (readonly [string, string, string])[] = [
    ['an empty value', ' \n ', 'the key is empty'],
    ['text that is no key', 'not-a-key!', 'the key is neither PEM nor Base64'],
    [
      'the path of a file',
      '/run/secrets/merchant.pem',
      'this is the path of a file, and the key itself belongs here: put the path into ANTOM_PRIVATE_KEY_FILE',
    ],
    ['a public key, PEM', spki, publicKey],
    ['a public key, PKCS#1 PEM', keyFixture('throw-away.public.pkcs1.pem'), publicKey],
    ['a public key, as the dashboard shows it', bare(spki), publicKey],
    ['a certificate', keyFixture('throw-away.public.certificate.pem'), publicKey],
    ['a public key, PEM that was encoded once more', base64(spki), publicKey],
    ['a private key, PEM that was encoded once more', base64(pkcs8), 'encoded as Base64 once more'],
    ['two private keys', `${pkcs8}${pkcs1}`, 'several PEM blocks stand here: keep the one whose public half'],
    ['a passphrase, PKCS#8', keyFixture('throw-away.private.encrypted.pem'), passphrase],
    [
      'a passphrase, PKCS#1 as OpenSSL wrote it formerly',
      pkcs1.replace('KEY-----\n', 'KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\n'),
      passphrase,
    ],
    ['EC, PKCS#8', keyFixture('throw-away-ec.private.pkcs8.pem'), notRsa],
    ['EC, SEC 1 PEM', keyFixture('throw-away-ec.private.sec1.pem'), notRsa],
    ['EC, SEC 1 bare', bare(keyFixture('throw-away-ec.private.sec1.pem')), notRsa],
    ['RSA for PSS only', keyFixture('throw-away-pss.private.pkcs8.pem'), notRsa],
    ['PEM that lost its last line', pkcs8.trim().split('\n').slice(0, -1).join('\n'), 'the PEM block is incomplete'],
    ['Base64 cut off', bare(pkcs8).slice(0, 800), none],
    ['Base64 of something else', base64('hello, world'), none],
    ['one letter of the modulus changed', at(bare(pkcs1), 60, bare(pkcs1)[60] === 'A' ? 'B' : 'A'), 'damaged'],
  ];

  test.each(refused)('%s', (_, configured, message) => {
    expect(refusalOf(configured)).toContain(message);
  });

  test('no message holds key material', () => {
    const material = readdirSync(new URL('../fixtures/keys/', import.meta.url))
      .filter((name) => name.endsWith('.pem'))
      .map((name) => keyFixture(name));
    const written = material.flatMap((pem) => [
      pem.slice(0, -40),
      bare(pem).slice(0, -7),
      `2:${pem}`,
      `"${bare(pem)}"`,
    ]);
    for (const configured of [...written, ...refused.map(([, text]) => text)]) {
      const message = refusalOf(configured);
      const whole = bare(configured.replaceAll('\\n', '\n'));
      const pieces = Array.from({ length: Math.max(0, whole.length - 8) }, (_, place) => whole.slice(place, place + 8));
      expect(pieces.filter((piece) => message.replaceAll(' ', '').includes(piece))).toEqual([]);
    }
  });
});
