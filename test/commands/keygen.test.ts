import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { readKey } from '../../src/antom/keys.ts';
import { signatureHeader } from '../../src/antom/signing.ts';
import { verify } from '../../src/antom/signature.ts';
import { readPrivateKey } from '../../src/commands/private-key.ts';
import { here, KEYS, ownPlace, spawned } from './support.ts';

const place = ownPlace();

const verifies = async (privateKeyFile: string, publicKey: string): Promise<boolean> => {
  const body = Buffer.from('{}');
  const signature = signatureHeader(
    { method: 'POST', uri: '/n', clientId: 'C', requestTime: 'T', body },
    await readPrivateKey(privateKeyFile),
  );
  const request = {
    method: 'POST',
    target: '/n',
    clientIds: ['C'],
    requestTimes: ['T'],
    signatures: [signature],
    body,
  };
  return verify(request, { keys: new Map([['C', [readKey(publicKey)]]]), publicUris: [] }).verified;
};

describe('keygen', () => {
  test('writes a private key for its owner alone, and prints the public one as the dashboard does', async () => {
    const file = join(place().directory, 'key.pem');
    const { code, out, err } = await spawned(['keygen', file]);
    expect(code).toBe(0);
    expect(out).toMatch(/^MII[A-Za-z0-9+/]+={0,2}\n$/);
    expect(err).toContain(file);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(await verifies(file, out.trim())).toBe(true);
    expect(Buffer.from(out, 'base64').length).toBeGreaterThan(256);
  });

  test('overwrites no key', async () => {
    const file = join(place().directory, 'key.pem');
    expect((await here(['keygen', file, '--json'])).code).toBe(0);
    const before = readFileSync(file, 'utf8');
    expect(await here(['keygen', file])).toMatchObject({
      code: 1,
      out: '',
      err: `error: ${file} exists, and is not overwritten\n`,
    });
    expect(readFileSync(file, 'utf8')).toBe(before);
  });

  test('makes none below 2048 bits', async () => {
    const file = join(place().directory, 'key.pem');
    expect((await here(['keygen', file, '--bits', '1024'])).code).toBe(64);
    expect(existsSync(file)).toBe(false);
  });
});

describe('the private key of send', () => {
  const publicKey = readFileSync(join(KEYS, 'throw-away.public.spki.pem'), 'utf8');

  test.each(['throw-away.private.pkcs8.pem', 'throw-away.private.pkcs1.pem'])(
    'reads %s, and its bare Base64',
    async (name) => {
      expect(await verifies(join(KEYS, name), publicKey)).toBe(true);
      const bare = join(place().directory, 'bare');
      writeFileSync(bare, readFileSync(join(KEYS, name), 'utf8').replaceAll(/-----[A-Z ]+-----|\n/g, ''));
      expect(await verifies(bare, publicKey)).toBe(true);
    },
  );

  test.each([
    ['throw-away.public.spki.pem', 'throw-away.public.spki.pem: this is a public key'],
    ['throw-away.private.encrypted.pem', 'the key is protected by a passphrase'],
    ['throw-away-ec.private.pkcs8.pem', 'the key is not an RSA key'],
    ['throw-away-pss.private.pkcs8.pem', 'the key is not an RSA key'],
    ['README.md', 'the key is neither PEM nor Base64'],
    ['nowhere.pem', 'cannot be read: ENOENT'],
  ])('refuses %s and says why', async (name, why) => {
    await expect(readPrivateKey(join(KEYS, name))).rejects.toThrow(why);
  });
});
