import { createPrivateKey, type KeyObject } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { codeOf, CommandError, reasonOf } from './failure.ts';

/**
 * Reads an RSA private key to sign with: PEM or bare Base64, of PKCS#8 or PKCS#1. Throws a CommandError, which never
 * quotes the key.
 */
export const readPrivateKey = async (file: string): Promise<KeyObject> => {
  const text = await readText(file);
  if (text.includes('PUBLIC KEY')) throw new CommandError(`${file} holds a public key: signing needs the private one`);
  const key = text.includes('-----') ? attempt(() => createPrivateKey(text)) : fromBase64(text);
  if (key === null)
    throw new CommandError(
      `${file} holds no private key: PEM or bare Base64, of PKCS#8 or PKCS#1, without a passphrase`,
    );
  if (key.asymmetricKeyType !== 'rsa') throw new CommandError(`${file} holds a key that is not RSA`);
  return key;
};

const readText = async (file: string): Promise<string> => {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw new CommandError(`${file} cannot be read: ${codeOf(error) ?? reasonOf(error)}`);
  }
};

const fromBase64 = (text: string): KeyObject | null => {
  const key = Buffer.from(text, 'base64');
  return (
    attempt(() => createPrivateKey({ key, format: 'der', type: 'pkcs8' })) ??
    attempt(() => createPrivateKey({ key, format: 'der', type: 'pkcs1' }))
  );
};

const attempt = (read: () => KeyObject): KeyObject | null => {
  try {
    return read();
  } catch {
    return null;
  }
};
