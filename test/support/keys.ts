import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

const MADE = fileURLToPath(new URL('../../node_modules/.cache/test-keys.json', import.meta.url));
const MADE_AT_ONCE = 12;
let keys: string[] | null = null;

/**
 * An RSA key of 2048 bits that nobody else in this process has. Keys are kept for the next process: to make one takes as
 * long as a test.
 */
export const nextKeyPair = (): { readonly privateKey: KeyObject; readonly publicKey: KeyObject } => {
  const privateKey = createPrivateKey((keys ??= readKeys() ?? makeKeys()).pop() ?? makeKey());
  return { privateKey, publicKey: createPublicKey(privateKey) };
};

const makeKey = (): string =>
  generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'pem', type: 'pkcs8' });

const readKeys = (): string[] | null =>
  existsSync(MADE) ? (JSON.parse(readFileSync(MADE, 'utf8')) as string[]) : null;

const makeKeys = (): string[] => {
  const made = Array.from({ length: MADE_AT_ONCE }, makeKey);
  const unfinished = `${MADE}-${process.pid}`;
  mkdirSync(dirname(MADE), { recursive: true });
  writeFileSync(unfinished, JSON.stringify(made));
  renameSync(unfinished, MADE);
  return made;
};
