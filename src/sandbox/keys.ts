import { createPublicKey, generateKeyPair, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';

export interface SigningKey {
  readonly version: string;
  readonly key: KeyObject;
  /** One line of bare Base64, as the dashboard shows it. */
  readonly publicKey: string;
}

/** The key in force and the next one, which is there before it signs, so that it can be configured. */
export interface SigningKeys {
  readonly current: () => SigningKey;
  readonly next: () => SigningKey;
  /** From now on everything is signed with the next one; what waits to be sent, too. */
  readonly rotate: () => Promise<SigningKey>;
}

const BITS = 2_048;
const generate = promisify(generateKeyPair);

export const publicHalf = (key: KeyObject): string =>
  createPublicKey(key).export({ format: 'der', type: 'spki' }).toString('base64');

const makeNext = async (version: number): Promise<SigningKey> => {
  const { privateKey } = await generate('rsa', { modulusLength: BITS, publicExponent: 0x10001 });
  return { version: String(version), key: privateKey, publicKey: publicHalf(privateKey) };
};

export const createSigningKeys = async (key: KeyObject): Promise<SigningKeys> => {
  let version = 1;
  let current: SigningKey = { version: '1', key, publicKey: publicHalf(key) };
  let next = await makeNext(version + 1);
  return {
    current: () => current,
    next: () => next,
    rotate: async () => {
      version += 1;
      const following = await makeNext(version + 1);
      current = next;
      next = following;
      return current;
    },
  };
};
